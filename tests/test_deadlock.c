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

static bool never(struct rl_firm *firm, const struct rl_range *holder)
{
	(void)firm;
	(void)holder;
	return false;
}

Test(deadlock, a_search_for_holders_ends_when_its_looks_are_used_up)
{
	struct rl_firm firm = { .visit = never, .nr_looks = 3 };

	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 2, RL_WRITE, 0, 10), EINPROGRESS);
	check(!rl_visit_firm(&h.pass, &h.r[2], &firm));	/* they and it */
	check_eq(firm.nr_looks, 0);
	firm.nr_looks = 2;
	check(rl_visit_firm(&h.pass, &h.r[2], &firm));
	check_eq(firm.nr_looks, 0);
	firm.nr_looks = 4;
	check(!rl_visit_firm(&h.pass, &h.r[2], &firm));
	check_eq(firm.nr_looks, 1);
	hand_end(&h);
}

/* By the definition, without a thought about who was looked through already. */
static bool leads_to(unsigned int i, uint64_t owner)
{
	for (unsigned int k = 0; k < NR_HANDS; k++) {
		if (!(h.r[k].flags & (RL_F_HELD | RL_F_WAITING)) ||
		    !rl_blocks(&h.r[k], &h.r[i]))
			continue;
		if (h.r[k].owner == owner ||
		    (h.r[k].flags & RL_F_WAITING && leads_to(k, owner)))
			return true;
	}
	return false;
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (*state >> 33) % below;
}

Test(deadlock, it_says_what_the_definition_says)
{
	uint64_t state = test_seed(), nr_found = 0;

	for (uint64_t rounds = test_rounds(20000); rounds; rounds--) {
		hand_begin(&h, 0);
		for (unsigned int i = 0; i < NR_HANDS; i++) {
			uint64_t start = draw(&state, 12);
			int error = hand_enter(&h, i, (enum rl_mode)draw(&state, 2),
					       start, start + 1 + draw(&state, 8));

			check(error == 0 || error == EINPROGRESS);
		}
		for (unsigned int i = 0; i < NR_HANDS; i++)
			for (uint64_t owner = 1; owner <= NR_HANDS; owner++) {
				if (!(h.r[i].flags & RL_F_WAITING))
					continue;
				check_eq(would(i, owner), leads_to(i, owner));
				nr_found += leads_to(i, owner);
			}
		hand_end(&h);
	}
	check_lt(0, nr_found);
}
