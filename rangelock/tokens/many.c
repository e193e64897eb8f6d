/*
 * many.c - several ranges, and what their calls tell
 */
#include <rangelock/site.h>

#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_lock_many);
RL_UNTOLD(rl_trylock_many);
RL_UNTOLD(rl_lock_many_until);
RL_UNTOLD(rl_submit_many);
RL_UNTOLD(rl_lock_many_at);
RL_UNTOLD(rl_submit_many_at);
RL_UNTOLD(rl_unlock_many);

int rl_lock_many(struct rangelock *lk, struct rl_range *r, size_t n,
		 const struct rl_span *spans)
{
	rl_hide_handles(lk, r, n);
	return rl_tell_asked(lk, r, n, untold_rl_lock_many(lk, r, n, spans));
}

int rl_trylock_many(struct rangelock *lk, struct rl_range *r, size_t n,
		    const struct rl_span *spans)
{
	rl_hide_handles(lk, r, n);
	return rl_tell_asked(lk, r, n, untold_rl_trylock_many(lk, r, n, spans));
}

int rl_lock_many_until(struct rangelock *lk, struct rl_range *r, size_t n,
		       const struct rl_span *spans, uint64_t deadline_ns)
{
	rl_hide_handles(lk, r, n);
	return rl_tell_asked(lk, r, n,
			     untold_rl_lock_many_until(lk, r, n, spans,
						       deadline_ns));
}

int rl_submit_many(struct rangelock *lk, struct rl_range *r, size_t n,
		   const struct rl_span *spans)
{
	rl_hide_handles(lk, r, n);
	rl_tell_handed_over(r);
	return rl_tell_asked(lk, r, n, untold_rl_submit_many(lk, r, n, spans));
}

int rl_lock_many_at(struct rangelock *lk, struct rl_range *r,
		    struct rl_site *site, size_t n,
		    const struct rl_span *spans)
{
	rl_hide_handles(lk, r, n);
	rl_hide(site, sizeof(*site));
	return rl_tell_asked(lk, r, n,
			     untold_rl_lock_many_at(lk, r, site, n, spans));
}

int rl_submit_many_at(struct rangelock *lk, struct rl_range *r,
		      struct rl_site *site, size_t n,
		      const struct rl_span *spans)
{
	rl_hide_handles(lk, r, n);
	rl_hide(site, sizeof(*site));
	rl_tell_handed_over(r);
	return rl_tell_asked(lk, r, n,
			     untold_rl_submit_many_at(lk, r, site, n, spans));
}

void rl_unlock_many(struct rangelock *lk, struct rl_range *r, size_t n)
{
	rl_tell_leaving(lk, r);
	untold_rl_unlock_many(lk, r, n);
	rl_show(r, n * sizeof(*r));
}
