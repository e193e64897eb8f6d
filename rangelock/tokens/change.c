/*
 * change.c - downgrade, upgrade, narrow, extend, and what they tell
 */
#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_write_downgrade);
RL_UNTOLD(rl_read_tryupgrade);
RL_UNTOLD(rl_narrow);
RL_UNTOLD(rl_tryextend);

void rl_write_downgrade(struct rangelock *lk, struct rl_range *r)
{
	rl_tell_leaving(lk, r);
	untold_rl_write_downgrade(lk, r);
}

int rl_read_tryupgrade(struct rangelock *lk, struct rl_range *r)
{
	int error = untold_rl_read_tryupgrade(lk, r);

	if (!error)
		rl_tell_held(lk, r);
	return error;
}

int rl_narrow(struct rangelock *lk, struct rl_range *r, uint64_t start,
	      uint64_t end)
{
	rl_tell_leaving(lk, r);
	return untold_rl_narrow(lk, r, start, end);
}

int rl_tryextend(struct rangelock *lk, struct rl_range *r, uint64_t start,
		 uint64_t end)
{
	int error = untold_rl_tryextend(lk, r, start, end);

	if (!error)
		rl_tell_held(lk, r);
	return error;
}
