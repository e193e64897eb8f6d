/*
 * check.c - is an arbiter what its definition says?
 *
 * Recomputes every counter from D1 (arbiter.h), in debug builds after every
 * transition.  Quadratic, so only for arbiters of up to RL_CHECKED requests: a
 * wrong count shows with five.
 */
#include "rangelock/engine/arbiter.h"

#include "rangelock/engine/forest.h"
#include "rangelock/engine/shards.h"

#define RL_CHECKED	24

static size_t collect_nodes(struct rangelock *lk, struct rl_arbiter *a,
			    struct rl_range **nodes)
{
	struct rl_walk w;
	struct rl_node *n = rl_walk_first(&w, lk, a, 0, RL_END);
	size_t nr = 0;

	for (; n; n = rl_walk_next(&w, n)) {
		if (nr == RL_CHECKED)
			return RL_CHECKED + 1;
		nodes[nr++] = rl_range_of(n);
	}
	return nr;
}

static bool conflict(const struct rl_range *x, const struct rl_range *y)
{
	return rl_range_leader(x) != rl_range_leader(y) &&
	       rl_overlaps(&x->node, y->node.start, y->node.end) &&
	       rl_modes_conflict(rl_range_mode(x), rl_range_mode(y));
}

/* What D1 says of a leader, from its nodes among these. */
static bool counts_are_right(const struct rl_range *leader,
			     struct rl_range *const *nodes, size_t nr)
{
	uint32_t nr_blockers = 0, nr_held = 0;

	for (size_t i = 0; i < nr; i++) {
		if (rl_range_leader(nodes[i]) != leader)
			continue;
		for (size_t k = 0; k < nr; k++) {
			bool held = rl_range_is_held(nodes[k]);

			if (!conflict(nodes[i], nodes[k]))
				continue;
			nr_held += held;
			nr_blockers += held || nodes[k]->seq < nodes[i]->seq;
		}
	}
	return leader->nr_blockers == nr_blockers &&
	       leader->nr_held_blockers == nr_held;
}

/* N1: nobody in the trees conflicts with an entry, unless the arbiter is open, nor
 * do two entries. */
static bool entries_are_alone(const struct rl_arbiter *a,
			      struct rl_range *const *nodes, size_t nr)
{
	bool has_passers = rl_guard_flags(&a->guard) & RL_OPEN;

	for (size_t i = 0; i < nr; i++)
		if ((rl_range_is_held(nodes[i]) || !has_passers) &&
		    rl_entries_conflict(a, nodes[i]->node.start,
					nodes[i]->node.end,
					rl_range_mode(nodes[i])))
			return false;
	if (!rl_entry_is_used(a, 0) || !rl_entry_is_used(a, 1))
		return true;
	return a->entry_start[0] >= rl_entry_end(a, 1) ||
	       a->entry_start[1] >= rl_entry_end(a, 0) ||
	       !((rl_entry_holder(a, 0) | rl_entry_holder(a, 1)) & 1);
}

/* B1 (readers.h). */
static bool is_bias_right(const struct rl_arbiter *a,
			  struct rl_range *const *nodes, size_t nr)
{
	if (!(rl_guard_flags(&a->guard) & RL_BIASED))
		return true;
	for (size_t i = 0; i < nr; i++)
		if (rl_range_mode(nodes[i]) == RL_WRITE)
			return false;
	return !a->nr_waiting &&
	       !((rl_entry_holder(a, 0) | rl_entry_holder(a, 1)) & 1);
}

/* N2. */
static bool is_slow_if_need_be(const struct rl_arbiter *a)
{
	uint32_t flags = rl_guard_flags(&a->guard);

	if (rl_is_open(a))
		return !(flags & ~(RL_OPEN | RL_UNTIL | RL_FORKING));
	return flags & RL_SLOW ||
	       (!a->nr_waiting && !(flags & (RL_PINS | RL_MOVED_ANY |
					     RL_CLOSED | RL_STAYS_SLOW)));
}

/* O1. */
static bool is_open_rightly(const struct rl_arbiter *a,
			    struct rl_range *const *nodes, size_t nr)
{
	if (!rl_is_open(a))
		return true;
	for (size_t i = 0; i < nr; i++) {
		const struct rl_range *leader = rl_range_leader(nodes[i]);

		/* Relaxed: to CALLED, and from it, under the guard. */
		if (leader->flags & RL_F_WAITING && !leader->nr_blockers &&
		    rl_load_relaxed(&leader->state) != RL_CALLED)
			return false;
	}
	return a->nr_waiting != 0;
}

bool rl_arbiter_is_valid(struct rangelock *lk, struct rl_arbiter *a)
{
	struct rl_range *nodes[RL_CHECKED];
	size_t nr = collect_nodes(lk, a, nodes);
	uint32_t nr_waiting = 0;

	if (nr > RL_CHECKED)
		return true;
	if (!rl_itree_is_valid(a->root))
		return false;					/* I3 */
	if (!entries_are_alone(a, nodes, nr) || !is_slow_if_need_be(a) ||
	    !is_bias_right(a, nodes, nr) || !is_open_rightly(a, nodes, nr))
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct rl_range *leader = rl_range_leader(nodes[i]);

		if (leader->flags & RL_F_HELD) {
			for (size_t k = 0; k < nr; k++)
				if (rl_range_is_held(nodes[k]) &&
				    conflict(nodes[i], nodes[k]))
					return false;		/* I1 */
		} else if (!(leader->flags & RL_F_WAITING) ||
			   !counts_are_right(leader, nodes, nr)) {
			return false;				/* I2 */
		} else if (leader == nodes[i]) {
			nr_waiting++;
		}
	}
	return nr_waiting == a->nr_waiting;
}

/* ---- A forest, with the central guard held ---- */

/* In the central tree: nobody who touches an open shard (F3) or belongs to a
 * closed one (F2), and as many wide ones as are counted. */
static bool central_is_valid(struct rangelock *lk)
{
	struct rl_forest *f = lk->forest;
	uint32_t nr_all = 0, nr_open = 0, nr_crowded = 0;
	struct rl_node *n;

	n = rl_itree_first_overlap(lk->central.root, 0, RL_END);
	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *leader = rl_range_leader(rl_range_of(n));
		struct rl_touch t = rl_touch_of(f, leader);

		for (uint32_t s = 0; s < f->nr_shards; s++)
			if (rl_touches(&t, s) &&
			    !rl_shard_is_closed(rl_shard(f, s)))
				return false;
		if (rl_shard_of_range(f, leader) != RL_WIDE)
			return false;
		nr_all += leader == rl_range_of(n) && t.all;
	}
	for (uint32_t s = 0; s < f->nr_shards; s++) {
		bool is_closed = rl_shard_is_closed(rl_shard(f, s));

		nr_open += !is_closed;
		nr_crowded += is_closed && rl_shard(f, s)->root;
	}
	return nr_all == f->nr_all && nr_open == f->nr_open &&
	       nr_crowded == f->nr_crowded;
}

/* F3 for the central entries. */
static bool central_entries_are_valid(struct rangelock *lk)
{
	const struct rl_arbiter *a = &lk->central;

	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		struct rl_touch t = { .all = false };

		if (!rl_entry_is_used(a, i))
			continue;
		rl_touch_range(lk->forest, &t, a->entry_start[i],
			       rl_entry_end(a, i));
		for (uint32_t s = 0; s < lk->forest->nr_shards; s++)
			if (rl_touches(&t, s) &&
			    !rl_shard_is_closed(rl_shard(lk->forest, s)))
				return false;
	}
	return true;
}

static bool shard_is_valid(struct rl_forest *f, uint32_t shard)
{
	struct rl_arbiter *a = rl_shard(f, shard);
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	if (rl_shard_is_closed(a) && rl_entries_are_used(a))
		return false;
	for (; n; n = rl_itree_next_overlap(n, 0, RL_END))
		if (rl_shard_of_range(f, rl_range_of(n)) != shard)
			return false;
	return true;
}

bool rl_forest_is_valid(struct rangelock *lk)
{
	struct rl_forest *f = lk->forest;
	bool is_valid;

	rl_guard_lock(&lk->central.guard, lk->host);
	is_valid = central_is_valid(lk) && central_entries_are_valid(lk) &&
		   rl_arbiter_is_valid(lk, &lk->central);
	for (uint32_t s = 0; s < f->nr_shards; s++) {
		struct rl_arbiter *a = rl_shard(f, s);

		rl_guard_lock(&a->guard, lk->host);
		is_valid = is_valid && shard_is_valid(f, s) &&
			   (rl_shard_is_closed(a) || rl_arbiter_is_valid(lk, a));
		rl_guard_unlock(&a->guard);
	}
	rl_guard_unlock(&lk->central.guard);
	return is_valid;
}
