/*
 * special_readers.c - readers in records, who looks for them, and who frees them
 */
#include <errno.h>

#include "tests/explore/special.h"

/* T0 reads in one record, first elsewhere, then where T1 wants to write. */
static void record_changes_sides(unsigned int thread)
{
	if (thread) {
		lock_and_unlock(MINE, RL_WRITE, 4, 8);
		return;
	}
	lock_and_unlock(0, RL_READ, 20, 22);
	lock_and_unlock(1, RL_READ, 2, 6);
}

/* ... and twice there, with one handle.  (In a forest its range would be read as
 * an atomic between two plain writes: the explorer does not know of that.) */
static void record_is_used_again(unsigned int thread)
{
	if (thread) {
		lock_and_unlock(MINE, RL_WRITE, 4, 8);
		return;
	}
	ex_require(!rl_read_lock(&scene->lk, handle(0), 2, 6));
	hold_and_unlock(0, RL_READ, 2, 6);
	order_forget(0);
	if (scene->lk.forest)
		bury(0);
	lock_and_unlock(scene->lk.forest ? 1 : 0, RL_READ, 3, 8);
}

/* T2 unlocks for T0, and does not own the record that it frees. */
static void unlock_for_another(void)
{
	await_flag(4);
	hold_and_unlock(0, RL_READ, scene->lk.forest ? 20 : 2,
			scene->lk.forest ? 22 : 4);
	order_forget(0);
	set_flag(5);
}

/* T0 reads elsewhere with another handle before, or after, its record is free. */
static void another_frees_the_record(unsigned int thread)
{
	uint64_t start = scene->lk.forest ? 20 : 2;

	if (thread == 1) {
		lock_and_unlock(MINE, RL_WRITE, 4, 8);
	} else if (thread == 2) {
		unlock_for_another();
	} else {
		ex_require(!rl_read_lock(&scene->lk, handle(0), start, start + 2));
		set_flag(4);
		lock_and_unlock(1, RL_READ, 3, 6);
		await_flag(5);
		bury(0);
	}
}

/* ... with the same handle. */
static void another_frees_the_handle(unsigned int thread)
{
	if (thread || scene->lk.forest) {
		another_frees_the_record(thread);
		return;
	}
	ex_require(!rl_read_lock(&scene->lk, handle(0), 2, 4));
	set_flag(4);
	await_flag(5);
	lock_and_unlock(0, RL_READ, 3, 6);
}

/* Where h0 reads from the beginning, in the first record of T0. */
static uint64_t far_start(void)
{
	return scene->lk.forest ? 20 : 10;
}

static void read_far(void)
{
	ex_prepares_as = 0;
	if (rl_read_lock(&scene->lk, handle(0), far_start(), far_start() + 2))
		ex_fail("nobody reads far away");
	ex_prepares_as = -1;
}

static void leave_far(void)
{
	hold_and_unlock(0, RL_READ, far_start(), far_start() + 2);
}

/* T2 frees the first record of T0, who publishes himself there for another arbiter at
 * once, while T1 looks who is there. */
static void another_frees_it_for_here(unsigned int thread)
{
	if (thread == 0) {
		lock_and_unlock(1, RL_READ, 2, 6);
	} else if (thread == 1) {
		lock_move_readers();
	} else {
		leave_far();
		bury(0);
	}
}

/* ... while T1 wants to write what T2 has read. */
static void another_frees_it_for_there(unsigned int thread)
{
	if (thread == 1)
		lock_and_unlock(MINE, RL_WRITE, far_start(), far_start() + 2);
	else
		another_frees_it_for_here(thread);
}

/* T1 cancels in vain a reader, whom it knows by the handle alone. */
static void cancel_meets_reader(unsigned int thread)
{
	if (thread == 1) {
		cancel_holder(0);
		return;
	}
	ex_require(!rl_read_lock(&scene->lk, handle(0), 2, 6));
	hold_and_unlock(0, RL_READ, 2, 6);
	await_flag(0);
	bury(0);
}

/* T1 cancels in vain a reader who goes from its record to the tree, and holds all the
 * time. */
static void cancel_meets_give(unsigned int thread)
{
	if (thread == 1) {
		ex_require(rl_cancel(&scene->lk, handle(0)) == EBUSY);
		set_flag(0);
		return;
	}
	rl_give(&scene->lk, handle(0), rl_self(&scene->lk));
	await_flag(0);
	leave_far();
	bury(0);
}

/* A wide trylock that is refused leaves a shard biased and slow; a reader calms it under
 * its guard, while T1 publishes himself. */
static void reader_meets_calming(unsigned int thread)
{
	struct rangelock *lk = &scene->lk;

	if (!lk->forest || thread > 1)	/* two are there for their handles only */
		return;
	if (thread == 1) {
		ex_await(&scene->flags[1], 1, EX_SITE(EX_RELAXED));
		lock_and_unlock(MINE, RL_READ, 2, 6);
		return;
	}
	lock_and_unlock(6, RL_WRITE, 17, 20);
	ex_require(!rl_write_lock(lk, handle(1), 17, 20));
	note_hold(1, RL_WRITE, 17, 20);
	lock_and_unlock(0, RL_WRITE, 2, 6);
	lock_turn_biased();
	ex_require(rl_write_trylock(lk, handle(4), 4, 20) == EBUSY);
	bury(4);
	ex_store(&scene->flags[1], 4, 0, EX_SITE(EX_RELAXED));
	lock_and_unlock(5, RL_READ, 2, 3);
	hold_and_unlock(1, RL_WRITE, 17, 20);
	bury(1);
}

/* The lock turns biased after a writer, whom a published reader must see. */
static void bias_after_a_writer(unsigned int thread)
{
	if (thread == 1) {
		lock_and_unlock(MINE, RL_READ, 2, 6);
		return;
	}
	lock_and_unlock(MINE, RL_WRITE, 2, 6);
	lock_turn_biased();
}

/* Pinned, until the other's trylock has returned. */
static void have_all_guards(void)
{
	lock_take_guards();
	await_flag(0);
	lock_leave_guards();
}

/* T1 has all guards. */
static void read_trylock_waits_for_no_guard(unsigned int thread)
{
	int error;

	if (thread == 1) {
		have_all_guards();
		return;
	}
	error = rl_read_trylock(&scene->lk, handle(1), 2, 6);
	ex_require(error == 0 || error == EBUSY);
	set_flag(0);
	if (!error)
		hold_and_unlock(1, RL_READ, 2, 6);
	bury(1);
}

/* The same. */
static void trylock_waits_for_no_guard(unsigned int thread)
{
	struct rangelock *lk = &scene->lk;
	int error;

	if (thread == 1) {
		have_all_guards();
		return;
	}
	error = lk->forest ? rl_read_trylock_coarse(lk, handle(1)) :
			     rl_write_trylock(lk, handle(1), 2, 6);
	ex_require(error == 0 || error == EBUSY);
	set_flag(0);
	if (!error && lk->forest)
		hold_and_unlock(1, RL_READ, 0, RL_END);
	else if (!error)
		hold_and_unlock(1, RL_WRITE, 2, 6);
	bury(1);
	leave_far();
}

const struct special reader_specials[] = {
	{ "bias-after-a-writer", 2, bias_after_a_writer, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "record-changes-sides", 2, record_changes_sides, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "record-is-used-again", 2, record_is_used_again, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "another-frees-the-record", 3, another_frees_the_record, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "another-frees-the-handle", 3, another_frees_the_handle, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "another-frees-it-for-here", 3, another_frees_it_for_here, read_far,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "another-frees-it-for-there", 3, another_frees_it_for_there, read_far,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "trylock-waits-for-no-guard", 2, trylock_waits_for_no_guard, read_far,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "read-trylock-waits-for-no-guard", 2, read_trylock_waits_for_no_guard,
	  NULL, 0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "reader-meets-calming", 4, reader_meets_calming, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "cancel-meets-give", 2, cancel_meets_give, read_far,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "cancel-meets-reader", 2, cancel_meets_reader, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ 0 },
};
