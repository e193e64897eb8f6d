/*
 * coro.c - stacks for coroutines, and switching with the tools told
 *
 * A stack is one mmap() with a guard page at its low end, so that an overflow
 * is a fault and not somebody else's frame.  A coroutine that ends gives its
 * stack back to the pool: making one costs two system calls, reusing none.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/coro.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "minimm/sim/fiber.h"

/* Who has just been switched away from: only the newcomer may look. */
static struct coro *came_from;

static void boot(void *arg)
{
	struct coro *c = arg;

	fiber_enter(c, came_from);
	c->entry(c->arg);
	abort();
}

static size_t guard_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static struct coro *make(void)
{
	size_t guard = guard_size();
	struct coro *c = calloc(1, sizeof(*c));
	char *p;

	if (!c)
		return NULL;
	p = mmap(NULL, SIM_STACK_SIZE + guard, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED || mprotect(p, guard, PROT_NONE) != 0) {
		if (p != MAP_FAILED)
			munmap(p, SIM_STACK_SIZE + guard);
		free(c);
		return NULL;
	}
	c->stack = p + guard;
	c->stack_size = SIM_STACK_SIZE;
	c->valgrind_id = fiber_register(c->stack, c->stack_size);
	return c;
}

static void unmake(struct coro *c)
{
	size_t guard = guard_size();

	fiber_deregister(c->valgrind_id);
	munmap(c->stack - guard, c->stack_size + guard);
	free(c);
}

void coro_adopt(struct coro *c)
{
	*c = (struct coro){ .context = NULL };
	coro_context_adopt(c);
}

struct coro *coro_take(struct coro_pool *pool, void (*entry)(void *arg),
		       void *arg)
{
	struct coro *c = pool->idle;

	if (c) {
		pool->idle = c->next;
	} else {
		c = make();
		if (!c)
			return NULL;
		pool->nr_made++;
	}
	c->entry = entry;
	c->arg = arg;
	fiber_new(c);
	if (coro_context_init(c, boot) != 0) {
		coro_give(pool, c);
		return NULL;
	}
	return c;
}

void coro_give(struct coro_pool *pool, struct coro *c)
{
	fiber_end(c);
	coro_context_release(c);
	c->next = pool->idle;
	pool->idle = c;
}

void coro_pool_empty(struct coro_pool *pool)
{
	while (pool->idle) {
		struct coro *c = pool->idle;

		pool->idle = c->next;
		unmake(c);
	}
}

void coro_switch(struct coro *from, struct coro *to, int from_ends)
{
	came_from = from;
	fiber_leave(from, to, from_ends);
	coro_context_switch(from, to);
	fiber_enter(from, came_from);
}
