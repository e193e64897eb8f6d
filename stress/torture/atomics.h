/*
 * atomics.h - the torture's own atomic words, order in the name
 *
 * Relaxed unless the name says more: counters that synchronized would hide the
 * lock's missing orders from ThreadSanitizer.  The ordered ones belong to
 * duties of the caller: a handle is alive while somebody cancels it, and a
 * handle is handed over.
 */
#ifndef STRESS_TORTURE_ATOMICS_H
#define STRESS_TORTURE_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

#include "rangelock/base/annotate.h"

static inline uint32_t tt_load(const uint32_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void tt_store(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t tt_add(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

static inline void tt_add_release(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	__atomic_fetch_add(p, v, __ATOMIC_RELEASE);
}

static inline bool tt_cas(uint32_t *p, uint32_t expected, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_compare_exchange_n(p, &expected, v, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static inline uint32_t tt_load_acquire(const uint32_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	uint32_t v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	rl_annotate_acquire(p);
	return v;
}

static inline void tt_store_release(uint32_t *p, uint32_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	rl_annotate_release(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint64_t tt_load64(const uint64_t *p)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void tt_store64(uint64_t *p, uint64_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint64_t tt_add64(uint64_t *p, uint64_t v)
{
	rl_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

#endif
