/*
 * Goal: the checker of D1 accepts what is right and sees each counter, each
 * conflict and each stance that is wrong.
 */
#include "tests/arbitration.h"

static struct hand h;

static void one_holds_two_wait(void)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 5, 15), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 5, 15), EINPROGRESS);
	check(rl_arbiter_is_valid(&h.lk.central));
}

static void see_wrong_count(uint32_t *count)
{
	one_holds_two_wait();
	++*count;
	check(!rl_arbiter_is_valid(&h.lk.central));
	*count -= 2;
	check(!rl_arbiter_is_valid(&h.lk.central));
	++*count;
	check(rl_arbiter_is_valid(&h.lk.central));
	hand_end(&h);
}

Test(check, a_wrong_count_of_blockers_is_seen)
{
	see_wrong_count(&h.r[1].nr_blockers);
	see_wrong_count(&h.r[2].nr_blockers);
	see_wrong_count(&h.r[1].nr_held_blockers);
	see_wrong_count(&h.r[2].nr_held_blockers);
}

Test(check, a_wrong_number_of_waiters_is_seen)
{
	see_wrong_count(&h.lk.central.nr_waiting);
}

Test(check, two_holders_that_conflict_are_seen)
{
	one_holds_two_wait();
	h.r[1].flags ^= RL_F_HELD | RL_F_WAITING;
	h.lk.central.nr_waiting--;
	h.r[2].nr_held_blockers++;
	check(!rl_arbiter_is_valid(&h.lk.central));
	h.r[1].flags ^= RL_F_HELD | RL_F_WAITING;
	h.lk.central.nr_waiting++;
	h.r[2].nr_held_blockers--;
	hand_end(&h);
}

Test(check, who_neither_holds_nor_waits_is_seen)
{
	one_holds_two_wait();
	h.r[2].flags ^= RL_F_WAITING;
	check(!rl_arbiter_is_valid(&h.lk.central));
	h.r[2].flags ^= RL_F_WAITING;
	hand_end(&h);
}

Test(check, a_broken_tree_is_seen)
{
	one_holds_two_wait();
	h.lk.central.root->max_end++;
	check(!rl_arbiter_is_valid(&h.lk.central));
	h.lk.central.root->max_end--;
	hand_end(&h);
}

Test(check, an_empty_arbiter_is_valid)
{
	struct rl_arbiter a = { .guard = 0 };

	check(rl_arbiter_is_valid(&a));
}
