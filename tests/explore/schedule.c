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

#define STACK	(64 * 1024)

struct ex_engine ex = { .self = -1 };
char ex_arena[EX_ARENA] __attribute__((aligned(4096)));

static char stacks[EX_THREADS][STACK] __attribute__((aligned(64)));

/* The library's thread-local variables lie in a section of their own, which
 * belongs to whoever runs. */
extern char __start_ex_tls[] __attribute__((weak));
extern char __stop_ex_tls[] __attribute__((weak));
#define TLS_MAX	256
static char tls[EX_THREADS][TLS_MAX], tls_fresh[TLS_MAX];
static int tls_of = -1;

static size_t tls_size(void)
{
	size_t size = (size_t)(__stop_ex_tls - __start_ex_tls);

	return __start_ex_tls && size <= TLS_MAX ? size : 0;
}

static void load_tls(int thread)
{
	static bool is_known;
	size_t size = tls_size();

	if (!is_known && size)
		memcpy(tls_fresh, __start_ex_tls, size);
	is_known = true;
	if (thread == tls_of || !size)
		return;
	if (tls_of >= 0)
		memcpy(tls[tls_of], __start_ex_tls, size);
	memcpy(__start_ex_tls, thread >= 0 ? tls[thread] : tls_fresh, size);
	tls_of = thread;
}

static int running = -1;		/* whose stack this is; ex.self may say less */
static jmp_buf finish_failed;

static void go_to(int thread)
{
	int from = running;

	ex.self = thread;
	if (thread == from)
		return;
	running = thread;
	load_tls(thread);
	ex_fiber_switch(from < 0 ? &ex.outside : &ex.threads[from].fiber,
			thread < 0 ? &ex.outside : &ex.threads[thread].fiber);
}

_Noreturn static void stop(void)
{
	for (;;)
		go_to(-1);
}

_Noreturn void ex_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (!ex.has_failed)
		vsnprintf(ex.failure, sizeof(ex.failure), format, arguments);
	va_end(arguments);
	ex.has_failed = true;
	if (running >= 0)
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

/* Which of n ways: as the search says. */
static unsigned int decide(unsigned int n)
{
	if (n <= 1)
		return 0;
	switch (ex.options.search) {
	case EX_EXHAUST:
		if (ex.at_choice == ex.nr_choices) {
			if (ex.nr_choices == EX_CHOICES)
				ex_fail("more choices than an execution may have");
			ex.choices[ex.nr_choices].n = (uint8_t)n;
			ex.choices[ex.nr_choices++].at = 0;
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

/* A step that may be next: a thread's own, or the end of its sleep. */
struct candidate {
	int thread;
	enum ex_reason reason;		/* EX_WOKEN: its own step */
};

#define CANDIDATES_MAX	(3 * EX_THREADS)

static bool is_enabled(const struct ex_thread *t)
{
	return t->status == EX_READY &&
	       (!t->op.await_mask ||
		!(ex_newest(t->op.location)->value & t->op.await_mask));
}

/* Does it leave the location as it is now? */
static bool only_reads(const struct ex_op *op)
{
	return op->kind == EX_READ || op->kind == EX_PARK ||
	       (op->set_bits && !(op->set_bits &
				  ~ex_newest(op->location)->value));
}

static bool commute(const struct ex_op *a, const struct ex_op *b)
{
	if (a->kind == EX_LOCAL || b->kind == EX_LOCAL)
		return true;
	if (a->kind == EX_HEAVY || b->kind == EX_HEAVY)
		return false;
	/* These three contain a fence. */
	if (a->kind >= EX_FENCE && a->kind <= EX_WAKE &&
	    b->kind >= EX_FENCE && b->kind <= EX_WAKE)
		return false;
	if (a->kind == EX_TIME || b->kind == EX_TIME)
		return a->kind != b->kind;
	if (a->location != b->location || a->location < 0)
		return true;
	return only_reads(a) && only_reads(b);
}

/* All that could be next, the last thread first; returns how many. */
static unsigned int find_candidates(struct candidate *found)
{
	unsigned int n = 0, nr_own;
	uint64_t soonest = UINT64_MAX;
	int nr = (int)ex.nr_threads;

	if (is_enabled(&ex.threads[ex.last]))
		found[n++] = (struct candidate){ ex.last, EX_WOKEN };
	for (int t = 0; t < nr; t++)
		if (t != ex.last && is_enabled(&ex.threads[t]))
			found[n++] = (struct candidate){ t, EX_WOKEN };
	nr_own = n;
	for (int t = 0; t < nr; t++) {
		const struct ex_thread *s = &ex.threads[t];

		if (s->status != EX_ASLEEP)
			continue;
		if (s->deadline_ns < soonest)
			soonest = s->deadline_ns;
		if (nr_own && ex.nr_spurious < ex.options.nr_spurious)
			found[n++] = (struct candidate){ t, EX_SPURIOUS };
		if (nr_own && s->deadline_ns != UINT64_MAX &&
		    ex.nr_timeouts < ex.options.nr_timeouts)
			found[n++] = (struct candidate){ t, EX_TIMEOUT };
	}
	/* Nobody can run: time passes, until somebody is late. */
	for (int t = 0; !nr_own && soonest != UINT64_MAX && t < nr; t++)
		if (ex.threads[t].status == EX_ASLEEP &&
		    ex.threads[t].deadline_ns == soonest)
			found[n++] = (struct candidate){ t, EX_TIMEOUT };
	return n;
}

/* Keep those that the search wants: places in found. */
static unsigned int filter(const struct candidate *found, unsigned int n,
			   uint8_t *kept)
{
	unsigned int nr_kept = 0;
	bool is_bound = found[0].thread == ex.last &&
			found[0].reason == EX_WOKEN &&
			ex.options.bound >= 0 &&
			ex.nr_preemptions >= ex.options.bound;

	if (is_bound)
		n = 1;
	for (unsigned int i = 0; i < n; i++)
		if (found[i].reason != EX_WOKEN ||
		    !(ex.asleep >> found[i].thread & 1))
			kept[nr_kept++] = (uint8_t)i;
	return nr_kept;
}

/* kept[i] was taken after those before it: they sleep until a step that does
 * not commute with theirs. */
static void put_to_sleep(const struct candidate *found, const uint8_t *kept,
			 unsigned int i)
{
	const struct candidate *taken = &found[kept[i]];

	if (taken->reason != EX_WOKEN) {
		ex.asleep = 0;
		return;
	}
	for (unsigned int k = 0; k < i; k++)
		if (found[kept[k]].reason == EX_WOKEN)
			ex.asleep |= 1u << found[kept[k]].thread;
	for (unsigned int t = 0; ex.asleep >> t; t++)
		if (ex.asleep >> t & 1 &&
		    !commute(&ex.threads[t].op, &ex.threads[taken->thread].op))
			ex.asleep &= ~(1u << t);
}

static unsigned int highest_priority(const struct candidate *found,
				     unsigned int n)
{
	unsigned int best = 0;

	for (int i = 0; i < ex.options.depth - 1; i++)
		if (ex.change_points[i] == ex.nr_steps)
			ex.threads[ex.last].priority = -i - 1;
	for (unsigned int i = 1; i < n; i++)
		if (ex.threads[found[i].thread].priority >
		    ex.threads[found[best].thread].priority)
			best = i;
	return best;
}

static unsigned int pick_candidate(const struct candidate *found,
				   unsigned int n)
{
	uint8_t kept[CANDIDATES_MAX];
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

static void end_sleep(struct ex_thread *t, enum ex_reason reason)
{
	t->status = EX_READY;
	t->reason = reason;
	t->op.kind = EX_LOCAL;
	if (reason == EX_SPURIOUS)
		ex.nr_spurious++;
	if (reason == EX_TIMEOUT) {
		ex.nr_timeouts++;
		if (ex.now_ns < t->deadline_ns)
			ex.now_ns = t->deadline_ns;
	}
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
	if (n)
		ex_fail("everybody waits:%s", who);
	ex.is_over = true;
	stop();
}

/* The next thread to run; its step is chosen, unless that is local. */
static int next_thread(void)
{
	struct candidate found[CANDIDATES_MAX];
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
	if (i && found[0].thread == ex.last && found[0].reason == EX_WOKEN)
		ex.nr_preemptions++;
	ex.last = found[i].thread;
	if (found[i].reason == EX_WOKEN) {
		ex_note_step((unsigned int)ex.last,
			     only_reads(&ex.threads[ex.last].op));
	} else {
		ex_note_resume((unsigned int)ex.last);
		end_sleep(&ex.threads[ex.last], found[i].reason);
	}
	return ex.last;
}

void ex_visible(struct ex_op op)
{
	ex.threads[ex.self].op = op;
	go_to(next_thread());
}

void ex_switch_away(void)
{
	go_to(next_thread());
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
	t->set_bits = 0;
	memset(&t->causes, 0, sizeof(t->causes));
	t->deadline_ns = UINT64_MAX;
	if (ex.options.search == EX_PCT)
		t->priority = 1000 + (int)(random_number() % 1000);
	memcpy(tls[i], tls_fresh, sizeof(tls_fresh));
	ex_fiber_prepare(&t->fiber, stacks[i], STACK, thread_main);
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

void ex_run_once(void)
{
	ex.number++;
	ex.nr_threads = ex.program->nr_threads;
	ex.last = 0;
	ex.nr_steps = 0;
	ex.nr_preemptions = ex.nr_spurious = ex.nr_timeouts = ex.nr_jumps = 0;
	ex.asleep = 0;
	ex.is_pruned = ex.is_over = ex.has_failed = false;
	ex.now_ns = 1000;
	ex.nr_chosen = ex.at_choice = 0;
	ex_memory_reset();
	ex_causes_reset();
	ex.program->reset();
	for (unsigned int i = 0; i < ex.nr_threads; i++)
		prepare_thread(i);
	if (ex.options.search == EX_PCT)
		for (int i = 0; i < ex.options.depth - 1; i++)
			ex.change_points[i] = 1 + (unsigned int)
				(random_number() % ex.usual_steps);
	go_to(0);
	load_tls(-1);
	if (ex.is_over && !ex.has_failed && ex.program->finish &&
	    !setjmp(finish_failed))
		ex.program->finish();
	if (ex.nr_steps > ex.usual_steps)
		ex.usual_steps = ex.nr_steps;
}
