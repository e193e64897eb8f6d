/*
 * Goal: each transition changes the blocker counts of the others by exactly the
 * difference that it makes to D1, up as well as down.
 */
#include "tests/arbitration.h"

#define LAX	(UINT64_C(1) << 62)

static struct hand h;

Test(arbiter, entering_counts_the_holders_and_the_earlier_waiters)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 5, 20), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 8, 12), EINPROGRESS);
	check_eq(hand_enter(&h, 3, RL_READ, 11, 30), EINPROGRESS);
	check_eq(hand_enter(&h, 4, RL_WRITE, 0, 30), EINPROGRESS);
	hand_counts(&h, 2, 2, 2);
	hand_counts(&h, 3, 1, 0);
	hand_counts(&h, 4, 4, 2);
	hand_end(&h);
}

Test(arbiter, a_grant_turns_a_waiting_blocker_into_a_held_one)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 0, 10), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 0, 10), EINPROGRESS);
	hand_counts(&h, 2, 2, 1);
	rl_arbiter_leave(&h.pass, &h.r[0]);
	check(hand_holds(&h, 1));
	hand_counts(&h, 2, 1, 1);
	check_eq(h.pass.granted, &h.r[1]);
	hand_end(&h);
}

Test(arbiter, who_is_passed_counts_who_passed_him)
{
	hand_begin(&h, LAX);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 5, 20), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_WRITE, 15, 18), 0);	/* by bypass */
	hand_counts(&h, 1, 2, 2);
	rl_arbiter_leave(&h.pass, &h.r[0]);
	hand_counts(&h, 1, 1, 1);
	rl_arbiter_leave(&h.pass, &h.r[2]);
	check(hand_holds(&h, 1));
	hand_end(&h);
}

Test(arbiter, a_waiter_that_may_pass_is_granted_past_an_earlier_one)
{
	hand_begin(&h, LAX);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 20, 30), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 5, 25), EINPROGRESS);
	check_eq(hand_enter(&h, 3, RL_WRITE, 22, 24), EINPROGRESS);
	hand_counts(&h, 3, 2, 1);
	rl_arbiter_leave(&h.pass, &h.r[1]);
	check(hand_holds(&h, 3));
	hand_counts(&h, 2, 2, 2);
	hand_end(&h);
}

Test(arbiter, an_upgrade_adds_itself_to_readers_who_never_counted_it)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 5, 15), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 5, 6), EINPROGRESS);
	hand_counts(&h, 2, 1, 0);
	rl_arbiter_change(&h.pass, &h.r[0], RL_WRITE, 0, 10);
	hand_counts(&h, 1, 1, 1);
	hand_counts(&h, 2, 2, 1);
	rl_arbiter_change(&h.pass, &h.r[0], RL_READ, 0, 10);
	hand_counts(&h, 1, 1, 1);
	hand_counts(&h, 2, 1, 0);
	hand_end(&h);
}

Test(arbiter, extending_adds_and_narrowing_takes)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 20, 30), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 15, 25), EINPROGRESS);
	hand_counts(&h, 2, 1, 1);
	rl_arbiter_change(&h.pass, &h.r[0], RL_READ, 0, 16);
	hand_counts(&h, 2, 2, 2);
	rl_arbiter_change(&h.pass, &h.r[1], RL_READ, 25, 30);
	hand_counts(&h, 2, 1, 1);
	rl_arbiter_change(&h.pass, &h.r[0], RL_READ, 3, 15);
	check(hand_holds(&h, 2));
	hand_end(&h);
}

Test(arbiter, a_waiter_that_leaves_takes_only_from_those_who_counted_it)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 0, 10), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 0, 10), EINPROGRESS);
	check_eq(hand_enter(&h, 3, RL_WRITE, 0, 10), EINPROGRESS);
	hand_counts(&h, 3, 3, 1);
	rl_arbiter_leave(&h.pass, &h.r[1]);
	hand_counts(&h, 2, 1, 1);
	hand_counts(&h, 3, 2, 1);
	rl_arbiter_leave(&h.pass, &h.r[3]);
	hand_counts(&h, 2, 1, 1);
	hand_end(&h);
}

Test(arbiter, a_pair_that_meets_in_two_nodes_counts_twice_and_leaves_twice)
{
	struct rl_range *g = &h.r[4];

	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 100), 0);
	for (unsigned int i = 0; i < 2; i++) {
		g[i].node.start = g[i].declared_start = 10 + 20 * i;
		g[i].node.end = g[i].declared_end = 20 + 20 * i;
		g[i].mode = RL_WRITE;
		g[i].group = (uint8_t)(i ? 1 : 2);
	}
	g->flags = RL_F_LEADER | RL_FINE;
	g->owner = 9;
	check_eq(rl_arbiter_enter(&h.pass, g, RL_SUBMIT), EINPROGRESS);
	check_eq(g->nr_blockers, 2);
	check_eq(h.lk.central.nr_waiting, 1);
	check_eq(hand_enter(&h, 1, RL_READ, 15, 35), EINPROGRESS);
	hand_counts(&h, 1, 3, 1);
	rl_arbiter_change(&h.pass, &h.r[0], RL_WRITE, 0, 20);
	check_eq(g->nr_blockers, 1);
	hand_counts(&h, 1, 3, 1);
	rl_arbiter_leave(&h.pass, &h.r[0]);
	check(g->flags & RL_F_HELD);
	hand_counts(&h, 1, 2, 2);
	rl_arbiter_leave(&h.pass, g);
	check(hand_holds(&h, 1));
	hand_end(&h);
}

Test(arbiter, whom_one_leave_frees_are_granted_in_order_of_arrival)
{
	unsigned int want = 1;

	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 100), 0);
	for (unsigned int i = 1; i < NR_HANDS; i++)
		check_eq(hand_enter(&h, i, RL_WRITE, 10 * (3 * i % 7),
				    10 * (3 * i % 7) + 5), EINPROGRESS);
	rl_arbiter_leave(&h.pass, &h.r[0]);
	for (struct rl_range *r = h.pass.granted; r; r = r->next)
		check_eq(r, &h.r[want++]);
	check_eq(want, NR_HANDS);
	hand_end(&h);
}

Test(arbiter, trying_leaves_nothing_behind)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	h.r[1] = h.r[0];
	h.r[1].flags = RL_FINE;
	check_eq(rl_arbiter_enter(&h.pass, &h.r[1], RL_TRY), EBUSY);
	check_eq(h.r[1].flags, RL_FINE);
	check_eq(h.lk.central.nr_waiting, 0);
	h.r[1].owner = 7;
	check_eq(rl_arbiter_enter(&h.pass, &h.r[1], RL_BLOCK), EINPROGRESS);
	h.r[2] = h.r[0];
	h.r[2].flags = RL_FINE;
	h.r[2].owner = 7;
	check_eq(rl_arbiter_enter(&h.pass, &h.r[2], RL_BLOCK), EDEADLK);
	check_eq(h.r[2].flags, RL_FINE);
	check_eq(h.lk.central.nr_waiting, 1);
	hand_end(&h);
}

Test(arbiter, what_could_change_is_said_without_changing_it)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 20, 30), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 8, 25), EINPROGRESS);
	check(rl_arbiter_can_change(&h.pass, &h.r[0], RL_WRITE, 0, 10));
	check(!rl_arbiter_can_change(&h.pass, &h.r[0], RL_WRITE, 0, 21));
	/* r[2] waits for both already: nobody is passed. */
	check(rl_arbiter_can_change(&h.pass, &h.r[0], RL_READ, 0, 21));
	check_eq(hand_enter(&h, 3, RL_WRITE, 28, 40), EINPROGRESS);
	check(!rl_arbiter_can_change(&h.pass, &h.r[0], RL_READ, 0, 40));
	check(rl_arbiter_can_change(&h.pass, &h.r[1], RL_READ, 20, 40));
	hand_counts(&h, 2, 2, 2);
	hand_counts(&h, 3, 1, 1);
	hand_end(&h);
}
