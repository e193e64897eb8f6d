/*
 * deadlock.c - who waits for whom, directly or through other waiters
 *
 * A thread that waits unlocks nothing.  So it waits for ever if one of its
 * blockers is its own, or is a waiter who, directly or through others, waits
 * for one of its own.  Searched breadth first, each waiter once, and only when
 * a request is about to wait.  The search ends: a waiter's waiting blockers
 * arrived before it, so no chain comes back.
 */
#include "rangelock/engine/arbiter.h"

#include "rangelock/base/planted.h"
#include "rangelock/engine/forest.h"

/* The waiters found so far, linked by next, which only passes use otherwise. */
struct search {
	struct rl_pass *pass;
	struct rl_range *tail;
	uint64_t owner;			/* looked for; or RL_NOBODY: */
	const struct rl_range *target;	/* this leader is */
};

static bool is_found(const struct search *s, const struct rl_range *leader)
{
	return s->owner != RL_NOBODY ? leader->owner == s->owner :
				       leader == s->target;
}

static bool is_blocked_by_target(struct search *s, const struct rl_range *x)
{
	struct rl_walk w;
	struct rl_node *n;

	n = rl_walk_first(&w, s->pass->lk, s->pass->arbiter, x->node.start,
			  x->node.end);
	for (; n; n = rl_walk_next(&w, n)) {
		struct rl_range *y = rl_range_of(n);

		if (!rl_blocks(y, x))
			continue;
		y = rl_range_leader(y);
		if (is_found(s, y))
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

static bool search_from(struct search *s, struct rl_range *leader)
{
	bool found = false;

	s->tail = leader;
	leader->next = NULL;
	for (struct rl_range *x = leader; x && !found; x = x->next)
		for (unsigned int i = 0; i < rl_range_nr_nodes(x); i++)
			found = found || is_blocked_by_target(s, x + i);
	for (struct rl_range *x = leader; x; x = x->next)
		x->flags = (uint16_t)(x->flags & ~RL_F_VISITED);
	return found;
}

bool rl_would_deadlock(struct rl_pass *pass, struct rl_range *leader,
		       uint64_t owner)
{
	struct search s = { .pass = pass, .owner = owner };

	return owner != RL_NOBODY && search_from(&s, leader);
}

bool rl_waits_for(struct rl_pass *pass, struct rl_range *leader,
		  const struct rl_range *target)
{
	struct search s = { .pass = pass, .owner = RL_NOBODY, .target = target };

	return search_from(&s, leader);
}
