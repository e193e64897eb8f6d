/*
 * special.c - scenarios in which threads need each other
 */
#include <errno.h>


#include "tests/explore/scenario.h"

#define MINE	(thread * STEPS_MAX)

static struct rl_range *handle(unsigned int number)
{
	return scene->handles[number];
}

static void hold_and_unlock(unsigned int number, enum rl_mode mode,
			    uint64_t start, uint64_t end)
{
	note_hold(number, mode, start, end);
	note_let_go(number);
	rl_unlock(&scene->lk, handle(number));
}

static void lock_and_unlock(unsigned int number, enum rl_mode mode,
			    uint64_t start, uint64_t end)
{
	int error = mode == RL_READ ?
		rl_read_lock(&scene->lk, handle(number), start, end) :
		rl_write_lock(&scene->lk, handle(number), start, end);

	ex_require(error == 0);
	hold_and_unlock(number, mode, start, end);
	bury(number);
}

/* T1's lock call is cancelled by T0, which holds what T1 waits for. */
static void holder_cancels_waiter(unsigned int thread)
{
	int error;

	if (thread == 0) {
		ex_require(!rl_write_lock(&scene->lk, handle(MINE), 2, 6));
		note_hold(MINE, RL_WRITE, 2, 6);
		error = rl_cancel(&scene->lk, handle(STEPS_MAX));
		ex_require(error == 0 || error == EINVAL);
		set_flag(STEPS_MAX);
		note_let_go(MINE);
		rl_unlock(&scene->lk, handle(MINE));
		bury(MINE);
		return;
	}
	error = rl_write_lock(&scene->lk, handle(MINE), 4, 8);
	ex_require(error == 0 || error == ECANCELED);
	if (!error)
		hold_and_unlock(MINE, RL_WRITE, 4, 8);
	await_flag(MINE);
	bury(MINE);
}

/* T2 cancels T1's lock call while T0 unlocks what T1 waits for. */
static void cancel_races_grant(unsigned int thread)
{
	int error;

	if (thread == 0) {
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
	} else if (thread == 2) {
		error = rl_cancel(&scene->lk, handle(STEPS_MAX));
		ex_require(error == 0 || error == EINVAL || error == EBUSY);
		set_flag(STEPS_MAX);
	} else {
		error = rl_write_lock(&scene->lk, handle(MINE), 4, 8);
		ex_require(error == 0 || error == ECANCELED);
		if (!error)
			hold_and_unlock(MINE, RL_WRITE, 4, 8);
		await_flag(MINE);
		bury(MINE);
	}
}

/* A writer gives up at its deadline while readers wait behind it alone. */
static void deadline_lets_in_who_waits_behind(unsigned int thread)
{
	int error;

	if (thread != 1) {
		lock_and_unlock(MINE, RL_READ, thread == 0 ? 2 : 4, 8);
		return;
	}
	error = rl_write_lock_until(&scene->lk, handle(MINE), 2, 8, DEADLINE_NS);
	ex_require(error == 0 || error == ETIMEDOUT);
	if (!error)
		hold_and_unlock(MINE, RL_WRITE, 2, 8);
	bury(MINE);
}

/* Two writers whose spans cross: all or nothing, or they would deadlock. */
static void crossing_spans_do_not_deadlock(unsigned int thread)
{
	struct rl_span low = { 2, 4, RL_WRITE }, high = { 20, 22, RL_WRITE };
	struct rl_span spans[2] = { thread ? high : low, thread ? low : high };

	ex_require(!rl_lock_many(&scene->lk, handle(MINE), 2, spans));
	note_hold(MINE, RL_WRITE, 2, 4);
	note_hold(MINE + 1, RL_WRITE, 20, 22);
	note_let_go(MINE + 1);
	note_let_go(MINE);
	rl_unlock_many(&scene->lk, handle(MINE), 2);
	bury(MINE);
}

static void two_wide_and_a_narrow(unsigned int thread)
{
	lock_and_unlock(MINE, thread == 1 ? RL_READ : RL_WRITE,
			thread == 2 ? 20 : 0, thread == 2 ? 22 : RL_END);
}

/* A narrow request meets a shard that opens and closes again. */
static void narrow_meets_reopening(unsigned int thread)
{
	if (thread == 0) {
		lock_and_unlock(MINE, RL_READ, 12, 20);
	} else {
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
		lock_and_unlock(MINE + 1, RL_WRITE, 12, 20);
	}
}

/* Bypass: a third reader passes a writer that waits, or does not, as the clock
 * says. */
static void readers_pass_a_waiting_writer(unsigned int thread)
{
	lock_and_unlock(MINE, thread == 1 ? RL_WRITE : RL_READ,
			thread == 2 ? 6 : 2, thread == 0 ? 4 : 8);
}

/* Narrow requests open the shard between each other's two looks at it. */
static void narrow_ones_open_a_shard(unsigned int thread)
{
	lock_and_unlock(MINE, RL_WRITE, 2 + 2 * thread, 6 + 2 * thread);
}

/* ... and a wide one closes it again. */
static void opening_races_closing(unsigned int thread)
{
	if (thread == 2)
		lock_and_unlock(MINE, RL_WRITE, 12, 20);
	else
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
}

/* T1 sleeps, is called, and is passed, and once more when he claims. */
static void one_passes_who_is_called(unsigned int thread)
{
	lock_and_unlock(MINE, RL_WRITE, 2 + 2 * thread, 6 + 2 * thread);
	if (thread == 0)
		lock_and_unlock(MINE + 1, RL_WRITE, 2, 6);
}

/* ... by two, of whom one gives up at a deadline. */
static void two_pass_who_is_called(unsigned int thread)
{
	int error;

	if (thread != 2) {
		one_passes_who_is_called(thread);
		return;
	}
	error = rl_read_lock_until(&scene->lk, handle(MINE), 5, 7, DEADLINE_NS);
	ex_require(error == 0 || error == ETIMEDOUT);
	if (!error)
		hold_and_unlock(MINE, RL_READ, 5, 7);
	bury(MINE);
}

/* ... while a wide one closes the shard, or opens it. */
static void a_called_one_and_closing(unsigned int thread)
{
	if (thread == 2)
		lock_and_unlock(MINE, RL_WRITE, 12, 20);
	else
		one_passes_who_is_called(thread);
}

const struct special specials[] = {
	{ "one-passes-who-is-called", 2, one_passes_who_is_called, NULL,
	  0, 0, 1, RL_BYPASS_NS },
	{ "two-pass-who-is-called", 3, two_pass_who_is_called, NULL,
	  0, 1, 0, RL_BYPASS_NS },
	{ "a-called-one-and-closing", 3, a_called_one_and_closing, NULL,
	  0, 0, 0, RL_BYPASS_NS },
	{ "holder-cancels-waiter", 2, holder_cancels_waiter, NULL,
	  1, 0, 0, RL_BYPASS_NS },
	{ "cancel-races-grant", 3, cancel_races_grant, NULL,
	  0, 0, 0, RL_BYPASS_NS },
	{ "deadline-lets-in", 3, deadline_lets_in_who_waits_behind, NULL,
	  0, 1, 0, 0 },
	{ "crossing-spans", 2, crossing_spans_do_not_deadlock, NULL,
	  1, 0, 0, RL_BYPASS_NS },
	{ "two-wide-and-a-narrow", 3, two_wide_and_a_narrow, NULL,
	  0, 0, 0, RL_BYPASS_NS },
	{ "narrow-meets-reopening", 2, narrow_meets_reopening, NULL,
	  0, 0, 0, RL_BYPASS_NS },
	{ "readers-pass-a-writer", 3, readers_pass_a_waiting_writer, NULL,
	  0, 0, 1, RL_BYPASS_NS },
	{ "narrow-ones-open-a-shard", 2, narrow_ones_open_a_shard, lock_close_shards,
	  1, 0, 0, RL_BYPASS_NS },
	{ "opening-races-closing", 3, opening_races_closing, lock_close_shards,
	  0, 0, 0, RL_BYPASS_NS },
};
const unsigned int nr_specials = sizeof(specials) / sizeof(specials[0]);
