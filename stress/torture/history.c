/*
 * history.c - a recorded round against the sequential model
 *
 * Sweeps over stamps with a list of those entries that can still matter, so the
 * cost is the number of entries times how many are there at one time.
 */
#include "stress/torture/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tt_history_add(struct tt_history *h, const struct tt_entry *e)
{
	if (h->nr == h->room) {
		h->room = h->room ? 2 * h->room : 1024;
		h->entries = realloc(h->entries, h->room * sizeof(*e));
		if (!h->entries)
			abort();
	}
	h->entries[h->nr++] = *e;
}

void tt_history_append(struct tt_history *h, const struct tt_history *more)
{
	for (size_t i = 0; i < more->nr; i++)
		tt_history_add(h, &more->entries[i]);
}

void tt_history_free(struct tt_history *h)
{
	free(h->entries);
	*h = (struct tt_history){ .nr = 0 };
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_certain_from(const void *a, const void *b)
{
	return compare(((const struct tt_entry *)a)->certain_from,
		       ((const struct tt_entry *)b)->certain_from);
}

static int by_possible_from(const void *a, const void *b)
{
	return compare(((const struct tt_entry *)a)->possible_from,
		       ((const struct tt_entry *)b)->possible_from);
}

static int by_possible_until(const void *a, const void *b)
{
	const struct tt_entry *const *x = a, *const *y = b;

	return compare((*x)->possible_until, (*y)->possible_until);
}

static void describe(char *text, size_t size, const struct tt_entry *e)
{
	snprintf(text, size,
		 "#%u.%u %s pages [%u, %u) possible [%" PRIu64 ", %" PRIu64
		 "] certain [%" PRIu64 ", %" PRIu64 "]",
		 e->id >> 24, e->id & 0xffffff,
		 e->span.mode == RL_WRITE ? "write" : "read", e->span.first,
		 e->span.end, e->possible_from, e->possible_until,
		 e->certain_from, e->certain_until);
}

static const char *say(char *text, size_t size, const char *what,
		       const struct tt_entry *a, const struct tt_entry *b)
{
	char one[200], other[200] = "nobody";

	describe(one, sizeof(one), a);
	if (b)
		describe(other, sizeof(other), b);
	snprintf(text, size, "%s:\n  %s\n  %s", what, one, other);
	return text;
}

/* The entries that a sweep may still need. */
struct live {
	const struct tt_entry **entries;
	size_t nr;
};

static void live_init(struct live *l, size_t room)
{
	l->entries = malloc((room + 1) * sizeof(l->entries[0]));
	if (!l->entries)
		abort();
	l->nr = 0;
}

static void live_drop(struct live *l, size_t i)
{
	l->entries[i] = l->entries[--l->nr];
}

/* Nobody holds against a holder. */
static const char *check_exclusion(const struct tt_history *h, char *text,
				   size_t size)
{
	const char *wrong = NULL;
	struct live held;

	live_init(&held, h->nr);
	qsort(h->entries, h->nr, sizeof(h->entries[0]), by_certain_from);
	for (size_t i = 0; i < h->nr && !wrong; i++) {
		const struct tt_entry *e = &h->entries[i];

		if (e->kind != TT_HELD)
			continue;
		for (size_t k = 0; k < held.nr && !wrong;) {
			const struct tt_entry *o = held.entries[k];

			if (o->certain_until < e->certain_from) {
				live_drop(&held, k);
				continue;
			}
			if (o->id != e->id && tt_conflict(&o->span, &e->span))
				wrong = say(text, size, "both held", o, e);
			k++;
		}
		held.entries[held.nr++] = e;
	}
	free(held.entries);
	return wrong;
}

static bool explains(const struct tt_entry *o, const struct tt_entry *refusal)
{
	struct tt_span whose = o->span, span = refusal->span;

	if (o->id == refusal->id || o->possible_until < refusal->possible_from)
		return false;
	if (o->may_be_all)
		whose = (struct tt_span){ 0, TT_PAGES, whose.mode };
	if (refusal->may_be_all)
		span = (struct tt_span){ 0, TT_PAGES, span.mode };
	return tt_conflict(&whose, &span);
}

/* The refusals in order of their end, and the earliest begin of all behind. */
struct refusals {
	const struct tt_entry **entries;
	uint64_t *earliest;
	size_t nr;
};

static void collect_refusals(struct refusals *r, const struct tt_history *h)
{
	r->entries = malloc((h->nr + 1) * sizeof(r->entries[0]));
	r->earliest = malloc((h->nr + 1) * sizeof(r->earliest[0]));
	if (!r->entries || !r->earliest)
		abort();
	r->nr = 0;
	for (size_t i = 0; i < h->nr; i++)
		if (h->entries[i].kind == TT_REFUSED)
			r->entries[r->nr++] = &h->entries[i];
	qsort(r->entries, r->nr, sizeof(r->entries[0]), by_possible_until);
	r->earliest[r->nr] = UINT64_MAX;
	for (size_t i = r->nr; i--;) {
		uint64_t from = r->entries[i]->possible_from;

		r->earliest[i] = from < r->earliest[i + 1] ? from :
							     r->earliest[i + 1];
	}
}

/* Who is refused met somebody.  The entries are sorted by possible_from. */
static const char *check_refusals(const struct tt_history *h, char *text,
				  size_t size)
{
	const char *wrong = NULL;
	struct refusals r;
	struct live there;
	size_t next = 0;

	live_init(&there, h->nr);
	collect_refusals(&r, h);
	for (size_t i = 0; i < r.nr && !wrong; i++) {
		bool explained = false;

		for (; next < h->nr && h->entries[next].possible_from <
					       r.entries[i]->possible_until;
		     next++)
			if (h->entries[next].kind != TT_REFUSED)
				there.entries[there.nr++] = &h->entries[next];
		for (size_t k = 0; k < there.nr && !explained;) {
			const struct tt_entry *o = there.entries[k];

			if (o->possible_until < r.earliest[i]) {
				live_drop(&there, k);
				continue;
			}
			explained = explains(o, r.entries[i]);
			k++;
		}
		if (!explained)
			wrong = say(text, size, "refused without a reason",
				    r.entries[i], NULL);
	}
	free(r.entries);
	free(r.earliest);
	free(there.entries);
	return wrong;
}

/*
 * Whoever was queued before another was even called, and had waited for
 * bypass_ns by then, goes first (G3).  Sorted by possible_from, which is the
 * call of a fresh request; who was queued matters until it holds no more.
 */
static const char *check_order(const struct tt_history *h, uint64_t bypass_ns,
			       char *text, size_t size)
{
	const char *wrong = NULL;
	struct live queued;

	live_init(&queued, h->nr);
	for (size_t i = 0; i < h->nr && !wrong; i++) {
		const struct tt_entry *e = &h->entries[i];

		if (e->kind != TT_HELD || !e->called_ns)
			continue;
		for (size_t k = 0; k < queued.nr && !wrong;) {
			const struct tt_entry *o = queued.entries[k];

			if (o->certain_until < e->possible_from) {
				live_drop(&queued, k);
				continue;
			}
			if (o->id != e->id && tt_conflict(&o->span, &e->span) &&
			    o->queued_at < e->possible_from &&
			    e->called_ns >= o->queued_ns + bypass_ns &&
			    e->certain_from < o->certain_until)
				wrong = say(text, size, "was passed", o, e);
			k++;
		}
		if (e->queued_ns)
			queued.entries[queued.nr++] = e;
	}
	free(queued.entries);
	return wrong;
}

/* Was somebody there, during the change, who conflicts with what it was? */
static bool has_waiter(const struct tt_history *h, const struct live *there,
		       size_t i)
{
	const struct tt_entry *change = &h->entries[i];

	for (size_t k = 0; k < there->nr; k++) {
		const struct tt_entry *o = there->entries[k];

		if (o->id != change->id && (o->may_be_all ||
					    tt_conflict(&o->span, &change->was)))
			return true;
	}
	for (; i < h->nr && h->entries[i].possible_from <= change->certain_from; i++) {
		const struct tt_entry *o = &h->entries[i];

		if (o->id != change->id && (o->may_be_all ||
					    tt_conflict(&o->span, &change->was)))
			return true;
	}
	return false;
}

/* Did a change pass somebody who had waited for bypass_ns, not for it? */
static const struct tt_entry *passed_by(const struct live *there, uint64_t bypass_ns,
					const struct tt_entry *change)
{
	for (size_t k = 0; k < there->nr; k++) {
		const struct tt_entry *o = there->entries[k];

		if (o->id != change->id && o->kind == TT_HELD && o->queued_ns &&
		    tt_conflict(&o->span, &change->span) &&
		    o->queued_at < change->possible_from &&
		    change->grown_ns >= o->queued_ns + bypass_ns &&
		    change->certain_from < o->certain_until)
			return o;
	}
	return NULL;
}

/*
 * An upgrade and an extension pass those who wait for that very range already,
 * directly or through others, and nobody else (G3).  Who waits for it through
 * others does so behind somebody who conflicts with it: if there was nobody like
 * that, whom it passed was wronged.
 */
static const char *check_changes(const struct tt_history *h, uint64_t bypass_ns,
				 char *text, size_t size)
{
	const char *wrong = NULL;
	struct live there;

	live_init(&there, h->nr);
	for (size_t i = 0; i < h->nr && !wrong; i++) {
		const struct tt_entry *e = &h->entries[i], *passed;

		if (e->kind == TT_REFUSED)
			continue;
		for (size_t k = 0; k < there.nr;)
			if (there.entries[k]->possible_until < e->possible_from)
				live_drop(&there, k);
			else
				k++;
		if (e->grown_ns && !e->may_be_all) {
			passed = passed_by(&there, bypass_ns, e);
			if (passed && !has_waiter(h, &there, i))
				wrong = say(text, size, "was passed by a change",
					    passed, e);
		}
		there.entries[there.nr++] = e;
	}
	free(there.entries);
	return wrong;
}

const char *tt_history_check(struct tt_history *h, uint64_t bypass_ns,
			     char *text, size_t size)
{
	const char *wrong;

	if (!h->nr)
		return NULL;
	wrong = check_exclusion(h, text, size);
	qsort(h->entries, h->nr, sizeof(h->entries[0]), by_possible_from);
	if (!wrong)
		wrong = check_refusals(h, text, size);
	if (!wrong)
		wrong = check_order(h, bypass_ns, text, size);
	if (!wrong)
		wrong = check_changes(h, bypass_ns, text, size);
	return wrong;
}

/* Two requests and what the checker must say of them; NULL: nothing. */
struct planted {
	struct tt_entry a, b;
	uint64_t bypass_ns;
	const char *says;
};

#define SPAN(first, end, mode)	{ first, end, RL_##mode }
#define HELD(id_, span_, from, got, let, until, ...)			\
	{ .kind = TT_HELD, .id = (id_), .span = span_,			\
	  .possible_from = (from), .certain_from = (got),		\
	  .certain_until = (let), .possible_until = (until), __VA_ARGS__ }
#define REFUSED(id_, span_, from, until)				\
	{ .kind = TT_REFUSED, .id = (id_), .span = span_,		\
	  .possible_from = (from), .possible_until = (until) }
#define W	SPAN(4, 8, WRITE)
#define R	SPAN(6, 9, READ)

/* clang-format off */
static const struct planted planted[] = {
	{ HELD(1, W, 1, 2, 5, 6), HELD(2, R, 3, 4, 7, 8), 0, "both held" },
	{ HELD(1, W, 1, 2, 5, 6), HELD(2, R, 3, 6, 7, 8), 0, NULL },
	{ HELD(1, R, 1, 2, 5, 6), HELD(2, R, 3, 4, 7, 8), 0, NULL },
	{ HELD(1, W, 1, 2, 5, 6), HELD(2, SPAN(8, 9, WRITE), 3, 4, 7, 8), 0, NULL },
	{ HELD(1, W, 1, 2, 5, 6), REFUSED(2, R, 6, 7), 0, NULL },
	{ HELD(1, W, 1, 2, 5, 6), REFUSED(2, R, 7, 8), 0, "refused without" },
	{ HELD(1, W, 3, 4, 5, 6), REFUSED(2, R, 1, 2), 0, "refused without" },
	{ HELD(1, R, 1, 2, 5, 6), REFUSED(2, R, 3, 4), 0, "refused without" },
	{ HELD(1, R, 1, 2, 5, 6), REFUSED(1, W, 3, 4), 0, "refused without" },
	{ HELD(1, SPAN(60, 61, WRITE), 1, 2, 5, 6, .may_be_all = true),
	  REFUSED(2, R, 3, 4), 0, NULL },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 3, 4, 5, 6, .called_ns = 150), 50, "was passed" },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 3, 4, 5, 6, .called_ns = 149), 50, NULL },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 4),
	  HELD(2, R, 3, 5, 6, 7, .called_ns = 150), 0, NULL },
	{ HELD(1, W, 1, 3, 5, 6, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 4, 7, 8, 9, .called_ns = 150), 0, NULL },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 3, 4, 5, 6, .grown_ns = 150, .was = SPAN(8, 9, READ)), 50,
	  "was passed by a change" },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 3, 4, 5, 6, .grown_ns = 149, .was = SPAN(8, 9, READ)), 50,
	  NULL },
	{ HELD(1, W, 1, 8, 9, 10, .called_ns = 1, .queued_ns = 100, .queued_at = 2),
	  HELD(2, R, 3, 4, 5, 6, .grown_ns = 150, .was = SPAN(7, 9, READ)), 50,
	  NULL },
};
/* clang-format on */

bool tt_history_selftest(void)
{
	bool good = true;
	char text[600];

	for (size_t i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		const struct planted *p = &planted[i];
		struct tt_history h = { .nr = 0 };
		const char *says;

		tt_history_add(&h, &p->a);
		tt_history_add(&h, &p->b);
		says = tt_history_check(&h, p->bypass_ns, text, sizeof(text));
		if (p->says ? !says || !strstr(says, p->says) : !!says) {
			printf("history %zu: says %s, must say %s\n", i,
			       says ? says : "nothing",
			       p->says ? p->says : "nothing");
			good = false;
		}
		tt_history_free(&h);
	}
	return good;
}
