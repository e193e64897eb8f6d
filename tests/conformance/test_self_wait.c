/*
 * Goal: a thread that would wait for itself is told so (G8), and nobody else is;
 * giving a range away keeps that right.
 */
#include "tests/conformance/engines.h"

static struct rl_range a, b, c;

static void fresh(void)
{
	a = b = c = (struct rl_range)RL_RANGE_INIT;
}

Promise(self_wait, a_blocker_of_its_own_is_EDEADLK)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(lk, &b, 9, 20), EDEADLK);
	check_eq(rl_write_lock_coarse(lk, &b), EDEADLK);
	check_eq(rl_write_lock_until(lk, &b, 0, 1, 0), EDEADLK);
	check_eq(nr_waiting(lk), 0);
	check_eq(stats_of(lk).nr_deadlocks, 3);
	check_eq(rl_read_lock(lk, &b, 9, 20), 0);
	check_eq(rl_write_trylock(lk, &c, 9, 20), EBUSY);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

StrictPromise(self_wait, a_waiting_blocker_that_waits_for_its_own_is_EDEADLK)
{
	struct actor first, second;

	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	actor_start_waiting(&first, lk, RL_WRITE, 5, 15);
	actor_start_waiting(&second, lk, RL_WRITE, 14, 25);
	check_eq(rl_read_lock(lk, &b, 24, 26), EDEADLK);
	check_eq(rl_read_lock(lk, &b, 12, 13), EDEADLK);
	check_eq(rl_read_lock(lk, &b, 25, 26), 0);
	rl_unlock(lk, &a);
	check_eq(actor_join(&first), 0);
	rl_unlock(lk, &first.r);
	check_eq(actor_join(&second), 0);
	rl_unlock(lk, &second.r);
	rl_unlock(lk, &b);
}

Promise(self_wait, somebody_else_s_range_is_waited_for)
{
	struct actor other;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	actor_start_waiting(&other, lk, RL_WRITE, 0, 10);
	rl_unlock(lk, &a);
	check_eq(actor_join(&other), 0);
	rl_unlock(lk, &other.r);
}

Promise(self_wait, a_given_range_is_its_new_owner_s)
{
	struct actor other;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check(rl_is_held(lk, 0, 10, RL_WRITE));
	rl_give(lk, &a, RL_NOBODY);
	check(!rl_is_held(lk, 0, 10, RL_WRITE));
	check_eq(rl_write_lock_until(lk, &b, 0, 1, 0), ETIMEDOUT);
	rl_give(lk, &a, rl_self(lk));
	check_eq(rl_write_lock_until(lk, &b, 0, 1, 0), EDEADLK);
	actor_start(&other, lk, RL_WRITE, 20, 30, RL_NO_DEADLINE);
	check_eq(actor_join(&other), 0);
	rl_give(lk, &other.r, rl_self(lk));
	check_eq(rl_write_lock(lk, &b, 25, 26), EDEADLK);
	rl_unlock(lk, &a);
	rl_unlock(lk, &other.r);
}

Promise(self_wait, a_range_may_be_unlocked_by_another_thread)
{
	struct actor other;

	fresh();
	actor_start(&other, lk, RL_WRITE, 0, 10, RL_NO_DEADLINE);
	check_eq(actor_join(&other), 0);
	rl_unlock(lk, &other.r);
	check_eq(rl_write_trylock(lk, &a, 0, 10), 0);
	rl_unlock(lk, &a);
}

Promise(self_wait, a_submit_is_never_EDEADLK_but_its_wait_is)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	check_eq(rl_wait(lk, &b), EDEADLK);
	check_eq(rl_poll(lk, &b), EINPROGRESS);	/* still queued */
	check_eq(stats_of(lk).nr_deadlocks, 1);
	rl_unlock(lk, &a);
	check_eq(rl_wait(lk, &b), 0);
	rl_unlock(lk, &b);
}

/* One thread submits, another waits: that one is the owner. */
static void *wait_for_b(void *arg)
{
	check_eq(rl_wait(arg, &b), 0);
	return NULL;
}

static void note_owner(void *arg, const struct rl_range *blocker, int held)
{
	if (!held)
		*(uint64_t *)arg = blocker->owner;
}

static uint64_t owner_of_b(struct rangelock *lk)
{
	uint64_t owner = RL_NOBODY;

	rl_visit_blockers(lk, &c, note_owner, &owner);
	return owner;
}

StrictPromise(self_wait, the_owner_of_a_submitted_request_is_who_waits_for_it)
{
	struct rl_range late = RL_RANGE_INIT;
	pthread_t thread;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	rl_give(lk, &a, RL_NOBODY);
	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &c, 0, 10, NULL), EINPROGRESS);
	check_eq(rl_write_lock_until(lk, &late, 0, 1, 0), EDEADLK);
	check_eq(pthread_create(&thread, NULL, wait_for_b, lk), 0);
	until(owner_of_b(lk) != rl_self(lk));
	check_eq(rl_cancel(lk, &c), 0);
	check_eq(rl_poll(lk, &c), ECANCELED);
	check_eq(rl_write_lock_until(lk, &late, 0, 1, 0), ETIMEDOUT);
	rl_unlock(lk, &a);
	check_eq(pthread_join(thread, NULL), 0);
	check(!rl_is_held(lk, 0, 10, RL_READ));
	rl_unlock(lk, &b);
}

Promise(self_wait, a_thread_s_name_is_its_own_and_not_nobody)
{
	check_ne(rl_self(lk), RL_NOBODY);
	check_eq(rl_self(lk), rl_self(lk));
}
