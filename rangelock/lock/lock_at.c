/*
 * lock_at.c - the lock calls of a site: the grain says what is locked
 */
#include <errno.h>

#include "rangelock/lock/ask.h"
#include "rangelock/lock/site.h"

static int ask_at(struct rangelock *lk, struct rl_range *r,
		  struct rl_site *site, struct rl_ask ask)
{
	struct rl_arbiter *a = NULL;

	if (!lk || !r || !site || ask.start >= ask.end)
		return EINVAL;
	ask.at_site = true;
	ask.site = rl_site_enter(site, ask.mode, &ask.grain);
	if (ask.patience != RL_SUBMIT) {
		enum rl_asked asked = rl_ask_quickly(lk, r, &ask, &a);

		if (asked == RL_ASKED_HOLDS ||
		    (asked == RL_ASKED_ASIDE && rl_ask_biased(lk, a, r, &ask)))
			return 0;
		if (asked == RL_ASKED_ASIDE)
			a = NULL;
	}
	return rl_ask_slowly(lk, a, r, &ask);
}

static int ask_at_until(struct rangelock *lk, struct rl_range *r,
			struct rl_site *site, struct rl_ask ask,
			uint64_t deadline_ns)
{
	ask.deadline_ns = deadline_ns;
	return ask_at(lk, r, site, ask);
}

static int submit_at(struct rangelock *lk, struct rl_range *r,
		     struct rl_site *site, struct rl_ask ask,
		     rl_granted_fn *granted)
{
	ask.granted = granted;
	return ask_at(lk, r, site, ask);
}

int rl_read_lock_at(struct rangelock *lk, struct rl_range *r,
		    struct rl_site *site, uint64_t start, uint64_t end)
{
	return ask_at(lk, r, site, RL_ASK(start, end, RL_READ, RL_BLOCK));
}

int rl_write_lock_at(struct rangelock *lk, struct rl_range *r,
		     struct rl_site *site, uint64_t start, uint64_t end)
{
	return ask_at(lk, r, site, RL_ASK(start, end, RL_WRITE, RL_BLOCK));
}

int rl_read_trylock_at(struct rangelock *lk, struct rl_range *r,
		       struct rl_site *site, uint64_t start, uint64_t end)
{
	return ask_at(lk, r, site, RL_ASK(start, end, RL_READ, RL_TRY));
}

int rl_write_trylock_at(struct rangelock *lk, struct rl_range *r,
			struct rl_site *site, uint64_t start, uint64_t end)
{
	return ask_at(lk, r, site, RL_ASK(start, end, RL_WRITE, RL_TRY));
}

int rl_read_lock_at_until(struct rangelock *lk, struct rl_range *r,
			  struct rl_site *site, uint64_t start, uint64_t end,
			  uint64_t deadline_ns)
{
	return ask_at_until(lk, r, site,
			    RL_ASK(start, end, RL_READ, RL_BLOCK), deadline_ns);
}

int rl_write_lock_at_until(struct rangelock *lk, struct rl_range *r,
			   struct rl_site *site, uint64_t start, uint64_t end,
			   uint64_t deadline_ns)
{
	return ask_at_until(lk, r, site,
			    RL_ASK(start, end, RL_WRITE, RL_BLOCK),
			    deadline_ns);
}

int rl_read_submit_at(struct rangelock *lk, struct rl_range *r,
		      struct rl_site *site, uint64_t start, uint64_t end,
		      rl_granted_fn *granted)
{
	return submit_at(lk, r, site, RL_ASK(start, end, RL_READ, RL_SUBMIT),
			 granted);
}

int rl_write_submit_at(struct rangelock *lk, struct rl_range *r,
		       struct rl_site *site, uint64_t start, uint64_t end,
		       rl_granted_fn *granted)
{
	return submit_at(lk, r, site, RL_ASK(start, end, RL_WRITE, RL_SUBMIT),
			 granted);
}
