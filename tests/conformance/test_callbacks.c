/*
 * Goal: a completion callback comes once, in the order of the grants, after the
 * guards, never inside another one, and when the caller asks for it, later.
 */
#include "tests/conformance/engines.h"

#include <string.h>

#define NR	6

static struct {
	struct rangelock *lk;
	struct rl_range r[NR];
	unsigned int order[2 * NR], nr;
	bool unlocks, is_inside;
} seen;

static void on_granted(struct rl_range *r)
{
	check(!seen.is_inside);			/* never recursive */
	seen.is_inside = true;
	seen.order[seen.nr++] = (unsigned int)(r - seen.r);
	check_eq(nr_waiting(seen.lk) > NR, 0);	/* the guard is free */
	if (seen.unlocks)
		rl_unlock(seen.lk, r);
	seen.is_inside = false;
}

static void start(struct rangelock *lk, bool unlocks)
{
	memset(&seen, 0, sizeof(seen));
	seen.lk = lk;
	seen.unlocks = unlocks;
}

Promise(callbacks, a_submit_that_is_held_at_once_is_not_called_back)
{
	start(lk, false);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 1, on_granted), 0);
	check_eq(seen.nr, 0);
	rl_unlock(lk, &seen.r[0]);
	check_eq(seen.nr, 0);
}

StrictPromise(callbacks, each_request_is_called_back_once_in_order_of_the_grants)
{
	start(lk, false);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 10, on_granted), 0);
	for (unsigned int i = 1; i < NR; i++)
		check_eq(rl_read_submit(lk, &seen.r[i], i, 10, on_granted),
			 EINPROGRESS);
	rl_unlock(lk, &seen.r[0]);
	check_eq(seen.nr, NR - 1);
	for (unsigned int i = 1; i < NR; i++) {
		check_eq(seen.order[i - 1], i);
		rl_unlock(lk, &seen.r[i]);
	}
}

StrictPromise(callbacks, a_callback_that_lets_in_more_returns_first)
{
	start(lk, true);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 10, on_granted), 0);
	for (unsigned int i = 1; i < NR; i++)
		check_eq(rl_write_submit(lk, &seen.r[i], 0, 10, on_granted),
			 EINPROGRESS);
	rl_unlock(lk, &seen.r[0]);
	check_eq(seen.nr, NR - 1);
	for (unsigned int i = 1; i < NR; i++)
		check_eq(seen.order[i - 1], i);
	check_eq(nr_held(lk), 0);
}

StrictPromise(callbacks, a_deferred_unlock_calls_back_when_it_is_asked_to)
{
	struct rl_deferred due = { NULL, NULL };

	start(lk, true);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 10, on_granted), 0);
	check_eq(rl_write_submit(lk, &seen.r[1], 0, 5, on_granted), EINPROGRESS);
	check_eq(rl_write_submit(lk, &seen.r[2], 5, 10, on_granted),
		 EINPROGRESS);
	rl_unlock_deferred(lk, &seen.r[0], &due);
	check_eq(seen.nr, 0);
	check_eq(nr_held(lk), 2);			/* they hold already */
	check_eq(rl_cancel(lk, &seen.r[1]), EBUSY);	/* on its way */
	rl_run_deferred(&due);
	check_eq(seen.nr, 2);
	check_eq(seen.order[0], 1);
	check_eq(seen.order[1], 2);
	check(!due.head);
	rl_run_deferred(&due);
	check_eq(seen.nr, 2);
}

StrictPromise(callbacks, deferred_callbacks_are_appended)
{
	struct rl_deferred due = { NULL, NULL };

	start(lk, true);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 5, on_granted), 0);
	check_eq(rl_write_submit(lk, &seen.r[1], 5, 10, on_granted), 0);
	check_eq(rl_write_submit(lk, &seen.r[2], 5, 10, on_granted),
		 EINPROGRESS);
	check_eq(rl_write_submit(lk, &seen.r[3], 0, 5, on_granted), EINPROGRESS);
	rl_unlock_deferred(lk, &seen.r[0], &due);
	rl_unlock_deferred(lk, &seen.r[1], &due);
	rl_run_deferred(&due);
	check_eq(seen.nr, 2);
	check_eq(seen.order[0], 3);
	check_eq(seen.order[1], 2);
}

StrictPromise(callbacks, every_call_that_lets_somebody_in_calls_back)
{
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;

	start(lk, true);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_submit(lk, &seen.r[0], 9, 10, on_granted), EINPROGRESS);
	check_eq(rl_narrow(lk, &a, 0, 9), 0);
	check_eq(seen.nr, 1);
	check_eq(rl_read_submit(lk, &seen.r[0], 8, 9, on_granted), EINPROGRESS);
	rl_write_downgrade(lk, &a);
	check_eq(seen.nr, 2);
	check_eq(rl_write_submit(lk, &b, 8, 9, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &seen.r[0], 8, 9, on_granted), EINPROGRESS);
	check_eq(rl_cancel(lk, &b), 0);
	check_eq(seen.nr, 3);
	check_eq(rl_poll(lk, &b), ECANCELED);
	check_eq(rl_write_submit(lk, &b, 8, 9, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &seen.r[0], 8, 9, on_granted), EINPROGRESS);
	rl_give(lk, &a, RL_NOBODY);
	check_eq(rl_wait_until(lk, &b, 0), ETIMEDOUT);
	check_eq(seen.nr, 4);
	rl_unlock(lk, &a);
}

/* A callback in one thread, an unlock in another: both go on. */
static void *unlock_it(void *arg)
{
	rl_unlock(seen.lk, arg);
	return NULL;
}

Promise(callbacks, it_runs_in_the_thread_whose_call_let_it_in)
{
	struct rl_range a = RL_RANGE_INIT;
	pthread_t thread;

	start(lk, false);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &seen.r[0], 0, 10, on_granted),
		 EINPROGRESS);
	check_eq(pthread_create(&thread, NULL, unlock_it, &a), 0);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(seen.nr, 1);
	rl_unlock(lk, &seen.r[0]);
}
