/*
 * change.c - downgrade, upgrade, narrow, extend
 *
 * A site's coarse or shadow request locks everything and only declares a range:
 * narrowing and extending it then change what it declares, so that they mean the
 * same under every grain (G4).
 */
#include <errno.h>

#include "rangelock/base/require.h"
#include "rangelock/lock/ask.h"

static bool only_declares(const struct rl_range *r)
{
	return r->flags & RL_F_AT_SITE && rl_range_grain(r) != RL_FINE;
}

void rl_write_downgrade(struct rangelock *lk, struct rl_range *r)
{
	struct rl_pass pass;

	rl_require_held(lk, r);
	rl_entry_settle(lk, r);
	rl_pass_begin_home(&pass, lk, r);
	RL_REQUIRE(r->mode == RL_WRITE);
	rl_arbiter_change(&pass, r, RL_READ, r->node.start, r->node.end);
	rl_pass_end(&pass);
}

int rl_read_tryupgrade(struct rangelock *lk, struct rl_range *r)
{
	struct rl_pass pass;
	bool can;

	if (!lk || !r)
		return EINVAL;
	rl_require_held(lk, r);
	rl_entry_settle(lk, r);
	rl_pass_begin_home(&pass, lk, r);
	while (rl_guard_flags(&pass.arbiter->guard) & RL_BIASED) {
		rl_entries_evict(lk, pass.arbiter);
		rl_guard_unlock(&pass.arbiter->guard);
		rl_pass_begin_home(&pass, lk, r);
	}
	RL_REQUIRE(r->mode == RL_READ);
	can = rl_arbiter_can_change(&pass, r, RL_WRITE, r->node.start,
				    r->node.end);
	if (can)
		rl_arbiter_change(&pass, r, RL_WRITE, r->node.start,
				  r->node.end);
	rl_pass_end(&pass);
	return can ? 0 : EBUSY;
}

static void declare(struct rl_range *r, uint64_t start, uint64_t end)
{
	r->declared_start = start;
	r->declared_end = end;
}

/* A range that is only declared does not move. */
static void begin_change(struct rl_pass *pass, struct rangelock *lk,
			 const struct rl_range *r, uint64_t start, uint64_t end)
{
	if (only_declares(r))
		rl_pass_begin_home(pass, lk, r);
	else
		rl_pass_begin_change(pass, lk, r, start, end);
}

int rl_narrow(struct rangelock *lk, struct rl_range *r, uint64_t start,
	      uint64_t end)
{
	struct rl_pass pass;

	if (!lk || !r || start >= end)
		return EINVAL;
	rl_require_held(lk, r);
	rl_entry_settle(lk, r);
	begin_change(&pass, lk, r, start, end);
	if (start < rl_range_declared_start(r) ||
	    end > rl_range_declared_end(r)) {
		rl_pass_end(&pass);
		return EINVAL;
	}
	declare(r, start, end);
	if (!only_declares(r)) {
		r->flags = (uint16_t)((r->flags & ~RL_F_GRAIN) | RL_FINE);
		rl_arbiter_change(&pass, r, rl_range_mode(r), start, end);
	}
	rl_pass_end(&pass);
	return 0;
}

int rl_tryextend(struct rangelock *lk, struct rl_range *r, uint64_t start,
		 uint64_t end)
{
	struct rl_pass pass;
	int error = 0;

	if (!lk || !r || start >= end)
		return EINVAL;
	rl_require_held(lk, r);
	rl_entry_settle(lk, r);
	begin_change(&pass, lk, r, start, end);
	if (start > rl_range_declared_start(r) ||
	    end < rl_range_declared_end(r))
		error = EINVAL;
	else if (!only_declares(r) &&
		 !rl_arbiter_can_change(&pass, r, rl_range_mode(r), start, end))
		error = EBUSY;
	if (!error) {
		declare(r, start, end);
		if (!only_declares(r))
			rl_arbiter_change(&pass, r, rl_range_mode(r), start,
					  end);
	}
	rl_pass_end(&pass);
	return error;
}
