/*
 * check.c - is an arbiter what its definition says?
 *
 * Recomputes every counter from D1 (arbiter.h), in debug builds after every
 * transition.  Quadratic, so only for arbiters of up to RL_CHECKED requests: a
 * wrong count shows with five.
 */
#include "rangelock/engine/arbiter.h"

#include "rangelock/tree/itree.h"

#define RL_CHECKED	24

static size_t collect_nodes(struct rl_arbiter *a, struct rl_range **nodes)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);
	size_t nr = 0;

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		if (nr == RL_CHECKED)
			return 0;
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

bool rl_arbiter_is_valid(struct rl_arbiter *a)
{
	struct rl_range *nodes[RL_CHECKED];
	size_t nr = collect_nodes(a, nodes);
	uint32_t nr_waiting = 0;

	if (!nr)
		return true;
	if (!rl_itree_is_valid(a->root))
		return false;					/* I3 */
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
