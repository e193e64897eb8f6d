/*
 * spin.h - the guard: one bit of a word, around a short critical section
 *
 *	        L1 lock               L2 unlock
 *	  FREE -----------> TAKEN -----------------> FREE
 *
 * The word's other bits are flags of whatever is guarded.  They change under the
 * guard only, by plain stores: meanwhile others can only set TAKEN, which is
 * set.  Anybody may look at them.
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

#define RL_GUARD_TAKEN	1u

void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host);

/* Called with no guard held, by who asked in vain and may ask again at once: if
 * somebody naps for a guard, leave all guards alone for some microseconds. */
void rl_guard_give_way(const struct rl_host *host);

/* Spins a bounded time, never naps. */
bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host);

static inline bool rl_guard_take(uint32_t *guard)
{
	/* (G1) acquire: sees all that was written under the guard before. */
	return !(rl_or_acquire(guard, RL_GUARD_TAKEN) & RL_GUARD_TAKEN);
}

static inline bool rl_guard_is_taken(const uint32_t *guard)
{
	/* Relaxed: only a hint. */
	return rl_load_relaxed(guard) & RL_GUARD_TAKEN;
}

/* What is in the other bits.  Relaxed: under the guard, or a hint. */
static inline uint32_t rl_guard_flags(const uint32_t *guard)
{
	return rl_load_relaxed(guard) & ~RL_GUARD_TAKEN;
}

/* Was it left with these flags, and is it free?  For who holds by what he sees there.
 * (G1) acquire: sees what was written under the guard before.  While it is taken the
 * flags may have been stored without an order. */
static inline bool rl_guard_was_left(const uint32_t *guard, uint32_t flags)
{
	return rl_load_acquire(guard) == flags;
}

/* Under the guard: set them.  Relaxed: who must see them takes the guard, or is
 * made to see them by a barrier (barrier.h). */
static inline void rl_guard_set_flags(uint32_t *guard, uint32_t flags)
{
	rl_store_relaxed(guard, flags | RL_GUARD_TAKEN);
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

/* Let go, and leave these flags. */
static inline void rl_guard_unlock_to(uint32_t *guard, uint32_t flags)
{
	if (RL_PLANTED(GUARD_RELAXED)) {
		rl_store_relaxed(guard, flags);
		return;
	}
	/* (G1) release: publishes the critical section to the next taker. */
	rl_store_release(guard, flags);
}

static inline void rl_guard_unlock(uint32_t *guard)
{
	rl_guard_unlock_to(guard, rl_guard_flags(guard));
}

#endif
