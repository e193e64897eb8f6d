/*
 * Goal: several ranges of one lock are had at one instant, all or none.
 */
#include "tests/conformance/engines.h"

#include <rangelock/site.h>

static struct rl_range many[RL_MANY_MAX], a, b;

static void fresh(void)
{
	a = b = (struct rl_range)RL_RANGE_INIT;
	for (unsigned int i = 0; i < RL_MANY_MAX; i++)
		many[i] = a;
}

static const struct rl_span two[] = {
	{ 0, 10, RL_READ }, { 20, 30, RL_WRITE },
};

Promise(several, all_ranges_are_held_each_in_its_mode)
{
	fresh();
	check_eq(rl_lock_many(lk, many, 2, two), 0);
	check_eq(rl_read_trylock(lk, &a, 0, 10), 0);
	rl_unlock(lk, &a);
	check_eq(rl_write_trylock(lk, &a, 5, 6), EBUSY);
	check_eq(rl_read_trylock(lk, &a, 29, 30), EBUSY);
	check_eq(rl_write_trylock(lk, &a, 10, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock_many(lk, many, 2);
	check_eq(rl_write_trylock_coarse(lk, &a), 0);
	rl_unlock(lk, &a);
}

StrictPromise(several, none_is_held_as_long_as_one_must_wait)
{
	const struct rl_span three[] = {
		{ 0, 10, RL_WRITE }, { 10, 20, RL_WRITE }, { 40, 50, RL_READ },
	};
	struct actor reader;

	fresh();
	actor_start(&reader, lk, RL_WRITE, 45, 46, RL_NO_DEADLINE);
	check_eq(actor_join(&reader), 0);
	check_eq(rl_trylock_many(lk, many, 3, three), EBUSY);
	check_eq(rl_lock_many_until(lk, many, 3, three, 0), ETIMEDOUT);
	check_eq(nr_waiting(lk), 0);
	check_eq(rl_write_trylock(lk, &a, 0, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &reader.r);
	check_eq(rl_trylock_many(lk, many, 3, three), 0);
	rl_unlock_many(lk, many, 3);
}

struct waiter {
	struct rangelock *lk;
	struct rl_range r[2];
	const struct rl_span *spans;
	int result;
};

static void *wait_for_two(void *arg)
{
	struct waiter *w = arg;

	w->result = rl_lock_many(w->lk, w->r, 2, w->spans);
	return NULL;
}

static void ignore(void *arg, const struct rl_range *blocker, int held)
{
	(void)arg;
	(void)blocker;
	check(held);
}

StrictPromise(several, it_waits_for_the_last_of_its_blockers)
{
	struct waiter w = { .lk = lk, .spans = two };
	pthread_t thread;

	fresh();
	check_eq(rl_write_lock(lk, &a, 5, 25), 0);	/* blocks both */
	check_eq(rl_read_lock(lk, &b, 29, 31), 0);	/* blocks one */
	check_eq(pthread_create(&thread, NULL, wait_for_two, &w), 0);
	until(nr_waiting(lk) == 1);
	check_eq(rl_visit_blockers(lk, &w.r[0], ignore, NULL), 3);
	rl_unlock(lk, &a);
	check_eq(nr_waiting(lk), 1);
	rl_unlock(lk, &b);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(w.result, 0);
	check_eq(nr_held(lk), 1);
	rl_unlock_many(lk, w.r, 2);
}

StrictPromise(several, a_cancelled_group_leaves_with_all_its_ranges)
{
	struct waiter w = { .lk = lk, .spans = two };
	pthread_t thread;

	fresh();
	check_eq(rl_write_lock(lk, &a, 5, 6), 0);
	check_eq(pthread_create(&thread, NULL, wait_for_two, &w), 0);
	until(nr_waiting(lk) == 1);
	check_eq(rl_read_submit(lk, &b, 25, 26, NULL), EINPROGRESS);
	check_eq(rl_cancel(lk, &w.r[0]), 0);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(w.result, ECANCELED);
	check_eq(rl_poll(lk, &b), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

Promise(several, spans_that_make_no_sense_are_EINVAL)
{
	struct rl_span bad[RL_MANY_MAX + 1];

	fresh();
	for (uint64_t i = 0; i <= RL_MANY_MAX; i++)
		bad[i] = (struct rl_span){ i, i + 1, RL_READ };
	check_eq(rl_lock_many(lk, many, 0, bad), EINVAL);
	check_eq(rl_lock_many(lk, many, RL_MANY_MAX + 1, bad), EINVAL);
	check_eq(rl_lock_many(NULL, many, 1, bad), EINVAL);
	check_eq(rl_lock_many(lk, NULL, 1, bad), EINVAL);
	check_eq(rl_lock_many(lk, many, 1, NULL), EINVAL);
	check_eq(rl_lock_many(lk, many, RL_MANY_MAX, bad), 0);
	rl_unlock_many(lk, many, RL_MANY_MAX);
	bad[3].end++;
	check_eq(rl_lock_many(lk, many, 3, bad), 0);
	rl_unlock_many(lk, many, 3);
	check_eq(rl_lock_many(lk, many, 5, bad), EINVAL);
	check_eq(rl_trylock_many(lk, many, 5, bad), EINVAL);
	check_eq(rl_lock_many_until(lk, many, 5, bad, 0), EINVAL);
	bad[0].end = 0;
	check_eq(rl_lock_many(lk, many, 2, bad), EINVAL);
}

Promise(several, one_of_one_is_a_lone_range)
{
	fresh();
	check_eq(rl_lock_many(lk, many, 1, two), 0);
	check_eq(rl_narrow(lk, many, 0, 5), 0);
	rl_unlock(lk, many);
	check_eq(rl_read_lock(lk, many, 0, 10), 0);
	rl_unlock_many(lk, many, 1);
}

Promise(several, under_a_coarse_site_the_first_locks_for_all)
{
	static struct rl_site site = RL_SITE_INIT("several_coarse", RL_COARSE);

	fresh();
	check_eq(rl_lock_many_at(lk, many, &site, 2, two), 0);
	check_eq(rl_read_trylock(lk, &a, 100, 101), EBUSY);
	check_eq(rl_lock_many_at(lk, many + 2, NULL, 2, two), EINVAL);
	rl_unlock_many(lk, many, 2);
	check_eq(rl_lock_many_at(lk, many, &site, 1, two), 0);	/* a read */
	check_eq(rl_read_trylock(lk, &a, 100, 101), 0);
	rl_unlock(lk, &a);
	rl_unlock_many(lk, many, 1);
}
