/*
 * oracle.h - which waits were needed: the judge of every scheme
 *
 * It watches operations through the model's observer and compares footprints,
 * never locks.  A wait of X is TRUE if the footprint of one of X's blockers, as
 * they stand when X queues, conflicts with X's own; else FALSE.  An abort or a
 * fallback of X is TRUE if an operation that ran at some time since X began
 * conflicts with X; else FALSE.  Waits for short locks are neither.  Two
 * operations inside their sections at once whose structure conflicts are a
 * missed conflict: an error.
 *
 * Cost: O(operations under way) for each enter.  Weak spot: one OS thread only.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ORACLE_ORACLE_H
#define MINIMM_ORACLE_ORACLE_H

#include <stdint.h>

#include "minimm/mm/mm.h"
#include "minimm/oracle/hist.h"

enum oracle_truth {
	ORACLE_TRUE,
	ORACLE_FALSE,
};

/* Why a false wait happened. */
enum oracle_reason {
	ORACLE_GRAIN,		/* what was declared is disjoint: coarse locks */
	ORACLE_WINDOW,		/* declared ranges meet, the operations do not */
	ORACLE_ORDER,		/* every blocker was waiting itself */
	ORACLE_NR_REASONS
};

struct oracle_pair {
	enum mm_kind waiter, blocker;
	uint64_t nr_waits[2];		/* by enum oracle_truth */
	uint64_t wait_ns[2];
	uint64_t false_ns[ORACLE_NR_REASONS];
};

/* Aborts and fallbacks by what the scheme said and whose they were. */
struct oracle_cause {
	const char *why;
	enum mm_kind kind;
	uint64_t nr_aborts[2];		/* by enum oracle_truth */
	uint64_t nr_fallbacks[2];
};

struct oracle_result {
	uint64_t nr_operations;
	uint64_t nr_waits[2];		/* by enum oracle_truth */
	uint64_t wait_ns[2];
	uint64_t false_ns[ORACLE_NR_REASONS];
	uint64_t nr_short, short_ns;
	uint64_t nr_aborts[2], nr_fallbacks[2];
	uint64_t nr_missed;		/* conflicts that locking missed */
	uint64_t nr_violations;		/* invariants of the model broken */
	const struct hist *latency;	/* [MM_NR_KINDS]; the oracle's */
};

/* A missed conflict or a violation, a line without its end. */
typedef void oracle_report_fn(void *arg, const char *text);

struct oracle_options {
	const struct rl_host *host;	/* whose now() is the clock */
	oracle_report_fn *report;	/* or NULL */
	void *report_arg;
	unsigned int nr_reports;	/* at most; 0: 20.  All are counted. */
};

struct oracle;

/* Returns: NULL for want of memory. */
struct oracle *oracle_create(const struct oracle_options *options);
void oracle_destroy(struct oracle *o);

/* For mm_config.observer, of any number of address spaces: operations of
 * different ones never meet. */
const struct mm_observer *oracle_observer(struct oracle *o);

/*
 * mm_run(), watched: its latency is counted under op's kind.  Every operation of
 * an observed address space goes through here, or between begin and end.
 */
void oracle_run(struct oracle *o, struct mm *mm, struct mm_op *op);
void oracle_begin(struct oracle *o, struct mm *mm, struct mm_op *op);
void oracle_end(struct oracle *o, struct mm_op *op);

/* A violation that somebody else found (a deadlock, mm_check()). */
void oracle_violation(struct oracle *o, const char *text);

void oracle_read(const struct oracle *o, struct oracle_result *result);

/* Copy up to n; return how many there are.  Most false waiting, and most
 * aborts, first. */
size_t oracle_pairs(const struct oracle *o, struct oracle_pair *pairs,
		    size_t n);
size_t oracle_causes(const struct oracle *o, struct oracle_cause *causes,
		     size_t n);

const char *oracle_reason_name(enum oracle_reason reason);

#endif
