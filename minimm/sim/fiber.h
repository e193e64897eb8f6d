/*
 * fiber.h - what sanitizers and valgrind want to hear about a switch
 *
 * One set of inline functions for each tool, chosen here; all are empty in a
 * plain build.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SIM_FIBER_H
#define MINIMM_SIM_FIBER_H

#include "minimm/sim/coro.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void fiber_new(struct coro *c)
{
	__asan_unpoison_memory_region(c->stack, c->stack_size);
	c->fake_stack = NULL;
}

static inline void fiber_end(struct coro *c)
{
	__asan_unpoison_memory_region(c->stack, c->stack_size);
}

static inline void fiber_leave(struct coro *from, struct coro *to, int ends)
{
	__sanitizer_start_switch_fiber(ends ? NULL : &from->fake_stack,
				       to->stack, to->stack_size);
}

/* from: whom we came from, so that the adopted context's bounds get known. */
static inline void fiber_enter(struct coro *c, struct coro *from)
{
	const void *stack = NULL;
	size_t size = 0;

	__sanitizer_finish_switch_fiber(c->fake_stack, &stack, &size);
	if (from && !from->stack_size) {
		from->stack = (char *)(unsigned long)stack;
		from->stack_size = size;
	}
}

#elif defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)

#include <sanitizer/tsan_interface.h>

static inline void fiber_new(struct coro *c)
{
	c->fiber = __tsan_create_fiber(0);
}

static inline void fiber_end(struct coro *c)
{
	__tsan_destroy_fiber(c->fiber);
	c->fiber = NULL;
}

static inline void fiber_leave(struct coro *from, struct coro *to, int ends)
{
	(void)ends;
	if (!from->fiber)
		from->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->fiber, 0);
}

static inline void fiber_enter(struct coro *c, struct coro *from)
{
	(void)c;
	(void)from;
}

#else

static inline void fiber_new(struct coro *c)
{
	(void)c;
}

static inline void fiber_end(struct coro *c)
{
	(void)c;
}

static inline void fiber_leave(struct coro *from, struct coro *to, int ends)
{
	(void)from;
	(void)to;
	(void)ends;
}

static inline void fiber_enter(struct coro *c, struct coro *from)
{
	(void)c;
	(void)from;
}

#endif

#ifdef RL_HELGRIND

#include <valgrind/valgrind.h>

static inline unsigned int fiber_register(char *stack, size_t size)
{
	return (unsigned int)VALGRIND_STACK_REGISTER(stack, stack + size);
}

static inline void fiber_deregister(unsigned int id)
{
	VALGRIND_STACK_DEREGISTER(id);
}

#else

static inline unsigned int fiber_register(char *stack, size_t size)
{
	(void)stack;
	(void)size;
	return 0;
}

static inline void fiber_deregister(unsigned int id)
{
	(void)id;
}

#endif

#endif
