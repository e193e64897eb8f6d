/*
 * Goal: the plan converts first what ends most waiting for each conversion, and
 * says what has ended after each step.
 */
#include "tests/backend.h"

#include "rangelock/lock/site.h"

#define BOTH	(RL_WIDE_WAITER | RL_WIDE_BLOCKER)

static struct rl_site a = RL_SITE_INIT("plan_a", RL_COARSE);
static struct rl_site b = RL_SITE_INIT("plan_b", RL_COARSE);
static struct rl_site c = RL_SITE_INIT("plan_c", RL_COARSE);
static struct rl_plan_step steps[RL_PLAN_STEPS];

static void begin(void)
{
	check_eq(rl_site_register(&a), 0);
	check_eq(rl_site_register(&b), 0);
	check_eq(rl_site_register(&c), 0);
	rl_sites_reset();
}

static void charge(const struct rl_site *waiter, const struct rl_site *blocker,
		   unsigned int wide, uint64_t ns)
{
	rl_charge_wait((uint16_t)waiter->id, (uint16_t)blocker->id, false, wide,
		       ns);
}

Test(site_plan, without_false_waits_there_is_no_step)
{
	begin();
	rl_charge_wait((uint16_t)a.id, (uint16_t)b.id, true, BOTH, 100);
	charge(&a, &b, 0, 100);
	check_eq(rl_sites_plan(steps, RL_PLAN_STEPS), 0);
}

Test(site_plan, the_site_that_ends_most_comes_first)
{
	begin();
	charge(&a, &c, RL_WIDE_WAITER, 10);
	charge(&c, &b, RL_WIDE_BLOCKER, 30);
	check_eq(rl_sites_plan(steps, RL_PLAN_STEPS), 2);
	check_eq(steps[0].id, b.id);
	check_eq(steps[0].removed_ns, 30);
	check_eq(steps[1].id, a.id);
	check_eq(steps[1].removed_ns, 40);
}

Test(site_plan, two_that_end_more_together_come_before_one_that_ends_less)
{
	begin();
	charge(&a, &b, BOTH, 100);
	charge(&b, &a, RL_WIDE_WAITER, 4);
	charge(&c, &c, BOTH, 20);
	check_eq(rl_sites_plan(steps, RL_PLAN_STEPS), 3);
	check_eq(steps[0].id, b.id);	/* the one that ends something alone */
	check_eq(steps[0].removed_ns, 4);
	check_eq(steps[1].id, a.id);
	check_eq(steps[1].removed_ns, 104);
	check_eq(steps[2].id, c.id);
	check_eq(steps[2].removed_ns, 124);
}

Test(site_plan, a_site_that_waits_for_itself_is_one_conversion)
{
	begin();
	charge(&a, &a, BOTH, 50);
	check_eq(rl_sites_plan(steps, RL_PLAN_STEPS), 1);
	check_eq(steps[0].id, a.id);
	check_eq(steps[0].removed_ns, 50);
}

Test(site_plan, it_stops_at_the_room_that_there_is)
{
	begin();
	charge(&a, &b, BOTH, 50);
	check_eq(rl_sites_plan(steps, 1), 1);
}
