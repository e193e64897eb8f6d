/*
 * pending.c - a set of markers: one guard over one interval tree
 *
 *	          P1 mark               P2 superseded by another
 *	  IDLE -------------> MARKED -----------------------------> SUPERSEDED
 *	   ^ ^                  | P3 commit, abandon: 0                 |
 *	   | '------------------'                                       |
 *	   '------------------------------------------------------------'
 *	                          P4 commit, abandon: ESTALE
 *
 * Every edge is made under the guard, so P2 and P3 exclude each other, and a
 * superseder's last touch of a marker is before its owner's P4.  The markers of
 * the tree are disjoint: who would overlap one is refused or supersedes it.
 * rl_pending_still() reads the state without the guard; what makes its answer
 * last is the range lock that its caller holds.
 *
 * Cost: O(log n) under the guard, n being the allocations under way.
 * Weak spot: one guard a set.
 */
#include "rangelock/lock/pending.h"

#include <errno.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/tree/itree.h"

static struct rl_pending *pending_of(struct rl_node *n)
{
	return (struct rl_pending *)(uintptr_t)n; /* node is the first member */
}

/* relaxed: the guard orders what follows from a state. */
static enum rl_pending_state state_of(const struct rl_pending *p)
{
	return (enum rl_pending_state)rl_load_relaxed(&p->state);
}

void rl_pending_set_lock(struct rl_pending_set *set)
{
	rl_guard_lock(&set->guard, NULL);
}

void rl_pending_set_unlock(struct rl_pending_set *set)
{
	rl_guard_unlock(&set->guard);
}

void rl_pending_insert(struct rl_pending_set *set, struct rl_pending *p,
		       enum rl_pending_kind kind, uint64_t start, uint64_t end)
{
	p->node.start = start;
	p->node.end = end;
	p->kind = kind;
	p->set = set;
	rl_itree_insert(&set->root, &p->node);
	set->nr_markers++;
	set->nr_marked++;
	rl_store_relaxed(&p->state, RL_PENDING_MARKED);		/* P1 */
}

static void take_out(struct rl_pending_set *set, struct rl_pending *p)
{
	rl_itree_erase(&set->root, &p->node);
	set->nr_markers--;
}

/* Is there a marker of that kind in [start, end)? */
static bool has_kind(const struct rl_pending_set *set,
		     enum rl_pending_kind kind, uint64_t start, uint64_t end)
{
	struct rl_node *n;

	for (n = rl_itree_first_overlap(set->root, start, end); n;
	     n = rl_itree_next_overlap(n, start, end))
		if (pending_of(n)->kind == kind)
			return true;
	return false;
}

static size_t supersede_maps(struct rl_pending_set *set, uint64_t start,
			     uint64_t end)
{
	struct rl_node *n, *next;
	size_t count = 0;

	for (n = rl_itree_first_overlap(set->root, start, end); n; n = next) {
		struct rl_pending *p = pending_of(n);

		next = rl_itree_next_overlap(n, start, end);
		if (p->kind != RL_PENDING_MAP)
			continue;
		take_out(set, p);
		rl_store_relaxed(&p->state, RL_PENDING_SUPERSEDED); /* P2 */
		count++;
		if (RL_PLANTED(SUPERSEDE_ONE))
			break;
	}
	set->nr_superseded += count;
	return count;
}

int rl_pending_mark(struct rl_pending_set *set, struct rl_pending *p,
		    enum rl_pending_kind kind, uint64_t start, uint64_t end)
{
	bool is_refused;

	if (!set || !p || start >= end)
		return EINVAL;
	if (kind != RL_PENDING_MAP && kind != RL_PENDING_UNMAP)
		return EINVAL;
	RL_REQUIRE(state_of(p) == RL_PENDING_IDLE);

	rl_pending_set_lock(set);
	is_refused = has_kind(set, RL_PENDING_UNMAP, start, end) ||
		     (kind == RL_PENDING_MAP &&
		      has_kind(set, RL_PENDING_MAP, start, end));
	if (!is_refused) {
		supersede_maps(set, start, end);
		rl_pending_insert(set, p, kind, start, end);
	}
	rl_pending_set_unlock(set);
	return is_refused ? EBUSY : 0;
}

int rl_pending_still(const struct rl_pending *p)
{
	return p && state_of(p) == RL_PENDING_MARKED;
}

static int end_marker(struct rl_pending *p)
{
	struct rl_pending_set *set;
	bool stands;

	if (!p)
		return EINVAL;
	RL_REQUIRE(state_of(p) != RL_PENDING_IDLE);

	set = p->set;
	rl_pending_set_lock(set);
	stands = state_of(p) == RL_PENDING_MARKED;
	if (stands)
		take_out(set, p);
	rl_store_relaxed(&p->state, RL_PENDING_IDLE);		/* P3, P4 */
	rl_pending_set_unlock(set);
	return stands ? 0 : ESTALE;
}

int rl_pending_commit(struct rl_pending *p)
{
	return end_marker(p);
}

int rl_pending_abandon(struct rl_pending *p)
{
	return end_marker(p);
}

size_t rl_pending_supersede(struct rl_pending_set *set, uint64_t start,
			    uint64_t end)
{
	size_t count;

	if (!set || start >= end)
		return 0;
	rl_pending_set_lock(set);
	count = supersede_maps(set, start, end);
	rl_pending_set_unlock(set);
	return count;
}
