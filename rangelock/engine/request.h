/*
 * request.h - a request: the handle's fields, and who guards which
 *
 *	            Q1 queue                Q2 granted
 *	   IDLE --------------> QUEUED ----------------------> HELD
 *	   ^^ ^|                 |    \                          |
 *	   || ||             Q3  |     \ Q5 cancelled            |
 *	   || ||                 v      `---------> CANCELED     |
 *	   || || Q4 deadline   PARKED   (from either)            |
 *	   || |'-----------------'                               | Q6 unlock
 *	   || '--------------------------------------------------'
 *	   ||   Q7 enter an entry
 *	   |'------------------> INLINE
 *	   '----- Q6 unlock --------'
 *
 * state is the word between a waiter and those who let it in; it is atomic.  A
 * handle that says IDLE or CANCELED is free.  Q1, Q3, Q4, Q6 and Q7 are the owner's;
 * Q2 and Q5 belong to whoever took the request out of the waiting ones under the
 * guard, and are the last touch of a handle: from then on it may be gone.  Q2,
 * Q4 and Q5 exclude each other, since each needs RL_F_WAITING, under the guard,
 * and ends it.
 *
 * A sleeper who could hold need not be granted: he may be called (PARKED to CALLED,
 * under the guard), which wakes him, and takes the guard to claim what is still
 * free then (CALLED to QUEUED, under it).  Meanwhile others may pass him, within
 * the bound of G3, and nobody waits for him to wake up.
 *
 * HELD is a holder in the tree.  INLINE is one whose owner entered it in one of
 * its arbiter's entries (entries.h), where its range is; of the handle only the
 * owner, entry, the flags and what follows them are set.  It may have been moved
 * to the tree since, which its state does not tell but RL_F_HELD does.
 *
 * Everything else in the handle is guarded by the arbiter's guard from the
 * insertion into the tree to the removal, and the owner's alone outside.
 *
 * Several ranges (rl_lock_many): an array of handles.  The first is the leader
 * and keeps the flags, the counters, the state and the owner for all; member i
 * has group == i, and says MEMBER while the leader is in the lock.  A lone
 * request leads itself.
 */
#ifndef RL_ENGINE_REQUEST_H
#define RL_ENGINE_REQUEST_H

#include <stdbool.h>

#include <rangelock.h>
#include <rangelock/site.h>

enum rl_state {
	RL_IDLE,
	RL_QUEUED,
	RL_PARKED,		/* queued, and its waiter may be asleep */
	RL_CALLED,		/* queued, and its waiter was told to claim */
	RL_HELD,
	RL_INLINE,		/* held; see above */
	RL_PUBLISHED,		/* the same in a record of readers.h */
	RL_CANCELED,
	RL_MEMBER,		/* in use; its leader's state counts */
};

/* flags; the low two bits are the grain (enum rl_grain) */
#define RL_F_GRAIN	0x0003u
#define RL_F_HELD	0x0004u	/* in the tree as a holder */
#define RL_F_WAITING	0x0008u	/* in the tree as a waiter */
#define RL_F_LEADER	0x0010u	/* of several; group is how many */
#define RL_F_LISTED	0x0020u	/* in a pass's list of candidates */
#define RL_F_VISITED	0x0040u	/* by the search for a deadlock */
#define RL_F_TRUE	0x0080u	/* its wait is a true one */
#define RL_F_BEHIND_WIDE 0x0100u /* its blocker locks more than it declares */
#define RL_F_DECLARES_READ 0x0200u /* for itself; it writes for its group */
#define RL_F_AWAITED	0x0400u	/* its owner's thread waits for it */
#define RL_F_SUBMITTED	0x0800u
#define RL_F_AT_SITE	0x1000u	/* the grain is a site's */

/* r->bare, which only the owner writes */
#define RL_BARE_NODE	0x1u	/* an inline holder: its entry has its range */
#define RL_BARE_DECLARED 0x2u	/* it declares what it locks */
#define RL_BARE_CALLBACK 0x4u	/* it was submitted with one */

static inline struct rl_range *rl_range_of(const struct rl_node *n)
{
	return (struct rl_range *)(uintptr_t)n;	/* node is the first member */
}

static inline enum rl_grain rl_range_grain(const struct rl_range *r)
{
	return (enum rl_grain)(r->flags & RL_F_GRAIN);
}

static inline enum rl_mode rl_range_mode(const struct rl_range *r)
{
	return (enum rl_mode)r->mode;
}

static inline bool rl_range_is_several(const struct rl_range *r)
{
	return r->group != 0;
}

static inline struct rl_range *rl_range_leader(const struct rl_range *r)
{
	struct rl_range *mine = (struct rl_range *)(uintptr_t)r;

	return r->flags & RL_F_LEADER ? mine : mine - r->group;
}

static inline unsigned int rl_range_nr_members(const struct rl_range *leader)
{
	return leader->flags & RL_F_LEADER ? leader->group : 1;
}

/* How many nodes the leader has in the tree.  Unless it is fine its first one
 * covers everything, and the others lean on that. */
static inline unsigned int rl_range_nr_nodes(const struct rl_range *leader)
{
	if (!(leader->flags & RL_F_LEADER))
		return 1;
	return rl_range_grain(leader) == RL_FINE ? leader->group : 1;
}

/* Not for an inline holder: see rl_site_check(). */
static inline uint64_t rl_range_declared_start(const struct rl_range *r)
{
	return r->bare & RL_BARE_DECLARED ? r->node.start : r->declared_start;
}

static inline uint64_t rl_range_declared_end(const struct rl_range *r)
{
	return r->bare & RL_BARE_DECLARED ? r->node.end : r->declared_end;
}

/* A state in which it waits, or is about to be let in. */
static inline bool rl_state_is_queued(uint32_t state)
{
	return state == RL_QUEUED || state == RL_PARKED || state == RL_CALLED;
}

/* Held, outside of the tree at first. */
static inline bool rl_state_is_inline(uint32_t state)
{
	return state == RL_INLINE || state == RL_PUBLISHED;
}

static inline bool rl_range_is_held(const struct rl_range *r)
{
	return rl_range_leader(r)->flags & RL_F_HELD;
}

static inline bool rl_range_is_waiting(const struct rl_range *r)
{
	return rl_range_leader(r)->flags & RL_F_WAITING;
}

/* What it declares for its own range: the first of several that locks for all
 * has the strongest mode of them. */
static inline enum rl_mode rl_range_declared_mode(const struct rl_range *r)
{
	return r->flags & RL_F_DECLARES_READ ? RL_READ : rl_range_mode(r);
}

/* True if it locks more than it declares: converting its site could help. */
static inline bool rl_range_is_wide(const struct rl_range *r)
{
	const struct rl_range *leader = rl_range_leader(r);

	return leader->flags & RL_F_AT_SITE &&
	       rl_range_grain(leader) != RL_FINE;
}

/* The one compatibility table: do two modes conflict where they overlap? */
static inline bool rl_modes_conflict(enum rl_mode a, enum rl_mode b)
{
	static const bool conflict[2][2] = {
		[RL_READ] = { [RL_READ] = false, [RL_WRITE] = true },
		[RL_WRITE] = { [RL_READ] = true, [RL_WRITE] = true },
	};

	return conflict[a][b];
}

/* 32 bits of a lock's address: locks whose tags are equal lie 256 GiB apart. */
static inline uint32_t rl_lock_tag(const struct rangelock *lk)
{
	return (uint32_t)((uintptr_t)lk >> 6);
}

static inline uint64_t rl_lock_bypass_ns(const struct rangelock *lk)
{
	return lk->bypass_bias_ns + RL_BYPASS_NS;
}

#endif
