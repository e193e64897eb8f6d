/*
 * Goal: in a forest the same holds of the central arbiter (O1 in entries.h), while
 * shards close and open around it.
 */
#include "tests/passing.h"

/* Somebody sleeps on [8, 24), across two chunks, and was called. */
static void start_across(void)
{
	start(CHUNK);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	rl_unlock(&lk, &sleeper);
	rl_range_init(&holder);
	check_eq(rl_write_lock(&lk, &holder, 8, 24), 0);
	submit_asleep(&sleeper, 8, 24);
	nr_wakes = 0;
}

static uint32_t shard_of_chunk(uint64_t chunk)
{
	return rl_shard_of_chunk(&lk.geometry, chunk);
}

Test(open, who_becomes_wide_beside_an_open_centre_moves_the_passer)
{
	start_across();
	let_holder_go();
	check_eq(rl_write_lock(&lk, &other, 5 * CHUNK, 5 * CHUNK + 4), 0);
	check_eq(rl_write_lock(&lk, &passer, 8, 20), 0);
	check_eq(rl_tryextend(&lk, &other, 5 * CHUNK, 7 * CHUNK), 0);
	check_eq(sleeper.nr_held_blockers, 1);
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, no_shard_opens_beside_an_open_centre)
{
	struct rl_arbiter *shard;

	start_across();
	shard = rl_lock_arbiter(&lk, 1 + shard_of_chunk(5));
	rl_forest_close(&lk, shard_of_chunk(5));
	let_holder_go();
	check_eq(rl_is_open(&lk.central), rl_barrier_is_usable());
	rl_forest_open(&lk, shard_of_chunk(5));
	check_eq(rl_shard_is_closed(shard), rl_barrier_is_usable());
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, a_shard_where_nobody_waits_closes_beside_an_open_centre)
{
	bool is_fast = rl_barrier_is_usable();

	start_across();
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 20, 24), 0);
	check_eq(rl_write_lock(&lk, &other, 5 * CHUNK, 7 * CHUNK), 0);
	check_eq(rl_is_open(&lk.central), is_fast);
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* Who waits there may be older than those whom others pass in the centre: nobody
 * passes until somebody has looked who is the oldest. */
static void close_where_somebody_waits(uint64_t late_ns)
{
	struct rl_range owner = RL_RANGE_INIT, waiter = RL_RANGE_INIT;
	struct rl_range far = RL_RANGE_INIT;
	bool is_fast = rl_barrier_is_usable();
	uint32_t shard;

	start_across();
	shard = shard_of_chunk(5);
	check_eq(rl_write_lock(&lk, &owner, 5 * CHUNK, 5 * CHUNK + 4), 0);
	check_eq(rl_write_submit(&lk, &waiter, 5 * CHUNK, 6 * CHUNK, NULL),
		 EINPROGRESS);
	check_eq(rl_write_lock(&lk, &far, 200, 300), 0);
	rl_entry_settle(&lk, &far);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 20, 24), 0);
	check_eq(rl_is_open(&lk.central), is_fast);
	rl_forest_close(&lk, shard);
	check(!rl_is_open(&lk.central));
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	now_ns += late_ns;
	rl_unlock(&lk, &far);			/* it looks */
	check_eq(rl_is_open(&lk.central), is_fast && late_ns < RL_BYPASS_NS);
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &passer);
	check_eq(rl_cancel(&lk, &waiter), 0);
	rl_unlock(&lk, &owner);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, a_shard_that_closes_with_waiters_halts_the_centre_until_one_looks)
{
	close_where_somebody_waits(0);
	close_where_somebody_waits(RL_BYPASS_NS);
}

/* Narrow ones come to a closed shard until it opens. */
static void use_until_open(uint64_t chunk)
{
	struct rl_arbiter *shard = rl_lock_arbiter(&lk, 1 + shard_of_chunk(chunk));

	for (unsigned int n = 0; rl_shard_is_closed(shard); n++) {
		check_le(n, 2 * RL_CALM_PAIRS);
		check_eq(rl_write_lock(&lk, &other, chunk * CHUNK,
				       (chunk + 1) * CHUNK), 0);
		rl_unlock(&lk, &other);
	}
}

/* Its time is over, and nobody who must wait has come. */
Test(open, a_shard_opens_beside_a_centre_that_was_open)
{
	start_across();
	rl_entry_settle(&lk, &holder);
	rl_forest_close(&lk, shard_of_chunk(5));
	pass_until_open(&lk.central, 24, 28);
	now_ns += 2 * RL_BYPASS_NS;
	use_until_open(5);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* ... but for a passer who stays: whoever would open a shard moves him. */
Test(open, a_passer_who_stays_keeps_no_shard_closed)
{
	start_across();
	rl_entry_settle(&lk, &holder);
	pass_until_open(&lk.central, 24, 28);
	check_eq(rl_write_lock(&lk, &passer, 24, 28), 0);
	now_ns += 2 * RL_BYPASS_NS;
	rl_forest_close(&lk, shard_of_chunk(5));
	use_until_open(5);
	rl_unlock(&lk, &passer);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* It was pinned, and then another shard refused the trylock. */
Test(open, a_shard_that_did_not_close_after_all_opens_again)
{
	struct rl_range blocker = RL_RANGE_INIT, wide = RL_RANGE_INIT;
	struct rl_arbiter *shard;

	start_with(CHUNK, CHUNK);
	shard = rl_lock_arbiter(&lk, 1 + shard_of_chunk(0));
	rl_entry_settle(&lk, &holder);
	check_eq(rl_write_lock(&lk, &blocker, CHUNK + 4, CHUNK + 8), 0);
	for (unsigned int round = 0; round < 2; round++) {
		pass_until_open(shard, 10, 12);
		check_eq(rl_write_lock(&lk, &passer, 8, 9), 0);
		check_eq(rl_write_trylock(&lk, &wide, 13, 40), EBUSY);
		check(!rl_is_open(shard));
		rl_unlock(&lk, &passer);
	}
	rl_unlock(&lk, &blocker);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}
