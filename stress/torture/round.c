/*
 * round.c - make a lock, let the threads at it, take stock
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rangelock/stats.h>

#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/shards.h"
#include "stress/torture/torture.h"

_Thread_local struct tt_worker *tt_me;

const char *tt_engine_name(enum tt_engine engine)
{
	static const char *const names[TT_ENGINES] = {
		"compact", "forest of 1", "forest of 2", "forest of 64",
	};

	return names[engine];
}

static void init_lock(struct tt_round *t)
{
	static const uint32_t nr_shards[TT_ENGINES] = { 0, 1, 2, 64 };
	struct rl_options o = RL_OPTIONS_INIT;

	tt_host_init(t);
	o.name = t->scene->name;
	o.bypass_ns = t->bypass_ns;
	o.deadlock_ns = t->searches ? 100000 : 0;
	o.host = t->doors == TT_DEFAULT ? NULL : &t->host;
	if (t->engine != TT_COMPACT) {
		o.chunk_size = TT_CHUNK_PAGES * t->page_size;
		o.nr_shards = nr_shards[t->engine];
	}
	if (t->is_biased)
		o.flags = RL_READER_BIAS;
	tt_require(t, rl_init(&t->lk, &o) == 0);
	for (unsigned int i = 0; i < TT_SITES; i++)
		tt_require(t, rl_site_register(&tt_sites[i]) == 0);
}

/* ---- The threads ---- */

static bool be_fifo(void)
{
	struct sched_param priority = { .sched_priority = 1 };

	return pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;
}

static void *probe_fifo(void *permitted)
{
	*(bool *)permitted = be_fifo();
	return NULL;
}

bool tt_fifo_is_permitted(void)
{
	bool permitted = false;
	pthread_t thread;

	if (pthread_create(&thread, NULL, probe_fifo, &permitted))
		return false;
	pthread_join(thread, NULL);
	return permitted;
}

/* All workers on one CPU: who spins on a preempted holder keeps it away. */
static void take_place(const struct tt_worker *me)
{
	cpu_set_t all, one;

	if (!me->round->scene->has_fifo)
		return;
	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(all), &all) == 0)
		for (size_t i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
			if (CPU_ISSET(i, &all))
				CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (me->index % 2)
		tt_require(me->round, be_fifo());
}

static void *run_worker(void *arg)
{
	struct tt_worker *me = arg;

	tt_me = me;
	take_place(me);
	me->round->scene->work(me);
	/* Release: whatever was handed to the helper comes before. */
	tt_add_release(&me->round->nr_done, 1);
	sem_post(&me->round->ended);
	return NULL;
}

static void *run_helper(void *arg)
{
	struct tt_worker *me = arg;
	sigset_t storm;

	tt_me = me;
	sigemptyset(&storm);
	sigaddset(&storm, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &storm, NULL);
	tt_help(me);
	sem_post(&me->round->ended);
	return NULL;
}

static void start_threads(struct tt_round *t)
{
	struct tt_worker *helper = &t->workers[t->nr_workers];

	tt_storm_begin(t);
	for (uint32_t i = 0; i <= t->nr_workers; i++) {
		struct tt_worker *w = &t->workers[i];

		w->round = t;
		w->index = i;
		w->signal_got = -1;
		w->random = (t->seed + t->number * 1000003 + i + 1) *
			    UINT64_C(0x9e3779b97f4a7c15);
		w->random ^= w->random >> 29;
		w->random += !w->random;
	}
	for (uint32_t i = 0; i < t->nr_workers; i++)
		if (pthread_create(&t->workers[i].thread, NULL, run_worker,
				   &t->workers[i]))
			tt_fail(t, "no thread %u", i);
	/* The last, for it sends signals to all others. */
	if (pthread_create(&helper->thread, NULL, run_helper, helper))
		tt_fail(t, "no helper");
}

/* Of the workers: the helper never stops calling. */
static uint64_t nr_calls(const struct tt_round *t)
{
	uint64_t nr = 0;

	for (uint32_t i = 0; i < t->nr_workers; i++)
		nr += tt_load64(&t->workers[i].nr_calls);
	return nr;
}

/* Wait for all to end; look every second whether anybody advances. */
static void watch_threads(struct tt_round *t, unsigned int patience_s)
{
	uint64_t nr, last = 0;
	unsigned int stuck_s = 0;
	struct timespec until;

	for (uint32_t ended = 0; ended <= t->nr_workers;) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sem_timedwait(&t->ended, &until) == 0) {
			ended++;
			continue;
		}
		nr = nr_calls(t);
		stuck_s = nr == last ? stuck_s + 1 : 0;
		last = nr;
		if (stuck_s >= patience_s)
			tt_hang(t, stuck_s);
	}
	for (uint32_t i = 0; i <= t->nr_workers; i++)
		pthread_join(t->workers[i].thread, NULL);
}

/* ---- Taking stock ---- */

static void count_lines(void *arg, const char *text, size_t length)
{
	size_t *nr_lines = arg;

	for (size_t i = 0; i < length; i++)
		*nr_lines += text[i] == '\n';
}

static void check_leftovers(struct tt_round *t, uint64_t nr_acquired)
{
	struct rl_stats stats;
	size_t nr_lines = 0;
	uint64_t nr_locked = 0;

	tt_require(t, tt_pages_are_free(t));
	tt_require(t, rl_stats_read(&t->lk, &stats) == 0);
	tt_require(t, stats.nr_held_now == 0);
	tt_require(t, stats.nr_waiting_now == 0);
	for (int i = 0; i < 4; i++)
		nr_locked += stats.nr_locked[i / 2][i % 2];
	/* Biased reads are not counted. */
	if (nr_locked > nr_acquired ||
	    (nr_locked < nr_acquired && !t->is_biased))
		tt_fail(t, "the lock counts %" PRIu64 " grants, its users %" PRIu64,
			nr_locked, nr_acquired);
	rl_dump(&t->lk, count_lines, &nr_lines);
	tt_require(t, nr_lines == 1);		/* its name alone */
	if (t->lk.forest)
		tt_require(t, rl_forest_is_valid(&t->lk));
	else
		tt_require(t, rl_arbiter_is_valid(&t->lk, &t->lk.central));
}

static void check_history(struct tt_round *t, struct tt_totals *totals)
{
	struct tt_history all = { .nr = 0 };
	const char *wrong;
	char text[600];

	for (uint32_t i = 0; i <= t->nr_workers; i++)
		tt_history_append(&all, &t->workers[i].history);
	totals->nr_entries += all.nr;
	wrong = tt_history_check(&all, t->bypass_ns, text, sizeof(text));
	if (wrong)
		tt_fail(t, "%s", wrong);
	tt_history_free(&all);
}

static void add_up(struct tt_round *t, struct tt_totals *totals)
{
	for (uint32_t i = 0; i <= t->nr_workers; i++) {
		const struct tt_worker *w = &t->workers[i];

		totals->nr_holds += w->nr_acquired;
		totals->nr_refused += w->nr_refused;
		totals->nr_spun += w->nr_spun;
		totals->nr_late += w->nr_late;
		totals->nr_cancelled += w->nr_cancelled;
		totals->nr_deadlocks += w->nr_deadlocks;
		totals->nr_signals += w->nr_signals;
		totals->nr_in_handler += w->nr_in_handler;
		if (i == t->nr_workers)
			break;
		totals->nr_turns[i] += w->nr_turns;
	}
	totals->nr_calls += nr_calls(t);
	totals->nr_rounds++;
}

void tt_round_run(struct tt_round *t, unsigned int patience_s,
		  struct tt_totals *totals)
{
	uint64_t nr_acquired = 0, nr_released = 0;
	size_t size = (t->nr_workers + 1) * sizeof(struct tt_worker);

	t->workers = aligned_alloc(64, size);
	if (!t->workers || sem_init(&t->ended, 0, 0))
		abort();
	memset(t->workers, 0, size);
	memset(t->pages, 0, sizeof(t->pages));
	init_lock(t);
	start_threads(t);
	watch_threads(t, patience_s);

	for (uint32_t i = 0; i <= t->nr_workers; i++) {
		nr_acquired += t->workers[i].nr_acquired;
		nr_released += t->workers[i].nr_released;
	}
	tt_require(t, nr_acquired == nr_released);
	check_leftovers(t, nr_acquired);
	check_history(t, totals);
	add_up(t, totals);
	tt_require(t, rl_destroy(&t->lk) == 0);
	for (uint32_t i = 0; i <= t->nr_workers; i++)
		tt_history_free(&t->workers[i].history);
	sem_destroy(&t->ended);
	free(t->workers);
}
