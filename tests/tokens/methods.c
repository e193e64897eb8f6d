/*
 * methods.c - every call that holds a range, as one kind of function
 */
#include <errno.h>

#include <rangelock/rwlock.h>

#include "tests/tokens/client.h"

#define LATER(lk)	(rl_now(lk) + UINT64_C(1000000000000))

static struct rl_site fine = RL_SITE_INIT("fine", RL_FINE);
static struct rl_site shadow = RL_SITE_INIT("shadow", RL_SHADOW);
static struct rl_site coarse = RL_SITE_INIT("coarse", RL_COARSE);

#define HOLD(name)							\
	static int name(struct rangelock *lk, struct rl_range *r,	\
			enum rl_mode mode, uint64_t start, uint64_t end)

#define BY_MODE(read, write)	(mode == RL_READ ? (read) : (write))

HOLD(by_lock)
{
	return BY_MODE(rl_read_lock(lk, r, start, end),
		       rl_write_lock(lk, r, start, end));
}

HOLD(by_trylock)
{
	return BY_MODE(rl_read_trylock(lk, r, start, end),
		       rl_write_trylock(lk, r, start, end));
}

HOLD(by_lock_until)
{
	return BY_MODE(rl_read_lock_until(lk, r, start, end, LATER(lk)),
		       rl_write_lock_until(lk, r, start, end, LATER(lk)));
}

HOLD(by_coarse)
{
	(void)start, (void)end;
	return BY_MODE(rl_read_lock_coarse(lk, r), rl_write_lock_coarse(lk, r));
}

HOLD(by_trylock_coarse)
{
	(void)start, (void)end;
	return BY_MODE(rl_read_trylock_coarse(lk, r),
		       rl_write_trylock_coarse(lk, r));
}

HOLD(by_coarse_until)
{
	(void)start, (void)end;
	return BY_MODE(rl_read_lock_coarse_until(lk, r, LATER(lk)),
		       rl_write_lock_coarse_until(lk, r, LATER(lk)));
}

static int then_wait(struct rangelock *lk, struct rl_range *r, int error)
{
	return error == EINPROGRESS ? rl_wait(lk, r) : error;
}

HOLD(by_submit_and_wait)
{
	return then_wait(lk, r,
			 BY_MODE(rl_read_submit(lk, r, start, end, NULL),
				 rl_write_submit(lk, r, start, end, NULL)));
}

HOLD(by_submit_and_wait_until)
{
	int error = BY_MODE(rl_read_submit(lk, r, start, end, NULL),
			    rl_write_submit(lk, r, start, end, NULL));

	return error == EINPROGRESS ? rl_wait_until(lk, r, LATER(lk)) : error;
}

HOLD(by_submit_and_poll)
{
	int error = BY_MODE(rl_read_submit(lk, r, start, end, NULL),
			    rl_write_submit(lk, r, start, end, NULL));

	while (error == EINPROGRESS)
		error = rl_poll(lk, r);
	return error;
}

HOLD(by_submit_coarse)
{
	(void)start, (void)end;
	return then_wait(lk, r, BY_MODE(rl_read_submit_coarse(lk, r, NULL),
					rl_write_submit_coarse(lk, r, NULL)));
}

/* Two ranges, of which the first is the one that is asked for. */
#define SPANS								\
	{								\
		{ start, end, mode },					\
		{ UINT64_C(1) << 40, (UINT64_C(1) << 40) + 1, RL_READ }, \
	}

HOLD(by_lock_many)
{
	struct rl_span spans[] = SPANS;

	return rl_lock_many(lk, r, 2, spans);
}

HOLD(by_trylock_many)
{
	struct rl_span spans[] = SPANS;

	return rl_trylock_many(lk, r, 2, spans);
}

HOLD(by_lock_many_until)
{
	struct rl_span spans[] = SPANS;

	return rl_lock_many_until(lk, r, 2, spans, LATER(lk));
}

HOLD(by_submit_many)
{
	struct rl_span spans[] = SPANS;

	return then_wait(lk, r, rl_submit_many(lk, r, 2, spans));
}

HOLD(by_fine_many)
{
	struct rl_span spans[] = SPANS;

	return rl_lock_many_at(lk, r, &fine, 2, spans);
}

HOLD(by_coarse_many)
{
	struct rl_span spans[] = SPANS;

	return then_wait(lk, r, rl_submit_many_at(lk, r, &coarse, 2, spans));
}

HOLD(at_fine_site)
{
	return BY_MODE(rl_read_lock_at(lk, r, &fine, start, end),
		       rl_write_lock_at(lk, r, &fine, start, end));
}

HOLD(at_shadow_site)
{
	return BY_MODE(rl_read_lock_at_until(lk, r, &shadow, start, end,
					     LATER(lk)),
		       rl_write_lock_at_until(lk, r, &shadow, start, end,
					      LATER(lk)));
}

HOLD(at_coarse_site)
{
	return BY_MODE(rl_read_lock_at(lk, r, &coarse, start, end),
		       rl_write_lock_at(lk, r, &coarse, start, end));
}

HOLD(by_trylock_at_site)
{
	return BY_MODE(rl_read_trylock_at(lk, r, &fine, start, end),
		       rl_write_trylock_at(lk, r, &fine, start, end));
}

HOLD(by_submit_at_site)
{
	return then_wait(lk, r,
			 BY_MODE(rl_read_submit_at(lk, r, &fine, start, end,
						   NULL),
				 rl_write_submit_at(lk, r, &fine, start, end,
						    NULL)));
}

HOLD(as_rwlock)
{
	(void)r, (void)start, (void)end;
	return BY_MODE(rl_rwlock_rdlock(lk), rl_rwlock_wrlock(lk));
}

HOLD(as_rwlock_until)
{
	(void)r, (void)start, (void)end;
	return BY_MODE(rl_rwlock_timedrdlock(lk, LATER(lk)),
		       rl_rwlock_timedwrlock(lk, LATER(lk)));
}

HOLD(as_rwlock_try)
{
	(void)r, (void)start, (void)end;
	return BY_MODE(rl_rwlock_tryrdlock(lk), rl_rwlock_trywrlock(lk));
}

static void one(struct rangelock *lk, struct rl_range *r)
{
	rl_unlock(lk, r);
}

static void deferred(struct rangelock *lk, struct rl_range *r)
{
	struct rl_deferred d = { NULL, NULL };

	rl_unlock_deferred(lk, r, &d);
	rl_run_deferred(&d);
}

static void two(struct rangelock *lk, struct rl_range *r)
{
	rl_unlock_many(lk, r, 2);
}

static void rwlock(struct rangelock *lk, struct rl_range *r)
{
	(void)r;
	want(rl_rwlock_unlock(lk) == 0);
}

#define WHOLE	true
#define WAITS	true

const struct method methods[] = {
	{ "lock", by_lock, one, !WHOLE, WAITS },
	{ "trylock", by_trylock, one, !WHOLE, !WAITS },
	{ "lock_until", by_lock_until, deferred, !WHOLE, WAITS },
	{ "coarse", by_coarse, one, WHOLE, WAITS },
	{ "trylock_coarse", by_trylock_coarse, one, WHOLE, !WAITS },
	{ "coarse_until", by_coarse_until, deferred, WHOLE, WAITS },
	{ "submit, wait", by_submit_and_wait, one, !WHOLE, WAITS },
	{ "submit, wait_until", by_submit_and_wait_until, one, !WHOLE, WAITS },
	{ "submit, poll", by_submit_and_poll, deferred, !WHOLE, WAITS },
	{ "submit_coarse", by_submit_coarse, one, WHOLE, WAITS },
	{ "lock_many", by_lock_many, two, !WHOLE, WAITS },
	{ "trylock_many", by_trylock_many, two, !WHOLE, !WAITS },
	{ "lock_many_until", by_lock_many_until, two, !WHOLE, WAITS },
	{ "submit_many", by_submit_many, two, !WHOLE, WAITS },
	{ "lock_many_at, fine", by_fine_many, two, !WHOLE, WAITS },
	{ "submit_many_at, coarse", by_coarse_many, two, WHOLE, WAITS },
	{ "lock_at, fine", at_fine_site, one, !WHOLE, WAITS },
	{ "lock_at_until, shadow", at_shadow_site, one, WHOLE, WAITS },
	{ "lock_at, coarse", at_coarse_site, deferred, WHOLE, WAITS },
	{ "trylock_at", by_trylock_at_site, one, !WHOLE, !WAITS },
	{ "submit_at", by_submit_at_site, one, !WHOLE, WAITS },
	{ "rwlock", as_rwlock, rwlock, WHOLE, WAITS },
	{ "rwlock, timed", as_rwlock_until, rwlock, WHOLE, WAITS },
	{ "rwlock, try", as_rwlock_try, rwlock, WHOLE, !WAITS },
};
const unsigned int nr_methods = sizeof(methods) / sizeof(*methods);
