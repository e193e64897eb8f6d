/*
 * watch.c - lists and a hash of operations
 *
 * The hash is by address, so nothing is ever listed in its order: two runs give
 * the same answers wherever their memory lies.  Weak spot: of those that ended
 * the last 4096 are remembered; who began before them may be told FALSE.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/oracle/watch.h"

#include <stdio.h>
#include <stdlib.h>

static struct watch **bucket_of(const struct watch_set *s,
				const struct mm_op *op)
{
	uintptr_t x = (uintptr_t)op / 16;

	x ^= x >> 9 ^ x >> 18;
	return (struct watch **)(uintptr_t)&s->buckets[x % WATCH_BUCKETS];
}

bool watch_init(struct watch_set *s)
{
	*s = (struct watch_set){ .nr_ended = 0 };
	s->ended = calloc(WATCH_ENDED, sizeof(*s->ended));
	return s->ended != NULL;
}

void watch_fini(struct watch_set *s)
{
	struct watch *w;

	while ((w = s->newest)) {
		s->newest = w->older;
		free(w);
	}
	while ((w = s->idle)) {
		s->idle = w->older;
		free(w);
	}
	free(s->ended);
}

struct watch *watch_find(const struct watch_set *s, const struct mm_op *op)
{
	struct watch *w = *bucket_of(s, op);

	while (w && w->op != op)
		w = w->next_in_bucket;
	return w;
}

struct watch *watch_add(struct watch_set *s, struct mm *mm, struct mm_op *op,
			uint64_t now_ns)
{
	struct watch **bucket = bucket_of(s, op);
	struct watch *w = s->idle;

	if (watch_find(s, op))
		return NULL;
	if (w)
		s->idle = w->older;
	else
		w = malloc(sizeof(*w));
	if (!w) {
		fprintf(stderr, "minimm: out of memory\n");
		abort();
	}
	*w = (struct watch){
		.mm = mm, .op = op, .begin_ns = now_ns,
		.next_in_bucket = *bucket, .older = s->newest,
	};
	*bucket = w;
	if (s->newest)
		s->newest->newer = w;
	s->newest = w;
	return w;
}

static void remember(struct watch_set *s, const struct watch *w,
		     uint64_t now_ns)
{
	struct watch_ended *e = &s->ended[s->nr_ended++ % WATCH_ENDED];

	e->mm = w->mm;
	e->end_ns = now_ns;
	e->kind = w->op->kind;
	e->footprint = w->op->footprint;
}

void watch_remove(struct watch_set *s, struct watch *w, uint64_t now_ns)
{
	struct watch **link = bucket_of(s, w->op);

	watch_leave(s, w);
	remember(s, w, now_ns);
	while (*link != w)
		link = &(*link)->next_in_bucket;
	*link = w->next_in_bucket;
	if (w->newer)
		w->newer->older = w->older;
	else
		s->newest = w->older;
	if (w->older)
		w->older->newer = w->newer;
	w->older = s->idle;
	s->idle = w;
}

void watch_enter(struct watch_set *s, struct watch *w)
{
	if (w->is_inside)
		return;
	w->is_inside = true;
	w->prev_inside = NULL;
	w->next_inside = s->inside;
	if (s->inside)
		s->inside->prev_inside = w;
	s->inside = w;
}

void watch_leave(struct watch_set *s, struct watch *w)
{
	if (!w->is_inside)
		return;
	w->is_inside = false;
	if (w->prev_inside)
		w->prev_inside->next_inside = w->next_inside;
	else
		s->inside = w->next_inside;
	if (w->next_inside)
		w->next_inside->prev_inside = w->prev_inside;
}

bool watch_find_cause(const struct watch_set *s, const struct watch *w,
		      enum mm_kind *kind)
{
	const struct mm_footprint *mine = &w->op->footprint;
	uint64_t oldest = s->nr_ended > WATCH_ENDED ?
			  s->nr_ended - WATCH_ENDED : 0;

	for (const struct watch *y = s->newest; y; y = y->older) {
		if (y == w || y->mm != w->mm ||
		    !mm_footprints_conflict(mine, &y->op->footprint))
			continue;
		*kind = y->op->kind;
		return true;
	}
	for (uint64_t i = s->nr_ended; i > oldest; i--) {
		const struct watch_ended *e = &s->ended[(i - 1) % WATCH_ENDED];

		if (e->end_ns < w->begin_ns)
			break;
		if (e->mm != w->mm ||
		    !mm_footprints_conflict(mine, &e->footprint))
			continue;
		*kind = e->kind;
		return true;
	}
	return false;
}
