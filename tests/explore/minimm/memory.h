/*
 * memory.h - the model's memory, its mutex, and read-copy-update
 *
 * Blocks lie in the explorer's arena, one behind the other, and are given out
 * once in an execution: whoever touches one that was freed is found.  What was
 * there before the first step is put back before each execution.
 */
#ifndef RL_TESTS_EXPLORE_MINIMM_MEMORY_H
#define RL_TESTS_EXPLORE_MINIMM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/explore/doors.h"

/* ---- malloc() and its family ---- */

void *ex_block(size_t size);
void *ex_block_zeroed(size_t n, size_t size);
void *ex_block_resized(void *p, size_t size);
void *ex_block_aligned(size_t alignment, size_t size);
void ex_block_free(void *p);

/* Begin with an empty arena; what is there now is what each execution begins
 * with; put that back. */
void ex_blocks_clear(void);
void ex_blocks_keep(void);
void ex_blocks_restore(void);

/* The start of the block that at lies in, and its size; NULL if there is none. */
const void *ex_block_at(const void *at, size_t *size);

/* From ex_blocks_clear() to ex_blocks_end(). */
bool ex_blocks_are_used(void);
void ex_blocks_end(void);

/* Memory that is no part of the arena: nobody watches who accesses it. */
void *ex_unwatched(size_t size);
bool ex_is_unwatched(const void *p);

/* ---- A mutex: its first word ---- */

void ex_mutex_init(void *mutex);
void ex_mutex_lock(void *mutex, const struct ex_site *caller);
void ex_mutex_unlock(void *mutex, const struct ex_site *caller);

/* ---- minimm/env/rcu.h ---- */

/* Does a grace period end as soon as it may, or not in this execution? */
void ex_rcu_reset(bool ends_soon);

/* ---- The end of an execution ---- */

_Noreturn void ex_model_aborts(const char *file, int line);
_Noreturn void ex_model_assert_fail(const char *what, const char *file,
				    unsigned int line, const char *function);

#endif
