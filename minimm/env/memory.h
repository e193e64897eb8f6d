/*
 * memory.h - memory for operations that have begun, and so must not fail
 *
 * A reserve of blocks stands behind malloc().  An operation that malloc() lets
 * down takes from it and ends as if nothing had happened; the next one fills it
 * up again before it begins, and says ENOMEM if it cannot: nothing is changed
 * then.  Weak spot: an operation that needs more than the reserve while malloc()
 * fails is the end of the process, with a message.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_MEMORY_H
#define MINIMM_ENV_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* For as long as there is a space: the reserve is the process'.  Returns: false
 * for want of memory; then there is nothing to close. */
bool mm_memory_open(void);
void mm_memory_close(void);

/* Is the reserve full, by now? */
bool mm_memory_suffices(void);

/* As malloc(), calloc() and realloc(), but never NULL; free() takes them back.
 * old_size: of what p was when it was given out. */
void *mm_alloc(size_t size);
void *mm_alloc_zeroed(size_t size);
void *mm_realloc(void *p, size_t old_size, size_t size);

#endif
