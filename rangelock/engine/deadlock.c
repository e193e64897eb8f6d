/*
 * deadlock.c - would this thread wait for itself?
 *
 * A thread that waits unlocks nothing.  So it waits for ever if one of its
 * blockers is its own, or is a waiter who, directly or through other waiters,
 * waits for one of its own.  Searched breadth first, each waiter once, and only
 * when a request is about to wait.  It ends: a waiter's waiting blockers arrived
 * before it, so no chain comes back.
 */
#include "rangelock/engine/arbiter.h"

#include "rangelock/base/planted.h"
#include "rangelock/tree/itree.h"

/* The waiters found so far, linked by next, which only passes use otherwise. */
struct search {
	struct rl_arbiter *arbiter;
	struct rl_range *tail;
	uint64_t owner;
};

static bool is_blocked_by_owner(struct search *s, const struct rl_range *x)
{
	uint64_t start = x->node.start, end = x->node.end;
	struct rl_node *n;

	for (n = rl_itree_first_overlap(s->arbiter->root, start, end); n;
	     n = rl_itree_next_overlap(n, start, end)) {
		struct rl_range *y = rl_range_of(n);

		if (!rl_blocks(y, x))
			continue;
		y = rl_range_leader(y);
		if (y->owner == s->owner)
			return true;
		if (y->flags & (RL_F_HELD | RL_F_VISITED) ||
		    RL_PLANTED(DEADLOCK_DIRECT_ONLY))
			continue;
		y->flags |= RL_F_VISITED;
		y->next = NULL;
		s->tail->next = y;
		s->tail = y;
	}
	return false;
}

bool rl_would_deadlock(struct rl_arbiter *a, struct rl_range *leader,
		       uint64_t owner)
{
	struct search s = { .arbiter = a, .tail = leader, .owner = owner };
	bool found = false;

	if (owner == RL_NOBODY)
		return false;
	leader->next = NULL;
	for (struct rl_range *x = leader; x && !found; x = x->next)
		for (unsigned int i = 0; i < rl_range_nr_nodes(x); i++)
			found = found || is_blocked_by_owner(&s, x + i);
	for (struct rl_range *x = leader; x; x = x->next)
		x->flags = (uint16_t)(x->flags & ~RL_F_VISITED);
	return found;
}
