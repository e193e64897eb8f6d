/*
 * search.c - execution after execution
 *
 * Exhaustive: depth first over the choices, each execution run from its start.
 * Random: every choice by a seeded generator.  PCT: random priorities, lowered
 * at a few random steps.  A failure comes with its schedule, which is played
 * again choice by choice, and shrunk by making choices dull (0) or dropping them
 * while it fails in the same way.
 */
#include "tests/explore/engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

const struct ex_options ex_defaults = {
	.search = EX_EXHAUST,
	.bound = -1,
	.has_sleep_sets = true,
	.is_lean = true,
	.depth = 3,
	.seed = 1,
	.max_executions = UINT64_MAX,
};

/* ---- A crash is a failure of its execution ---- */

static void crashed(void)
{
	ex_fail("T%d crashed: an address that is none", ex.self);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
#ifdef __x86_64__
	ucontext_t *c = context;

	(void)info;
	(void)number;
	c->uc_mcontext.gregs[REG_RSP] =
		((c->uc_mcontext.gregs[REG_RSP] - 256) & ~15LL) - 8;
	c->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)crashed;
#else
	(void)number;
	(void)info;
	(void)context;
	_Exit(3);
#endif
}

static void catch_crashes(void)
{
	static char stack[64 * 1024];
	static bool is_done;
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction a = { .sa_sigaction = on_crash,
			       .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	if (is_done)
		return;
	is_done = true;
	sigaltstack(&s, NULL);
	sigaction(SIGSEGV, &a, NULL);
	sigaction(SIGBUS, &a, NULL);
}

/* ---- One schedule ---- */

static void write_schedule(char *text)
{
	unsigned int n = ex.nr_chosen;

	while (n && !ex.chosen[n - 1])
		n--;
	for (unsigned int i = 0; i < n; i++)
		text[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[ex.chosen[i]];
	text[n] = '\0';
}

static void note_failure(struct ex_result *result)
{
	result->has_failed = true;
	memcpy(result->failure, ex.failure, sizeof(result->failure));
	write_schedule(result->schedule);
}

static void begin(const struct ex_program *program,
		  const struct ex_options *options)
{
	catch_crashes();
	ex.program = program;
	ex.options = *options;
	ex.nr_choices = 0;
	/* Where a bound or chance decides, the other execution may not come. */
	if (options->search != EX_EXHAUST || options->bound >= 0)
		ex.options.is_lean = false;
	ex.random = options->seed * 0x9e3779b97f4a7c15 + 0x1234567;
	if (!ex.random)
		ex.random = 1;
	ex.usual_steps = 20;
	ex.nr_saturated = 0;
}

void ex_replay(const struct ex_program *program,
	       const struct ex_options *options, const char *schedule,
	       bool is_tracing, struct ex_result *result)
{
	memset(result, 0, sizeof(*result));
	begin(program, options);
	ex.options.search = EX_REPLAY;
	ex.replayed = schedule;
	ex.is_tracing = is_tracing;
	ex_run_once();
	ex.is_tracing = false;
	result->nr_executions = 1;
	result->nr_steps = ex.nr_steps;
	if (ex.has_failed)
		note_failure(result);
}

/* ---- All schedules ---- */

static bool next_choices(void)
{
	while (ex.nr_choices && ex.choices[ex.nr_choices - 1].at + 1 ==
	       ex.choices[ex.nr_choices - 1].n)
		ex.nr_choices--;
	if (!ex.nr_choices)
		return false;
	ex.choices[ex.nr_choices - 1].at++;
	return true;
}

bool ex_ways_note(struct ex_ways *ways)
{
	const size_t size = sizeof(ways->hashes) / sizeof(ways->hashes[0]);
	uint64_t way = 1;
	size_t i;

	for (unsigned int t = 0; t < ex.nr_threads; t++)
		way = way * 31 + ex.threads[t].way;
	way += !way;
	for (i = way % size; ways->hashes[i] != way; i = (i + 1) % size) {
		if (ways->hashes[i])
			continue;
		if (ways->n + 1 < size) {
			ways->hashes[i] = way;
			ways->n++;
		}
		return true;
	}
	return false;
}

/* Of this process on a CPU: what else runs on the machine does not count. */
static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void ex_search(const struct ex_program *program,
	       const struct ex_options *options, struct ex_result *result)
{
	double start = seconds_now();

	memset(result, 0, sizeof(*result));
	begin(program, options);
	while (result->nr_executions < options->max_executions) {
		if (options->search == EX_EXHAUST && result->nr_executions)
			ex_run_from(ex.nr_choices - 1);
		else
			ex_run_once();
		result->nr_executions++;
		result->nr_steps += ex.nr_steps;
		result->nr_pruned += ex.is_pruned;
		if (options->ways && ex.is_over)
			ex_ways_note(options->ways);
		if (ex.has_failed) {
			note_failure(result);
			break;
		}
		if (options->search == EX_EXHAUST && !next_choices()) {
			result->is_exhausted = true;
			break;
		}
	}
	result->nr_saturated = ex.nr_saturated;
	result->seconds = seconds_now() - start;
}

/* ---- Shrinking ---- */

/* Two failures are of one kind if they say the same up to an address. */
static bool is_same_failure(const char *a, const char *b)
{
	return !strncmp(a, b, 12);
}

static unsigned int weight(const char *schedule)
{
	unsigned int w = 0;

	for (; *schedule; schedule++)
		w += *schedule == '0' ? 1 : 5;
	return w;
}

static bool try_schedule(const struct ex_program *program,
			 const struct ex_options *options, const char *schedule,
			 struct ex_result *best)
{
	struct ex_result *r = malloc(sizeof(*r));
	bool is_better;

	if (!r)
		return false;
	ex_replay(program, options, schedule, false, r);
	is_better = r->has_failed && is_same_failure(r->failure, best->failure) &&
		    weight(r->schedule) < weight(best->schedule);
	if (is_better) {
		memcpy(best->schedule, r->schedule, sizeof(best->schedule));
		memcpy(best->failure, r->failure, sizeof(best->failure));
	}
	free(r);
	return is_better;
}

static bool shrink_once(const struct ex_program *program,
			const struct ex_options *options,
			struct ex_result *result)
{
	static char tried[EX_CHOICES + 1];
	size_t length = strlen(result->schedule);

	for (size_t i = 0; i < length; i++) {
		memcpy(tried, result->schedule, length + 1);
		tried[i] = '\0';			/* dull from here on */
		if (try_schedule(program, options, tried, result))
			return true;
	}
	for (size_t i = 0; i < length; i++) {
		memcpy(tried, result->schedule, length + 1);
		if (tried[i] != '0') {
			tried[i] = '0';
			if (try_schedule(program, options, tried, result))
				return true;
		}
		memmove(tried + i, result->schedule + i + 1, length - i);
		if (try_schedule(program, options, tried, result))
			return true;
	}
	return false;
}

void ex_shrink(const struct ex_program *program,
	       const struct ex_options *options, struct ex_result *result)
{
	for (int i = 0; i < 200; i++)
		if (!shrink_once(program, options, result))
			return;
}
