/*
 * barrier.h - a fence that only one side pays for
 *
 * Two threads that each store to one word and then look at the other's need a
 * full fence in between, both of them, or neither may see the other.  Here one
 * side, the many, executes rl_barrier_light(), which costs nothing; the other,
 * the rare one, executes rl_barrier_heavy(), which has the kernel run a full
 * fence on each CPU that runs a thread of this process (membarrier(2), private
 * expedited).  Of a light and a heavy one, one comes first: either the heavy
 * side sees what the light one stored before, or the light side sees what the
 * heavy one stored before.
 */
#ifndef RL_BASE_BARRIER_H
#define RL_BASE_BARRIER_H

#include <stdbool.h>

#include "rangelock/base/atomic.h"

/* Atomic: 1 if rl_barrier_heavy() works in this process.  Set before main(), or
 * when the library is loaded, and never changed afterwards. */
extern uint32_t rl_barrier_usable __attribute__((visibility("hidden")));

static inline bool rl_barrier_is_usable(void)
{
	/* Relaxed: it was set before any lock of this library. */
	return rl_load_relaxed(&rl_barrier_usable);
}

static inline void rl_barrier_light(void)
{
	rl_compiler_fence();
}

/* Requires: rl_barrier_is_usable().  A system call: never under a guard, but by a
 * trylock, which must not wait to have the guard back.  Aborts if the kernel refuses
 * what it once granted: who was told that a plain store is enough cannot be told
 * otherwise. */
void rl_barrier_heavy(void);

#endif
