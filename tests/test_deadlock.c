/*
 * Goal: the search says yes exactly when a chain of waiters leads from a request
 * to one of its owner's, and leaves no mark on those whom it visited.
 */
#include "tests/arbitration.h"

static struct hand h;

static bool would(unsigned int i, uint64_t owner)
{
	bool found = rl_would_deadlock(&h.pass, &h.r[i], owner);

	for (unsigned int k = 0; k < NR_HANDS; k++)
		check(!(h.r[k].flags & RL_F_VISITED));
	return found;
}

Test(deadlock, direct_and_through_any_number_of_waiters)
{
	hand_begin(&h, 0);		/* owner of r[i] is i + 1 */
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	for (unsigned int i = 1; i < NR_HANDS; i++)
		check_eq(hand_enter(&h, i, RL_WRITE, 10 * i - 1, 10 * i + 10),
			 EINPROGRESS);
	for (unsigned int i = 1; i < NR_HANDS; i++) {
		for (uint64_t owner = 1; owner <= i; owner++)
			check(would(i, owner));
		check(!would(i, NR_HANDS + 1));
		check(!would(i, i + 1));	/* itself is no blocker */
	}
	check(!would(1, 3));			/* later ones are none */
	hand_end(&h);
}

Test(deadlock, nobody_owns_nothing)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	h.r[0].owner = RL_NOBODY;
	check_eq(hand_enter(&h, 1, RL_WRITE, 0, 10), EINPROGRESS);
	check(!would(1, RL_NOBODY));
	hand_end(&h);
}

Test(deadlock, readers_that_share_are_no_blockers)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 8, 20), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 0, 9), EINPROGRESS);
	check(would(2, 1));			/* by the writer */
	rl_arbiter_leave(&h.pass, &h.r[1]);
	check(hand_holds(&h, 2));
	hand_end(&h);
}

Test(deadlock, holders_are_not_searched_any_further)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 20, 30), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 25, 40), EINPROGRESS);
	check(!would(2, 1));
	check(would(2, 2));
	hand_end(&h);
}
