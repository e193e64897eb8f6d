/*
 * wait.c - spin a little, then park, until let in, cancelled or late
 *
 * The spin is about as long as a futex round trip between two cores, so a short
 * hold costs no sleep and a long one at most twice the sleep.  Before it sleeps
 * a waiter says so in its state (Q3), and only then does the granter pay for a
 * wake.  Whether a late waiter or the granter wins is decided under the guard:
 * one of them ends RL_F_WAITING.
 */
#include "rangelock/engine/wait.h"

#include <errno.h>

#include "rangelock/base/park.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/cycle.h"
#include "rangelock/engine/grant.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait_account.h"

#define NAP_NS	UINT64_C(50000)
#ifndef RL_WAIT_LOOKS			/* as RL_REOPEN in shards.c */
#define RL_WAIT_LOOKS	1000u		/* of a pause each: about 10 us */
#endif

static bool is_over(uint32_t state)
{
	return state == RL_HELD || state == RL_CANCELED;
}

/* (W1) acquire: sees the grant, and all that earlier holders of the range wrote
 * before they unlocked.  (W2) acquire: sees the end of the cancel. */
static uint32_t look(const struct rl_range *leader)
{
	return rl_load_acquire(&leader->state);
}

static int finish(uint32_t state)
{
	return state == RL_HELD ? 0 : ECANCELED;
}

/* The deadline has passed: true if the request was still waiting, and left. */
static bool leave_late(struct rangelock *lk, struct rl_range *leader)
{
	struct rl_pass pass;
	bool was_waiting;

	rl_pass_begin_home(&pass, lk, leader);
	was_waiting = leader->flags & RL_F_WAITING;
	if (was_waiting) {
		rl_account_wait_end(&pass, leader);
		rl_ledger_add(rl_account_ledger(lk), nr_timeouts, 1);
		rl_arbiter_leave(&pass, leader);
	}
	rl_pass_end(&pass);
	return was_waiting;
}

/* Somebody granted it: wait for the few stores until its state says so, unless
 * a callback is to say it.  After a while nap, as for a guard: the granter may
 * be somebody whom we keep from running. */
static void await_let_in(const struct rl_host *host,
			 const struct rl_range *leader)
{
	uint32_t state = look(leader);
	unsigned int looks = 0;

	for (; rl_state_is_queued(state); state = look(leader)) {
		if (rl_can_spin(host) && looks++ < RL_WAIT_LOOKS)
			rl_relax(host);
		else
			rl_park(host, &leader->state, state,
				rl_clock(host) + NAP_NS);
	}
}

/* It was called: hold if that is still possible, else wait on. */
static void claim(struct rangelock *lk, struct rl_range *leader)
{
	struct rl_pass pass;
	bool was_waiting;

	rl_pass_begin_looking(&pass, lk, leader, RL_ENTRY_LOOKS);
	was_waiting = leader->flags & RL_F_WAITING;
	if (was_waiting)
		rl_arbiter_claim(&pass, leader);
	rl_pass_end(&pass);
	if (!was_waiting)
		await_let_in(lk->host, leader);
}

/* Look for a while whether somebody ends the wait. */
static uint32_t spin(const struct rl_host *host, const struct rl_range *leader)
{
	uint32_t state = look(leader);

	for (unsigned int i = 0; i < RL_WAIT_LOOKS && rl_can_spin(host) &&
				 state == RL_QUEUED; i++) {
		rl_relax(host);
		state = look(leader);
	}
	return state;
}

/* It was taken out of the waiting ones, unless it was submitted. */
static int told_deadlock(struct rl_range *leader)
{
	/* Q4.  Relaxed: nobody else knows it now. */
	if (!(leader->flags & RL_F_SUBMITTED))
		rl_store_relaxed(&leader->state, RL_IDLE);
	return EDEADLK;
}

int rl_await(struct rangelock *lk, struct rl_range *leader,
	     uint64_t deadline_ns, bool spins)
{
	const struct rl_host *host = lk->host;
	uint32_t state = spins ? spin(host, leader) : look(leader);
	struct rl_watch watch;

	if (is_over(state))
		return finish(state);
	rl_watch_begin(&watch, lk, leader);
	for (; !is_over(state); state = look(leader)) {
		if (state == RL_CALLED && !RL_PLANTED(CALLED_SLEEPS)) {
			rl_watch_pause(&watch);
			claim(lk, leader);
			spin(host, leader);
			continue;
		}
		if (deadline_ns != RL_NO_DEADLINE &&
		    rl_clock(host) >= deadline_ns) {
			rl_watch_pause(&watch);
			if (leave_late(lk, leader) || RL_PLANTED(TIMEOUT_HELD)) {
				/* Q4.  Relaxed: nobody else knows it now. */
				rl_store_relaxed(&leader->state, RL_IDLE);
				return ETIMEDOUT;
			}
			deadline_ns = RL_NO_DEADLINE;	/* it is on its way */
		}
		/* Q3.  Relaxed: the futex compares the word again. */
		if (state == RL_QUEUED &&
		    !rl_cas_relaxed(&leader->state, RL_QUEUED, RL_PARKED))
			continue;
		rl_park(host, &leader->state, RL_PARKED,
			rl_watch_until(&watch, deadline_ns));
		if (rl_watch_is_due(&watch) && rl_watch_search(&watch))
			return told_deadlock(leader);
	}
	rl_watch_end(&watch);
	return finish(state);
}

/* Under the guard, which orders this after the request's own entry. */
static int withdraw_guarded(struct rl_pass *pass, struct rl_range *leader)
{
	if (leader->lock_tag != rl_lock_tag(pass->lk))
		return EINVAL;
	if (leader->flags & RL_F_HELD)
		return EBUSY;
	if (!(leader->flags & RL_F_WAITING))
		return EINVAL;
	rl_account_wait_end(pass, leader);
	rl_ledger_add(rl_account_ledger(pass->lk), nr_cancels, 1);
	rl_arbiter_leave(pass, leader);
	return 0;
}

int rl_withdraw(struct rangelock *lk, struct rl_range *leader)
{
	struct rl_deferred due = { NULL, NULL };
	struct rl_pass pass;
	uint32_t was = RL_IDLE;
	bool has_callback;
	int error;

	rl_pass_begin_home(&pass, lk, leader);
	error = withdraw_guarded(&pass, leader);
	has_callback = leader->granted != NULL;
	/* Q5.  (W2) release: the last touch; its waiter may be gone after it.
	 * Nobody else can end this wait now. */
	if (!error)
		was = rl_swap_release(&leader->state, RL_CANCELED);
	rl_pass_end_deferred(&pass, &due);
	if (was == RL_PARKED && !RL_PLANTED(CANCEL_NO_WAKE))
		rl_wake(lk->host, &leader->state);
	if (error == EBUSY && !has_callback)
		await_let_in(lk->host, leader);
	rl_run_callbacks(&due);
	return error;
}
