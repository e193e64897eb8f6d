/*
 * deadlock.c - who waits for whom, directly or through other waiters
 *
 * A thread that waits unlocks nothing.  So it waits for ever if one of its
 * blockers is its own, or is a waiter who, directly or through others, waits
 * for one of its own.  Searched when a request is about to wait, or has waited for
 * long (cycle.c), each waiter once, the last found first: in a crowd on one range
 * that is the latest writer, whose blockers are those of all others.  The search
 * ends: a waiter's waiting blockers arrived before it, so no chain comes back.
 *
 * Cost: a walk of the overlapping requests for each waiter that is not covered so.
 * Weak spot: a crowd of ranges that overlap but do not nest costs its square.
 */
#include "rangelock/engine/arbiter.h"

#include "rangelock/base/planted.h"
#include "rangelock/engine/forest.h"

/* The waiters found so far, linked by next, which only passes use otherwise. */
struct search {
	struct rl_pass *pass;
	uint64_t owner;			/* looked for; or RL_NOBODY: */
	const struct rl_range *target;	/* this leader is; or NULL: */
	struct rl_firm *firm;		/* who holds firmly */
	const struct rl_range *seen;	/* the latest writer looked through */
};

/* Whoever blocks x blocks the writer y too, or is of y's leader. */
static bool is_covered(const struct rl_range *x, const struct rl_range *y)
{
	return y && x->seq <= y->seq && x->node.start >= y->node.start &&
	       x->node.end <= y->node.end;
}

/* G3: will y, a blocker, block until it has held, or left? */
static bool is_firm(struct search *s, const struct rl_range *y)
{
	return y->flags & RL_F_HELD || RL_PLANTED(CYCLE_FOLLOWS_YOUNG) ||
	       rl_pass_now(s->pass) - y->since_ns >=
		       rl_lock_bypass_ns(s->pass->lk);
}

static bool is_found(const struct search *s, const struct rl_range *leader)
{
	if (s->firm)
		return leader->flags & RL_F_HELD &&
		       s->firm->visit(s->firm, leader);
	return s->owner != RL_NOBODY ? leader->owner == s->owner :
				       leader == s->target;
}

static bool is_blocked_by_target(struct search *s, struct rl_range *from,
				 const struct rl_range *x)
{
	struct rl_walk w;
	struct rl_node *n;

	if (is_covered(x, s->seen))
		return false;

	n = rl_walk_first(&w, s->pass->lk, s->pass->arbiter, x->node.start,
			  x->node.end);
	for (; n; n = rl_walk_next(&w, n)) {
		struct rl_range *y = rl_range_of(n);

		if (s->firm && !s->firm->nr_looks--) {
			s->firm->nr_looks = 0;
			return true;
		}
		if (!rl_blocks(y, x))
			continue;
		y = rl_range_leader(y);
		if (s->firm && !is_firm(s, y))
			continue;
		if (is_found(s, y))
			return true;
		if (y->flags & (RL_F_HELD | RL_F_VISITED) ||
		    RL_PLANTED(DEADLOCK_DIRECT_ONLY))
			continue;
		y->flags |= RL_F_VISITED;
		y->next = from->next;
		from->next = y;
	}
	if ((rl_range_mode(x) == RL_WRITE || RL_PLANTED(DEADLOCK_SKIPS)) &&
	    (!s->seen || x->seq > s->seen->seq))
		s->seen = x;
	return false;
}

static bool search_from(struct search *s, struct rl_range *leader)
{
	bool found = false;

	leader->next = NULL;
	for (struct rl_range *x = leader; x && !found; x = x->next)
		for (unsigned int i = 0; i < rl_range_nr_nodes(x); i++)
			found = found || is_blocked_by_target(s, x, x + i);
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

bool rl_visit_firm(struct rl_pass *pass, struct rl_range *leader,
		   struct rl_firm *firm)
{
	struct search s = { .pass = pass, .owner = RL_NOBODY, .firm = firm };

	return leader->flags & RL_F_WAITING && search_from(&s, leader);
}

bool rl_frees_nobody(struct rangelock *lk, const struct rl_arbiter *a,
		     const struct rl_range *leader)
{
	struct rl_walk w;
	struct rl_node *n;

	if (rl_range_is_several(leader))
		return false;
	n = rl_walk_first(&w, lk, a, leader->node.start, leader->node.end);
	for (; n; n = rl_walk_next(&w, n)) {
		const struct rl_range *x = rl_range_of(n);
		const struct rl_range *waiter = rl_range_leader(x);

		/* It counts each of its nodes that we are in the way of. */
		if (waiter->flags & RL_F_WAITING && rl_blocks(leader, x) &&
		    waiter->nr_held_blockers <= rl_range_nr_nodes(waiter) &&
		    !RL_PLANTED(OPEN_FORGETS))
			return false;
	}
	return true;
}
