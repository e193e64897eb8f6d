/*
 * lock.c - lock, trylock, deadline, coarse, unlock, and what they tell
 */
#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_read_lock);
RL_UNTOLD(rl_write_lock);
RL_UNTOLD(rl_read_trylock);
RL_UNTOLD(rl_write_trylock);
RL_UNTOLD(rl_read_lock_until);
RL_UNTOLD(rl_write_lock_until);
RL_UNTOLD(rl_read_lock_coarse);
RL_UNTOLD(rl_write_lock_coarse);
RL_UNTOLD(rl_read_trylock_coarse);
RL_UNTOLD(rl_write_trylock_coarse);
RL_UNTOLD(rl_read_lock_coarse_until);
RL_UNTOLD(rl_write_lock_coarse_until);
RL_UNTOLD(rl_unlock);
RL_UNTOLD(rl_unlock_deferred);
RL_UNTOLD(rl_give);

int rl_read_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		 uint64_t end)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_read_lock(lk, r, start, end));
}

int rl_write_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		  uint64_t end)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_write_lock(lk, r, start, end));
}

int rl_read_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		    uint64_t end)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_read_trylock(lk, r, start, end));
}

int rl_write_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		     uint64_t end)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_write_trylock(lk, r, start, end));
}

int rl_read_lock_until(struct rangelock *lk, struct rl_range *r,
		       uint64_t start, uint64_t end, uint64_t deadline_ns)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_read_lock_until(
					       lk, r, start, end, deadline_ns));
}

int rl_write_lock_until(struct rangelock *lk, struct rl_range *r,
			uint64_t start, uint64_t end, uint64_t deadline_ns)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_write_lock_until(
					       lk, r, start, end, deadline_ns));
}

int rl_read_lock_coarse(struct rangelock *lk, struct rl_range *r)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_read_lock_coarse(lk, r));
}

int rl_write_lock_coarse(struct rangelock *lk, struct rl_range *r)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_write_lock_coarse(lk, r));
}

int rl_read_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_read_trylock_coarse(lk, r));
}

int rl_write_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_write_trylock_coarse(lk, r));
}

int rl_read_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			      uint64_t deadline_ns)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_read_lock_coarse_until(
					       lk, r, deadline_ns));
}

int rl_write_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			       uint64_t deadline_ns)
{
	rl_hide_handles(lk, r, 1);
	return rl_tell_asked(lk, r, 1, untold_rl_write_lock_coarse_until(
					       lk, r, deadline_ns));
}

void rl_unlock(struct rangelock *lk, struct rl_range *r)
{
	rl_tell_leaving(lk, r);
	untold_rl_unlock(lk, r);
	rl_show(r, sizeof(*r));
}

void rl_unlock_deferred(struct rangelock *lk, struct rl_range *r,
			struct rl_deferred *d)
{
	rl_tell_leaving(lk, r);
	untold_rl_unlock_deferred(lk, r, d);
	rl_show(r, sizeof(*r));
}

void rl_give(struct rangelock *lk, struct rl_range *r, uint64_t owner)
{
	rl_hide_lock(lk);
	untold_rl_give(lk, r, owner);
}
