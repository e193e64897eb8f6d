/*
 * host.c - the host table of a play, and its callbacks
 *
 * Asleep means: the next few ops of the history are played, then the deadline
 * passes.
 */
#include <inttypes.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/shards.h"

#include "tests/model/compare.h"
#include "tests/model/forest_side.h"

static struct play *const p = &the_play;

static bool guards_are_free(void)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&p->lk, i)); i++)
		if (rl_guard_is_taken(&a->guard))
			return false;
	return true;
}

static uint64_t host_self(void *ctx)
{
	(void)ctx;
	return p->self;
}

static struct slot *slot_at(const void *address)
{
	uintptr_t first = (uintptr_t)p->slots, at = (uintptr_t)address;

	if (at < first || at >= first + sizeof(p->slots))
		differ("the lock parked or woke somebody who is no request");
	return &p->slots[(at - first) / sizeof(p->slots[0])];
}

static void host_wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	if (!guards_are_free())
		differ("somebody is woken under the guard");
	slot_at(word)->nr_wakes++;
}

/* Others go on until the wait of s ends, or they have done enough and the clock
 * is set to its deadline. */
static void play_others(struct slot *s)
{
	const struct brute_request *x = &p->model.requests[slot_number(s)];
	uint64_t self = p->self;

	s->is_asleep = true;
	s->sleeper = self;
	forest_look();
	while (s->nested && p->at < p->nr_ops && x->as == BRUTE_WAITS) {
		s->nested--;
		play_next();
	}
	p->self = self;
}

static void reach_deadline(const struct slot *s)
{
	if (p->model.now_ns < s->deadline_ns)
		p->model.now_ns = s->deadline_ns;
}

/* Who is late looks at the clock, and others go on before he takes the guard. */
static uint64_t host_now(void *ctx)
{
	struct slot *s = p->late;

	(void)ctx;
	if (s && guards_are_free()) {
		p->late = NULL;
		play_others(s);
		reach_deadline(s);
	}
	return p->model.now_ns;
}

static void host_park(void *ctx, const uint32_t *word, uint32_t expected,
		      uint64_t deadline_ns)
{
	struct slot *s = slot_at(word);
	unsigned int i = slot_number(s);

	(void)ctx;
	if (deadline_ns != s->deadline_ns)
		differ("#%u parks until %" PRIu64 ", wants %" PRIu64, i,
		       deadline_ns, s->deadline_ns);
	if (*word != expected)
		return;
	if (p->model.requests[i].as != BRUTE_WAITS)
		differ("#%u parks although it need not wait", i);
	if (s->is_spurious) {
		s->is_spurious = false;
		return;
	}
	play_others(s);
	if (p->model.requests[i].as == BRUTE_WAITS)
		reach_deadline(s);
	else if (s->nr_wakes != 1)
		differ("#%u was woken %u times", i, s->nr_wakes);
}

const struct rl_host play_host = {
	.park = host_park, .wake = host_wake, .now = host_now,
	.self = host_self,
};

void play_granted(struct rl_range *r)
{
	struct slot *s = slot_at(r);

	if (p->in_callback)
		differ("the callback of #%u runs inside another", slot_number(s));
	p->in_callback = true;
	if (p->nr_called == CALLS_MAX)
		differ("too many callbacks");
	p->called[p->nr_called++] = slot_number(s);
	if (s->unlocks)
		rl_unlock(&p->lk, r);
	p->in_callback = false;
}

void collect_grants(struct queue *due)
{
	struct brute *b = &p->model;

	for (unsigned int k = 0; k < b->nr_granted; k++) {
		struct slot *s = &p->slots[b->granted[k]];

		if (!s->has_callback)
			continue;
		s->is_due = true;
		due->slots[due->nr++] = b->granted[k];
	}
	b->nr_granted = 0;
}

void expect_callbacks(struct queue *due)
{
	unsigned int nr = 0;

	while (nr < due->nr) {
		unsigned int i = due->slots[nr++];
		struct slot *s = &p->slots[i];

		s->is_due = false;
		if (nr > p->nr_called || p->called[nr - 1] != i)
			differ("callback %u should be that of #%u", nr, i);
		if (s->unlocks) {
			brute_unlock(&p->model, i);
			collect_grants(due);
		}
	}
	if (nr != p->nr_called)
		differ("%u callbacks, wants %u", p->nr_called, nr);
	due->nr = p->nr_called = 0;
}

void settle_up(void)
{
	struct queue due = { .nr = 0 };

	collect_grants(&due);
	expect_callbacks(&due);
}
