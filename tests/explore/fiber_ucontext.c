/*
 * fiber_ucontext.c - a context switch for every other machine; ten times as slow
 */
#include "tests/explore/fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

static ucontext_t *context_of(struct ex_fiber *f)
{
	if (!f->context)
		f->context = calloc(1, sizeof(ucontext_t));
	if (!f->context) {
		fprintf(stderr, "explorer: no memory for a fiber\n");
		exit(2);
	}
	return f->context;
}

void ex_fiber_prepare(struct ex_fiber *f, void *stack, size_t size,
		      void (*entry)(void))
{
	ucontext_t *c = context_of(f);

	getcontext(c);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = size;
	c->uc_link = NULL;
	makecontext(c, entry, 0);
}

void ex_fiber_switch(struct ex_fiber *from, struct ex_fiber *to)
{
	swapcontext(context_of(from), context_of(to));
}

void *ex_fiber_top(const struct ex_fiber *f)
{
	(void)f;
	return NULL;
}
