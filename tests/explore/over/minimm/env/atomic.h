/*
 * atomic.h - the model's atomics, each a visible step of the explorer
 *
 * The names of minimm/env/atomic.h; the order comes from the name, as there.
 */
#ifndef MINIMM_ENV_ATOMIC_H
#define MINIMM_ENV_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/explore/doors.h"

#define EX_PARAMETER(p)		((void *)(uintptr_t)(const void *)(p))

#define mm_load_relaxed(p)						\
	ex_load((p), 8, EX_SITE(EX_RELAXED))
#define mm_store_relaxed(p, v)						\
	ex_store(EX_PARAMETER(p), 8, (v), EX_SITE(EX_RELAXED))
#define mm_add_relaxed(p, v)						\
	ex_modify(EX_PARAMETER(p), 8, EX_ADD, (v), EX_SITE(EX_RELAXED))

#define mm_load32_relaxed(p)						\
	((uint32_t)ex_load((p), 4, EX_SITE(EX_RELAXED)))
#define mm_store32_relaxed(p, v)					\
	ex_store(EX_PARAMETER(p), 4, (uint32_t)(v), EX_SITE(EX_RELAXED))
#define mm_add32_relaxed(p, v)						\
	ex_modify32((p), EX_ADD, (v), EX_SITE(EX_RELAXED))
#define mm_sub32_acq_rel(p, v)						\
	ex_modify32((p), EX_ADD, 0u - (v), EX_SITE(EX_ACQ_REL))

#define mm_pointer_load_acquire(p)					\
	((void *)(uintptr_t)ex_load((p), 8, EX_SITE(EX_ACQUIRE)))
#define mm_pointer_store_release(p, v)					\
	ex_store((p), 8, (uint64_t)(uintptr_t)(v), EX_SITE(EX_RELEASE))

/* Who fails reads what is there in a step of its own: it never changes again. */
#define mm_pointer_install(p, v)					\
	ex_pointer_install((p), (v), EX_SITE(EX_ACQ_REL), EX_SITE(EX_ACQUIRE))

static inline void *ex_pointer_install(void **p, void *v,
				       const struct ex_site *installs,
				       const struct ex_site *looks)
{
	if (ex_cas(p, 8, 0, (uint64_t)(uintptr_t)v, installs))
		return v;
	return (void *)(uintptr_t)ex_load(p, 8, looks);
}

#endif
