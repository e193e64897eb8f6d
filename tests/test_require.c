/*
 * Goal: a condition that holds costs nothing; one that does not prints file, line
 * and itself, then aborts.
 */
#include "tests/conformance/engines.h"

#include "rangelock/base/require.h"

Test(require, what_holds_goes_on)
{
	int evaluated = 0;

	RL_REQUIRE(++evaluated == 1);
	RL_INVARIANT(evaluated == 1);
	check_eq(evaluated, 1);
}

static void break_a_duty(void *arg)
{
	RL_REQUIRE(arg != NULL);
}

static void fail_at_a_place(void *arg)
{
	rl_fail_range("caller.c", 42, arg, 16, 32);
}

Test(require, what_does_not_hold_says_so_and_aborts)
{
	check_aborts(break_a_duty, NULL, "broken: arg != NULL");
	check_aborts(break_a_duty, NULL, "test_require.c:");
	check_aborts(fail_at_a_place, "held",
		     "caller.c:42: broken: held [0x10, 0x20)");
}

Test(require, a_broken_duty_is_a_SIGABRT, .signal = SIGABRT)
{
	break_a_duty(NULL);
}
