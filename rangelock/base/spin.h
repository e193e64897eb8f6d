/*
 * spin.h - the guard: one word around a short critical section
 *
 *	        L1 lock               L2 unlock
 *	  FREE -----------> TAKEN -----------------> FREE
 *
 * Nothing under a guard sleeps, allocates or calls foreign code, so it is free
 * again after a few hundred nanoseconds, unless its holder was preempted.  For
 * that case a waiter stops spinning and naps: a SCHED_FIFO thread must not spin
 * on somebody whom it keeps from running.  The unlock is one plain store and so
 * cannot tell that somebody naps; the naps are timed.
 */
#ifndef RL_BASE_SPIN_H
#define RL_BASE_SPIN_H

#include "rangelock/base/atomic.h"
#include "rangelock/base/park.h"
#include "rangelock/base/planted.h"

#define RL_GUARD_FREE	0u
#define RL_GUARD_TAKEN	1u

void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host);

/* Spins a bounded time, never naps. */
bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host);

static inline bool rl_guard_take(uint32_t *guard)
{
	/* (G1) acquire: sees all that was written under the guard before. */
	return rl_swap_acquire(guard, RL_GUARD_TAKEN) == RL_GUARD_FREE;
}

static inline void rl_guard_lock(uint32_t *guard, const struct rl_host *host)
{
	if (__builtin_expect(!rl_guard_take(guard), 0))
		rl_guard_lock_slow(guard, host);
}

static inline bool rl_guard_trylock(uint32_t *guard, const struct rl_host *host)
{
	return rl_guard_take(guard) || rl_guard_trylock_slow(guard, host);
}

static inline void rl_guard_unlock(uint32_t *guard)
{
	if (RL_PLANTED(GUARD_RELAXED)) {
		rl_store_relaxed(guard, RL_GUARD_FREE);
		return;
	}
	/* (G1) release: publishes the critical section to the next taker. */
	rl_store_release(guard, RL_GUARD_FREE);
}

#endif
