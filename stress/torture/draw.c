/*
 * draw.c - which ranges a worker asks for
 */
#include "stress/torture/torture.h"

uint64_t tt_start_of(const struct tt_round *round, const struct tt_request *q)
{
	return q->is_all ? 0 : tt_address(round, q->spans[0].first);
}

uint64_t tt_end_of(const struct tt_round *round, const struct tt_request *q)
{
	return q->is_all ? RL_END : tt_address(round, q->spans[0].end);
}

static enum rl_mode random_mode(struct tt_worker *me)
{
	return tt_percent(me, me->round->scene->percent_read) ? RL_READ :
								RL_WRITE;
}

/* Up to max pages in [low, high). */
static struct tt_span short_span(struct tt_worker *me, uint32_t low,
				 uint32_t high, uint32_t max)
{
	struct tt_span s = { .mode = random_mode(me) };

	s.first = low + tt_below(me, high - low);
	s.end = s.first + 1 + tt_below(me, max);
	if (s.end > high)
		s.end = high;
	return s;
}

struct tt_span tt_random_span(struct tt_worker *me)
{
	const uint32_t border = 2 * TT_CHUNK_PAGES;

	switch (me->round->scene->pattern) {
	case TT_BORDER:
		return short_span(me, border - 6, border + 4, 8);
	case TT_SHARD:
		return short_span(me, 0, TT_CHUNK_PAGES, 4);
	case TT_WIDE:
		if (tt_percent(me, 25))
			return short_span(me, 0, TT_PAGES, TT_PAGES);
		break;
	case TT_OWN:
		if (tt_percent(me, 97))
			return short_span(me, 4 * (me->index % 16),
					  4 * (me->index % 16) + 4, 4);
		break;
	case TT_SPREAD:
	case TT_COARSE:
		break;
	}
	return short_span(me, 0, TT_PAGES, 4);
}

/* Several spans, each behind the one before; how many there was room for. */
static uint32_t random_spans(struct tt_worker *me, struct tt_span *spans)
{
	uint32_t n = 0, want = 2 + tt_below(me, TT_MANY - 1);
	uint32_t low = tt_below(me, TT_PAGES / 2);

	while (n < want && low < TT_PAGES) {
		spans[n] = short_span(me, low, TT_PAGES, 3);
		if (tt_percent(me, 50)) {	/* touches the one before */
			spans[n].end -= spans[n].first - low;
			spans[n].first = low;
		}
		low = spans[n++].end;
	}
	return n;
}

static bool is_drawn_all(struct tt_worker *me)
{
	switch (me->round->scene->pattern) {
	case TT_COARSE:
		return tt_percent(me, 90);
	case TT_WIDE:
		return tt_percent(me, 6);
	case TT_BORDER:
	case TT_SHARD:
	case TT_OWN:
		return !tt_below(me, 200);
	case TT_SPREAD:
		return tt_percent(me, 2);
	}
	return false;
}

struct tt_request *tt_draw(struct tt_worker *me)
{
	const struct tt_scene *scene = me->round->scene;
	struct tt_request *q = NULL;

	for (uint32_t i = 0; i < TT_REQUESTS && !q; i++)
		/* Acquire: all that a callback or the helper did with it. */
		if (tt_load_acquire(&me->requests[i].turn) == TT_FREE)
			q = &me->requests[i];
	if (!q)
		return NULL;
	q->n = 1;
	q->spans[0] = tt_random_span(me);
	q->is_all = is_drawn_all(me);
	q->site = NULL;
	if (q->is_all) {
		q->spans[0].first = 0;
		q->spans[0].end = TT_PAGES;
		return q;
	}
	if (tt_percent(me, scene->percent_many))
		q->n = random_spans(me, q->spans);
	if (tt_percent(me, scene->percent_site))
		q->site = &tt_sites[tt_below(me, TT_SITES)];
	return q;
}
