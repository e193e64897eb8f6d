/*
 * futex.c - sleeping, waking, the clock
 *
 * As the kernel's futex: the word is compared with a fence before it, a wake has
 * one too, and a sleep may end for no reason.  The comparison may see any value
 * that the sleeper may still see.  Time passes only when somebody's deadline
 * comes, or, if the program allows it, by a jump between two looks at the clock.
 */
#include "tests/explore/engine.h"

int ex_prepares_as = -1;

/* Who sleeps until then was told by the time that passed, so it sees what had
 * been stored. */
static void wake_up(struct ex_thread *t)
{
	if (t->is_late)
		ex_see_store(t, t->sleeps_on,
			     ex.locations[t->sleeps_on].nr_stores - 1);
	if (ex.is_tracing)
		ex_trace_op(t->is_late ? "is late" : "wakes", t->sleeps_on,
			    "%s", "");
}

/* Any store that t may see is compared; see find_sleepers() in schedule.c for the
 * end of a sleep. */
static bool falls_asleep_literally(struct ex_thread *t, int location,
				   uint32_t expected)
{
	int oldest = ex_oldest_visible(t, location);
	int i = oldest + (int)ex_choose((unsigned int)
			(ex.locations[location].nr_stores - oldest));

	ex_see_store(t, location, i);
	return ex_store_at(location, i)->value == expected;
}

/* The comparison reads a store that t may see: an expected one, and t falls
 * asleep, or another one, and t has seen that: the oldest, since who has seen more may
 * do less.
 *
 * A sleep that ends for no reason (a spurious wake, EINTR) ends at once: to end
 * it later is the same as to let others run before t's next step, since they
 * cannot tell a sleeper from one who is about to look again; a wake wakes all. */
static bool falls_asleep(struct ex_thread *t, int location, uint32_t expected)
{
	enum { SLEEPS, GOES_ON, WAKES } ways[3];
	bool may_sleep = false, has_changed;
	unsigned int n = 0, way, nr_useful;
	int places[EX_STORES], other = -1;

	if (ex.options.is_literal)
		return falls_asleep_literally(t, location, expected);
	nr_useful = ex_find_useful(t, location, places);
	for (unsigned int i = 0; i < nr_useful; i++) {
		if (ex_store_at(location, places[i])->value == expected)
			may_sleep = true;
		else if (other < 0 || !EX_PLANTED(SLEEP_SEES_NEWEST))
			other = places[i];
	}
	has_changed = ex_newest(location)->value != expected;
	if (other >= 0 && has_changed)
		ways[n++] = GOES_ON;
	if (may_sleep)
		ways[n++] = SLEEPS;
	if (other >= 0 && !has_changed)
		ways[n++] = GOES_ON;
	if (may_sleep && ex.nr_spurious < ex.options.nr_spurious)
		ways[n++] = WAKES;
	way = ways[ex_choose(n)];
	ex.nr_spurious += way == WAKES;
	if (way == GOES_ON)
		ex_see_store(t, location, other);
	return way == SLEEPS;
}

void ex_park(const void *p, uint32_t expected, uint64_t deadline_ns,
	     const struct ex_site *site)
{
	struct ex_thread *t = &ex.threads[ex.self < 0 ? 0 : ex.self];
	int location;

	if (!ex_is_running())
		ex_fail("a park outside of every thread");
	location = ex_location_of(p, 4);
	ex_visible((struct ex_op){ .kind = EX_PARK, .location = location,
				   .has_deadline = deadline_ns != UINT64_MAX,
				   .site = site });
	ex_sc_fence(t, (unsigned int)ex.self);
	if (deadline_ns <= ex.now_ns || !falls_asleep(t, location, expected)) {
		if (ex.is_tracing)
			ex_trace_op("does not sleep", location, "%#lx",
				    (unsigned long)ex_newest(location)->value);
		return;
	}
	if (ex.is_tracing)
		ex_trace_op("sleeps", location, "%s", "");
	t->status = EX_ASLEEP;
	t->is_late = false;
	t->op.kind = EX_LATE;
	t->sleeps_on = location;
	t->deadline_ns = deadline_ns;
	ex_switch_away();
	wake_up(t);
}

unsigned int ex_wake(const void *p, unsigned int n, const struct ex_site *site)
{
	unsigned int nr_woken = 0;
	int location;

	if (!ex_is_running())
		return 0;
	location = ex_in_arena(p) ? ex_location_of(p, 4) : -1;
	ex_visible((struct ex_op){ .kind = EX_WAKE, .location = location,
				   .site = site });
	ex_sc_fence(&ex.threads[ex.self], (unsigned int)ex.self);
	while (nr_woken < n) {
		unsigned int nr = 0;
		int sleepers[EX_THREADS];
		struct ex_thread *t;

		for (int i = 0; i < (int)ex.nr_threads; i++)
			if (ex.threads[i].status == EX_ASLEEP &&
			    ex.threads[i].sleeps_on == location)
				sleepers[nr++] = i;
		if (!nr)
			break;
		t = &ex.threads[sleepers[n >= nr ? 0 : ex_choose(nr)]];
		t->status = EX_READY;
		t->op.kind = EX_LOCAL;
		ex_note_woken((unsigned int)ex.self, (unsigned int)(t - ex.threads));
		nr_woken++;
	}
	if (ex.is_tracing)
		ex_trace_op("wake", location, "%u woken", nr_woken);
	return nr_woken;
}

uint64_t ex_clock(const struct ex_site *site)
{
	if (!ex_is_running() ||
	    (!ex.options.nr_jumps && !ex.options.nr_timeouts))
		return ex.now_ns;
	ex_visible((struct ex_op){ .kind = EX_TIME, .location = -1,
				   .site = site });
	if (ex.nr_jumps < ex.options.nr_jumps && ex_choose(2)) {
		ex.nr_jumps++;
		ex.now_ns += ex.options.jump_ns;
	}
	if (ex.is_tracing)
		ex_trace_op("clock", -1, "%lu ns", (unsigned long)ex.now_ns);
	return ex.now_ns;
}

unsigned int ex_self(void)
{
	if (ex_is_running())
		return (unsigned int)ex.self;
	return ex_prepares_as < 0 ? EX_THREADS : (unsigned int)ex_prepares_as;
}
