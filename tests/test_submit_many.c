/*
 * Goal: several ranges that are submitted at once are held at one instant, when
 * the last of those who hold parts of them is gone, and can be cancelled whole.
 */
#include "tests/backend.h"

#include <errno.h>

#include <rangelock.h>
#include <rangelock/site.h>

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range one, other, pair[2], probe;
static struct rl_site site = RL_SITE_INIT("submit_many", RL_FINE);

static const struct rl_span spans[] = {
	{ 10, 20, RL_WRITE },
	{ 30, 40, RL_WRITE },
};

Test(submit_many, free_ranges_are_held_at_once)
{
	check_eq(rl_submit_many(&lk, pair, 2, spans), 0);
	check_eq(rl_write_trylock(&lk, &probe, 19, 20), EBUSY);
	check_eq(rl_write_trylock(&lk, &probe, 20, 30), 0);
	rl_unlock(&lk, &probe);
	rl_unlock_many(&lk, pair, 2);
	check_eq(rl_destroy(&lk), 0);
}

static void count(void *arg, const struct rl_range *blocker, int held)
{
	(void)blocker;
	*(int *)arg += held;
}

Test(submit_many, nothing_is_held_until_everything_is)
{
	int nr_holders = 0;

	check_eq(rl_read_lock(&lk, &one, 5, 15), 0);
	check_eq(rl_read_lock(&lk, &other, 35, 36), 0);
	check_eq(rl_submit_many_at(&lk, pair, &site, 2, spans), EINPROGRESS);
	check_eq(rl_visit_blockers(&lk, pair, count, &nr_holders), 2);
	check_eq(nr_holders, 2);
	rl_unlock(&lk, &one);
	check_eq(rl_poll(&lk, pair), EINPROGRESS);
	rl_unlock(&lk, &other);
	check_eq(rl_poll(&lk, pair), 0);
	check_eq(rl_wait(&lk, pair), 0);
	rl_unlock_many(&lk, pair, 2);
	check_eq(rl_destroy(&lk), 0);
}

Test(submit_many, a_cancel_withdraws_all)
{
	check_eq(rl_read_lock(&lk, &one, 5, 15), 0);
	check_eq(rl_submit_many(&lk, pair, 2, spans), EINPROGRESS);
	check_eq(rl_cancel(&lk, pair), 0);
	check_eq(rl_poll(&lk, pair), ECANCELED);
	check_eq(rl_write_trylock(&lk, &probe, 30, 40), 0);
	rl_unlock(&lk, &probe);
	rl_unlock(&lk, &one);
	check_eq(rl_destroy(&lk), 0);
}

Test(submit_many, bad_arguments_are_refused)
{
	static const struct rl_span bad[] = {
		{ 10, 20, RL_WRITE }, { 19, 40, RL_WRITE },
	};

	check_eq(rl_submit_many(&lk, pair, 2, bad), EINVAL);
	check_eq(rl_submit_many(&lk, pair, 0, spans), EINVAL);
	check_eq(rl_submit_many_at(&lk, pair, NULL, 2, spans), EINVAL);
}
