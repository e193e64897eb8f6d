/*
 * threads.h - a workload on real threads, under one scheme
 *
 * All threads share one fresh address space.  Thread i is pinned to CPU i, modulo
 * the CPUs that the process may use.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_LOAD_THREADS_H
#define MINIMM_LOAD_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/load/load.h"
#include "minimm/oracle/meet.h"

struct load_options {
	const struct load *load;
	const struct mm_scheme *scheme;
	struct load_sizes sizes;
	unsigned int nr_threads;	/* 1 to LOAD_THREADS_MAX */
	uint64_t turns;			/* of each thread; 0: run_ns */
	uint64_t run_ns;
	bool files_are_fine;		/* file drivers are converted */
	bool is_watched;		/* look for missed conflicts; slow */
	oracle_report_fn *report;	/* a violation; or NULL */
	void *report_arg;
	unsigned int nr_reports;	/* at most; 0: 20 */
};

struct load_result {
	uint64_t nr_operations, ns;	/* of what was timed */
	struct load_counts counts;	/* of the whole run, all threads */
	uint64_t nr_turns;
	uint64_t nr_missed;		/* 0 unless it was watched */
	uint64_t nr_violations;
};

/*
 * Run it to its end and look whether everything adds up: each thread did what its
 * turns make, every page that came went, and the space is empty and sound.  What
 * does not is a violation, and a result.
 *
 * With turns the time is from the start of all to the end of the last; with
 * run_ns the counters are read twice while all run, so no start and no end is
 * in it.
 *
 * Returns: 0; else an error number, and there is no result: no memory, or not
 *	    so many threads.
 */
int load_run_threads(const struct load_options *options,
		     struct load_result *result);

/* CPUs that the process may use. */
unsigned int load_nr_cpus(void);

#endif
