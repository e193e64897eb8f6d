/*
 * look.c - who only looks, at a lock or a site: hidden, and nothing told
 */
#include <rangelock/site.h>
#include <rangelock/stats.h>

#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_self);
RL_UNTOLD(rl_now);
RL_UNTOLD(rl_is_held);
RL_UNTOLD(rl_assert_held);
RL_UNTOLD(rl_dump);
RL_UNTOLD(rl_visit_blockers);
RL_UNTOLD(rl_fork_prepare);
RL_UNTOLD(rl_fork_child);
RL_UNTOLD(rl_stats_read);
RL_UNTOLD(rl_stats_reset);
RL_UNTOLD(rl_stats_print);
RL_UNTOLD(rl_site_check);
RL_UNTOLD(rl_site_register);
RL_UNTOLD(rl_site_set_grain);
RL_UNTOLD(rl_site_grain);

uint64_t rl_self(const struct rangelock *lk)
{
	rl_hide_lock(lk);
	return untold_rl_self(lk);
}

uint64_t rl_now(const struct rangelock *lk)
{
	rl_hide_lock(lk);
	return untold_rl_now(lk);
}

int rl_is_held(struct rangelock *lk, uint64_t start, uint64_t end,
	       enum rl_mode mode)
{
	rl_hide_lock(lk);
	return untold_rl_is_held(lk, start, end, mode);
}

void rl_assert_held(struct rangelock *lk, uint64_t start, uint64_t end,
		    enum rl_mode mode, const char *file, int line)
{
	rl_hide_lock(lk);
	untold_rl_assert_held(lk, start, end, mode, file, line);
}

void rl_dump(struct rangelock *lk, rl_write_fn *write, void *arg)
{
	rl_hide_lock(lk);
	untold_rl_dump(lk, write, arg);
}

size_t rl_visit_blockers(struct rangelock *lk, struct rl_range *r,
			 rl_blocker_fn *visit, void *arg)
{
	rl_hide_lock(lk);
	return untold_rl_visit_blockers(lk, r, visit, arg);
}

void rl_fork_prepare(struct rangelock *lk)
{
	rl_hide_lock(lk);
	untold_rl_fork_prepare(lk);
}

int rl_fork_child(struct rangelock *lk)
{
	rl_hide_lock(lk);
	return untold_rl_fork_child(lk);
}

int rl_stats_read(struct rangelock *lk, struct rl_stats *stats)
{
	rl_hide_lock(lk);
	return untold_rl_stats_read(lk, stats);
}

int rl_stats_reset(struct rangelock *lk)
{
	rl_hide_lock(lk);
	return untold_rl_stats_reset(lk);
}

int rl_stats_print(struct rangelock *lk, enum rl_format format,
		   rl_write_fn *write, void *arg)
{
	rl_hide_lock(lk);
	return untold_rl_stats_print(lk, format, write, arg);
}

int rl_site_check(struct rangelock *lk, const struct rl_range *r,
		  uint64_t address, uint64_t length)
{
	rl_hide_lock(lk);
	return untold_rl_site_check(lk, r, address, length);
}

int rl_site_register(struct rl_site *site)
{
	rl_hide(site, sizeof(*site));
	return untold_rl_site_register(site);
}

int rl_site_set_grain(struct rl_site *site, enum rl_grain grain)
{
	rl_hide(site, sizeof(*site));
	return untold_rl_site_set_grain(site, grain);
}

enum rl_grain rl_site_grain(const struct rl_site *site)
{
	rl_hide(site, sizeof(*site));
	return untold_rl_site_grain(site);
}
