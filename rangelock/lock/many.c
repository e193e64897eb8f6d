/*
 * many.c - several ranges of one lock, all at one instant
 *
 * All members enter under one hold of the guard with one arrival number, and
 * the first counts the blockers of all.  So nobody ever holds one of them and
 * waits for another, and crossing sets cannot deadlock.
 */
#include <errno.h>

#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/request.h"
#include "rangelock/lock/ask.h"
#include "rangelock/lock/site.h"
#include "rangelock/tree/itree.h"

static bool spans_are_sound(const struct rl_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rl_node span = { .start = spans[i].start,
					.end = spans[i].end };

		if (span.start >= span.end ||
		    (spans[i].mode != RL_READ && spans[i].mode != RL_WRITE))
			return false;
		for (size_t k = 0; k < i; k++)
			if (rl_overlaps(&span, spans[k].start, spans[k].end))
				return false;
	}
	return true;
}

static enum rl_mode strongest_mode(const struct rl_span *spans, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (spans[i].mode == RL_WRITE)
			return RL_WRITE;
	return RL_READ;
}

/* ask: all but the range and the mode. */
static int ask_many(struct rangelock *lk, struct rl_range *r, size_t n,
		    const struct rl_span *spans, struct rl_ask ask)
{
	for (size_t i = 0; i < n; i++) {
		ask.start = spans[i].start;
		ask.end = spans[i].end;
		ask.mode = spans[i].mode;
		RL_REQUIRE(rl_range_is_free(&r[i]));
		rl_fill_range(lk, &r[i], &ask);
		r[i].group = (uint8_t)i;
	}
	if (n > 1) {
		r->flags |= RL_F_LEADER;
		r->group = (uint8_t)n;
	}
	if (ask.grain != RL_FINE) {	/* the first locks for all */
		r->mode = (uint8_t)strongest_mode(spans, n);
		if (r->mode != spans->mode)
			r->flags |= RL_F_DECLARES_READ;
	}
	return rl_ask_filled(lk, r, ask.patience, ask.deadline_ns);
}

static int check_many(const struct rangelock *lk, const struct rl_range *r,
		      size_t n, const struct rl_span *spans)
{
	if (!lk || !r || !spans || !n || n > RL_MANY_MAX ||
	    !spans_are_sound(spans, n))
		return EINVAL;
	return 0;
}

int rl_lock_many(struct rangelock *lk, struct rl_range *r, size_t n,
		 const struct rl_span *spans)
{
	return rl_lock_many_until(lk, r, n, spans, RL_NO_DEADLINE);
}

int rl_trylock_many(struct rangelock *lk, struct rl_range *r, size_t n,
		    const struct rl_span *spans)
{
	if (check_many(lk, r, n, spans))
		return EINVAL;
	return ask_many(lk, r, n, spans, RL_ASK(0, 0, RL_READ, RL_TRY));
}

int rl_lock_many_until(struct rangelock *lk, struct rl_range *r, size_t n,
		       const struct rl_span *spans, uint64_t deadline_ns)
{
	struct rl_ask ask = RL_ASK(0, 0, RL_READ, RL_BLOCK);

	if (check_many(lk, r, n, spans))
		return EINVAL;
	ask.deadline_ns = deadline_ns;
	return ask_many(lk, r, n, spans, ask);
}

int rl_submit_many(struct rangelock *lk, struct rl_range *r, size_t n,
		   const struct rl_span *spans)
{
	if (check_many(lk, r, n, spans))
		return EINVAL;
	return ask_many(lk, r, n, spans, RL_ASK(0, 0, RL_READ, RL_SUBMIT));
}

static int ask_many_at(struct rangelock *lk, struct rl_range *r,
		       struct rl_site *site, size_t n,
		       const struct rl_span *spans, enum rl_patience patience)
{
	struct rl_ask ask = RL_ASK(0, 0, RL_READ, patience);

	if (check_many(lk, r, n, spans) || !site)
		return EINVAL;
	ask.at_site = true;
	ask.site = rl_site_enter(site, strongest_mode(spans, n), &ask.grain);
	return ask_many(lk, r, n, spans, ask);
}

int rl_lock_many_at(struct rangelock *lk, struct rl_range *r,
		    struct rl_site *site, size_t n,
		    const struct rl_span *spans)
{
	return ask_many_at(lk, r, site, n, spans, RL_BLOCK);
}

int rl_submit_many_at(struct rangelock *lk, struct rl_range *r,
		      struct rl_site *site, size_t n,
		      const struct rl_span *spans)
{
	return ask_many_at(lk, r, site, n, spans, RL_SUBMIT);
}
