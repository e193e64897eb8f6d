/*
 * Goal: while a sleeper is called others pass him by the entries (O1 in
 * entries.h), as long as G3 lets them, and nobody else is forgotten.
 */
#include "tests/passing.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rangelock/stats.h>

static uint64_t nr_bypasses(void)
{
	struct rl_stats stats;

	check_eq(rl_stats_read(&lk, &stats), 0);
	return stats.nr_bypasses;
}

/* The sleeper waits for [4, 40), of which the holder, in the tree, has a part: others
 * go past him by the tree, until it is open. */
static void open_beside_holder(void)
{
	start_with(0, 40);
	rl_entry_settle(&lk, &holder);
	pass_until_open(&lk.central, 8, 12);
}

Test(open, others_pass_who_is_called_until_he_is_old)
{
	bool is_fast = rl_barrier_is_usable();

	start(0);
	let_holder_go();
	check_eq(rl_is_open(&lk.central), is_fast);
	now_ns += RL_BYPASS_NS / 2;
	check_eq(rl_write_lock(&lk, &passer, 0, 6), 0);
	check_eq(passer.state, is_fast ? RL_INLINE : RL_HELD);
	rl_unlock(&lk, &passer);
	check_eq(rl_is_open(&lk.central), is_fast);
	check_eq(nr_bypasses(), 1);
	now_ns += RL_BYPASS_NS / 2;
	check_eq(rl_write_trylock(&lk, &passer, 0, 6), EBUSY);
	check_eq(rl_write_trylock(&lk, &passer, 0, 4), 0);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	check_eq(nr_wakes, 1);
	end();
}

/* A process that was stopped, and its lock with it. */
Test(open, after_the_end_it_is_not_open_again)
{
	for (uint64_t seconds = 1; seconds < 300; seconds += 3) {
		start(0);
		let_holder_go();
		now_ns += seconds * UINT64_C(1000000000);
		check_eq(rl_write_trylock(&lk, &passer, 0, 6), EBUSY);
		check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
		end();
	}
}

/* Others lock elsewhere all the time, and none of them must wait. */
Test(open, before_one_who_is_old_it_is_not_open_again_either)
{
	uint64_t begin_ns;

	open_beside_holder();
	begin_ns = now_ns;
	now_ns += RL_BYPASS_NS;
	while (now_ns < begin_ns + (UINT64_C(1) << 37) + 4 * RL_BYPASS_NS) {
		check_eq(rl_write_lock(&lk, &other, 100, 110), 0);
		rl_unlock(&lk, &other);
		check_eq(rl_write_trylock(&lk, &passer, 8, 12), EBUSY);
		now_ns += now_ns - begin_ns < UINT64_C(137000000000) ?
				  100 * RL_BYPASS_NS : RL_BYPASS_NS / 4;
	}
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* Each time it looks there are others, by an entry and by the tree, in its way. */
static struct rl_range in_way[2];
static const struct rl_span spans_in_way[2] = { { 20, 21, RL_WRITE },
						{ 22, 23, RL_WRITE } };
static unsigned int nr_rounds, nr_moved;

static void relax_and_come_again(void *ctx)
{
	(void)ctx;
	if (++nr_rounds > 100)
		return;
	nr_moved += passer.flags & RL_F_HELD ? 1 : 0;
	rl_unlock(&lk, &passer);
	rl_unlock_many(&lk, in_way, 2);
	check_eq(rl_write_lock(&lk, &passer, 10, 12), 0);
	check_eq(rl_trylock_many(&lk, in_way, 2, spans_in_way), 0);
}

Test(open, one_request_moves_others_twice_at_most)
{
	static struct rl_host comes_again;

	start_with(0, 100);
	comes_again = *lk.host;
	comes_again.relax = relax_and_come_again;
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 10, 12), 0);
	check_eq(rl_trylock_many(&lk, in_way, 2, spans_in_way), 0);
	lk.host = &comes_again;
	nr_rounds = nr_moved = 0;
	check_eq(rl_write_lock(&lk, &other, 20, 21), EDEADLK);	/* it is ours */
	lk.host = &host;
	if (rl_barrier_is_usable())
		check_le(nr_moved, 2);
	rl_unlock_many(&lk, in_way, 2);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, who_meets_a_holder_before_sleepers_looks_until_he_may_pass)
{
	bool is_fast = rl_barrier_is_usable();

	start(0);
	relax_unlocks = &holder;
	check_eq(rl_write_lock(&lk, &passer, 2, 6), 0);
	check_eq(passer.state, is_fast ? RL_INLINE : RL_HELD);
	check_eq(sleeper.state, RL_CALLED);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, a_trylock_moves_nobody)
{
	struct rl_range beside = RL_RANGE_INIT, third = RL_RANGE_INIT;
	bool is_fast = rl_barrier_is_usable();

	start(0);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 0, 6), 0);
	check_eq(rl_write_lock(&lk, &beside, 10, 12), 0);
	check_eq(rl_write_trylock(&lk, &other, 20, 22), 0);
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	check_eq(sleeper.nr_held_blockers, is_fast ? 0 : 1);
	check_eq(rl_write_trylock(&lk, &third, 21, 23), EBUSY);
	rl_unlock(&lk, &other);
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	check_eq(sleeper.nr_held_blockers, is_fast ? 0 : 1);
	check_eq(rl_is_open(&lk.central), is_fast);
	rl_unlock(&lk, &beside);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, who_passes_sleepers_does_not_pass_a_holder)
{
	start(0);
	check_eq(rl_write_lock(&lk, &passer, 20, 30), 0);
	rl_entry_settle(&lk, &passer);
	let_holder_go();
	check_eq(rl_is_open(&lk.central), rl_barrier_is_usable());
	check_eq(rl_write_trylock(&lk, &other, 25, 26), EBUSY);
	check_eq(rl_write_trylock(&lk, &other, 0, 8), 0);
	check_eq(other.state, rl_barrier_is_usable() ? RL_INLINE : RL_HELD);
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, past_who_waits_for_a_holder_others_go_by_the_entries)
{
	bool is_fast = rl_barrier_is_usable();

	open_beside_holder();
	check_eq(rl_write_trylock(&lk, &passer, 6, 12), EBUSY);
	check_eq(rl_write_lock(&lk, &passer, 8, 12), 0);
	check_eq(passer.state, is_fast ? RL_INLINE : RL_HELD);
	rl_unlock(&lk, &passer);
	check_eq(rl_is_open(&lk.central), is_fast);
	now_ns += RL_BYPASS_NS;
	check_eq(rl_write_trylock(&lk, &passer, 8, 12), EBUSY);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, the_holder_s_unlock_finds_whoever_has_passed)
{
	open_beside_holder();
	check_eq(rl_write_lock(&lk, &passer, 8, 12), 0);
	rl_unlock(&lk, &holder);
	check_eq(sleeper.state, RL_PARKED);
	check_eq(sleeper.nr_held_blockers, 1);
	check_eq(passer.flags & RL_F_HELD, RL_F_HELD);
	check_eq(nr_wakes, 0);
	rl_unlock(&lk, &passer);
	check_eq(nr_wakes, 1);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* The third finds no entry free: it goes by the tree, and its unlock leaves the
 * sleeper behind the holder. */
Test(open, whose_unlock_lets_nobody_in_moves_nobody)
{
	struct rl_range third = RL_RANGE_INIT;
	bool is_fast = rl_barrier_is_usable();

	open_beside_holder();
	check_eq(rl_write_lock(&lk, &passer, 8, 12), 0);
	check_eq(rl_write_lock(&lk, &other, 20, 30), 0);
	check_eq(rl_write_lock(&lk, &third, 30, 40), 0);
	check_eq(third.state, RL_HELD);
	check_eq(sleeper.nr_held_blockers, is_fast ? 2 : 4);
	rl_unlock(&lk, &third);
	check_eq(sleeper.nr_held_blockers, is_fast ? 1 : 3);
	check_eq(rl_is_open(&lk.central), is_fast);
	check_eq(passer.flags & RL_F_HELD, is_fast ? 0 : RL_F_HELD);
	rl_unlock(&lk, &passer);
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* Whoever is several may count a leaver twice: it is shut to be sure. */
Test(open, before_a_waiter_of_several_ranges_each_unlock_shuts)
{
	struct rl_range several[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct rl_span spans[2] = { { 6, 7, RL_WRITE }, { 50, 51, RL_WRITE } };
	struct rl_range third = RL_RANGE_INIT;

	open_beside_holder();
	check_eq(rl_submit_many(&lk, several, 2, spans), EINPROGRESS);
	check(!rl_is_open(&lk.central));
	pass_until_open(&lk.central, 8, 12);
	check_eq(rl_write_lock(&lk, &passer, 8, 12), 0);
	check_eq(rl_write_lock(&lk, &other, 20, 30), 0);
	check_eq(rl_write_trylock(&lk, &third, 50, 60), 0);
	check_eq(third.state, RL_HELD);
	rl_unlock(&lk, &third);
	check_eq(passer.flags & RL_F_HELD, RL_F_HELD);
	rl_unlock(&lk, &passer);
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &holder);
	check_eq(rl_cancel(&lk, several), 0);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, who_is_called_finds_whoever_has_passed_him)
{
	start(0);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 6, 10), 0);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	check(passer_left);
	check(nr_wakes <= 2);
	end();
}

Test(open, who_waits_behind_one_who_gives_up_finds_whoever_has_passed)
{
	start(0);
	check_eq(rl_write_submit(&lk, &other, 4, 8, NULL), EINPROGRESS);
	other.flags |= RL_F_AWAITED;
	other.state = RL_PARKED;
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 6, 10), 0);
	check_eq(rl_cancel(&lk, &sleeper), 0);
	check_eq(rl_poll(&lk, &other), EINPROGRESS);
	rl_unlock(&lk, &passer);
	check_eq(other.state, RL_CALLED);
	check_eq(rl_await(&lk, &other, RL_NO_DEADLINE, true), 0);
	rl_unlock(&lk, &other);
	check_eq(rl_destroy(&lk), 0);
}

Test(open, a_passer_may_become_anything_that_a_holder_may)
{
	start(0);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 2, 6), 0);
	rl_write_downgrade(&lk, &passer);
	check_eq(sleeper.nr_held_blockers, 1);
	check_eq(rl_narrow(&lk, &passer, 2, 3), 0);
	check_eq(sleeper.nr_blockers, 0);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	rl_unlock(&lk, &passer);
	end();
}

Test(open, a_shard_that_closes_brings_its_holders_under_a_shut_arbiter)
{
	start(CHUNK);
	rl_unlock(&lk, &holder);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	rl_unlock(&lk, &sleeper);
	rl_range_init(&sleeper);

	/* The same with ranges across the border of the first two chunks. */
	check_eq(rl_write_lock(&lk, &holder, 8, 24), 0);
	check_eq(rl_write_submit(&lk, &sleeper, 8, 24, NULL), EINPROGRESS);
	sleeper.flags |= RL_F_AWAITED;
	sleeper.state = RL_PARKED;
	check_eq(rl_write_lock(&lk, &other, 40, 44), 0);
	rl_entry_settle(&lk, &other);
	nr_wakes = 0;
	let_holder_go();
	check_eq(rl_write_trylock(&lk, &passer, 8, 44), EBUSY);
	rl_unlock(&lk, &other);
	check_eq(rl_write_trylock(&lk, &passer, 8, 44), 0);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* All of a crowd would have to be walked through. */
#define CROWD	256u

static void open_before_crowd(unsigned int nr)
{
	static struct rl_range crowd[CROWD];

	start(0);
	for (unsigned int i = 0; i < nr; i++) {
		rl_range_init(&crowd[i]);
		check_eq(rl_write_submit(&lk, &crowd[i], 4, 8, NULL),
			 EINPROGRESS);
		crowd[i].flags |= RL_F_AWAITED;
		crowd[i].state = RL_PARKED;
	}
	let_holder_go();
	check_eq(rl_is_open(&lk.central),
		 nr < CROWD && rl_barrier_is_usable());
	for (unsigned int i = 0; i < nr; i++) {
		crowd[i].state = RL_QUEUED;	/* nobody sleeps there */
		check_eq(rl_cancel(&lk, &crowd[i]), 0);
	}
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

Test(open, before_a_crowd_nobody_passes_by_an_entry)
{
	open_before_crowd(CROWD - 1);
	open_before_crowd(CROWD);
}

static void use_in_child(void)
{
	check_eq(rl_fork_child(&lk), 0);
	check(!rl_is_open(&lk.central));
	check_eq(sleeper.nr_held_blockers, 1);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
	_exit(0);
}

Test(open, the_child_of_a_fork_counts_whoever_has_passed)
{
	int status;
	pid_t child;

	start(0);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 6, 10), 0);
	rl_fork_prepare(&lk);
	fflush(NULL);
	child = fork();
	if (child == 0)
		use_in_child();
	rl_fork_parent(&lk);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* The first is called and does not come; then a younger one is called. */
Test(open, before_one_who_is_old_nobody_passes_by_an_entry)
{
	start(0);
	check_eq(rl_write_lock(&lk, &passer, 20, 30), 0);
	let_holder_go();			/* and the passer holds */
	now_ns += RL_BYPASS_NS;
	submit_asleep(&other, 20, 30);
	rl_unlock(&lk, &passer);
	check_eq(other.state, RL_CALLED);
	check(!rl_is_open(&lk.central));
	check_eq(rl_await(&lk, &other, RL_NO_DEADLINE, true), 0);
	rl_unlock(&lk, &other);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* A mover is between its two holds of the guard, and the passer is gone. */
Test(open, what_a_mover_has_made_slow_is_shut_and_stays_slow)
{
	struct rl_arbiter *centre = &lk.central;

	start(0);
	let_holder_go();
	if (rl_is_open(centre)) {
		rl_guard_lock(&centre->guard, NULL);
		rl_entries_pin(centre);
		check(rl_entries_shut(centre));
		check_eq(rl_guard_flags(&centre->guard) & (RL_OPEN | RL_SLOW),
			 RL_SLOW);
		rl_entries_unpin(centre);
		rl_guard_unlock(&centre->guard);
	}
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* Nobody enters any more, and who must wait moves whoever is in an entry. */
Test(open, who_must_wait_when_the_time_is_over_moves_the_passer)
{
	struct rl_range late = RL_RANGE_INIT;

	start(0);
	let_holder_go();
	check_eq(rl_write_lock(&lk, &passer, 0, 6), 0);
	now_ns += RL_BYPASS_NS;
	check_eq(rl_write_trylock(&lk, &other, 6, 7), EBUSY);
	check_eq(rl_write_lock(&lk, &other, 20, 22), 0);
	check_eq(other.state, RL_HELD);
	check_eq(rl_write_submit(&lk, &late, 6, 7, NULL), EINPROGRESS);
	check(!(rl_guard_flags(&lk.central.guard) & RL_OPEN));
	check_eq(sleeper.nr_held_blockers, 1);
	check_eq(rl_cancel(&lk, &late), 0);
	rl_unlock(&lk, &other);
	rl_unlock(&lk, &passer);
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	end();
}

/* As where the kernel refuses membarrier(2): nobody could be moved. */
Test(open, without_a_barrier_nobody_passes_by_an_entry)
{
	uint32_t usable = rl_load_relaxed(&rl_barrier_usable);

	start(0);
	rl_store_relaxed(&rl_barrier_usable, 0);
	let_holder_go();
	check(!rl_is_open(&lk.central));
	check_eq(rl_await(&lk, &sleeper, RL_NO_DEADLINE, true), 0);
	rl_store_relaxed(&rl_barrier_usable, usable);
	end();
}
