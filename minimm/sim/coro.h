/*
 * coro.h - coroutines: a stack of their own, and a switch between two
 *
 * Stacks are small, have a guard page below, and are reused by the pool they
 * came from.  Everything happens on one OS thread.  What a sanitizer or
 * valgrind must be told about a switch is told in here.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SIM_CORO_H
#define MINIMM_SIM_CORO_H

#include <stddef.h>

#define SIM_STACK_SIZE	((size_t)128 << 10)

struct coro {
	void *context;			/* saved registers, while it is away */
	void (*entry)(void *arg);
	void *arg;
	char *stack;			/* lowest usable byte; NULL: the caller's */
	size_t stack_size;
	void *fake_stack;		/* AddressSanitizer's */
	void *fiber;			/* ThreadSanitizer's */
	unsigned int valgrind_id;
	struct coro *next;		/* in the pool */
};

struct coro_pool {
	struct coro *idle;
	size_t nr_made;
};

/* Make the calling context one that can be switched away from and back to. */
void coro_adopt(struct coro *c);

/*
 * A coroutine that will call entry(arg) when it is first switched to.  entry
 * must never return: its last act is a switch away.
 * Returns: NULL for want of memory.
 */
struct coro *coro_take(struct coro_pool *pool, void (*entry)(void *arg),
		       void *arg);

/* Requires: c is not running; it will never be switched to again. */
void coro_give(struct coro_pool *pool, struct coro *c);

void coro_pool_empty(struct coro_pool *pool);

/* from_ends: the last switch out of from. */
void coro_switch(struct coro *from, struct coro *to, int from_ends);

/* The machine's part: switch_x86.c or switch_ucontext.c. */
int coro_context_init(struct coro *c, void (*boot)(void *c));
void coro_context_adopt(struct coro *c);
void coro_context_release(struct coro *c);
void coro_context_switch(struct coro *from, struct coro *to);

#endif
