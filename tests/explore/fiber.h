/*
 * fiber.h - several stacks in one thread
 */
#ifndef RL_TESTS_EXPLORE_FIBER_H
#define RL_TESTS_EXPLORE_FIBER_H

#include <stddef.h>

struct ex_fiber {
	void *context;			/* where it goes on */
};

/* Make f begin in entry, which must not return.  stack: aligned to 64.  May be
 * called again at any time: what ran there before is forgotten. */
void ex_fiber_prepare(struct ex_fiber *f, void *stack, size_t size,
		      void (*entry)(void));

/* The lowest byte of its stack that matters while it does not run; NULL: nobody
 * knows. */
void *ex_fiber_top(const struct ex_fiber *f);

/* Go on in to; returns when somebody switches back to from. */
void ex_fiber_switch(struct ex_fiber *from, struct ex_fiber *to);

#endif
