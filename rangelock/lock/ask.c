/*
 * ask.c - a request that finds others in the lock
 */
#include "rangelock/lock/ask.h"

#include "rangelock/engine/wait.h"

int rl_ask_guarded(struct rangelock *lk, struct rl_arbiter *a,
		   struct rl_range *leader, enum rl_patience patience,
		   uint64_t deadline_ns)
{
	struct rl_pass pass;
	int error;

	rl_pass_adopt(&pass, lk, a);
	/* Q1.  (W3) release: who cancels it finds its arbiter. */
	rl_store_release(&leader->state, RL_QUEUED);
	error = rl_arbiter_enter(&pass, leader, patience);
	if (!error)
		/* (W3) release: the same. */
		rl_store_release(&leader->state, RL_HELD);
	else if (error != EINPROGRESS)
		rl_store_relaxed(&leader->state, RL_IDLE);
	rl_guard_unlock(&pass.arbiter->guard);	/* entering grants nobody else */

	if (error != EINPROGRESS || patience == RL_SUBMIT)
		return error;
	return rl_await(lk, leader, deadline_ns);
}
