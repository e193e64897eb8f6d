/*
 * Goal: each of the lock calls asks for the mode, grain and patience of its name,
 * and one unlock undoes them all.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "rangelock/engine/entries.h"

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range a, b;

/* What r, just locked, is; then let it go. */
static void check_is(int error, enum rl_mode mode, enum rl_grain grain)
{
	check_eq(error, 0);
	check_eq(rl_range_mode(&a), mode);
	check_eq(rl_range_grain(&a), grain);
	check_eq(a.state, RL_INLINE);		/* nobody else is there */
	check_eq(a.entry, &lk.central.entry_holder[0]);
	check_eq(lk.central.entry_start[0], grain == RL_FINE ? 3 : 0);
	check_eq(rl_entry_end(&lk.central, 0), grain == RL_FINE ? 9 : RL_END);
	check_eq(rl_entry_range(lk.central.entry_holder[0]), &a);
	check_eq(lk.central.entry_holder[0] & 1, mode == RL_WRITE);
	rl_unlock(&lk, &a);
	check_eq(lk.central.entry_holder[0], 0);
	check_eq(lk.central.root, (struct rl_node *)NULL);
}

Test(lock, each_call_asks_for_what_its_name_says)
{
	check_is(rl_read_lock(&lk, &a, 3, 9), RL_READ, RL_FINE);
	check_is(rl_write_lock(&lk, &a, 3, 9), RL_WRITE, RL_FINE);
	check_is(rl_read_trylock(&lk, &a, 3, 9), RL_READ, RL_FINE);
	check_is(rl_write_trylock(&lk, &a, 3, 9), RL_WRITE, RL_FINE);
	check_is(rl_read_lock_until(&lk, &a, 3, 9, 0), RL_READ, RL_FINE);
	check_is(rl_write_lock_until(&lk, &a, 3, 9, 0), RL_WRITE, RL_FINE);
	check_is(rl_read_lock_coarse(&lk, &a), RL_READ, RL_COARSE);
	check_is(rl_write_lock_coarse(&lk, &a), RL_WRITE, RL_COARSE);
	check_is(rl_read_trylock_coarse(&lk, &a), RL_READ, RL_COARSE);
	check_is(rl_write_trylock_coarse(&lk, &a), RL_WRITE, RL_COARSE);
	check_is(rl_read_lock_coarse_until(&lk, &a, 0), RL_READ, RL_COARSE);
	check_is(rl_write_lock_coarse_until(&lk, &a, 0), RL_WRITE, RL_COARSE);
}

Test(lock, the_ends_of_the_space_can_be_locked)
{
	check_eq(rl_write_lock(&lk, &a, 0, 1), 0);
	check_eq(rl_write_lock(&lk, &b, RL_END - 1, RL_END), 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	check_eq(rl_write_lock(&lk, &a, 0, RL_END), 0);
	check_eq(rl_read_trylock(&lk, &b, RL_END - 1, RL_END), EBUSY);
	rl_unlock(&lk, &a);
}

Test(lock, an_unlock_with_others_waiting_takes_the_long_way_to_the_same_end)
{
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_submit(&lk, &b, 0, 10, NULL), EINPROGRESS);
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	rl_unlock(&lk, &b);
	check_eq(lk.central.root, (struct rl_node *)NULL);
	check_eq(lk.central.nr_waiting, 0);
	check_eq(rl_destroy(&lk), 0);
}

Test(lock, self_and_now_need_no_lock)
{
	check_eq(rl_self(NULL), rl_self(&lk));
	check_ne(rl_now(NULL), 0);
}
