/*
 * submit.c - a lock in two steps: queue it now, wait or be called later
 */
#include <errno.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/wait.h"
#include "rangelock/engine/wait_account.h"
#include "rangelock/lock/ask.h"

static int submit(struct rangelock *lk, struct rl_range *r, struct rl_ask ask,
		  rl_granted_fn *granted)
{
	ask.granted = granted;
	return rl_ask(lk, r, &ask);
}

int rl_read_submit(struct rangelock *lk, struct rl_range *r, uint64_t start,
		   uint64_t end, rl_granted_fn *granted)
{
	return submit(lk, r, RL_ASK(start, end, RL_READ, RL_SUBMIT), granted);
}

int rl_write_submit(struct rangelock *lk, struct rl_range *r, uint64_t start,
		    uint64_t end, rl_granted_fn *granted)
{
	return submit(lk, r, RL_ASK(start, end, RL_WRITE, RL_SUBMIT), granted);
}

int rl_read_submit_coarse(struct rangelock *lk, struct rl_range *r,
			  rl_granted_fn *granted)
{
	struct rl_ask ask = RL_ASK(0, RL_END, RL_READ, RL_SUBMIT);

	ask.grain = RL_COARSE;
	return submit(lk, r, ask, granted);
}

int rl_write_submit_coarse(struct rangelock *lk, struct rl_range *r,
			   rl_granted_fn *granted)
{
	struct rl_ask ask = RL_ASK(0, RL_END, RL_WRITE, RL_SUBMIT);

	ask.grain = RL_COARSE;
	return submit(lk, r, ask, granted);
}

static void require_submitted(const struct rangelock *lk,
			      const struct rl_range *r)
{
	/* Relaxed: the caller submitted it. */
	uint32_t state = rl_load_relaxed(&r->state);

	RL_REQUIRE(state != RL_IDLE);
	RL_REQUIRE(state != RL_MEMBER);
	RL_REQUIRE(rl_range_is_of(lk, r));
	RL_REQUIRE(!(r->bare & RL_BARE_CALLBACK));
}

int rl_wait(struct rangelock *lk, struct rl_range *r)
{
	return rl_wait_until(lk, r, RL_NO_DEADLINE);
}

int rl_wait_until(struct rangelock *lk, struct rl_range *r,
		  uint64_t deadline_ns)
{
	struct rl_pass pass;
	bool never = false;
	uint64_t self;

	if (!lk || !r)
		return EINVAL;
	require_submitted(lk, r);
	self = rl_self(lk);
	rl_entry_settle(lk, r);
	rl_pass_begin_home(&pass, lk, r);
	RL_REQUIRE(r->flags & RL_F_SUBMITTED);
	if (r->flags & RL_F_WAITING) {
		never = rl_would_deadlock(&pass, r, self);
		if (never)
			rl_ledger_add(rl_account_ledger(lk), nr_deadlocks, 1);
		else
			r->flags |= RL_F_AWAITED;
	}
	if (!never && !RL_PLANTED(WAIT_KEEPS_OWNER))
		r->owner = self;
	rl_pass_end(&pass);
	return never ? EDEADLK : rl_await(lk, r, deadline_ns, true);
}

int rl_poll(struct rangelock *lk, struct rl_range *r)
{
	uint32_t state;

	if (!lk || !r)
		return EINVAL;
	require_submitted(lk, r);
	/* (W1) acquire: as in rl_await(), if it is held.  (W2) acquire: the
	 * same if it is cancelled. */
	state = rl_load_acquire(&r->state);
	if (state == RL_HELD || rl_state_is_inline(state))
		return 0;
	return state == RL_CANCELED ? ECANCELED : EINPROGRESS;
}

static uint32_t state_of(const struct rl_range *r)
{
	/* (W3) acquire: what says where r is.  What becomes of it is decided under
	 * the guard. */
	return rl_load_acquire(&r->state);
}

static struct rl_arbiter *arbiter_of(const struct rl_range *r, uint32_t state)
{
	return RL_PLANTED(CANCEL_LOOKS_ONCE) ? rl_range_arbiter(r) :
					       rl_range_arbiter_by(r, state);
}

int rl_cancel(struct rangelock *lk, struct rl_range *r)
{
	uint32_t state, before;

	if (!lk || !r)
		return EINVAL;
	state = state_of(r);
	while (rl_state_is_inline(state)) {
		if (rl_entry_is_of(lk, arbiter_of(r, state)))
			return EBUSY;
		/* Its owner may be leaving its entry for the tree. */
		before = state;
		state = state_of(r);
		if (state == before || RL_PLANTED(CANCEL_LOOKS_ONCE))
			return EINVAL;
	}
	if (state == RL_IDLE || state == RL_CANCELED)
		return EINVAL;
	if (r->lock_tag != rl_lock_tag(lk))	/* it is in no guard of ours */
		return EINVAL;
	return rl_withdraw(lk, r);
}
