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

#include "minimm/env/annotate.h"

static inline uint64_t mm_load_relaxed(const uint64_t *p)
{
	mm_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void mm_store_relaxed(uint64_t *p, uint64_t v)
{
	mm_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint64_t mm_add_relaxed(uint64_t *p, uint64_t v)
{
	mm_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t mm_load32_relaxed(const uint32_t *p)
{
	mm_annotate_atomic(p, sizeof(*p));
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void mm_store32_relaxed(uint32_t *p, uint32_t v)
{
	mm_annotate_atomic(p, sizeof(*p));
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline uint32_t mm_add32_relaxed(uint32_t *p, uint32_t v)
{
	mm_annotate_atomic(p, sizeof(*p));
	return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

/* The last of several users must see what the others wrote. */
static inline uint32_t mm_sub32_acq_rel(uint32_t *p, uint32_t v)
{
	mm_annotate_atomic(p, sizeof(*p));
	mm_annotate_release(p);
	v = __atomic_fetch_sub(p, v, __ATOMIC_ACQ_REL);
	mm_annotate_acquire(p);
	return v;
}

static inline void *mm_pointer_load_acquire(void *const *p)
{
	mm_annotate_atomic(p, sizeof(*p));
	void *v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	mm_annotate_acquire(p);
	return v;
}

static inline void mm_pointer_store_release(void **p, void *v)
{
	mm_annotate_atomic(p, sizeof(*p));
	mm_annotate_release(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* NULL -> v.  Returns what is there now. */
static inline void *mm_pointer_install(void **p, void *v)
{
	void *was = NULL;

	mm_annotate_atomic(p, sizeof(*p));
	mm_annotate_release(p);
	if (__atomic_compare_exchange_n(p, &was, v, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return v;
	mm_annotate_acquire(p);
	return was;
}

#endif
