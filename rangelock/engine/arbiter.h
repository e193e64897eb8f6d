/*
 * arbiter.h - one guard over a tree of requests, held and waiting
 *
 * One definition governs everything (D1):
 *
 *	blockers(X), of a waiting X = the number of nodes that conflict with a
 *	node of X and are held or arrived before X
 *
 * A request is granted when it is 0, or (G3) when none of its blockers is held
 * and each has waited less than bypass_ns.  Every transition of a request is a
 * change of its stance (what it locks, how, and whether it holds); one function
 * applies the difference that the change makes to D1 to the waiters around it.
 *
 * Every call here is made under the guard, between rl_pass_begin() and
 * rl_pass_end(), which lets the guard go and then lets in whom the pass granted.
 */
#ifndef RL_ENGINE_ARBITER_H
#define RL_ENGINE_ARBITER_H

#include <stdbool.h>
#include <stddef.h>

#include "rangelock/engine/request.h"
#include "rangelock/tree/itree.h"

#define RL_CALLS	16u		/* in one pass; others are granted */

/* One stay under the guard. */
struct rl_pass {
	struct rangelock *lk;
	struct rl_arbiter *arbiter;
	struct rl_range *granted, **granted_tail;
	struct rl_range *candidates;	/* lost a blocker; RL_F_LISTED */
	uint64_t now_ns;		/* 0: the clock is not read yet */
	const uint32_t *called[RL_CALLS];	/* addresses to wake */
	unsigned int nr_called;
	struct rl_range *front;		/* the first who is called, if any */
};

/* What to do with a request that would have to wait. */
enum rl_patience {
	RL_TRY,			/* EBUSY */
	RL_SUBMIT,		/* queue it */
	RL_BLOCK,		/* queue it unless its thread would wait for itself */
	RL_LOOK,		/* the same, but EAGAIN if it will soon pass sleepers */
};

/* As rl_pass_begin(), at an arbiter of lk's whose guard the caller has taken. */
void rl_pass_adopt(struct rl_pass *pass, struct rangelock *lk,
		   struct rl_arbiter *arbiter);

/* Sort a list, linked by next, by arrival. */
struct rl_range *rl_sort_by_arrival(struct rl_range *list);
void rl_pass_end(struct rl_pass *pass);

/* The same, but the callbacks are appended to deferred. */
void rl_pass_end_deferred(struct rl_pass *pass, struct rl_deferred *deferred);

/* The clock, read at most once a pass. */
uint64_t rl_pass_now(struct rl_pass *pass);

/* A lone holder was put into the tree: waiters that it blocks count it. */
void rl_arbiter_count_holder(struct rl_pass *pass, struct rl_range *r);

/* Without a pass: a lone request enters where nobody waits or is in its way; and a
 * lone holder leaves where nobody waits, or false. */
void rl_arbiter_enter_quietly(struct rangelock *lk, struct rl_arbiter *a,
			      struct rl_range *r);
bool rl_arbiter_leave_quietly(struct rangelock *lk, struct rl_arbiter *a,
			      struct rl_range *r);

/*
 * Bring in a leader whose nodes' start and end, mode, flags and owner are set.
 * Requires: it conflicts with nobody in an entry (entries.h).
 * Returns: 0, held; EINPROGRESS, waiting; EBUSY or EDEADLK, and it is not in.
 */
int rl_arbiter_enter(struct rl_pass *pass, struct rl_range *leader,
		     enum rl_patience patience);

/* Give a holder its arrival number. */
void rl_number(struct rangelock *lk, struct rl_range *leader);

/* A waiting leader, whose thread was called, is granted if it may hold now. */
void rl_arbiter_claim(struct rl_pass *pass, struct rl_range *leader);

/* Take out a held leader, or a waiting one (a cancel or a deadline). */
void rl_arbiter_leave(struct rl_pass *pass, struct rl_range *leader);

/* Change a lone held request to another mode or range.  The caller has seen
 * that no holder conflicts with it. */
void rl_arbiter_change(struct rl_pass *pass, struct rl_range *r,
		       enum rl_mode mode, uint64_t start, uint64_t end);

/*
 * Could r, that holds, lock [start, end) in mode at once?  No if a holder
 * conflicts, or a waiter that does not wait for r and has waited for bypass_ns
 * (G3).
 */
bool rl_arbiter_can_change(struct rl_pass *pass, const struct rl_range *r,
			   enum rl_mode mode, uint64_t start, uint64_t end);

/* Does y, in the tree, block x (in it, or about to enter with seq set)?  Both
 * are nodes; leaders of their own are never blocked by themselves. */
bool rl_blocks(const struct rl_range *y, const struct rl_range *x);

/* Is somebody else, who holds in a tree, in the way of everybody who waits for this
 * holder?  Then nobody may hold because it leaves.  May say no if it is so. */
bool rl_frees_nobody(struct rangelock *lk, const struct rl_arbiter *a,
		     const struct rl_range *leader);

/* G8: would the leader wait for a request of this owner? */
bool rl_would_deadlock(struct rl_pass *pass, struct rl_range *leader,
		       uint64_t owner);

/* Does a waiting leader wait for the target, directly or through others? */
bool rl_waits_for(struct rl_pass *pass, struct rl_range *leader,
		  const struct rl_range *target);

/*
 * Visit the holders that a waiting leader waits for firmly: they hold what it, or
 * an old waiter before it, cannot get past (G3).  At most so many nodes are looked
 * at.  Returns: did a visit say true, or are the looks used up (nr_looks is 0)?
 */
struct rl_firm {
	bool (*visit)(struct rl_firm *firm, const struct rl_range *holder);
	uint32_t nr_looks;
};
bool rl_visit_firm(struct rl_pass *pass, struct rl_range *leader,
		   struct rl_firm *firm);

/* I1: no two holders conflict.  I2: every counter equals D1.  I3: the trees are
 * well-formed.  N1 and N2 (entries.h).  Quadratic; true at once for more requests
 * than are bearable. */
bool rl_arbiter_is_valid(struct rangelock *lk, struct rl_arbiter *a);

#endif
