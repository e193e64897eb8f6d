/*
 * switch_x86.c - the switch, on x86-64: six registers and a stack pointer
 *
 * swapcontext() makes a system call for the signal mask each time; this one
 * takes about 2 ns.  Weak spot: floating-point control words are not saved;
 * nothing here changes them.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/coro.h"

#include <stdint.h>

#if defined(__x86_64__) && !defined(SIM_UCONTEXT)

void sim_switch_stack(void **save, void *load);
void sim_boot_stack(void);

__asm__(".text\n"
	".p2align 4\n"
	".globl sim_switch_stack\n"
	".hidden sim_switch_stack\n"
	".type sim_switch_stack, @function\n"
	"sim_switch_stack:\n"
	"	pushq	%rbp\n"
	"	pushq	%rbx\n"
	"	pushq	%r12\n"
	"	pushq	%r13\n"
	"	pushq	%r14\n"
	"	pushq	%r15\n"
	"	movq	%rsp, (%rdi)\n"
	"	movq	%rsi, %rsp\n"
	"	popq	%r15\n"
	"	popq	%r14\n"
	"	popq	%r13\n"
	"	popq	%r12\n"
	"	popq	%rbx\n"
	"	popq	%rbp\n"
	"	ret\n"
	".size sim_switch_stack, . - sim_switch_stack\n"
	".globl sim_boot_stack\n"
	".hidden sim_boot_stack\n"
	".type sim_boot_stack, @function\n"
	"sim_boot_stack:\n"
	"	movq	%r12, %rdi\n"
	"	xorl	%ebp, %ebp\n"
	"	call	*%r13\n"
	"	ud2\n"
	".size sim_boot_stack, . - sim_boot_stack\n");

int coro_context_init(struct coro *c, void (*boot)(void *c))
{
	/* From the top: a zero for alignment, where to return to, then the six
	 * registers in the order in which the switch pops them. */
	uintptr_t *top = (uintptr_t *)(void *)(c->stack + c->stack_size);

	*--top = 0;
	*--top = 0;
	*--top = (uintptr_t)sim_boot_stack;
	*--top = 0;			/* rbp */
	*--top = 0;			/* rbx */
	*--top = (uintptr_t)c;		/* r12 */
	*--top = (uintptr_t)boot;	/* r13 */
	*--top = 0;			/* r14 */
	*--top = 0;			/* r15 */
	c->context = top;
	return 0;
}

void coro_context_adopt(struct coro *c)
{
	c->context = NULL;
}

void coro_context_release(struct coro *c)
{
	c->context = NULL;
}

void coro_context_switch(struct coro *from, struct coro *to)
{
	sim_switch_stack(&from->context, to->context);
}

#endif
