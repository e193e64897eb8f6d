/*
 * crew_places.c - who is where, seen from inside the holds
 *
 * The counters are relaxed, or they would order what the lock does not.  In some plays
 * nobody counts: then there is no locked instruction on x86 either, and an intruder
 * shows by the data.
 */
#include "rangelock/base/atomic.h"

#include "tests/model/crew_side.h"

static struct crew *const c = &the_crew;

static _Noreturn void intruder(const struct crew_request *q, uint64_t at, const char *when)
{
	const struct crew_place *p = &c->places[at];

	crew_fail("request %zu in place %llu, %s: readers %u, writers %u, data %llx %llx",
		  (size_t)(q - c->requests), (unsigned long long)at, when,
		  rl_load_relaxed(&p->readers), rl_load_relaxed(&p->writers),
		  (unsigned long long)p->data[0], (unsigned long long)p->data[1]);
}

static uint64_t end_of(const struct rl_span *s)
{
	return s->end < CREW_PLACES ? s->end : CREW_PLACES;
}

static void enter_place(struct crew_request *q, uint64_t at, enum rl_mode mode)
{
	struct crew_place *p = &c->places[at];
	uint32_t was = 0;

	if (c->setup.counts)
		was = rl_add_relaxed(mode == RL_WRITE ? &p->writers : &p->readers, 1);
	if ((mode == RL_WRITE && (was || rl_load_relaxed(&p->readers))) ||
	    (mode == RL_READ && rl_load_relaxed(&p->writers)) ||
	    p->data[0] != p->data[1])
		intruder(q, at, "entering");
	if (mode == RL_WRITE)
		p->data[0] = p->data[1] = q->value;
}

static void check_place(const struct crew_request *q, uint64_t at, enum rl_mode mode)
{
	const struct crew_place *p = &c->places[at];

	if (p->data[0] != p->data[1] || (mode == RL_WRITE && p->data[0] != q->value))
		intruder(q, at, "inside");
	if (c->setup.counts &&
	    (mode == RL_WRITE ? rl_load_relaxed(&p->writers) != 1 || rl_load_relaxed(&p->readers) :
				rl_load_relaxed(&p->writers) || !rl_load_relaxed(&p->readers)))
		intruder(q, at, "inside");
}

void crew_places_enter(struct crew_member *me, struct crew_request *q)
{
	q->value = (uint64_t)(me->index + 1) << 32 | rl_load_relaxed(&c->stamp);
	for (uint32_t i = 0; i < q->nr_spans; i++)
		for (uint64_t at = q->spans[i].start; at < end_of(&q->spans[i]); at++)
			enter_place(q, at, q->spans[i].mode);
}

void crew_places_check(struct crew_member *me, const struct crew_request *q)
{
	(void)me;
	for (uint32_t i = 0; i < q->nr_spans; i++)
		for (uint64_t at = q->spans[i].start; at < end_of(&q->spans[i]); at++)
			check_place(q, at, q->spans[i].mode);
}

void crew_places_leave(struct crew_member *me, const struct crew_request *q)
{
	crew_places_check(me, q);
	for (uint32_t i = 0; i < q->nr_spans && c->setup.counts; i++)
		for (uint64_t at = q->spans[i].start; at < end_of(&q->spans[i]); at++)
			rl_add_relaxed(q->spans[i].mode == RL_WRITE ? &c->places[at].writers :
								      &c->places[at].readers,
				       (uint32_t)-1);
}

bool crew_places_are_free(void)
{
	for (uint32_t at = 0; at < CREW_PLACES; at++)
		if (rl_load_relaxed(&c->places[at].readers) ||
		    rl_load_relaxed(&c->places[at].writers))
			return false;
	return true;
}
