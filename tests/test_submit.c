/*
 * Goal: a submitted request says what has become of it to whoever asks, as often
 * as he asks, and never makes anybody wait.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "rangelock/engine/request.h"

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range a, b, c;

Test(submit, a_poll_says_queued_then_held)
{
	check_eq(rl_write_submit(&lk, &a, 0, 10, NULL), 0);
	check_eq(rl_poll(&lk, &a), 0);
	check_eq(rl_read_submit(&lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_poll(&lk, &b), EINPROGRESS);
	check_eq(rl_poll(&lk, &b), EINPROGRESS);
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	check_eq(rl_wait(&lk, &b), 0);
	check_eq(rl_wait_until(&lk, &b, 0), 0);
	rl_unlock(&lk, &b);
}

Test(submit, a_cancelled_one_can_be_submitted_again)
{
	check_eq(rl_write_submit_coarse(&lk, &a, NULL), 0);
	for (unsigned int i = 0; i < 3; i++) {
		check_eq(rl_read_submit_coarse(&lk, &b, NULL), EINPROGRESS);
		check_eq(rl_cancel(&lk, &b), 0);
		if (i == 1)
			check_eq(rl_poll(&lk, &b), ECANCELED);
		if (i == 2)
			check_eq(rl_wait(&lk, &b), ECANCELED);
	}
	rl_unlock(&lk, &a);
	check_eq(rl_read_submit_coarse(&lk, &b, NULL), 0);
	rl_unlock(&lk, &b);
}

static void called(struct rl_range *r)
{
	(void)r;
}

/* Who waits in a circle with it has to know. */
Test(submit, one_without_a_callback_forgets_that_of_its_handle)
{
	check_eq(rl_write_submit(&lk, &a, 3, 9, called), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_write_submit(&lk, &a, 3, 9, NULL), 0);
	check(!a.granted);
	rl_unlock(&lk, &a);
}

Test(submit, each_call_asks_for_what_its_name_says)
{
	check_eq(rl_read_submit(&lk, &a, 3, 9, NULL), 0);
	check_eq(rl_range_mode(&a), RL_READ);
	check_eq(rl_read_submit_coarse(&lk, &b, NULL), 0);
	check_eq(rl_range_grain(&b), RL_COARSE);
	check_eq(rl_range_mode(&b), RL_READ);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	check_eq(rl_write_submit(&lk, &a, 3, 9, NULL), 0);
	check_eq(rl_range_mode(&a), RL_WRITE);
	rl_unlock(&lk, &a);
	check_eq(rl_write_submit_coarse(&lk, &b, NULL), 0);
	check_eq(rl_range_grain(&b), RL_COARSE);
	check_eq(rl_range_mode(&b), RL_WRITE);
	rl_unlock(&lk, &b);
}

Test(submit, arguments_that_are_missing_are_EINVAL)
{
	check_eq(rl_read_submit(NULL, &a, 0, 1, NULL), EINVAL);
	check_eq(rl_write_submit(&lk, NULL, 0, 1, NULL), EINVAL);
	check_eq(rl_write_submit(&lk, &a, 1, 1, NULL), EINVAL);
	check_eq(rl_cancel(&lk, NULL), EINVAL);
	check_eq(rl_wait(NULL, &a), EINVAL);
	check_eq(rl_poll(&lk, NULL), EINVAL);
}

Test(submit, who_waits_becomes_the_owner_unless_it_would_never_end)
{
	uint64_t self = rl_self(&lk);

	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(&lk, &b, 0, 10, NULL), EINPROGRESS);
	b.owner = 77;
	check_eq(rl_wait(&lk, &b), EDEADLK);
	check_eq(b.owner, 77);
	rl_give(&lk, &a, RL_NOBODY);
	check_eq(rl_write_submit(&lk, &c, 0, 1, NULL), EINPROGRESS);
	check_eq(rl_wait_until(&lk, &b, 0), ETIMEDOUT);
	check_eq(b.owner, self);
	rl_unlock(&lk, &a);
	check_eq(rl_wait(&lk, &c), 0);
	rl_unlock(&lk, &c);
	check_eq(rl_destroy(&lk), 0);
}
