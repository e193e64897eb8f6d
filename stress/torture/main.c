/*
 * main.c - real threads, random calls of the whole interface, for a while
 *
 *	torture [--secs N] [--seed S] [--threads N] [--scene NAME] [--ops N]
 *		[--laps N] [--least N] [--patience SECONDS] [--round N]
 *		[--tally FILE] [--list] [--selftest]
 *
 * A run is a row of rounds.  Each takes the next scene on the next engine
 * (compact, forests of 1, 2 and 64 shards) and draws the rest from the seed and
 * its number: doors, bypass bound, size and place of pages, with a history or
 * without.  Every scene meets every engine once, however slow the machine; then
 * it goes on until N seconds have passed and --least calls were made.  --ops is
 * what a thread does in a round; sprints are longer, and --laps times as long if
 * they have no history.  SECS, SEED and THREADS in the environment are the defaults.
 * --round repeats one round of a seed: the choices come back, the interleaving does
 * not.  --tally keeps the totals in a file.  SIGINT and SIGTERM end the run after
 * its round, as if its time were over.
 *
 * Exit 0 and `N passed, 0 failed`, N scenes; 1 after saying what was wrong and
 * what the lock held; an abort if for --patience seconds nobody advanced.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stress/torture/torture.h"

#define FAIR_TURNS	20000u
#define SPRINT_OPS	128u		/* holds for each op of other scenes */
#define SPRINT_WRITTEN	32u		/* ... if each is written down */

struct arguments {
	uint64_t secs, seed, threads, ops, least, patience, round, laps;
	const char *scene, *tally;
	bool has_round;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static const struct tt_scene *find_scene(const char *name)
{
	for (unsigned int i = 0; i < tt_nr_scenes; i++)
		if (strcmp(tt_scenes[i].name, name) == 0)
			return &tt_scenes[i];
	return NULL;
}

static int usage(void)
{
	fprintf(stderr, "usage: torture [--secs N] [--seed S] [--threads N] "
			"[--scene NAME] [--ops N] [--laps N]\n"
			"               [--least N] [--patience SECONDS] "
			"[--round N] [--tally FILE] [--list] [--selftest]\n");
	return 2;
}

static int list(void)
{
	for (unsigned int i = 0; i < tt_nr_scenes; i++)
		printf("%-10s %s\n", tt_scenes[i].name, tt_scenes[i].what);
	return 0;
}

static bool read_option(struct arguments *a, const char *name, const char *text)
{
	const struct {
		const char *name;
		uint64_t *value;
	} numbers[] = {
		{ "--secs", &a->secs },	      { "--seed", &a->seed },
		{ "--threads", &a->threads }, { "--ops", &a->ops },
		{ "--least", &a->least },     { "--patience", &a->patience },
		{ "--round", &a->round },     { "--laps", &a->laps },
	};
	char *rest;

	if (!text || !*text)
		return false;
	if (strcmp(name, "--tally") == 0) {
		a->tally = text;
		return true;
	}
	if (strcmp(name, "--scene") == 0) {
		a->scene = text;
		return find_scene(text) != NULL;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].value = strtoull(text, &rest, 0);
			a->has_round |= numbers[i].value == &a->round;
			return !*rest;
		}
	return false;
}

/* Those that this process may run on, but not one. */
static int nr_cpus(void)
{
	cpu_set_t set;
	int nr = sched_getaffinity(0, sizeof(set), &set) ? 2 : CPU_COUNT(&set);

	return nr < 2 ? 2 : nr;
}

static void draw_sprint(struct tt_round *t, const struct arguments *a,
			struct tt_worker *dice)
{
	uint32_t nr = (uint32_t)nr_cpus() + tt_below(dice, 2);

	t->nr_workers = a->threads < nr ? (uint32_t)a->threads : nr;
	t->nr_ops *= t->has_history ? SPRINT_WRITTEN : SPRINT_OPS * (uint32_t)a->laps;
}

/* What a round is, from its number. */
static void draw_round(struct tt_round *t, const struct arguments *a, uint64_t number)
{
	static const uint64_t bypass[] = { 0, 0, 20000, 200000, RL_BYPASS_NS };
	static const uint64_t sizes[] = { 1, 256, UINT64_C(131072) };
	struct tt_worker dice = { .random = (a->seed + 1) *
					    UINT64_C(0xbf58476d1ce4e5b9) + number };

	dice.random += !dice.random;
	for (int i = 0; i < 4; i++)
		tt_random(&dice);
	memset(t, 0, sizeof(*t));
	t->seed = a->seed;
	t->number = number;
	t->scene = a->scene ? find_scene(a->scene) :
			      &tt_scenes[number % tt_nr_scenes];
	t->engine = (enum tt_engine)((a->scene ? number : number / tt_nr_scenes) %
				     TT_ENGINES);
	t->doors = (enum tt_doors)tt_below(&dice, TT_DOORS);
	t->is_biased = tt_below(&dice, 2);
	t->bypass_ns = bypass[tt_below(&dice, 5)];
	t->page_size = sizes[tt_below(&dice, 3)];
	switch (tt_below(&dice, 3)) {
	case 0:
		t->base = UINT64_C(1) << 40;
		break;
	case 1:				/* close to the end of the object */
		t->base = 0 - 2 * TT_PAGES * t->page_size;
		break;
	}
	t->nr_workers = (uint32_t)a->threads;
	t->nr_ops = (uint32_t)a->ops;
	t->has_history = tt_percent(&dice, 60);
	t->counts_readers = t->has_history || tt_percent(&dice, 50);
	t->cancels = tt_percent(&dice, 60);
	t->restarts = tt_percent(&dice, 50);
	t->searches = tt_percent(&dice, 20);
	if (t->scene->is_sprint)
		draw_sprint(t, a, &dice);
}

/* Equal threads: has none had more than twice the turns of another?  Of few turns
 * the machine's scheduler decides, and nothing is said. */
static bool is_fair(const struct tt_totals *n, uint64_t nr_threads)
{
	uint64_t min = UINT64_MAX, max = 0;
	bool is_judged;

	for (uint64_t i = 0; i < nr_threads; i++) {
		min = n->nr_turns[i] < min ? n->nr_turns[i] : min;
		max = n->nr_turns[i] > max ? n->nr_turns[i] : max;
	}
	is_judged = max >= FAIR_TURNS;
	if (max)
		printf("fairness: of equal threads one had %" PRIu64
		       " turns while another had %" PRIu64 "%s\n", max, min,
		       is_judged ? "" : " (too few to judge)");
	return !is_judged || max <= 2 * min;
}

static bool fairness_selftest(void)
{
	struct tt_totals fair = { .nr_turns = { 40000, 20000, 30000 } };
	struct tt_totals unfair = { .nr_turns = { 40000, 19999, 30000 } };
	struct tt_totals few = { .nr_turns = { FAIR_TURNS - 1, 0, 9 } };

	return is_fair(&fair, 3) && !is_fair(&unfair, 3) && is_fair(&few, 3);
}

static void print_totals(const struct tt_totals *n)
{
	printf("%" PRIu64 " refused (%" PRIu64 " perhaps by the guard alone), "
	       "%" PRIu64 " late, %" PRIu64 " cancelled, %" PRIu64
	       " told of a deadlock\n",
	       n->nr_refused, n->nr_spun, n->nr_late, n->nr_cancelled,
	       n->nr_deadlocks);
	printf("%" PRIu64 " signals, %" PRIu64 " trylocks in a handler; "
	       "%" PRIu64 " entries of histories checked\n",
	       n->nr_signals, n->nr_in_handler, n->nr_entries);
}

/* The last lines of a run: what can be quoted. */
static int conclude(const struct arguments *a, const struct tt_totals *n,
		    unsigned int nr_passed, uint64_t secs)
{
	unsigned int nr_failed = !is_fair(n, a->threads);

	if (nr_failed)
		tt_tally_failed();
	print_totals(n);
	if (nr_failed)
		printf("FAIL: equal threads differ by more than a factor of 2\n");
	printf("%u passed, %u failed\n", nr_passed - nr_failed, nr_failed);
	printf("torture, " TT_BUILD ": %" PRIu64 " operations, %" PRIu64 " holds, %" PRIu64
	       " rounds, %" PRIu64 " threads, %" PRIu64 " s, seed %" PRIu64
	       ", %u failures\n",
	       n->nr_calls, n->nr_holds, n->nr_rounds, a->threads, secs,
	       a->seed, nr_failed);
	return nr_failed != 0;
}

static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
	(void)number;
	is_stopped = 1;
}

static void stop_on_signals(void)
{
	struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int run(const struct arguments *a)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC), secs;
	unsigned int nr_scenes = a->scene ? 1 : tt_nr_scenes, nr_passed = nr_scenes;
	uint64_t least_rounds = a->has_round ? 1 : nr_scenes * TT_ENGINES;
	bool has_fifo = tt_fifo_is_permitted();
	struct tt_round *t = aligned_alloc(64, sizeof(*t));
	struct tt_totals totals = { .nr_rounds = 0 };

	if (!t)
		return 1;
	for (uint64_t i = 0;; i++) {
		secs = (now_ns(CLOCK_MONOTONIC) - start) / 1000000000;
		if (is_stopped || (i >= least_rounds && secs >= a->secs &&
				   totals.nr_calls >= a->least))
			break;
		tt_tally_write(&totals, secs, false);
		draw_round(t, a, a->has_round ? a->round : i);
		if (!t->scene->has_fifo || has_fifo)
			tt_round_run(t, (unsigned int)a->patience, &totals);
		else if (i < nr_scenes)
			nr_passed--;
	}
	free(t);
	if (nr_passed < nr_scenes)
		printf("scene fifo skipped: SCHED_FIFO is not permitted here\n");
	tt_tally_write(&totals, secs, true);
	return conclude(a, &totals, nr_passed, secs);
}

int main(int argc, char **argv)
{
	struct arguments a = {
		.secs = from_environment("SECS", 10),
		.seed = from_environment("SEED", now_ns(CLOCK_REALTIME) / 1000),
		.threads = from_environment("THREADS", 8),
		.ops = 1000,
		.patience = 30,
		.laps = 1,
	};

	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc == 2 && strcmp(argv[1], "--selftest") == 0) {
		if (!tt_history_selftest() || !fairness_selftest())
			return 1;
		printf("each planted history was told from a good one, and so were"
		       " shares\n");
		return 0;
	}
	for (int i = 1; i < argc; i += 2)
		if (!read_option(&a, argv[i], argv[i + 1]))
			return usage();
	if (!a.threads || a.threads > TT_THREADS_MAX || !a.ops || !a.laps)
		return usage();
	printf("seed %" PRIu64 ", %" PRIu64 " threads, %" PRIu64
	       " operations each a round, at least %" PRIu64 " s\n",
	       a.seed, a.threads, a.ops, a.secs);
	fflush(stdout);
	tt_explain_aborts();
	stop_on_signals();
	if (a.tally)
		tt_tally_open(a.tally, a.seed, a.threads);
	return run(&a);
}
