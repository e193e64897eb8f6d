/*
 * kernel_side.h - the running kernel as an oracle for the model
 *
 * Everything happens in a carve-out of this process that is otherwise empty.
 */
#ifndef RL_TESTS_KERNEL_SIDE_H
#define RL_TESTS_KERNEL_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/mm/op.h"

#define KERNEL_BASE	UINT64_C(0x10000000000)
#define KERNEL_SIZE	(UINT64_C(64) << 20)
#define KERNEL_LINES	512

struct span {
	uint64_t start, end;
	char prot[5];
};

/* The mappings in the carve-out. */
struct picture {
	struct span spans[KERNEL_LINES];
	unsigned int nr;
};

static inline bool kernel_inside(uint64_t addr)
{
	return addr >= KERNEL_BASE && addr < KERNEL_BASE + KERNEL_SIZE;
}

/* Before the first access: SIGSEGV, SIGBUS and SIGTRAP become answers. */
void kernel_catch_signals(void);

/* Do it.  Returns: what mm_op.result would be. */
int64_t kernel_run(const struct mm_op *op);

/* Exits with 77 if there is no /proc. */
void kernel_picture(struct picture *p);

#endif
