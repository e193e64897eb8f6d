/*
 * switch_ucontext.c - the switch, elsewhere: getcontext(3) and its siblings
 *
 * Weak spot: a system call for the signal mask with each switch.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/coro.h"

#if !defined(__x86_64__) || defined(SIM_UCONTEXT)

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

static void (*boot_entry)(void *c);

/* makecontext() passes ints: a pointer comes in two halves. */
static void boot_from_halves(unsigned int high, unsigned int low)
{
	boot_entry((void *)(((uintptr_t)high << 16 << 16) | low));
}

int coro_context_init(struct coro *c, void (*boot)(void *c))
{
	ucontext_t *u = calloc(1, sizeof(*u));
	uintptr_t p = (uintptr_t)c;

	if (!u || getcontext(u) != 0) {
		free(u);
		return -1;
	}
	boot_entry = boot;
	u->uc_stack.ss_sp = c->stack;
	u->uc_stack.ss_size = c->stack_size;
	makecontext(u, (void (*)(void))boot_from_halves, 2,
		    (unsigned int)(p >> 16 >> 16), (unsigned int)p);
	c->context = u;
	return 0;
}

void coro_context_adopt(struct coro *c)
{
	c->context = calloc(1, sizeof(ucontext_t));
	if (!c->context)
		abort();
}

void coro_context_release(struct coro *c)
{
	free(c->context);
	c->context = NULL;
}

void coro_context_switch(struct coro *from, struct coro *to)
{
	swapcontext(from->context, to->context);
}

#endif
