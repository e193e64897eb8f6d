/*
 * Goal: the gap search finds the same gap as a look at every single start, at
 * the ends of the space too, and never asks the callback under the guard.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/pending.h>

#define SPACE		96
#define NR_MARKERS	8

static uint64_t rng;

static uint64_t rnd(uint64_t below)
{
	rng += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = rng;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % below;
}

/* A window of SPACE bytes that begins at base; what lies outside is free. */
struct world {
	uint64_t base;
	bool is_marked[SPACE], is_occupied[SPACE];
	struct rl_pending_set set;
	struct rl_pending markers[NR_MARKERS];
};

/* Any hit will do, so it answers with a random part of a random one. */
static int occupied(void *arg, uint64_t start, uint64_t end, uint64_t *hit_start,
		    uint64_t *hit_end)
{
	const struct world *w = arg;
	uint64_t from, n = end - start;

	check_eq(w->set.guard, 0);
	from = rnd(n);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = start + (from + i) % n, low = at, high = at;

		if (!w->is_occupied[at - w->base])
			continue;
		while (low > w->base && rnd(4) &&
		       w->is_occupied[low - 1 - w->base])
			low--;
		while (high + 1 - w->base < SPACE && rnd(4) &&
		       w->is_occupied[high + 1 - w->base])
			high++;
		*hit_start = low;
		*hit_end = high + 1;
		return 1;
	}
	return 0;
}

static bool is_free(const struct world *w, uint64_t start, uint64_t size,
		    bool ask_occupied)
{
	for (uint64_t i = start - w->base; i < start - w->base + size; i++)
		if (w->is_marked[i] || (ask_occupied && w->is_occupied[i]))
			return false;
	return true;
}

/* Look at every start. */
static int brute_force(const struct world *w, const struct rl_gap_query *q,
		       uint64_t *start)
{
	uint64_t align = q->align ? q->align : 1;

	if (q->size > q->high - q->low)
		return ENOMEM;
	for (uint64_t i = 0; i <= q->high - q->low - q->size; i++) {
		uint64_t s = q->end == RL_LOWEST ? q->low + i
						 : q->high - q->size - i;

		if (s % align || !is_free(w, s, q->size, q->occupied))
			continue;
		*start = s;
		return 0;
	}
	return ENOMEM;
}

static void make_world(struct world *w, uint64_t base)
{
	memset(w, 0, sizeof(*w));
	w->base = base;
	for (int i = 0; i < NR_MARKERS; i++) {
		uint64_t at = rnd(SPACE), n = 1 + rnd(12);

		if (at + n > SPACE ||
		    rl_pending_mark(&w->set, &w->markers[i],
				    rnd(2) ? RL_PENDING_MAP : RL_PENDING_UNMAP,
				    base + at, base + at + n) != 0)
			continue;
		memset(&w->is_marked[at], 1, n);
		for (int k = 0; k < i; k++)	/* an unmap superseded it */
			if (w->markers[k].state &&
			    !rl_pending_still(&w->markers[k])) {
				uint64_t from = w->markers[k].node.start - base;
				uint64_t to = w->markers[k].node.end - base;

				for (uint64_t b = from; b < to; b++)
					w->is_marked[b] = b >= at && b < at + n;
				rl_pending_abandon(&w->markers[k]);
			}
	}
	for (int i = 0; i < 6; i++) {
		uint64_t at = rnd(SPACE), n = 1 + rnd(20);

		memset(&w->is_occupied[at], 1, at + n > SPACE ? SPACE - at : n);
	}
}

static void compare(struct world *w)
{
	struct rl_gap_query q = { .align = rnd(3) ? UINT64_C(1) << rnd(6) : 0,
				  .end = rnd(2) ? RL_LOWEST : RL_HIGHEST,
				  .occupied = rnd(4) ? occupied : NULL,
				  .arg = w };
	struct rl_pending p = RL_PENDING_INIT;
	uint64_t want = 0, got = 0, low = rnd(SPACE);
	int error;

	q.low = w->base + low;
	q.high = q.low + 1 + rnd(SPACE - low);
	q.size = 1 + rnd(rnd(4) ? 12 : SPACE);
	error = brute_force(w, &q, &want);
	check_eq(rl_pending_find_gap(&w->set, &q, &got), error);
	if (!error)
		check_eq(got, want);
	check_eq(rl_pending_mark_gap(&w->set, &p, &q, &got), error);
	if (error)
		return;
	check_eq(got, want);
	check_eq(p.node.start, want);
	check_eq(p.node.end, want + q.size);
	q = (struct rl_gap_query){ .low = p.node.start, .high = p.node.end,
				   .size = 1 };
	check_eq(rl_pending_find_gap(&w->set, &q, &got), ENOMEM);
	check_eq(rl_pending_commit(&p), 0);
}

Test(gap, is_the_one_that_a_look_at_every_start_finds)
{
	static const uint64_t bases[] = { 0, 1000, RL_END - SPACE };
	static struct world w;
	uint64_t rounds = test_rounds(20000);

	rng = test_seed();
	for (uint64_t i = 0; i < rounds; i++) {
		make_world(&w, bases[i % 3]);
		for (int k = 0; k < 20; k++)
			compare(&w);
	}
}

static int find(const struct rl_gap_query *q, uint64_t *start)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;

	return rl_pending_find_gap(&set, q, start);
}

Test(gap, ends_of_the_space_can_be_had)
{
	struct rl_gap_query q = { .low = 0, .high = RL_END, .size = RL_END };
	uint64_t start = 7;

	check_eq(find(&q, &start), 0);
	check_eq(start, 0);
	q.end = RL_HIGHEST;
	start = 7;
	check_eq(find(&q, &start), 0);
	check_eq(start, 0);
	q.size = 1;
	check_eq(find(&q, &start), 0);
	check_eq(start, RL_END - 1);
	q.align = UINT64_C(1) << 63;
	check_eq(find(&q, &start), 0);
	check_eq(start, UINT64_C(1) << 63);
	q.low = (UINT64_C(1) << 63) + 1;
	check_eq(find(&q, &start), ENOMEM);
	q.end = RL_LOWEST;
	check_eq(find(&q, &start), ENOMEM);
	q = (struct rl_gap_query){ .low = RL_END - 1, .high = RL_END,
				   .size = 2 };
	check_eq(find(&q, &start), ENOMEM);
	q.size = RL_END;
	check_eq(find(&q, &start), ENOMEM);
}

Test(gap, marker_at_either_end_of_the_space_is_passed)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending low = RL_PENDING_INIT, high = RL_PENDING_INIT;
	struct rl_gap_query q = { .high = RL_END, .size = 4096 };
	uint64_t start;

	check_eq(rl_pending_mark(&set, &low, RL_PENDING_MAP, 0, 10), 0);
	check_eq(rl_pending_mark(&set, &high, RL_PENDING_UNMAP, RL_END - 10,
				 RL_END), 0);
	check_eq(rl_pending_find_gap(&set, &q, &start), 0);
	check_eq(start, 10);
	q.end = RL_HIGHEST;
	check_eq(rl_pending_find_gap(&set, &q, &start), 0);
	check_eq(start, RL_END - 10 - 4096);
	q.size = RL_END - 20;
	check_eq(rl_pending_find_gap(&set, &q, &start), 0);
	check_eq(start, 10);
	q.size++;
	check_eq(rl_pending_find_gap(&set, &q, &start), ENOMEM);
	q.end = RL_LOWEST;
	check_eq(rl_pending_find_gap(&set, &q, &start), ENOMEM);
}

Test(gap, bad_queries_are_refused)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p = RL_PENDING_INIT;
	struct rl_gap_query good = { .high = 10, .size = 1 }, q;
	uint64_t start;

	check_eq(rl_pending_find_gap(NULL, &good, &start), EINVAL);
	check_eq(rl_pending_find_gap(&set, NULL, &start), EINVAL);
	check_eq(rl_pending_find_gap(&set, &good, NULL), EINVAL);
	check_eq(rl_pending_mark_gap(&set, NULL, &good, &start), EINVAL);
	q = good;
	q.size = 0;
	check_eq(rl_pending_mark_gap(&set, &p, &q, &start), EINVAL);
	q = good;
	q.low = 10;
	check_eq(rl_pending_mark_gap(&set, &p, &q, &start), EINVAL);
	q = good;
	q.align = 3;
	check_eq(rl_pending_mark_gap(&set, &p, &q, &start), EINVAL);
	q = good;
	q.end = (enum rl_gap_end)2;
	check_eq(rl_pending_mark_gap(&set, &p, &q, &start), EINVAL);
	check(!rl_pending_still(&p));
}

static int lie(void *arg, uint64_t start, uint64_t end, uint64_t *hit_start,
	       uint64_t *hit_end)
{
	(void)arg;
	(void)end;
	*hit_start = *hit_end = start;
	return 1;
}

Test(gap, callback_that_names_nothing_in_the_way_aborts, .signal = SIGABRT)
{
	struct rl_gap_query q = { .high = 10, .size = 1, .occupied = lie };
	uint64_t start;

	find(&q, &start);
}
