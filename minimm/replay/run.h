/*
 * run.h - replay a plan under one scheme, in virtual time
 */
#ifndef MM_REPLAY_RUN_H
#define MM_REPLAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/oracle/oracle.h"
#include "minimm/replay/layout.h"
#include "minimm/replay/plan.h"
#include "minimm/sim/costs.h"

#define MM_TOP_PAIRS	8
#define MM_TOP_CAUSES	8

/* Are the file drivers converted (vm_ops: a range is fine)? */
enum mm_files {
	MM_FILES_AS_SCHEME,		/* as its files_are_fine says */
	MM_FILES_COARSE,
	MM_FILES_FINE,
};

struct mm_replay {
	const struct mm_plan *plan;
	const struct mm_layout *layout;
	const struct sim_costs *costs;
	unsigned int nr_cpus;
	uint64_t seed;			/* of the gaps' jitter */
	enum mm_files files;
	bool costs_from_trace;
	bool racy;			/* the program's own order is not kept */
	bool cold;			/* each file page's first fault needs I/O */
	/* A violation as it is found, a line without its end; or NULL. */
	void (*report)(void *arg, const char *text);
	void *report_arg;
	/* Now and then: steps done, of all; or NULL. */
	void (*progress)(void *arg, uint64_t done, uint64_t all);
	void *progress_arg;
};

struct mm_latency {
	uint64_t nr, p50_ns, p99_ns, max_ns;
};

struct mm_replay_result {
	const struct mm_scheme *scheme;
	uint64_t nr_operations;
	uint64_t nr_waits[2], wait_ns[2];	/* by enum oracle_truth */
	uint64_t false_ns[ORACLE_NR_REASONS];
	uint64_t nr_short, short_ns;
	uint64_t nr_ordered, ordered_ns;	/* program order */
	uint64_t nr_aborts[2], nr_fallbacks[2];	/* by enum oracle_truth */
	uint64_t nr_missed;
	uint64_t nr_violations;
	uint64_t makespan_ns;
	uint64_t cpu_wait_ns, busy_ns;
	uint64_t nr_failed;		/* replayed as failures */
	uint64_t nr_lockless;		/* copies' questions for their break */
	uint64_t nr_segv;		/* faults that ended in a signal */
	uint64_t nr_mismatches[MM_NR_KINDS];	/* another result than recorded */
	uint64_t nr_answers_taken;	/* a recorded address was not free */
	uint64_t nr_older_refused;	/* inferred mappings that did not fit */
	struct mm_latency latency[MM_NR_KINDS];
	struct mm_latency map_latency;	/* of mmap and munmap together */
	struct oracle_pair pairs[MM_TOP_PAIRS];	/* most false waiting first */
	size_t nr_pairs;
	struct oracle_cause causes[MM_TOP_CAUSES];
	size_t nr_causes;
};

/*
 * Run it.  The sites' counters are those of this run afterwards.
 *
 * Returns: 0; -1 with a message in why (MM_WHY_MAX bytes): no memory.  Broken
 *	    invariants and a deadlock are results: nr_violations.
 */
int mm_replay_run(const struct mm_replay *replay,
		  const struct mm_scheme *scheme,
		  struct mm_replay_result *result, char *why);

#endif
