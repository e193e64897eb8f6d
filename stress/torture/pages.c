/*
 * pages.c - who is in a page, seen from inside the holds
 *
 * Each page counts its readers and writers in relaxed atomics and has two words
 * of plain data.  A hold checks them when it enters, in the middle and when it
 * leaves; the counters catch a hold that should not be, and ThreadSanitizer and
 * helgrind watch the plain words for a hold that comes without an order.  In some
 * rounds readers do not count themselves and writers only store: then the oracle
 * has no locked instruction, which on x86 would mend a missing fence of the
 * lock's; a reader beside a writer shows by the data.
 */
#include <inttypes.h>

#include "stress/torture/torture.h"

static _Noreturn void intruder(struct tt_worker *me, const struct tt_request *q,
			       enum rl_mode mode, uint32_t page,
			       const char *when)
{
	const struct tt_page *p = &me->round->pages[page];

	tt_fail(me->round,
		"request %u.%u %s page %u: %s it finds readers %u, writers %#x, "
		"data %" PRIx64 " %" PRIx64 " (its value %" PRIx64 ")",
		q->id >> 24, q->id & 0xffffff,
		mode == RL_WRITE ? "writes" : "reads", page, when,
		tt_load(&p->readers), tt_load(&p->writers), p->data[0],
		p->data[1], q->value);
}

/* What a page's writers word shows while q alone is in it. */
static uint32_t tag_of(const struct tt_worker *me, const struct tt_request *q)
{
	return me->round->counts_readers ? 1 : q->id;
}

static void enter_writer(struct tt_worker *me, struct tt_request *q, uint32_t page)
{
	struct tt_page *p = &me->round->pages[page];
	uint32_t was;

	if (me->round->counts_readers) {
		was = tt_add(&p->writers, 1);
	} else {
		was = tt_load(&p->writers);
		tt_store(&p->writers, tag_of(me, q));
	}
	if (was || tt_load(&p->readers) || p->data[0] != p->data[1])
		intruder(me, q, RL_WRITE, page, "entering");
	p->data[0] = p->data[1] = q->value;
}

static void check_writer(struct tt_worker *me, struct tt_request *q,
			 uint32_t page, const char *when)
{
	struct tt_page *p = &me->round->pages[page];

	if (tt_load(&p->writers) != tag_of(me, q) || tt_load(&p->readers) ||
	    p->data[0] != q->value || p->data[1] != q->value)
		intruder(me, q, RL_WRITE, page, when);
}

static void leave_writer(struct tt_worker *me, struct tt_request *q, uint32_t page)
{
	struct tt_page *p = &me->round->pages[page];

	check_writer(me, q, page, "leaving");
	if (!me->round->counts_readers)
		tt_store(&p->writers, 0);
	else if (tt_add(&p->writers, (uint32_t)-1) != 1)
		intruder(me, q, RL_WRITE, page, "leaving");
}

static void enter_reader(struct tt_worker *me, struct tt_request *q, uint32_t page)
{
	struct tt_page *p = &me->round->pages[page];

	if (me->round->counts_readers)
		tt_add(&p->readers, 1);
	if (tt_load(&p->writers))
		intruder(me, q, RL_READ, page, "entering");
}

static void leave_reader(struct tt_worker *me, struct tt_request *q, uint32_t page)
{
	struct tt_page *p = &me->round->pages[page];

	if (tt_load(&p->writers))
		intruder(me, q, RL_READ, page, "leaving");
	if (me->round->counts_readers &&
	    !tt_add(&p->readers, (uint32_t)-1))
		intruder(me, q, RL_READ, page, "leaving");
}

/* All data that a request reads, as one number. */
static uint64_t sum_of(struct tt_worker *me, struct tt_request *q)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < q->n; i++) {
		if (q->spans[i].mode != RL_READ)
			continue;
		for (uint32_t p = q->spans[i].first; p < q->spans[i].end; p++) {
			const struct tt_page *page = &me->round->pages[p];

			if (tt_load(&page->writers) ||
			    page->data[0] != page->data[1])
				intruder(me, q, RL_READ, p, "reading");
			sum = sum * 31 + page->data[0];
		}
	}
	return sum;
}

static void enter_pages(struct tt_worker *me, struct tt_request *q,
			struct tt_span s)
{
	for (uint32_t p = s.first; p < s.end; p++)
		if (s.mode == RL_WRITE)
			enter_writer(me, q, p);
		else
			enter_reader(me, q, p);
}

static void leave_pages(struct tt_worker *me, struct tt_request *q,
			struct tt_span s)
{
	for (uint32_t p = s.first; p < s.end; p++)
		if (s.mode == RL_WRITE)
			leave_writer(me, q, p);
		else
			leave_reader(me, q, p);
}

void tt_pages_enter(struct tt_worker *me, struct tt_request *q)
{
	q->value = (uint64_t)(me->index + 1) << 48 | ++me->next_value;
	for (uint32_t i = 0; i < q->n; i++)
		enter_pages(me, q, q->spans[i]);
	q->sum = sum_of(me, q);
}

void tt_pages_check(struct tt_worker *me, struct tt_request *q)
{
	for (uint32_t i = 0; i < q->n; i++)
		for (uint32_t p = q->spans[i].first;
		     q->spans[i].mode == RL_WRITE && p < q->spans[i].end; p++)
			check_writer(me, q, p, "inside");
	if (sum_of(me, q) != q->sum)
		tt_fail(me->round,
			"request %u.%u reads [%u, %u) and the data changed",
			q->id >> 24, q->id & 0xffffff, q->spans[0].first,
			q->spans[0].end);
}

void tt_pages_leave(struct tt_worker *me, struct tt_request *q)
{
	tt_pages_check(me, q);
	for (uint32_t i = 0; i < q->n; i++)
		leave_pages(me, q, q->spans[i]);
}

static struct tt_span span(uint32_t first, uint32_t end, enum rl_mode mode)
{
	return (struct tt_span){ first, end, mode };
}

typedef void pages_fn(struct tt_worker *me, struct tt_request *q,
		      struct tt_span span);

static uint32_t lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t upper(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Its mode changes, or its range does, and at_edges says how. */
static void change_pages(struct tt_worker *me, struct tt_request *q,
			 struct tt_span to, pages_fn *at_edges)
{
	struct tt_span was = q->spans[0];

	tt_pages_check(me, q);
	if (to.mode != was.mode) {
		leave_pages(me, q, was);
		enter_pages(me, q, to);
	} else {
		at_edges(me, q, span(lower(was.first, to.first),
				     upper(was.first, to.first), was.mode));
		at_edges(me, q, span(lower(was.end, to.end),
				     upper(was.end, to.end), was.mode));
	}
	q->spans[0] = to;
	q->sum = sum_of(me, q);
}

/* Before a downgrade or a narrowing. */
void tt_pages_shrink(struct tt_worker *me, struct tt_request *q,
		     struct tt_span to)
{
	change_pages(me, q, to, leave_pages);
}

/* After an upgrade or an extension. */
void tt_pages_grow(struct tt_worker *me, struct tt_request *q,
		   struct tt_span to)
{
	change_pages(me, q, to, enter_pages);
}

bool tt_pages_are_free(const struct tt_round *round)
{
	for (uint32_t p = 0; p < TT_PAGES; p++)
		if (tt_load(&round->pages[p].readers) ||
		    tt_load(&round->pages[p].writers))
			return false;
	return true;
}
