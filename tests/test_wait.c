/*
 * Goal: a wait ends as those who end it agreed under the guard, whichever of the
 * two words, state or deadline, is looked at first.  (The same races through the
 * interface, with each step in a chosen place: conformance/test_hosts.c.)
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/engine/request.h"
#include "rangelock/engine/wait.h"

static struct rangelock lk;
static struct rl_range a, b;

static void start(void)
{
	memset(&lk, 0, sizeof(lk));
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(&lk, &b, 0, 10, NULL), EINPROGRESS);
}

static void end(struct rl_range *held)
{
	rl_unlock(&lk, held);
	check_eq(rl_destroy(&lk), 0);
}

Test(wait, a_grant_that_is_there_already_is_seen_before_the_deadline)
{
	start();
	rl_unlock(&lk, &a);
	check_eq(rl_await(&lk, &b, 0, true), 0);
	end(&b);
}

Test(wait, a_cancel_that_is_there_already_is_seen_and_stays)
{
	start();
	check_eq(rl_withdraw(&lk, &b), 0);
	check_eq(rl_load_relaxed(&b.state), RL_CANCELED);
	check_eq(rl_await(&lk, &b, 0, true), ECANCELED);
	check_eq(rl_await(&lk, &b, 0, true), ECANCELED);
	end(&a);
}

Test(wait, a_late_waiter_is_idle_and_in_no_tree)
{
	start();
	check_eq(rl_await(&lk, &b, 0, true), ETIMEDOUT);
	check_eq(rl_load_relaxed(&b.state), RL_IDLE);
	check_eq(lk.central.nr_waiting, 0);
	check_eq(lk.central.root, &a.node);
	end(&a);
}

Test(wait, withdrawing_says_what_it_found)
{
	start();
	check_eq(rl_withdraw(&lk, &a), EBUSY);
	check_eq(rl_withdraw(&lk, &b), 0);
	check_eq(rl_withdraw(&lk, &b), EINVAL);
	end(&a);
}
