/*
 * Goal: the checker of D1 accepts what is right and sees each counter, each
 * conflict and each stance that is wrong, and entries that are not alone.
 */
#include "tests/arbitration.h"

#include "rangelock/engine/entries.h"

static struct hand h;

static void one_holds_two_wait(void)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_READ, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 5, 15), EINPROGRESS);
	check_eq(hand_enter(&h, 2, RL_READ, 5, 15), EINPROGRESS);
	check(rl_arbiter_is_valid(&h.lk, &h.lk.central));
}

static void see_wrong_count(uint32_t *count)
{
	one_holds_two_wait();
	++*count;
	check(!rl_arbiter_is_valid(&h.lk, &h.lk.central));
	*count -= 2;
	check(!rl_arbiter_is_valid(&h.lk, &h.lk.central));
	++*count;
	check(rl_arbiter_is_valid(&h.lk, &h.lk.central));
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
	check(!rl_arbiter_is_valid(&h.lk, &h.lk.central));
	h.r[1].flags ^= RL_F_HELD | RL_F_WAITING;
	h.lk.central.nr_waiting++;
	h.r[2].nr_held_blockers--;
	hand_end(&h);
}

Test(check, who_neither_holds_nor_waits_is_seen)
{
	one_holds_two_wait();
	h.r[2].flags ^= RL_F_WAITING;
	check(!rl_arbiter_is_valid(&h.lk, &h.lk.central));
	h.r[2].flags ^= RL_F_WAITING;
	hand_end(&h);
}

Test(check, a_broken_tree_is_seen)
{
	one_holds_two_wait();
	h.lk.central.root->max_end++;
	check(!rl_arbiter_is_valid(&h.lk, &h.lk.central));
	h.lk.central.root->max_end--;
	hand_end(&h);
}

/* ---- Entries: N1 and N2 (entries.h) ---- */

static void fill(unsigned int i, struct rl_range *r, enum rl_mode mode,
		 uint64_t start, uint64_t end)
{
	rl_entry_fill(&h.lk.central, i, r, start, (uint32_t)(end - start),
		      mode);
}

static bool is_valid(void)
{
	return rl_arbiter_is_valid(&h.lk, &h.lk.central);
}

Test(check, an_entry_in_conflict_with_a_holder_or_a_waiter_is_seen)
{
	struct rl_range r = RL_RANGE_INIT;

	one_holds_two_wait();			/* up to 10, and up to 15 */
	fill(0, &r, RL_READ, 15, 20);
	check(is_valid());
	fill(0, &r, RL_READ, 14, 20);		/* the waiting writer */
	check(!is_valid());
	fill(0, &r, RL_WRITE, 0, 1);		/* the holder */
	check(!is_valid());
	fill(0, &r, RL_READ, 0, 1);
	check(is_valid());
	check(rl_entry_free(r.entry, rl_range_arbiter(&r)) == false);	/* two wait: it is slow */
	hand_end(&h);
}

Test(check, two_entries_in_conflict_are_seen)
{
	struct rl_range x = RL_RANGE_INIT, y = RL_RANGE_INIT;

	hand_begin(&h, 0);
	fill(0, &x, RL_READ, 0, 10);
	fill(1, &y, RL_READ, 9, RL_END);
	check(is_valid());
	fill(1, &y, RL_WRITE, 9, RL_END);
	check(!is_valid());
	fill(1, &y, RL_WRITE, 10, RL_END);
	check(is_valid());
	check(rl_entry_free(x.entry, rl_range_arbiter(&x)));
	check(rl_entry_free(y.entry, rl_range_arbiter(&y)));
	hand_end(&h);
}

Test(check, an_arbiter_that_should_be_slow_and_is_not_is_seen)
{
	const uint32_t reasons[] = { RL_PIN, RL_MOVED(0), RL_MOVED(1),
				     RL_CLOSED, RL_STAYS_SLOW };
	uint32_t *guard = &h.lk.central.guard;

	one_holds_two_wait();
	check(is_valid());
	rl_guard_set_flags(guard, 0);
	check(!is_valid());
	rl_guard_set_flags(guard, RL_SLOW);
	hand_end(&h);

	for (unsigned int i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		hand_begin(&h, 0);
		rl_guard_set_flags(guard, reasons[i]);
		check(!is_valid());
		rl_guard_set_flags(guard, reasons[i] | RL_SLOW);
		check(is_valid());
		rl_guard_set_flags(guard, RL_CALM_ONE);	/* is no reason */
		check(is_valid());
		rl_guard_set_flags(guard, 0);
		hand_end(&h);
	}
}

Test(check, an_empty_arbiter_is_valid)
{
	struct rangelock lk = RANGELOCK_INIT;

	check(rl_arbiter_is_valid(&lk, &lk.central));
}
