/*
 * args.h - the options of a run, as the subcommands share them
 */
#ifndef MM_CMD_ARGS_H
#define MM_CMD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/replay/run.h"
#include "minimm/scheme/scheme.h"
#include "minimm/sim/costs.h"

#define MM_ARGS_SCHEMES	32
#define MM_ARGS_COUNTS	32
#define MM_REPS_MAX	1000

struct mm_args {
	const char *trace;		/* the one argument that is no option;
					 * run: a workload's name */
	const struct mm_scheme *schemes[MM_ARGS_SCHEMES];
	size_t nr_schemes;
	bool schemes_given;		/* else: all that are not hidden */
	unsigned int scale;
	unsigned int nr_cpus;		/* 0: the default */
	uint64_t seed;
	uint64_t nr_threads, nr_operations;	/* racy; 0: the default */
	uint64_t thread_counts[MM_ARGS_COUNTS];	/* run */
	size_t nr_thread_counts;
	uint64_t run_ns, nr_turns, nr_reps;	/* run; 0: the default */
	uint64_t nr_pages, nr_vmas;		/* run; 0: the workload's */
	const char *costs_name;		/* "default", "trace" or a file */
	struct sim_costs costs;
	bool costs_from_trace;
	enum mm_files files;
	bool racy;
	bool cold;
	bool sites;
	const char *json;		/* a file, "-", or NULL */
	bool wants_help;
};

/*
 * Read the options whose letters are in allowed.  They are:
 *	s --scheme   k --scale	 c --cpus   S --seed   C --costs   r --racy
 *	f --files    o --cold	 j --json   i --sites  t --threads
 *	n --operations		T --threads, a list	d --seconds
 *	u --turns    R --reps	 p --pages   v --vmas
 *	F --costs where there is no trace
 * and --help always.
 *
 * Returns: MM_STATUS_OK; else the status after a message.
 */
int mm_args_read(struct mm_args *args, int argc, char **argv,
		 const char *allowed);

/* The lines of the allowed options, for a command's help. */
void mm_args_help(const char *allowed);

/* For a command that runs one scheme: coarse, unless it is told another.
 * Returns: NULL, after a message, if it is told more than one. */
const struct mm_scheme *mm_args_one_scheme(const struct mm_args *args,
					   const char *command);

/* As a message: the schemes from the first-th on are not run.  Nothing if there
 * are none. */
void mm_args_say_rest(const struct mm_args *args, size_t first);

/* Every scheme that a list may name, on one line. */
void mm_args_schemes(char *text, size_t size);

#endif
