/*
 * Goal: a request is filled from what its caller asks for, and a trylock that
 * meets a taken guard gives up without a trace.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/base/spin.h"
#include "rangelock/lock/ask.h"

Test(ask, a_fine_request_locks_what_it_declares)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	rl_fill_range(&lk, &r, &RL_ASK(3, 7, RL_WRITE, RL_TRY));
	check_eq(r.node.start, 3);
	check_eq(r.node.end, 7);
	check_eq(r.declared_start, 3);
	check_eq(r.declared_end, 7);
	check_eq(r.mode, RL_WRITE);
	check_eq(r.owner, rl_self(&lk));
	check_eq(rl_range_grain(&r), RL_FINE);
	check_eq(r.lock_tag, rl_lock_tag(&lk));
}

Test(ask, other_grains_lock_everything)
{
	struct rl_ask ask = RL_ASK(3, 7, RL_READ, RL_TRY);
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	ask.grain = RL_SHADOW;
	rl_fill_range(&lk, &r, &ask);
	check_eq(r.node.start, 0);
	check_eq(r.node.end, RL_END);
	check_eq(r.declared_start, 3);
	check_eq(r.declared_end, 7);
}

Test(ask, a_used_handle_is_filled_as_a_fresh_one)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r;

	memset(&r, 0xff, sizeof(r));
	r.state = RL_IDLE;
	check_eq(rl_write_lock(&lk, &r, 0, 1), 0);
	check_eq(r.site, 0);
	check(!rl_range_is_several(&r));
	rl_unlock(&lk, &r);
	r.state = RL_CANCELED;
	check_eq(rl_read_lock(&lk, &r, 0, 1), 0);
	rl_unlock(&lk, &r);
}

Test(ask, a_trylock_gives_up_on_a_guard_that_stays_taken)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	rl_guard_lock(&lk.central.guard, NULL);
	check_eq(rl_read_trylock(&lk, &r, 0, 1), EBUSY);
	check_eq(rl_write_trylock_coarse(&lk, &r), EBUSY);
	check_eq(rl_load_relaxed(&lk.central.guard), RL_GUARD_TAKEN);
	rl_guard_unlock(&lk.central.guard);
	check_eq(rl_read_trylock(&lk, &r, 0, 1), 0);
	rl_unlock(&lk, &r);
}

/* As where the kernel refuses membarrier(2). */
Test(ask, without_a_barrier_everybody_stands_in_the_tree)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	uint32_t usable = rl_load_relaxed(&rl_barrier_usable);

	rl_store_relaxed(&rl_barrier_usable, 0);
	check_eq(rl_write_lock(&lk, &a, 0, 1), 0);
	check_eq(rl_read_lock(&lk, &b, 1, 2), 0);
	check_eq(a.state, RL_HELD);
	check_eq(b.state, RL_HELD);
	check(!rl_entries_are_used(&lk.central));
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	rl_store_relaxed(&rl_barrier_usable, usable);
	check_eq(rl_destroy(&lk), 0);
}
