/*
 * submit.c - submit, wait, poll, cancel, and what they tell
 *
 * A submitted handle changes hands: what its submitter did before, a callback or
 * whoever polls sees; and what a canceller did, who is told ECANCELED.
 */
#include <errno.h>

#include "rangelock/engine/request.h"
#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_read_submit);
RL_UNTOLD(rl_write_submit);
RL_UNTOLD(rl_read_submit_coarse);
RL_UNTOLD(rl_write_submit_coarse);
RL_UNTOLD(rl_wait);
RL_UNTOLD(rl_wait_until);
RL_UNTOLD(rl_poll);
RL_UNTOLD(rl_cancel);

static void begin(struct rangelock *lk, struct rl_range *r)
{
	rl_hide_handles(lk, r, 1);
	rl_tell_handed_over(r);
}

int rl_read_submit(struct rangelock *lk, struct rl_range *r, uint64_t start,
		   uint64_t end, rl_granted_fn *granted)
{
	begin(lk, r);
	return rl_tell_asked(lk, r, 1, untold_rl_read_submit(lk, r, start, end,
							     granted));
}

int rl_write_submit(struct rangelock *lk, struct rl_range *r, uint64_t start,
		    uint64_t end, rl_granted_fn *granted)
{
	begin(lk, r);
	return rl_tell_asked(lk, r, 1, untold_rl_write_submit(lk, r, start, end,
							      granted));
}

int rl_read_submit_coarse(struct rangelock *lk, struct rl_range *r,
			  rl_granted_fn *granted)
{
	begin(lk, r);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_read_submit_coarse(lk, r, granted));
}

int rl_write_submit_coarse(struct rangelock *lk, struct rl_range *r,
			   rl_granted_fn *granted)
{
	begin(lk, r);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_write_submit_coarse(lk, r, granted));
}

/* Somebody has learned what became of a submitted r: a handle that is not held
 * stays hidden, for it may be one of several. */
static int learned(const struct rangelock *lk, const struct rl_range *r,
		   int error)
{
	if (!error || error == ECANCELED)
		rl_tell_taken_over(r);
	if (!error)
		rl_tell_held(lk, r);
	return error;
}

int rl_wait(struct rangelock *lk, struct rl_range *r)
{
	return learned(lk, r, untold_rl_wait(lk, r));
}

int rl_wait_until(struct rangelock *lk, struct rl_range *r,
		  uint64_t deadline_ns)
{
	return learned(lk, r, untold_rl_wait_until(lk, r, deadline_ns));
}

int rl_poll(struct rangelock *lk, struct rl_range *r)
{
	return learned(lk, r, untold_rl_poll(lk, r));
}

int rl_cancel(struct rangelock *lk, struct rl_range *r)
{
	int error;

	rl_hide_lock(lk);
	rl_tell_handed_over(r);
	error = untold_rl_cancel(lk, r);
	/* Who cancels too late what he submitted holds it. */
	if (error == EBUSY && r->flags & RL_F_SUBMITTED && !r->granted)
		rl_tell_held(lk, r);
	return error;
}
