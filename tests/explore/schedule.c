/*
 * schedule.c - whose step is next, and every other choice of one execution
 *
 * Each test thread is a fiber.  Before a visible step it says what the step is
 * and somebody is picked; steps that nobody else can see are not told apart.
 * Every choice is a number below how many ways there are, 0 being the dull one
 * (go on with the same thread, read the newest store), so that an execution is a
 * string of small numbers.
 *
 * Exhaustive search leaves out what sleep sets show to be the same as something
 * explored already: after a thread's step has been explored at some point, it is
 * not taken again after steps that commute with it.
 */
#include "tests/explore/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct ex_engine ex = { .self = -1 };
char ex_arena[EX_ARENA] __attribute__((aligned(4096), section("ex_shared")));

static jmp_buf finish_failed;

_Noreturn static void stop(void)
{
	for (;;)
		ex_go_to(-1);
}

_Noreturn void ex_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!ex.has_failed)
		vsnprintf(ex.failure, sizeof(ex.failure), format, arguments);
	va_end(arguments);
	ex.has_failed = true;
	if (!ex_is_outside())
		stop();
	longjmp(finish_failed, 1);
}

static uint64_t random_number(void)
{
	ex.random ^= ex.random << 13;
	ex.random ^= ex.random >> 7;
	ex.random ^= ex.random << 17;
	return ex.random;
}

/* ---- Choices ---- */

static void record(unsigned int choice)
{
	if (ex.nr_chosen == EX_CHOICES)
		ex_fail("more choices than an execution may have");
	ex.chosen[ex.nr_chosen++] = (uint8_t)choice;
}

static unsigned int replayed_choice(unsigned int n)
{
	unsigned int choice = 0;

	if (*ex.replayed) {
		char c = *ex.replayed++;

		choice = (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return choice < n ? choice : n - 1;
}

static void add_choice(unsigned int n)
{
	if (ex.nr_choices == EX_CHOICES)
		ex_fail("more choices than an execution may have");
	ex.choices[ex.nr_choices].n = (uint8_t)n;
	ex.choices[ex.nr_choices++].at = 0;
}

/* Which of n ways: as the search says. */
static unsigned int decide(unsigned int n)
{
	if (n <= 1)
		return 0;
	switch (ex.options.search) {
	case EX_EXHAUST:
		if (ex.at_choice == ex.nr_choices) {
			add_choice(n);
			ex_pause();
		}
		return ex.choices[ex.at_choice++].at;
	case EX_REPLAY:
		return replayed_choice(n);
	case EX_RANDOM:
	case EX_PCT:
		break;
	}
	return (unsigned int)(random_number() % n);
}

unsigned int ex_choose(unsigned int n)
{
	unsigned int choice;

	if (n <= 1)
		return 0;
	if (n > 36)
		n = 36;
	choice = decide(n);
	record(choice);
	return choice;
}

/* ---- Whose step ---- */

static bool is_enabled(const struct ex_thread *t)
{
	return t->status == EX_READY &&
	       (!t->op.await_mask ||
		!(ex_newest(t->op.location)->value & t->op.await_mask));
}

static unsigned int find_late(uint8_t *found)
{
	uint64_t soonest = UINT64_MAX;
	unsigned int n = 0;

	for (unsigned int t = 0; t < ex.nr_threads; t++)
		if (ex.threads[t].status == EX_ASLEEP &&
		    ex.threads[t].deadline_ns < soonest)
			soonest = ex.threads[t].deadline_ns;
	for (unsigned int t = 0; soonest != UINT64_MAX && t < ex.nr_threads; t++)
		if (ex.threads[t].status == EX_ASLEEP &&
		    ex.threads[t].deadline_ns == soonest)
			found[n++] = (uint8_t)t;
	return n;
}

/* A literal search does not end sleeps for no reason as they begin (futex.c), but
 * at any time. */
static bool may_end_for_nothing(void)
{
	return ex.options.is_literal &&
	       ex.nr_spurious < ex.options.nr_spurious;
}

static bool is_anybody_asleep(void)
{
	for (unsigned int t = 0; t < ex.nr_threads; t++)
		if (ex.threads[t].status == EX_ASLEEP)
			return true;
	return false;
}

/* All threads that could be next, the last one first; returns how many.  That of
 * a sleeper is the end of its sleep. */
static unsigned int find_candidates(uint8_t *found)
{
	unsigned int n = 0;
	bool may_be_late, may_wake = may_end_for_nothing();

	if (is_enabled(&ex.threads[ex.last]))
		found[n++] = (uint8_t)ex.last;
	for (unsigned int t = 0; t < ex.nr_threads; t++)
		if ((int)t != ex.last && is_enabled(&ex.threads[t]))
			found[n++] = (uint8_t)t;
	may_wake = may_wake && (n || (is_anybody_asleep() && ex_choose(2)));
	if (!n && !may_wake)	/* time passes, until somebody is late */
		return find_late(found);
	may_be_late = n && ex.nr_timeouts < ex.options.nr_timeouts;
	for (unsigned int t = 0; t < ex.nr_threads; t++)
		if (ex.threads[t].status == EX_ASLEEP &&
		    (may_wake || (may_be_late &&
				  ex.threads[t].deadline_ns != UINT64_MAX)))
			found[n++] = (uint8_t)t;
	return n;
}

static bool may_go_on(const uint8_t *found)
{
	return found[0] == ex.last && ex.threads[ex.last].status == EX_READY;
}

/* Keep those that the search wants: places in found. */
static unsigned int filter(const uint8_t *found, unsigned int n, uint8_t *kept)
{
	unsigned int nr_kept = 0;

	if (ex.options.bound >= 0 && ex.nr_preemptions >= ex.options.bound &&
	    may_go_on(found))
		n = 1;
	for (unsigned int i = 0; i < n; i++)
		if (!(ex.asleep >> found[i] & 1))
			kept[nr_kept++] = (uint8_t)i;
	return nr_kept;
}

/* kept[i] was taken after those before it: they sleep until a step that does
 * not commute with theirs. */
static void put_to_sleep(const uint8_t *found, const uint8_t *kept,
			 unsigned int i)
{
	unsigned int taken = found[kept[i]];

	for (unsigned int k = 0; k < i; k++)
		ex.asleep |= 1u << found[kept[k]];
	for (unsigned int t = 0; ex.asleep >> t; t++)
		if (ex.asleep >> t & 1 && !ex_commute(t, taken))
			ex.asleep &= ~(1u << t);
}

static unsigned int highest_priority(const uint8_t *found, unsigned int n)
{
	unsigned int best = 0;

	for (int i = 0; i < ex.options.depth - 1; i++)
		if (ex.change_points[i] == ex.nr_steps)
			ex.threads[ex.last].priority = -i - 1;
	for (unsigned int i = 1; i < n; i++)
		if (ex.threads[found[i]].priority >
		    ex.threads[found[best]].priority)
			best = i;
	return best;
}

static unsigned int pick_candidate(const uint8_t *found, unsigned int n)
{
	uint8_t kept[EX_THREADS];
	unsigned int i;

	if (ex.options.search == EX_PCT)
		return highest_priority(found, n);
	if (ex.options.search != EX_EXHAUST)
		return decide(n);
	n = filter(found, n, kept);
	if (!n) {
		ex.is_pruned = true;
		stop();
	}
	i = decide(n);
	if (ex.options.has_sleep_sets)
		put_to_sleep(found, kept, i);
	return kept[i];
}

static void end_sleep(struct ex_thread *t)
{
	t->status = EX_READY;
	t->op.kind = EX_LOCAL;
	/* Programs of a literal search have no deadlines beside this. */
	if (may_end_for_nothing()) {
		ex.nr_spurious++;
		return;
	}
	t->is_late = true;
	ex.nr_timeouts++;
	if (ex.now_ns < t->deadline_ns)
		ex.now_ns = t->deadline_ns;
}

static void check_end(void)
{
	char who[128] = "";
	size_t n = 0;

	for (unsigned int t = 0; t < ex.nr_threads; t++) {
		const struct ex_thread *w = &ex.threads[t];

		if (w->status != EX_DONE && n < sizeof(who))
			n += (size_t)snprintf(who + n, sizeof(who) - n,
				" T%u %s %s;", t, w->status == EX_ASLEEP ?
				"sleeps on" : "waits for",
				ex_name(ex.locations[w->status == EX_ASLEEP ?
					w->sleeps_on : w->op.location].at));
	}
	if (n && !ex.program->may_hang)
		ex_fail("everybody waits:%s", who);
	ex.is_over = true;
	stop();
}

/* The next thread to run; its step is chosen, unless that is local. */
static int next_thread(void)
{
	uint8_t found[EX_THREADS];
	unsigned int n, i;

	for (unsigned int t = 0; t < ex.nr_threads; t++)
		if (ex.threads[t].status == EX_READY &&
		    ex.threads[t].op.kind == EX_LOCAL)
			return (int)t;
	if (++ex.nr_steps > EX_STEPS)
		ex_fail("does not end: %u steps", EX_STEPS);
	n = find_candidates(found);
	if (!n)
		check_end();
	i = pick_candidate(found, n);
	if (n > 1)
		record(i);
	if (i && may_go_on(found))
		ex.nr_preemptions++;
	ex.last = found[i];
	ex_note_step((unsigned int)ex.last, ex_only_reads(&ex.threads[ex.last].op));
	if (ex.threads[ex.last].status == EX_ASLEEP)
		end_sleep(&ex.threads[ex.last]);
	return ex.last;
}

void ex_visible(struct ex_op op)
{
	struct ex_thread *t = &ex.threads[ex.self];

	t->op = op;
	ex_go_to(next_thread());
	t->way = (t->way ^ (uintptr_t)op.site) * UINT64_C(0x9e3779b97f4a7c15);
	t->way ^= t->way >> 29;
}

void ex_switch_away(void)
{
	ex_go_to(next_thread());
}

/* ---- Of the next access ---- */

void ex_await(const void *p, uint64_t mask, const struct ex_site *caller)
{
	struct ex_thread *t;

	if (!ex_is_running() || !ex_in_arena(p))
		return;
	t = &ex.threads[ex.self];
	t->await_at = p;
	t->await_mask = mask;
	t->caller = caller;
}

void ex_look_at(const void *p, uint64_t mask)
{
	struct ex_thread *t;

	if (!ex_is_running() || !ex_in_arena(p))
		return;
	t = &ex.threads[ex.self];
	t->look_mask = t->look_at == p ? t->look_mask & mask : mask;
	t->look_at = p;
}

/* ---- One execution ---- */

static void thread_main(void)
{
	struct ex_thread *t = &ex.threads[ex.self];

	ex.program->body((unsigned int)ex.self);
	t = &ex.threads[ex.self];
	t->status = EX_DONE;
	ex_switch_away();
	__builtin_unreachable();
}

static void prepare_thread(unsigned int i)
{
	struct ex_thread *t = &ex.threads[i];

	memset(&t->now, 0, sizeof(t->now));
	memset(&t->acquired, 0, sizeof(t->acquired));
	memset(&t->released, 0, sizeof(t->released));
	t->now.at[i] = 1;
	t->status = EX_READY;
	t->op = (struct ex_op){ .kind = EX_LOCAL, .location = -1 };
	t->await_at = NULL;
	t->look_at = NULL;
	t->way = 0;
	memset(&t->causes, 0, sizeof(t->causes));
	t->deadline_ns = UINT64_MAX;
	if (ex.options.search == EX_PCT)
		t->priority = 1000 + (int)(random_number() % 1000);
	ex_stack_prepare(i, thread_main);
}

void ex_releasing(const uint32_t *guard)
{
	int self = ex.self;

	if (self < 0 || !ex.program->check_guarded)
		return;
	ex.self = -1;			/* the check acts on memory */
	ex.program->check_guarded(guard, ex.threads[self].taken_ns);
	ex.self = self;
}

void ex_released(void)
{
	int self = ex.self;

	if (self < 0 || !ex.program->check)
		return;
	ex.self = -1;			/* the check acts on memory */
	ex.program->check();
	ex.self = self;
}

/* The threads run until the execution is over; meanwhile moments are taken. */
static void run_threads(void)
{
	while (ex.paused >= 0) {
		ex_moment_take(ex.at_choice);
		ex_resume();
	}
	if (ex.is_over && !ex.has_failed && ex.program->finish &&
	    !setjmp(finish_failed))
		ex.program->finish();
	if (ex.nr_steps > ex.usual_steps)
		ex.usual_steps = ex.nr_steps;
}

void ex_run_from(unsigned int choice)
{
	bool is_last = ex.choices[choice].at + 1 == ex.choices[choice].n;

	if (!ex_moment_go_back(choice, is_last)) {
		ex_run_once();
		return;
	}
	ex_resume();
	run_threads();
}

void ex_run_once(void)
{
	ex.number++;
	ex.nr_threads = ex.program->nr_threads;
	ex.last = 0;
	ex.nr_steps = 0;
	ex.nr_preemptions = ex.nr_spurious = ex.nr_timeouts = ex.nr_jumps = 0;
	ex.asleep = 0;
	ex.is_pruned = ex.is_over = ex.has_failed = false;
	ex.paused = -1;
	ex.now_ns = 1000;
	ex.nr_chosen = ex.at_choice = 0;
	ex_moments_forget();
	ex_memory_reset();
	ex_race_reset();
	ex_causes_reset();
	ex.program->reset();
	for (unsigned int i = 0; i < ex.nr_threads; i++)
		prepare_thread(i);
	if (ex.options.search == EX_PCT)
		for (int i = 0; i < ex.options.depth - 1; i++)
			ex.change_points[i] = 1 + (unsigned int)
				(random_number() % ex.usual_steps);
	ex_go_to(0);
	run_threads();
}
