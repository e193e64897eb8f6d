/*
 * racy.h - threads that race for the same few pages
 *
 * A trace of a correct program keeps the order of conflicting operations, so it
 * shows false waiting only.  Here nobody keeps any order: faults, munmap,
 * mprotect, mremap, MAP_FIXED, mmap of unknown address, brk, stacks and maps hit
 * the same pages at once, and only the scheme's locks, second looks and retries
 * decide.  Deterministic: one seed, one run.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ORACLE_RACY_H
#define MINIMM_ORACLE_RACY_H

#include "minimm/mm/hooks.h"
#include "minimm/oracle/oracle.h"
#include "minimm/sim/costs.h"

struct racy_options {
	const struct mm_scheme *scheme;
	const struct sim_costs *costs;	/* NULL: the default table */
	uint64_t seed;
	unsigned int nr_threads;	/* 0: 16 */
	unsigned int nr_cpus;		/* 0: 8 */
	unsigned int nr_operations;	/* of each thread; 0: 200 */
	unsigned int nr_pages;		/* that they race for; 0: 48 */
	uint64_t fault_window;		/* 0: the scheme's */
	oracle_report_fn *report;	/* or NULL */
	void *report_arg;
};

/*
 * Run it and read the oracle into *result (whose latency is NULL).  A deadlock
 * and what mm_check() finds afterwards count as violations, and are reported.
 * makespan_ns: NULL, or where to put the virtual time that it took.
 * Returns: 0; an error number if it could not be run.
 */
int racy_run(const struct racy_options *options, struct oracle_result *result,
	     uint64_t *makespan_ns);

#endif
