/*
 * watch.h - the operations under way, and those that ended lately
 *
 * Found by the operation's address; kept in the order in which they began.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ORACLE_WATCH_H
#define MINIMM_ORACLE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/mm/mm.h"

#define WATCH_BUCKETS	512u
#define WATCH_ENDED	4096u		/* a power of two */

struct watch {
	struct mm *mm;
	struct mm_op *op;
	uint64_t begin_ns;
	bool is_inside;			/* between enter and leave */

	bool waits;			/* between queued and granted */
	bool wait_is_short;
	uint8_t truth, reason;
	uint8_t blocker_kind;
	uint64_t wait_since_ns;

	struct watch *next_in_bucket;
	struct watch *older, *newer;	/* under way */
	struct watch *next_inside, *prev_inside;
};

struct watch_ended {
	struct mm *mm;
	uint64_t end_ns;
	enum mm_kind kind;
	struct mm_footprint footprint;
};

struct watch_set {
	struct watch *buckets[WATCH_BUCKETS];
	struct watch *newest;		/* under way */
	struct watch *inside;
	struct watch *idle;		/* records to reuse */
	struct watch_ended *ended;	/* ring of WATCH_ENDED */
	uint64_t nr_ended;
};

/* Returns: false for want of memory. */
bool watch_init(struct watch_set *s);
void watch_fini(struct watch_set *s);

/* Returns: NULL if op is watched already.  Aborts for want of memory. */
struct watch *watch_add(struct watch_set *s, struct mm *mm, struct mm_op *op,
			uint64_t now_ns);
struct watch *watch_find(const struct watch_set *s, const struct mm_op *op);
void watch_remove(struct watch_set *s, struct watch *w, uint64_t now_ns);

void watch_enter(struct watch_set *s, struct watch *w);
void watch_leave(struct watch_set *s, struct watch *w);

/* Did another operation of w's address space that conflicts with w run at some
 * time since w began?  If so *kind says what the latest was. */
bool watch_find_cause(const struct watch_set *s, const struct watch *w,
		      enum mm_kind *kind);

#endif
