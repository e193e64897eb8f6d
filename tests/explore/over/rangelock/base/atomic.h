/*
 * atomic.h - the library's atomics, each a visible step of the explorer
 *
 * The names of rangelock/base/atomic.h; the order comes from the name, as there.
 */
#ifndef RL_BASE_ATOMIC_H
#define RL_BASE_ATOMIC_H

#include "tests/explore/doors.h"

#define EX_LOAD32(p, order)						\
	((uint32_t)ex_load((p), 4, EX_SITE(order)))
#define EX_MODIFY32(p, how, v, order)					\
	ex_modify32((p), (how), (v), EX_SITE(order))

#define rl_load_relaxed(p)	EX_LOAD32(p, EX_RELAXED)
#define rl_load_acquire(p)	EX_LOAD32(p, EX_ACQUIRE)
#define rl_store_relaxed(p, v)	ex_store((p), 4, (uint32_t)(v), EX_SITE(EX_RELAXED))
#define rl_store_release(p, v)	ex_store((p), 4, (uint32_t)(v), EX_SITE(EX_RELEASE))
#define rl_swap_acquire(p, v)	EX_MODIFY32(p, EX_SWAP, v, EX_ACQUIRE)
#define rl_swap_release(p, v)	EX_MODIFY32(p, EX_SWAP, v, EX_RELEASE)
#define rl_swap_relaxed(p, v)	EX_MODIFY32(p, EX_SWAP, v, EX_RELAXED)
#define rl_or_acquire(p, v)	EX_MODIFY32(p, EX_OR, v, EX_ACQUIRE)
#define rl_or_relaxed(p, v)	EX_MODIFY32(p, EX_OR, v, EX_RELAXED)
#define rl_and_relaxed(p, v)	EX_MODIFY32(p, EX_AND, v, EX_RELAXED)
#define rl_and_release(p, v)	EX_MODIFY32(p, EX_AND, v, EX_RELEASE)
#define rl_add_relaxed(p, v)	EX_MODIFY32(p, EX_ADD, v, EX_RELAXED)
#define rl_cas_relaxed(p, e, v)						\
	ex_cas((p), 4, (e), (uint32_t)(v), EX_SITE(EX_RELAXED))
#define rl_cas_acquire(p, e, v)						\
	ex_cas((p), 4, (e), (uint32_t)(v), EX_SITE(EX_ACQUIRE))
#define rl_cas_release(p, e, v)						\
	ex_cas((p), 4, (e), (uint32_t)(v), EX_SITE(EX_RELEASE))

#define rl_load_relaxed64(p)	ex_load((p), 8, EX_SITE(EX_RELAXED))
#define rl_load_acquire64(p)	ex_load((p), 8, EX_SITE(EX_ACQUIRE))
#define rl_store_relaxed64(p, v) ex_store((p), 8, (v), EX_SITE(EX_RELAXED))
#define rl_store_release64(p, v) ex_store((p), 8, (v), EX_SITE(EX_RELEASE))
#define rl_add_relaxed64(p, v)						\
	ex_modify((p), 8, EX_ADD, (v), EX_SITE(EX_RELAXED))
#define rl_cas_relaxed64(p, e, v)					\
	ex_cas((p), 8, (e), (v), EX_SITE(EX_RELAXED))

/* Sums that nobody watches. */
#define rl_load_relaxed16(p)	(*(p))
#define rl_store_relaxed16(p, v) ((void)(*(p) = (v)))
#define rl_add_relaxed16(p, v)	((void)(*(p) = (uint16_t)(*(p) + (v))))

#define rl_compiler_fence()	((void)0)

#endif
