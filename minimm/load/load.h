/*
 * load.h - workloads: what each thread of a made-up program does, over and over
 *
 * A workload is one entry of load_list.  Its loop speaks to the address space
 * through load_do() alone and knows neither clocks nor threads: on what they run
 * is the driver's business (threads.h: real ones).  What a turn of the loop must
 * add up to is said beside the loop, so that the driver can hold it against what
 * was counted.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_LOAD_LOAD_H
#define MINIMM_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/mm/mm.h"

#define LOAD_LINE		128	/* a cache line, and its neighbour */
#define LOAD_THREADS_MAX	256u
#define LOAD_PAGES_MAX		(UINT64_C(1) << 18)	/* of one mapping */
#define LOAD_VMAS_MAX		UINT64_C(200)
#define LOAD_TOUCHED_MAX	(UINT64_C(1) << 26)	/* pages, of all threads */

struct load_sizes {
	uint64_t pages;			/* of one mapping */
	uint64_t vmas;			/* mappings of a thread at once */
};

struct load_counts {
	uint64_t nr_operations;		/* as the workload counts them */
	uint64_t nr_calls[MM_NR_KINDS];	/* as the address space does */
	uint64_t nr_installed, nr_cleared;	/* pages */
	uint64_t nr_aborts, nr_fallbacks;
};

struct load_thread {
	/* counts.nr_operations, for others to read while it runs */
	_Alignas(LOAD_LINE) uint64_t nr_published;
	_Alignas(LOAD_LINE) struct mm *mm;
	struct load_sizes sizes;
	struct mm_file *file;		/* if the workload has one for each */
	uint64_t *places;		/* sizes.vmas addresses */
	struct load_counts counts;
	uint64_t nr_turns;		/* of the loop, whole ones */
	struct mm_op op;		/* the last one */
};

struct load {
	const char *name;		/* as the command line has it */
	const char *summary;		/* the loop */
	const char *operation;		/* what it counts: "a page touched" */
	struct load_sizes sizes;	/* by default */
	bool has_vmas;			/* sizes.vmas may be chosen */
	bool touches_all;		/* every page, so tables for all */
	bool has_files;
	/* One turn.  Returns: false if t->op has failed. */
	bool (*turn)(struct load_thread *t);
	/* What a turn adds to the counts; aborts and fallbacks are free. */
	struct load_counts (*adds)(const struct load_sizes *sizes);
};

/* *sum += times * *more. */
void load_counts_add(struct load_counts *sum, const struct load_counts *more,
		     uint64_t times);

/* All of them; NULL ends it. */
extern const struct load *const load_list[];

/* NULL if there is none of that name. */
const struct load *load_find(const char *name);

/* Calls of the address space that a turn makes. */
uint64_t load_calls_of_turn(const struct load *load,
			    const struct load_sizes *sizes);

/* Perform t->op and count it.  Returns: op's result. */
int64_t load_do(struct load_thread *t);

/* Count one operation as the workload does. */
void load_count(struct load_thread *t);

#endif
