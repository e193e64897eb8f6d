/*
 * spin.h - the real guard, whose waiter is not run before the guard is free
 *
 * The orders are those of rangelock/base/spin.h, which is included here; only
 * spin.c, which spins and naps, is left out.  A trylock looks once.
 */
#ifndef EX_BASE_SPIN_H
#define EX_BASE_SPIN_H

#include_next "rangelock/base/spin.h"

/* Where the real one says FREE or TAKEN, or sets one bit: TAKEN is 1. */
#define rl_guard_lock(guard, host)					\
	(ex_await((guard), RL_GUARD_TAKEN, EX_SITE(EX_RELAXED)),	\
	 rl_guard_lock((guard), (host)))

/* Who looks at the flags does not care who has the guard. */
#define rl_guard_flags(guard)						\
	(ex_look_at((guard), ~(uint64_t)RL_GUARD_TAKEN), rl_guard_flags(guard))

#define rl_guard_unlock(guard)						\
	(ex_releasing(guard), rl_guard_unlock(guard), ex_released())
#define rl_guard_unlock_to(guard, flags)				\
	(ex_releasing(guard), rl_guard_unlock_to((guard), (flags)),	\
	 ex_released())

#endif
