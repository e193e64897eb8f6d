/*
 * atomic.h - the model's atomic accesses, with their order in their name
 *
 * As rangelock/base/atomic.h, which is the library's own.  Plain types.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_ATOMIC_H
#define MINIMM_ENV_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t mm_load_relaxed(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void mm_store_relaxed(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint64_t mm_add_relaxed(uint64_t *p, uint64_t v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t mm_load32_relaxed(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void mm_store32_relaxed(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t mm_add32_relaxed(uint32_t *p, uint32_t v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

/* The last of several users must see what the others wrote. */
static inline uint32_t mm_sub32_acq_rel(uint32_t *p, uint32_t v)
{
	return __atomic_fetch_sub(p, v, __ATOMIC_ACQ_REL);
}

static inline void *mm_pointer_load_acquire(void *const *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void mm_pointer_store_release(void **p, void *v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* NULL -> v.  Returns what is there now. */
static inline void *mm_pointer_install(void **p, void *v)
{
	void *was = NULL;

	if (__atomic_compare_exchange_n(p, &was, v, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return v;
	return was;
}

#endif
