/*
 * ask.c - from a call of the interface to a request in the arbiter
 *
 * The uncontended path is: fill the handle, one swap on the guard, an insertion
 * into an empty tree, one store.  No clock, no search, no allocation.
 */
#include "rangelock/lock/ask.h"

#include <errno.h>

#include "rangelock/base/park.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/wait.h"

/* A handle that nobody uses: fresh, let go, or cancelled. */
static bool handle_is_free(const struct rl_range *r)
{
	/* Relaxed: the caller owns it, or ordered itself after who did. */
	uint32_t state = rl_load_relaxed(&r->state);

	return state == RL_IDLE || state == RL_CANCELED;
}

void rl_fill_range(struct rangelock *lk, struct rl_range *r,
		   const struct rl_ask *ask)
{
	RL_REQUIRE(handle_is_free(r));

	if (ask->grain == RL_FINE) {
		r->node.start = ask->start;
		r->node.end = ask->end;
	} else {
		r->node.start = 0;
		r->node.end = RL_END;
	}
	r->declared_start = ask->start;
	r->declared_end = ask->end;
	r->owner = rl_owner(lk->host);
	r->granted = ask->granted;
	r->lock_tag = rl_lock_tag(lk);
	r->site = ask->site;
	r->flags = (uint16_t)ask->grain;
	r->group = 0;
	r->mode = (uint8_t)ask->mode;
}

int rl_ask_filled(struct rangelock *lk, struct rl_range *leader,
		  enum rl_patience patience, uint64_t deadline_ns)
{
	struct rl_pass pass;
	int error;

	if (patience == RL_TRY) {
		if (!rl_pass_trybegin(&pass, lk))
			return EBUSY;
	} else {
		rl_pass_begin(&pass, lk);
	}
	/* Relaxed: published by the guard, and read by others only if queued. */
	rl_store_relaxed(&leader->state, RL_QUEUED);		/* Q1 */
	error = rl_arbiter_enter(&pass, leader, patience);
	if (!error)
		rl_store_relaxed(&leader->state, RL_HELD);
	else if (error != EINPROGRESS)
		rl_store_relaxed(&leader->state, RL_IDLE);
	rl_guard_unlock(&pass.arbiter->guard);	/* entering grants nobody else */

	if (error != EINPROGRESS || patience == RL_SUBMIT)
		return error;
	return rl_await(lk, leader, deadline_ns);
}

int rl_ask(struct rangelock *lk, struct rl_range *r, const struct rl_ask *ask)
{
	if (!lk || !r || ask->start >= ask->end)
		return EINVAL;
	rl_fill_range(lk, r, ask);
	return rl_ask_filled(lk, r, ask->patience, ask->deadline_ns);
}

void rl_require_held(const struct rangelock *lk, const struct rl_range *r)
{
	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	/* Relaxed: who changes what is held knows that it is held. */
	RL_REQUIRE(rl_load_relaxed(&r->state) == RL_HELD);
	RL_REQUIRE(r->lock_tag == rl_lock_tag(lk));
	RL_REQUIRE(!rl_range_is_several(r));
}
