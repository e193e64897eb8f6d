/*
 * Goal: waits that are given up (try, deadline, cancel) leave no trace and let in
 * whom they alone were blocking (G6); who loses the race against the grant holds.
 */
#include "tests/conformance/engines.h"

#include "rangelock/base/atomic.h"

static struct rl_range a, b, c, d;

static void fresh(void)
{
	a = b = c = d = (struct rl_range)RL_RANGE_INIT;
}

StrictPromise(abandon, a_cancelled_request_lets_in_whom_it_alone_blocked)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 8, 20, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &d, 9, 10, NULL), EINPROGRESS);
	check_eq(rl_cancel(lk, &b), 0);
	check_eq(rl_poll(lk, &b), ECANCELED);
	check_eq(rl_poll(lk, &c), 0);
	check_eq(rl_poll(lk, &d), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &d), EINPROGRESS);
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &d), 0);
	rl_unlock(lk, &d);
	check_eq(stats_of(lk).nr_cancels, 1);
}

StrictPromise(abandon, a_cancelled_reader_takes_nothing_from_readers_behind_it)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	rl_give(lk, &a, RL_NOBODY);
	check_eq(rl_read_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 0, 10, NULL), EINPROGRESS);
	check_eq(rl_cancel(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	check_eq(rl_wait_until(lk, &c, 0), ETIMEDOUT);
	rl_unlock(lk, &a);
}

Promise(abandon, a_cancelled_lock_call_returns_ECANCELED_and_does_not_hold)
{
	struct actor waiter;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	actor_start_waiting(&waiter, lk, RL_WRITE, 0, 10);
	check_eq(rl_cancel(lk, &waiter.r), 0);
	check_eq(actor_join(&waiter), ECANCELED);
	check_eq(nr_waiting(lk), 0);
	check_eq(rl_cancel(lk, &waiter.r), EINVAL);
	rl_unlock(lk, &a);
	check_eq(rl_write_trylock(lk, &waiter.r, 0, 10), 0);
	check_eq(rl_cancel(lk, &waiter.r), EBUSY);
	rl_unlock(lk, &waiter.r);
}

Promise(abandon, cancel_tells_what_it_cannot_cancel)
{
	struct rangelock other = RANGELOCK_INIT;

	fresh();
	check_eq(rl_cancel(lk, &a), EINVAL);
	check_eq(rl_cancel(NULL, &a), EINVAL);
	check_eq(rl_cancel(lk, NULL), EINVAL);
	check_eq(rl_write_lock(lk, &a, 0, 1), 0);
	check_eq(rl_cancel(lk, &a), EBUSY);
	check_eq(rl_write_submit(lk, &b, 0, 1, NULL), EINPROGRESS);
	check_eq(rl_cancel(&other, &b), EINVAL);
	check_eq(rl_cancel(lk, &b), 0);
	check_eq(rl_cancel(lk, &b), EINVAL);
	rl_unlock(lk, &a);
	check_eq(rl_cancel(lk, &a), EINVAL);
}

Promise(abandon, a_deadline_that_has_passed_still_gets_what_is_free)
{
	fresh();
	check_eq(rl_write_lock_until(lk, &a, 0, 10, 0), 0);
	check_eq(rl_read_lock_until(lk, &b, 10, 20, 0), 0);
	rl_give(lk, &a, RL_NOBODY);
	rl_give(lk, &b, RL_NOBODY);
	check_eq(rl_read_lock_until(lk, &c, 9, 11, 0), ETIMEDOUT);
	check_eq(rl_write_lock_coarse_until(lk, &c, 0), ETIMEDOUT);
	check_eq(rl_read_lock_coarse_until(lk, &c, rl_now(lk)), ETIMEDOUT);
	check_eq(nr_waiting(lk), 0);
	check_eq(stats_of(lk).nr_timeouts, 3);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

Promise(abandon, a_wait_ends_at_its_deadline)
{
	uint64_t deadline_ns = rl_now(lk) + 2000000;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	rl_give(lk, &a, RL_NOBODY);
	check_eq(rl_write_lock_until(lk, &b, 0, 10, deadline_ns), ETIMEDOUT);
	check_le(deadline_ns, rl_now(lk));
	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	deadline_ns = rl_now(lk) + 1000000;
	check_eq(rl_wait_until(lk, &b, deadline_ns), ETIMEDOUT);
	check_le(deadline_ns, rl_now(lk));
	check_eq(nr_waiting(lk), 0);
	rl_unlock(lk, &a);
}

StrictPromise(abandon, a_late_request_lets_in_whom_it_alone_blocked)
{
	struct actor writer;

	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	rl_give(lk, &a, RL_NOBODY);
	actor_start(&writer, lk, RL_WRITE, 5, 15, rl_now(lk) + 2000000);
	until(nr_waiting(lk) == 1 || actor_is_done(&writer));
	if (rl_read_submit(lk, &c, 12, 20, NULL) == EINPROGRESS)
		check_eq(rl_wait(lk, &c), 0);
	check_eq(actor_join(&writer), ETIMEDOUT);
	rl_unlock(lk, &a);
	rl_unlock(lk, &c);
}

Promise(abandon, a_trylock_that_fails_leaves_no_trace)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(rl_write_trylock(lk, &b, 5, 15), EBUSY);
	check_eq(nr_waiting(lk), 0);
	check_eq(rl_read_trylock(lk, &c, 0, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &c);
}

/*
 * Many rounds of: one holds, one waits with a deadline or is cancelled, and the
 * unlock comes at the same time.  Whatever the waiter is told must be true.
 */
struct race {
	struct rangelock *lk;
	struct rl_range r;
	uint64_t rounds;
	uint32_t turn;			/* atomic: round, both sides count */
	uint32_t is_out;		/* atomic */
	uint64_t data;			/* plain */
	bool is_late;			/* deadlines, not cancels */
};

static void *wait_and_be_raced(void *arg)
{
	struct race *race = arg;
	struct rl_range *r = &race->r;

	for (uint64_t i = 0; i < race->rounds; i++) {
		uint64_t deadline_ns = RL_NO_DEADLINE;
		int error;

		until(rl_load_acquire(&race->turn) == 2 * i + 1);
		if (race->is_late)
			deadline_ns = rl_now(race->lk) + (i * 97) % 30000;
		check_eq(rl_write_submit(race->lk, r, 0, 1, NULL), EINPROGRESS);
		rl_store_release(&race->turn, (uint32_t)(2 * i + 2));
		error = rl_wait_until(race->lk, r, deadline_ns);
		if (!error) {
			race->data++;
			rl_unlock(race->lk, r);
		} else {
			check_eq(error, race->is_late ? ETIMEDOUT : ECANCELED);
		}
		rl_store_release(&race->is_out, (uint32_t)i + 1);
	}
	return NULL;
}

static void run_race(struct rangelock *lk, bool is_late)
{
	struct race race = { .lk = lk, .is_late = is_late,
			     .rounds = test_rounds(5000) };
	struct rl_range r = RL_RANGE_INIT;
	uint64_t granted = 0, rng = 1;
	pthread_t thread;

	check_eq(pthread_create(&thread, NULL, wait_and_be_raced, &race), 0);
	for (uint64_t i = 0; i < race.rounds; i++) {
		int error = EBUSY;

		check_eq(rl_write_lock(lk, &r, 0, 1), 0);
		race.data++;
		rl_store_release(&race.turn, (uint32_t)(2 * i + 1));
		until(rl_load_acquire(&race.turn) == 2 * i + 2);
		for (uint64_t k = random_next(&rng) % 300; k; k--)
			rl_load_relaxed(&race.turn);
		if (!is_late && i & 1)
			error = rl_cancel(lk, &race.r);
		rl_unlock(lk, &r);
		if (!is_late && !(i & 1))
			error = rl_cancel(lk, &race.r);
		check(error == 0 || error == EBUSY || error == EINVAL);
		until(rl_load_acquire(&race.is_out) == i + 1);
		check_eq(rl_write_trylock(lk, &r, 0, 1), 0);
		granted = race.data;
		rl_unlock(lk, &r);
	}
	check_eq(pthread_join(thread, NULL), 0);
	check_le(race.rounds, granted);
	check_le(granted, 2 * race.rounds);
}

Promise(abandon, a_cancel_and_a_grant_agree_on_who_won)
{
	run_race(lk, false);
}

Promise(abandon, a_deadline_and_a_grant_agree_on_who_won)
{
	run_race(lk, true);
}
