/*
 * special.c - scenarios in which threads need each other
 */
#include <errno.h>

#include "rangelock/engine/request.h"
#include "tests/explore/special.h"

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

/* T1 asks whether it holds by now, and sees what T0 wrote if it does. */
static void poll_sees_the_holder_before(unsigned int thread)
{
	struct rl_range *r = handle(MINE);
	int error;

	if (!thread) {
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
		return;
	}
	error = rl_write_submit(&scene->lk, r, 4, 8, NULL);
	if (error == EINPROGRESS) {
		ex_await(&r->state, RL_QUEUED, EX_SITE(EX_RELAXED));
		error = rl_poll(&scene->lk, r);
	}
	if (error == EINPROGRESS)
		error = rl_wait(&scene->lk, r);
	ex_require(!error);
	hold_and_unlock(MINE, RL_WRITE, 4, 8);
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

/* Who is cancelled is gone as soon as it knows: T2 may not touch it any more. */
static void cancelled_one_goes_at_once(unsigned int thread)
{
	int error;

	if (thread == 0) {
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
	} else if (thread == 2) {
		error = rl_cancel(&scene->lk, handle(STEPS_MAX));
		ex_require(error == 0 || error == EINVAL || error == EBUSY);
		if (error)
			set_flag(STEPS_MAX);
	} else {
		error = rl_write_lock(&scene->lk, handle(MINE), 4, 8);
		ex_require(error == 0 || error == ECANCELED);
		if (!error) {
			hold_and_unlock(MINE, RL_WRITE, 4, 8);
			await_flag(MINE);
		}
		bury(MINE);
	}
}

/* Without a bypass: T2 does not conflict with T0, but came after T1 or not. */
static void nobody_passes(unsigned int thread)
{
	lock_and_unlock(MINE, thread == 1 ? RL_WRITE : RL_READ,
			thread == 2 ? 6 : 2, thread == 0 ? 4 : 8);
}

/* Let in by whoever unlocks, it locks something else in there. */
static void granted_and_locks(struct rl_range *r)
{
	ex_require(r == handle(STEPS_MAX));
	note_hold(STEPS_MAX, RL_WRITE, 4, 8);
	lock_and_unlock(STEPS_MAX + 1, RL_WRITE, 10, 12);
	note_let_go(STEPS_MAX);
	rl_unlock(&scene->lk, r);
	set_flag(STEPS_MAX);
}

static void callback_locks(unsigned int thread)
{
	int error;

	if (thread != 1) {
		lock_and_unlock(MINE, RL_WRITE, thread ? 10 : 2, thread ? 14 : 6);
		return;
	}
	error = rl_write_submit(&scene->lk, handle(MINE), 4, 8,
				granted_and_locks);
	ex_require(error == 0 || error == EINPROGRESS);
	if (error)
		await_flag(MINE);
	else
		hold_and_unlock(MINE, RL_WRITE, 4, 8);
	bury(MINE);
}

/* It may run while another callback runs in another thread. */
static void granted_by_another(struct rl_range *r)
{
	unsigned int number = (unsigned int)((r - handle(0)) / MEMBERS);

	hold_and_unlock(number, RL_WRITE, r->node.start, r->node.end);
	set_flag(number);
}

static void submit_for_callback(unsigned int number, uint64_t start)
{
	int error = rl_write_submit(&scene->lk, handle(number), start, start + 4,
				    granted_by_another);

	ex_require(error == 0 || error == EINPROGRESS);
	if (!error)
		granted_by_another(handle(number));
}

/* Each thread lets in what the other one has submitted. */
static void each_runs_the_others_callback(unsigned int thread)
{
	uint64_t here = thread ? 20 : 2, there = thread ? 4 : 22;

	ex_require(!rl_write_lock(&scene->lk, handle(MINE), here, here + 4));
	note_hold(MINE, RL_WRITE, here, here + 4);
	submit_for_callback(MINE + 1, there);
	note_let_go(MINE);
	rl_unlock(&scene->lk, handle(MINE));
	bury(MINE);
	await_flag(MINE + 1);
	bury(MINE + 1);
}

/* T0 and T2 let in what T1 and T3 have submitted. */
static void two_of_four_run_callbacks(unsigned int thread)
{
	uint64_t start = thread / 2 * 18 + 2;

	if (thread % 2 == 0) {
		lock_and_unlock(MINE, RL_WRITE, start, start + 4);
		return;
	}
	submit_for_callback(MINE, start + 2);
	await_flag(MINE);
	bury(MINE);
}

/* T0 and T2 choose gaps, wait for the ranges, and use what still is theirs; T1
 * maps over both places. */
static void markers_are_superseded(unsigned int thread)
{
	struct extras *e = &scene->extras;
	struct rl_gap_query query = { .low = 0, .high = 8, .size = 4 };
	uint64_t start = 0;
	bool stood, stands;

	if (thread == 1) {
		ex_require(!rl_write_lock(&scene->lk, handle(MINE), 0, 8));
		note_hold(MINE, RL_WRITE, 0, 8);
		rl_pending_supersede(&e->pending, 0, 8);
		hold_and_unlock(MINE, RL_WRITE, 0, 8);
		bury(MINE);
		return;
	}
	if (rl_pending_mark_gap(&e->pending, &e->markers[thread], &query, &start))
		ex_fail("there is no gap");
	ex_require(!rl_write_lock(&scene->lk, handle(MINE), start, start + 4));
	stood = rl_pending_still(&e->markers[thread]);
	stands = rl_pending_commit(&e->markers[thread]) == 0;
	ex_require(stood == stands);	/* nobody maps while we hold it */
	hold_and_unlock(MINE, RL_WRITE, start, start + 4);
	bury(MINE);
}

static void register_site(void)
{
	if (scene->extras.site.id)
		return;
	scene->extras.site = (struct rl_site)RL_SITE_INIT("explored", RL_FINE);
	if (rl_site_register(&scene->extras.site))
		ex_fail("a site cannot be registered");
}

/* T2 switches the grain while T0 and T1 lock by it. */
static void site_is_switched(unsigned int thread)
{
	struct rl_site *site = &scene->extras.site;
	uint64_t start = thread ? 4 : 2;

	if (thread == 2) {
		ex_require(!rl_site_set_grain(site, RL_COARSE));
		ex_require(!rl_site_set_grain(site, RL_SHADOW));
		return;
	}
	ex_require(!(thread ? rl_read_lock_at : rl_write_lock_at)(
		&scene->lk, handle(MINE), site, start, start + 4));
	ex_require(!rl_site_check(&scene->lk, handle(MINE), start, 4));
	hold_and_unlock(MINE, thread ? RL_READ : RL_WRITE, start, start + 4);
	bury(MINE);
}

/* T0 makes a lock; each allocation of that may fail.  T1 uses another. */
static void init_may_fail(unsigned int thread)
{
	struct extras *e = &scene->extras;
	struct rl_options o = RL_OPTIONS_INIT;
	int error;

	if (thread) {
		lock_and_unlock(MINE, RL_WRITE, 2, 6);
		return;
	}
	o.chunk_size = CHUNK;
	o.nr_shards = SHARDS_MAX;
	error = rl_init(&e->second, &o);
	ex_require(error == 0 || error == ENOMEM);
	if (!error) {
		ex_require(!rl_write_lock(&e->second, handle(MINE), 2, 6));
		rl_unlock(&e->second, handle(MINE));
		bury(MINE);
		ex_require(!rl_destroy(&e->second));
	}
	ex_require(e->nr_blocks == 0);
}

/* T0 may have passed who is called, by an entry, when it tries several, which need a
 * tree: who claims must not miss either. */
static void a_try_beside_who_has_passed(unsigned int thread)
{
	struct rl_span spans[2] = { { 6, 8, RL_WRITE }, { 11, 13, RL_WRITE } };
	unsigned int several = MINE + 1;

	if (thread != 0) {
		lock_and_unlock(MINE, RL_WRITE, 2 * thread, 4 + 4 * thread);
		return;
	}
	ex_require(!rl_write_lock(&scene->lk, handle(MINE), 2, 5));
	note_hold(MINE, RL_WRITE, 2, 5);
	if (!rl_trylock_many(&scene->lk, handle(several), 2, spans)) {
		note_hold(several, RL_WRITE, 6, 8);
		note_let_go(several);
		rl_unlock_many(&scene->lk, handle(several), 2);
	}
	bury(several);
	set_flag(MINE);
	note_let_go(MINE);
	rl_unlock(&scene->lk, handle(MINE));
	bury(MINE);
}

/* T1 waits for a holder in the tree; T2 passes it, by the tree and then by an entry. */
static void others_pass_behind_a_holder(unsigned int thread)
{
	if (thread == 1) {
		lock_and_unlock(MINE, RL_WRITE, 2, 20);
		return;
	}
	if (thread == 2) {
		lock_and_unlock(MINE, RL_WRITE, 17, 19);
		lock_and_unlock(MINE + 1, RL_WRITE, 17, 19);
		return;
	}
	ex_require(!rl_write_lock(&scene->lk, handle(MINE), 0, 4));
	note_hold(MINE, RL_WRITE, 0, 4);
	rl_give(&scene->lk, handle(MINE), rl_self(&scene->lk));
	set_flag(MINE);
	note_let_go(MINE);
	rl_unlock(&scene->lk, handle(MINE));
	bury(MINE);
}

const struct special general_specials[] = {
	{ "a-try-beside-who-has-passed", 3, a_try_beside_who_has_passed, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "one-passes-who-is-called", 2, one_passes_who_is_called, NULL,
	  0, 0, 1, RL_BYPASS_NS, false, NULL },
	{ "two-pass-who-is-called", 3, two_pass_who_is_called, NULL,
	  0, 1, 0, RL_BYPASS_NS, false, NULL },
	{ "a-called-one-and-closing", 3, a_called_one_and_closing, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "others-pass-behind-a-holder", 3, others_pass_behind_a_holder, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "holder-cancels-waiter", 2, holder_cancels_waiter, NULL,
	  1, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "poll-sees-the-holder-before", 2, poll_sees_the_holder_before, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "cancel-races-grant", 3, cancel_races_grant, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "deadline-lets-in", 3, deadline_lets_in_who_waits_behind, NULL,
	  0, 1, 0, 0, false, NULL },
	{ "crossing-spans", 2, crossing_spans_do_not_deadlock, NULL,
	  1, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "two-wide-and-a-narrow", 3, two_wide_and_a_narrow, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "narrow-meets-reopening", 2, narrow_meets_reopening, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "readers-pass-a-writer", 3, readers_pass_a_waiting_writer, NULL,
	  0, 0, 1, RL_BYPASS_NS, false, NULL },
	{ "narrow-ones-open-a-shard", 2, narrow_ones_open_a_shard, lock_close_shards,
	  1, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "opening-races-closing", 3, opening_races_closing, lock_close_shards,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "cancelled-one-goes", 3, cancelled_one_goes_at_once, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "nobody-passes", 3, nobody_passes, NULL,
	  0, 0, 0, 0, false, NULL },
	{ "callback-locks", 3, callback_locks, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "each-runs-the-others-callback", 2, each_runs_the_others_callback, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "two-of-four-run-callbacks", 4, two_of_four_run_callbacks, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "markers-are-superseded", 3, markers_are_superseded, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "site-is-switched", 3, site_is_switched, register_site,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ "init-may-fail", 2, init_may_fail, NULL,
	  0, 0, 0, RL_BYPASS_NS, false, NULL },
	{ 0 },
};
