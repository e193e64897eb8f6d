/*
 * gap.c - the lowest or highest gap between markers and occupied ranges
 *
 * A candidate starts at one end of the space and moves towards the other.  When
 * something is in its way, every start up to the far side of that is in its way
 * too, so the candidate jumps there: no gap is left out.  The callback is asked
 * without the guard; the markers are asked last and under the guard, in the same
 * hold in which rl_pending_mark_gap() marks, so two callers cannot choose
 * overlapping ranges.
 *
 * It ends: each round ends the search or moves the candidate strictly on.  A
 * round is repeated for a marker only, and that is somebody else's progress.
 * Cost: a round for each thing in the way.
 * Weak spot: what is freed behind the candidate during the search is not found.
 */
#include <errno.h>
#include <stddef.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/lock/pending.h"
#include "rangelock/tree/itree.h"

static bool query_is_sound(const struct rl_gap_query *q)
{
	return q->low < q->high && q->size &&
	       (q->align & (q->align - 1)) == 0 &&
	       (q->end == RL_LOWEST || q->end == RL_HIGHEST);
}

/* The first candidate at or above a place.  False: there is no room. */
static bool candidate_above(const struct rl_gap_query *q, uint64_t place,
			    uint64_t *start)
{
	uint64_t mask = q->align ? q->align - 1 : 0;

	if (place < q->low)
		place = q->low;
	if (place > UINT64_MAX - mask)
		return false;
	*start = (place + mask) & ~mask;
	return *start < q->high && q->size <= q->high - *start;
}

/* The last candidate that ends at or below a place. */
static bool candidate_below(const struct rl_gap_query *q, uint64_t place,
			    uint64_t *start)
{
	uint64_t mask = q->align ? q->align - 1 : 0;

	if (place > q->high)
		place = q->high;
	if (place < q->low || q->size > place - q->low)
		return false;
	*start = (place - q->size) & ~mask;
	return *start >= q->low;
}

static bool first_candidate(const struct rl_gap_query *q, uint64_t *start)
{
	return q->end == RL_LOWEST ? candidate_above(q, q->low, start)
				   : candidate_below(q, q->high, start);
}

static bool next_candidate(const struct rl_gap_query *q,
			   const struct rl_node *hit, uint64_t *start)
{
	return q->end == RL_LOWEST ? candidate_above(q, hit->end, start)
				   : candidate_below(q, hit->start, start);
}

static bool is_occupied(const struct rl_gap_query *q, uint64_t start,
			struct rl_node *hit)
{
	uint64_t end = start + q->size;

	if (!q->occupied ||
	    !q->occupied(q->arg, start, end, &hit->start, &hit->end))
		return false;
	/* else the candidate would not move */
	RL_REQUIRE(rl_overlaps(hit, start, end));
	return true;
}

/* The farthest marker in the way: the markers of a tree are disjoint. */
static bool is_marked(const struct rl_pending_set *set,
		      const struct rl_gap_query *q, uint64_t start,
		      struct rl_node *hit)
{
	uint64_t end = start + q->size;
	const struct rl_node *n;

	if (RL_PLANTED(GAP_IGNORES_MARKER))
		return false;
	n = q->end == RL_LOWEST ? rl_itree_last_overlap(set->root, start, end)
				: rl_itree_first_overlap(set->root, start, end);
	if (n)
		*hit = *n;
	return n != NULL;
}

/* Nothing in the way: p, unless it is NULL, marks it in the same hold. */
static bool take_unless_marked(struct rl_pending_set *set,
			       struct rl_pending *p,
			       const struct rl_gap_query *q, uint64_t start,
			       struct rl_node *hit)
{
	bool is_taken;

	rl_pending_set_lock(set);
	is_taken = !is_marked(set, q, start, hit);
	if (is_taken && p)
		rl_pending_insert(set, p, RL_PENDING_MAP, start,
				  start + q->size);
	rl_pending_set_unlock(set);
	return is_taken;
}

static int search(struct rl_pending_set *set, struct rl_pending *p,
		  const struct rl_gap_query *q, uint64_t *start)
{
	struct rl_node hit = { .start = 0 };
	uint64_t candidate;
	bool has_room;

	if (!set || !q || !start || !query_is_sound(q))
		return EINVAL;
	has_room = first_candidate(q, &candidate);
	while (has_room) {
		if (!is_occupied(q, candidate, &hit) &&
		    take_unless_marked(set, p, q, candidate, &hit)) {
			*start = candidate;
			return 0;
		}
		has_room = next_candidate(q, &hit, &candidate);
	}
	return ENOMEM;
}

int rl_pending_find_gap(struct rl_pending_set *set,
			const struct rl_gap_query *query, uint64_t *start)
{
	return search(set, NULL, query, start);
}

int rl_pending_mark_gap(struct rl_pending_set *set, struct rl_pending *p,
			const struct rl_gap_query *query, uint64_t *start)
{
	if (!p)
		return EINVAL;
	/* relaxed: an idle marker is its owner's alone. */
	RL_REQUIRE(rl_load_relaxed(&p->state) == RL_PENDING_IDLE);
	return search(set, p, query, start);
}
