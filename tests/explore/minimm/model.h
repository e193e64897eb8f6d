/*
 * model.h - what the model's sources are told before their first line
 *
 * Included by the compiler's command line (mk/explore.mk): memory comes from
 * memory.c, a broken assertion is a failure of the execution.
 */
#ifndef RL_TESTS_EXPLORE_MINIMM_MODEL_H
#define RL_TESTS_EXPLORE_MINIMM_MODEL_H

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "minimm/env/memory.h"
#include "tests/explore/minimm/memory.h"

#define malloc		ex_block
#define calloc		ex_block_zeroed
#define realloc		ex_block_resized
#define aligned_alloc	ex_block_aligned
#define free		ex_block_free
#define mm_alloc		ex_block
#define mm_alloc_zeroed(size)	ex_block_zeroed(1, (size))
#define mm_realloc(p, old_size, size)	((void)(old_size), ex_block_resized((p), (size)))
#define mm_memory_open()	true
#define mm_memory_close()	((void)0)
#define mm_memory_suffices()	true
#define abort()		ex_model_aborts(__FILE__, __LINE__)

/* What assert() calls. */
#define __assert_fail	ex_model_assert_fail

#define pthread_mutex_init(mutex, attributes)	ex_mutex_init(mutex)
#define pthread_mutex_destroy(mutex)		((void)(mutex))

#endif
