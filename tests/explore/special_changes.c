/*
 * special_changes.c - scenarios in which a holder changes what it holds
 *
 * T0 changes, before others who wait for it, or for each other.
 */
#include <errno.h>

#include "tests/explore/special.h"

/* T1 cancels in vain a holder who is leaving its entry for the tree. */
static void cancel_meets_change(unsigned int thread)
{
	if (thread == 1) {
		cancel_holder(0);
		return;
	}
	ex_require(!rl_write_lock(&scene->lk, handle(0), 2, 6));
	note_hold(0, RL_WRITE, 2, 6);
	note_hold(0, RL_READ, 2, 6);
	rl_write_downgrade(&scene->lk, handle(0));
	hold_and_unlock(0, RL_READ, 2, 6);
	await_flag(0);
	bury(0);
}

static void lock_first(enum rl_mode mode, uint64_t end)
{
	ex_require(!(mode == RL_READ ? rl_read_lock : rl_write_lock)(
		&scene->lk, handle(0), 2, end));
	note_hold(0, mode, 2, end);
}

static bool upgrade_and_unlock(void)
{
	int error = rl_read_tryupgrade(&scene->lk, handle(0));

	ex_require(error == 0 || error == EBUSY);
	hold_and_unlock(0, error ? RL_READ : RL_WRITE, 2, 6);
	bury(0);
	return !error;
}

static bool extend_and_unlock(void)
{
	int error = rl_tryextend(&scene->lk, handle(0), 2, 6);

	ex_require(error == 0 || error == EBUSY);
	hold_and_unlock(0, RL_WRITE, 2, error ? 4 : 6);
	bury(0);
	return !error;
}

/* T2 waits behind T1 alone, until T0 wants more than it has: then for T0, too. */
static void waits_behind(unsigned int thread)
{
	lock_and_unlock(MINE, thread == 1 ? RL_WRITE : RL_READ,
			thread == 1 ? 6 : 4, thread == 1 ? 10 : 8);
}

static void upgrade_before_a_waiter(unsigned int thread)
{
	if (thread) {
		waits_behind(thread);
		return;
	}
	lock_first(RL_READ, 6);
	upgrade_and_unlock();
}

static void extend_before_a_waiter(unsigned int thread)
{
	if (thread) {
		waits_behind(thread);
		return;
	}
	lock_first(RL_WRITE, 4);
	extend_and_unlock();
}

/* T1 waits for T0, and T2 for T1: so T0 passes both, however old they are. */
static void waits_in_a_row(unsigned int thread)
{
	enum rl_mode mode = thread == 1 ? RL_WRITE : RL_READ;
	uint64_t start = thread == 1 ? 3 : 5;
	int error = (thread == 1 ? rl_write_submit : rl_read_submit)(
		&scene->lk, handle(MINE), start, 8, NULL);

	set_flag(MINE);
	ex_require(error == 0 || error == EINPROGRESS);
	if (error)
		ex_require(!rl_wait(&scene->lk, handle(MINE)));
	hold_and_unlock(MINE, mode, start, 8);
	bury(MINE);
}

/* Both have come: do both wait, now and until T0 unlocks? */
static bool do_both_wait(void)
{
	await_flag(STEPS_MAX);
	await_flag(2 * STEPS_MAX);
	return lock_is_waiting(STEPS_MAX) && lock_is_waiting(2 * STEPS_MAX);
}

static void upgrade_passes_a_row(unsigned int thread)
{
	bool must;

	if (thread) {
		waits_in_a_row(thread);
		return;
	}
	lock_first(RL_READ, 6);
	must = do_both_wait();
	ex_require(upgrade_and_unlock() || !must);
}

static void extend_passes_a_row(unsigned int thread)
{
	bool must;

	if (thread) {
		waits_in_a_row(thread);
		return;
	}
	lock_first(RL_WRITE, 4);
	must = do_both_wait();
	ex_require(extend_and_unlock() || !must);
}

/* T2 waits for T3, and for T1 or not: T0 passes it only if T1 came first. */
static void extend_passes_by_order(unsigned int thread)
{
	static const struct { uint64_t start, end; } wants[] = {
		{ 0, 0 }, { 3, 7 }, { 5, 10 }, { 8, 12 },
	};

	if (thread) {
		lock_and_unlock(MINE, RL_WRITE, wants[thread].start,
				wants[thread].end);
		return;
	}
	lock_first(RL_WRITE, 4);
	extend_and_unlock();
}

/* What T0 gives back is all that T1 waits for. */
static void narrowing_lets_in(unsigned int thread)
{
	if (thread) {
		lock_and_unlock(MINE, RL_WRITE, 6, 8);
		return;
	}
	lock_first(RL_WRITE, 10);
	note_hold(0, RL_WRITE, 2, 4);
	ex_require(!rl_narrow(&scene->lk, handle(0), 2, 4));
	hold_and_unlock(0, RL_WRITE, 2, 4);
	bury(0);
}

const struct special change_specials[] = {
	{ "cancel-meets-change", 2, cancel_meets_change, NULL,
	  1, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "upgrade-before-a-waiter", 3, upgrade_before_a_waiter, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "upgrade-passes-nobody", 3, upgrade_before_a_waiter, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "upgrade-passes-a-row", 3, upgrade_passes_a_row, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "extend-before-a-waiter", 3, extend_before_a_waiter, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "extend-passes-nobody", 3, extend_before_a_waiter, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "extend-passes-a-row", 3, extend_passes_a_row, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "extend-passes-by-order", 4, extend_passes_by_order, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "narrowing-lets-in", 2, narrowing_lets_in, NULL,
	  1, 0, 0, RL_BYPASS_NS, false, NULL },
	{ 0 },
};
