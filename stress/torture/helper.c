/*
 * helper.c - the thread that never waits, and the storm of signals
 *
 * Lets go what workers and callbacks hand over, polls what was submitted for it,
 * cancels, looks, and sends each worker a signal every millisecond.  A handler
 * may trylock, but only while its thread is outside of the library: a worker
 * opens a window for it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "stress/torture/torture.h"

#define STORM_NS	UINT64_C(1000000)
#define NS_PER_S	UINT64_C(1000000000)

static void on_signal(int number)
{
	struct tt_worker *me = tt_me;
	int saved = errno;

	(void)number;
	if (!me)
		return;
	me->nr_signals++;
	if (me->window && me->signal_got < 0) {
		struct tt_request *q = &me->of_signal;
		uint64_t start = tt_start_of(me->round, q);
		uint64_t end = tt_end_of(me->round, q);

		me->signal_got = q->spans[0].mode == RL_WRITE ?
			rl_write_trylock(&me->round->lk, q->r, start, end) :
			rl_read_trylock(&me->round->lk, q->r, start, end);
	}
	errno = saved;
}

void tt_storm_begin(const struct tt_round *round)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	action.sa_flags = round->restarts ? SA_RESTART : 0;
	sigaction(SIGUSR1, &action, NULL);
}

void tt_storm_window(struct tt_worker *me)
{
	struct tt_request *q = &me->of_signal;
	struct timespec t = { .tv_nsec = 300000 };

	q->n = 1;
	q->spans[0] = tt_random_span(me);
	q->is_all = false;
	q->site = NULL;
	tt_prepare(me, q);
	q->called_ns = 0;			/* nobody knows when it is called */
	me->signal_got = -1;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	me->window = 1;
	for (int i = 0; i < 8 && me->signal_got < 0; i++)
		if (i % 2)
			sched_yield();
		else
			nanosleep(&t, NULL);
	me->window = 0;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (me->signal_got >= 0)
		me->nr_in_handler++;
	if (me->signal_got == 0) {
		tt_enter(me, q);
		tt_release(me, q);
	}
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void blow(struct tt_worker *me, uint64_t *last_ns)
{
	uint64_t now = clock_ns();

	if (!me->round->scene->has_signals || now - *last_ns < STORM_NS)
		return;
	*last_ns = now;
	for (uint32_t i = 0; i < me->round->nr_workers; i++)
		pthread_kill(me->round->workers[i].thread, SIGUSR1);
}

/* Half of the time somebody else shall find it. */
static void poll(struct tt_worker *me, struct tt_request *q)
{
	int error;

	if (tt_percent(me, 50) || !tt_take_over(q))
		return;
	error = tt_poll(me, q);
	if (!error) {
		tt_release(me, q);
		tt_give_back(q);
	} else if (error == EINPROGRESS) {
		/* Release: somebody else may take it over. */
		tt_store_release(&q->turn, TT_POLL);
	}
}

/* True if there was something to do, or will be. */
static bool serve(struct tt_worker *me, struct tt_request *q)
{
	/* Acquire: what its worker, or its callback, did with it. */
	switch (tt_load_acquire(&q->turn)) {
	case TT_FREE:
	case TT_MINE:
		return false;
	case TT_POLL:
		poll(me, q);
		return true;
	case TT_GIVEN:
		tt_dwell(me);
		tt_release(me, q);
		tt_give_back(q);
		return true;
	}
	return true;
}

static bool serve_all(struct tt_worker *me)
{
	bool busy = false;

	for (uint32_t w = 0; w < me->round->nr_workers; w++)
		for (uint32_t i = 0; i < TT_REQUESTS; i++)
			busy |= serve(me, &me->round->workers[w].requests[i]);
	return busy;
}

void tt_help(struct tt_worker *me)
{
	uint64_t last_ns = 0;
	uint32_t steps = 0;
	bool all_done;

	do {
		/* Before the look: who is done hands over nothing any more. */
		all_done = tt_load_acquire(&me->round->nr_done) ==
			   me->round->nr_workers;
		if (serve_all(me)) {
			all_done = false;
			steps = 0;
		}
		if (tt_percent(me, 10))
			tt_cancel_somebody(me);
		if (tt_percent(me, 1))
			tt_look(me);
		if (!all_done)
			blow(me, &last_ns);
		tt_wait_step(&steps);
	} while (!all_done);
}
