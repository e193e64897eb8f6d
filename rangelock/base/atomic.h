/*
 * atomic.h - every atomic access of the library, with its order in its name
 *
 * One line each, so that one source can be built over other meanings of these
 * names.  The tags of the call sites ("(W1) release") pair a release with its
 * acquire; docs/ORDERING.md has a row for each.  Plain types, not _Atomic: the
 * structs lie in public headers, which C++ reads too.
 */
#ifndef RL_BASE_ATOMIC_H
#define RL_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#include "rangelock/base/annotate.h"

/* No instruction: keeps the compiler from moving accesses across. */
static inline void rl_compiler_fence(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline uint32_t rl_load_relaxed(const uint32_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint32_t rl_load_acquire(const uint32_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	uint32_t v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	rl_annotate_acquire(p);
	return v;
}

static inline void rl_store_relaxed(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void rl_store_release(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint32_t rl_swap_acquire(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	v = __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE);
	rl_annotate_acquire(p);
	return v;
}

static inline uint32_t rl_swap_release(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	return __atomic_exchange_n(p, v, __ATOMIC_RELEASE);
}

static inline uint32_t rl_swap_relaxed(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_exchange_n(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t rl_or_acquire(uint32_t *p, uint32_t bits)
{
	rl_annotate_atomic(p, sizeof(*p));
	bits = __atomic_fetch_or(p, bits, __ATOMIC_ACQUIRE);
	rl_annotate_acquire(p);
	return bits;
}

static inline bool rl_cas_relaxed(uint32_t *p, uint32_t expected, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_compare_exchange_n(p, &expected, v, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline bool rl_cas_release(uint32_t *p, uint32_t expected, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	return __atomic_compare_exchange_n(p, &expected, v, false,
					   __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static inline uint16_t rl_add_relaxed16(uint16_t *p, uint16_t n)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline uint16_t rl_load_relaxed16(const uint16_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void rl_store_relaxed16(uint16_t *p, uint16_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t rl_add_relaxed(uint32_t *p, uint32_t n)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline uint64_t rl_load_relaxed64(const uint64_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t rl_load_acquire64(const uint64_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	uint64_t v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	rl_annotate_acquire(p);
	return v;
}

static inline void rl_store_release64(uint64_t *p, uint64_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline void rl_store_relaxed64(uint64_t *p, uint64_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint64_t rl_add_relaxed64(uint64_t *p, uint64_t n)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

static inline bool rl_cas_relaxed64(uint64_t *p, uint64_t expected, uint64_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_compare_exchange_n(p, &expected, v, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

#endif
