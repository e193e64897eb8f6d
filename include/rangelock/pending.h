/*
 * pending.h - markers for ranges that are chosen but not yet locked
 *
 * An allocator picks a free range under its own short lock, but must wait for
 * the range lock without that short lock.  In between the range is pending: a
 * marker says so, gap searches skip it, and a fixed mapping that goes over it
 * supersedes it.  After the wait the allocator looks whether its marker still
 * stands:
 *
 *	rl_pending_mark_gap(), unlock the short lock, rl_write_lock(),
 *	rl_pending_commit(): 0, use the range; ESTALE, unlock and start over.
 *
 * Kinds: RL_PENDING_MAP (an allocator's choice) and RL_PENDING_UNMAP (the range
 * must not be handed out until its unmapping has finished).  Markers of one set
 * do not overlap, with one exception: unmap over map is a superseding.  No
 * call allocates; all may be called from any thread.
 *
 * fork() may catch another thread inside the set, and copies markers whose
 * threads are not in the child: there the set is unusable as it is, and no call
 * mends it.  Before its first call on the set the child zeroes it, and each
 * marker that it goes on using; these mark nothing then (ending one aborts) and
 * may be marked again.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef RANGELOCK_PENDING_H
#define RANGELOCK_PENDING_H

#include <rangelock.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rl_pending_kind {
	RL_PENDING_MAP,
	RL_PENDING_UNMAP,
};

/* All zero is an empty set. */
struct rl_pending_set {
	uint32_t guard;
	uint32_t nr_markers;
	struct rl_node *root;
	uint64_t nr_marked, nr_superseded;
};

/* A marker, owned by the caller from its mark to its commit or abandon.  All
 * zero before its first use. */
struct rl_pending {
	struct rl_node node;
	uint32_t state;
	uint32_t kind;
	struct rl_pending_set *set;
};

#ifdef __cplusplus
#define RL_PENDING_SET_INIT	{}
#define RL_PENDING_INIT		{}
#else
#define RL_PENDING_SET_INIT	{ .guard = 0 }
#define RL_PENDING_INIT		{ .state = 0 }
#endif

/*
 * Mark [start, end).
 * Requires: p marks nothing.
 * Returns:  0; EINVAL; EBUSY if a marker overlaps it.
 */
RL_API int rl_pending_mark(struct rl_pending_set *set, struct rl_pending *p,
			   enum rl_pending_kind kind, uint64_t start,
			   uint64_t end);

/* True until the marker is superseded, committed or abandoned. */
RL_API int rl_pending_still(const struct rl_pending *p);

/*
 * End the marker: the range is used now (commit) or given up (abandon).
 * Returns: 0; ESTALE if it was superseded.  Either way p marks nothing.
 * Aborts:  p marks nothing already.
 */
RL_API int rl_pending_commit(struct rl_pending *p);
RL_API int rl_pending_abandon(struct rl_pending *p);

/* End all map markers that overlap [start, end).  Returns how many; unmap
 * markers stay: who unmaps holds the range lock, and one waits for that. */
RL_API size_t rl_pending_supersede(struct rl_pending_set *set, uint64_t start,
				   uint64_t end);

/*
 * Is a part of [start, end) occupied?  If so say which (*hit_start, *hit_end),
 * any overlapping one, and return true.  Called without a guard: the caller of
 * the search holds what keeps the answer true.
 */
typedef int rl_occupied_fn(void *arg, uint64_t start, uint64_t end,
			   uint64_t *hit_start, uint64_t *hit_end);

enum rl_gap_end {
	RL_LOWEST,
	RL_HIGHEST,
};

struct rl_gap_query {
	uint64_t low, high;		/* search in [low, high) */
	uint64_t size;			/* bytes, not 0 */
	uint64_t align;			/* of the start; a power of two, or 0 */
	enum rl_gap_end end;
	rl_occupied_fn *occupied;	/* or NULL */
	void *arg;
};

/*
 * The lowest or highest start of a free gap: no marker, nothing occupied.
 * Returns: 0 and *start; ENOMEM if there is none; EINVAL.
 * rl_pending_mark_gap() marks it (RL_PENDING_MAP) in the same step: two callers
 * never get overlapping ranges.
 */
RL_API int rl_pending_find_gap(struct rl_pending_set *set,
			       const struct rl_gap_query *query,
			       uint64_t *start);
RL_API int rl_pending_mark_gap(struct rl_pending_set *set, struct rl_pending *p,
			       const struct rl_gap_query *query,
			       uint64_t *start);

#ifdef __cplusplus
}
#endif

#endif
