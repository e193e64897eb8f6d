/*
 * fiber_x86_64.c - a context switch of seven pushes, seven pops
 *
 * Only what the calling convention makes the callee keep is saved; nobody here
 * changes the floating point modes.
 */
#include "tests/explore/fiber.h"

#include <stdint.h>

void ex_fiber_swap(void **from, void *to);

__asm__(".text\n"
	".globl ex_fiber_swap\n"
	".type ex_fiber_swap, @function\n"
	"ex_fiber_swap:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size ex_fiber_swap, . - ex_fiber_swap\n");

void ex_fiber_prepare(struct ex_fiber *f, void *stack, size_t size,
		      void (*entry)(void))
{
	uint64_t *top = (uint64_t *)(void *)((char *)stack + size);

	*--top = 0;			/* entry's caller: nobody */
	*--top = (uint64_t)(uintptr_t)entry;
	top -= 6;
	f->context = top;
}

void ex_fiber_switch(struct ex_fiber *from, struct ex_fiber *to)
{
	ex_fiber_swap(&from->context, to->context);
}

void *ex_fiber_top(const struct ex_fiber *f)
{
	return f->context;
}
