/*
 * fail.c - how a run ends that found something
 *
 * The first thread that finds something speaks; the others stop where they are.
 * The dump takes the lock's guards, which may be the very thing that is broken,
 * so an alarm ends it.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stress/torture/torture.h"

#define DUMP_S	10

/* The last line of a run that failed. */
static void say_failed(const struct tt_round *round)
{
	tt_tally_failed();
	printf("0 passed, 1 failed\n");
	printf("torture, " TT_BUILD ": %u threads, seed %" PRIu64 ", round %" PRIu64
	       ", 1 failure\n",
	       round->nr_workers, round->seed, round->number);
	fflush(stdout);
}

static void write_out(void *arg, const char *text, size_t length)
{
	fwrite(text, 1, length, arg);
}

static uint32_t is_speaking;

static void only_one_speaks(void)
{
	while (!tt_cas(&is_speaking, 0, 1))
		pause();
	signal(SIGALRM, SIG_DFL);
	alarm(DUMP_S);
}

/* Which round it is, and how to play it again. */
static void explain_round(const struct tt_round *round)
{
	static const char *const doors[] = { "default", "perturbed", "no-spin" };

	printf("scene %s, %s, %u threads, doors %s, bypass %" PRIu64
	       " ns, pages of %#" PRIx64 " from %#" PRIx64 "%s%s%s%s\n",
	       round->scene->name, tt_engine_name(round->engine),
	       round->nr_workers, doors[round->doors], round->bypass_ns,
	       round->page_size, round->base,
	       round->has_history ? ", history" : "",
	       round->counts_readers ? ", readers count" : "",
	       round->cancels ? ", cancels" : "",
	       round->searches ? ", searches" : "");
	printf("again: torture --seed %" PRIu64 " --round %" PRIu64
	       " --threads %u --ops %u --secs 60 (other threads' steps differ)\n",
	       round->seed, round->number, round->nr_workers, round->nr_ops);
	fflush(stdout);
}

static void explain(const struct tt_round *round)
{
	explain_round(round);
	for (uint32_t i = 0; i <= round->nr_workers; i++)
		printf("thread %u: %" PRIu64 " calls\n", i + 1,
		       tt_load64(&round->workers[i].nr_calls));
	fflush(stdout);
	rl_dump((struct rangelock *)&round->lk, write_out, stdout);
}

void tt_fail(const struct tt_round *round, const char *format, ...)
{
	va_list args;

	only_one_speaks();
	printf("FAIL: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	explain(round);
	say_failed(round);
	_exit(1);
}

void tt_hang(const struct tt_round *round, unsigned int seconds)
{
	only_one_speaks();
	printf("FAIL: nobody advanced for %u s\n", seconds);
	explain(round);
	say_failed(round);
	abort();
}

/* An assertion of the library's: it has said what, this says where.  No dump,
 * for the thread may be under a guard. */
static void on_abort(int number)
{
	(void)number;
	if (tt_me && tt_cas(&is_speaking, 0, 1)) {
		explain_round(tt_me->round);
		tt_tally_failed();
	}
}

void tt_explain_aborts(void)
{
	struct sigaction action = { .sa_handler = on_abort };

	sigemptyset(&action.sa_mask);
	sigaction(SIGABRT, &action, NULL);
}
