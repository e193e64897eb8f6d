/*
 * memory.c - the reserve: a stack of blocks that fit a page table
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/env/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/env/atomic.h"

#define NR_BLOCKS	32u
#define BLOCK		4224u		/* the largest single thing: a leaf */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *blocks[NR_BLOCKS];		/* under the lock */
static uint32_t nr_blocks;		/* changed under the lock */
static uint32_t nr_users;		/* under the lock */

/* Under the lock. */
static bool fill_up(void)
{
	uint32_t nr = mm_load32_relaxed(&nr_blocks);

	while (nr < NR_BLOCKS) {
		blocks[nr] = malloc(BLOCK);
		if (!blocks[nr])
			break;
		nr++;
	}
	mm_store32_relaxed(&nr_blocks, nr);
	return nr == NR_BLOCKS;
}

/* Under the lock. */
static void give_back(void)
{
	uint32_t nr = mm_load32_relaxed(&nr_blocks);

	while (nr > 0)
		free(blocks[--nr]);
	mm_store32_relaxed(&nr_blocks, 0);
}

bool mm_memory_open(void)
{
	bool is_full;

	pthread_mutex_lock(&lock);
	is_full = fill_up();
	if (is_full)
		nr_users++;
	else if (nr_users == 0)
		give_back();
	pthread_mutex_unlock(&lock);
	return is_full;
}

void mm_memory_close(void)
{
	pthread_mutex_lock(&lock);
	if (--nr_users == 0)
		give_back();
	pthread_mutex_unlock(&lock);
}

bool mm_memory_suffices(void)
{
	bool is_full;

	/* Relaxed: a hint.  Who sees it full a moment too late or too early
	 * finds all that is left of it. */
	if (mm_load32_relaxed(&nr_blocks) == NR_BLOCKS)
		return true;
	pthread_mutex_lock(&lock);
	is_full = fill_up();
	pthread_mutex_unlock(&lock);
	return is_full;
}

static void *take(size_t size)
{
	void *p = NULL;
	uint32_t nr;

	pthread_mutex_lock(&lock);
	nr = mm_load32_relaxed(&nr_blocks);
	if (size <= BLOCK && nr > 0) {
		p = blocks[nr - 1];
		mm_store32_relaxed(&nr_blocks, nr - 1);
	}
	pthread_mutex_unlock(&lock);
	if (!p) {
		fprintf(stderr, "minimm: out of memory\n");
		abort();
	}
	return p;
}

void *mm_alloc(size_t size)
{
	void *p = malloc(size);

	return p ? p : take(size);
}

void *mm_alloc_zeroed(size_t size)
{
	void *p = calloc(1, size);

	return p ? p : memset(take(size), 0, size);
}

void *mm_realloc(void *p, size_t old_size, size_t size)
{
	void *bigger = realloc(p, size);

	if (bigger)
		return bigger;
	bigger = take(size);
	if (p)
		memcpy(bigger, p, old_size < size ? old_size : size);
	free(p);
	return bigger;
}
