/*
 * initializers.c - every initializer and macro of the public headers, used
 *
 * That a header compiles says nothing of its macros; a client expands them, as
 * C11 and as C++17, with pedantic warnings on.
 */
#include <rangelock.h>
#include <rangelock/pending.h>
#include <rangelock/rwlock.h>
#include <rangelock/site.h>
#include <rangelock/stats.h>

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_pending_set markers = RL_PENDING_SET_INIT;
static struct rl_pending marker = RL_PENDING_INIT;
static struct rl_site site = RL_SITE_INIT("client", RL_FINE);

static int use_rwlock(void)
{
	if (rl_rwlock_rdlock(&lk) || rl_rwlock_unlock(&lk))
		return 1;
	if (rl_rwlock_wrlock(&lk) || rl_rwlock_unlock(&lk))
		return 1;
	if (rl_rwlock_tryrdlock(&lk) || rl_rwlock_unlock(&lk))
		return 1;
	if (rl_rwlock_timedwrlock(&lk, RL_NO_DEADLINE) || rl_rwlock_unlock(&lk))
		return 1;
	if (rl_mutex_lock(&lk) || rl_mutex_unlock(&lk))
		return 1;
	return rl_mutex_trylock(&lk) || rl_mutex_unlock(&lk);
}

int main(void)
{
	struct rl_options options = RL_OPTIONS_INIT;
	struct rl_range r = RL_RANGE_INIT;
	struct rangelock other;

	options.name = "client";
	if (rl_init(&other, &options) || rl_destroy(&other))
		return 1;
	if (rl_write_lock_at(&lk, &r, &site, 0, 10) != 0)
		return 2;
	rl_unlock(&lk, &r);
	if (rl_pending_mark(&markers, &marker, RL_PENDING_MAP, 0, 10) ||
	    rl_pending_commit(&marker))
		return 3;
	return use_rwlock() ? 4 : rl_destroy(&lk);
}
