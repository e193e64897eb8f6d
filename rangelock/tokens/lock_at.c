/*
 * lock_at.c - the lock calls of a site, and what they tell
 */
#include <rangelock/site.h>

#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_read_lock_at);
RL_UNTOLD(rl_write_lock_at);
RL_UNTOLD(rl_read_trylock_at);
RL_UNTOLD(rl_write_trylock_at);
RL_UNTOLD(rl_read_lock_at_until);
RL_UNTOLD(rl_write_lock_at_until);
RL_UNTOLD(rl_read_submit_at);
RL_UNTOLD(rl_write_submit_at);

static void begin(struct rangelock *lk, struct rl_range *r,
		  struct rl_site *site)
{
	rl_hide_handles(lk, r, 1);
	rl_hide(site, sizeof(*site));
}

int rl_read_lock_at(struct rangelock *lk, struct rl_range *r,
		    struct rl_site *site, uint64_t start, uint64_t end)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_read_lock_at(lk, r, site, start, end));
}

int rl_write_lock_at(struct rangelock *lk, struct rl_range *r,
		     struct rl_site *site, uint64_t start, uint64_t end)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_write_lock_at(lk, r, site, start, end));
}

int rl_read_trylock_at(struct rangelock *lk, struct rl_range *r,
		       struct rl_site *site, uint64_t start, uint64_t end)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1, untold_rl_read_trylock_at(lk, r, site,
								 start, end));
}

int rl_write_trylock_at(struct rangelock *lk, struct rl_range *r,
			struct rl_site *site, uint64_t start, uint64_t end)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1, untold_rl_write_trylock_at(lk, r, site,
								  start, end));
}

int rl_read_lock_at_until(struct rangelock *lk, struct rl_range *r,
			  struct rl_site *site, uint64_t start, uint64_t end,
			  uint64_t deadline_ns)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_read_lock_at_until(lk, r, site, start,
							  end, deadline_ns));
}

int rl_write_lock_at_until(struct rangelock *lk, struct rl_range *r,
			   struct rl_site *site, uint64_t start, uint64_t end,
			   uint64_t deadline_ns)
{
	begin(lk, r, site);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_write_lock_at_until(lk, r, site, start,
							   end, deadline_ns));
}

int rl_read_submit_at(struct rangelock *lk, struct rl_range *r,
		      struct rl_site *site, uint64_t start, uint64_t end,
		      rl_granted_fn *granted)
{
	begin(lk, r, site);
	rl_tell_handed_over(r);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_read_submit_at(lk, r, site, start, end,
						      granted));
}

int rl_write_submit_at(struct rangelock *lk, struct rl_range *r,
		       struct rl_site *site, uint64_t start, uint64_t end,
		       rl_granted_fn *granted)
{
	begin(lk, r, site);
	rl_tell_handed_over(r);
	return rl_tell_asked(lk, r, 1,
			     untold_rl_write_submit_at(lk, r, site, start, end,
						       granted));
}
