/*
 * maps.c - readers of a whole space: maps, and ps for a process' arguments
 *
 * maps prints in chunks, as the kernel fills an output page: a chunk is one
 * version of the index, two chunks may be of two.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/rcu.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

struct chunk {
	struct mm_vma vmas[MM_MAPS_CHUNK];
	unsigned int nr;
};

static bool take_line(void *arg, const struct mm_vma *vma)
{
	struct chunk *c = arg;

	c->vmas[c->nr++] = mm_vma_read(vma);
	return c->nr < MM_MAPS_CHUNK;
}

static void read_chunk(struct mm *mm, uint64_t from, struct chunk *c)
{
	c->nr = 0;
	mm_rcu_read_lock();
	mm_index_visit(&mm->index, from, take_line, c);
	mm_rcu_read_unlock();
}

/* What the next chunk will be about: its locks and its footprint. */
static bool aim(struct mm *mm, struct mm_op *op)
{
	struct chunk c;

	read_chunk(mm, op->position, &c);
	op->target = c.nr ? c.vmas[c.nr - 1].end : MM_TASK_SIZE;
	mm_op_footprint(op);
	return c.nr > 0;
}

static void print_chunk(struct mm *mm, struct mm_op *op, struct chunk *c)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		if (op->line)
			op->line(op->line_arg, &c->vmas[i]);
		/* (I12) Ends never go back, whatever happens in between. */
		if (c->vmas[i].end <= op->position)
			mm_violation(mm, op, "I12 a line goes back");
		op->position = c->vmas[i].end;
	}
	op->nr_lines += c->nr;
	mm_spend(mm, op, MM_COST_MAPS_LINE, c->nr);
}

void mm_run_maps(struct mm *mm, struct mm_op *op)
{
	struct chunk c;
	bool more;

	op->position = 0;
	aim(mm, op);
	mm_begin(mm, op);
	for (;;) {
		mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
		read_chunk(mm, op->position, &c);
		print_chunk(mm, op, &c);
		if (c.nr < MM_MAPS_CHUNK)
			break;
		mm_leave(mm, op);
		more = aim(mm, op);
		if (!more)
			break;
		if (mm->scheme->maps_next)
			mm->scheme->maps_next(mm, op);
		mm_enter(mm, op);
	}
	mm_end(mm, op);
}

void mm_run_ps(struct mm *mm, struct mm_op *op)
{
	uint64_t at, end;

	if (!mm_op_range(op, &at, &end))
		return;
	op->result = 0;
	mm_begin(mm, op);
	for (; at < end && op->result == 0; at += MM_PAGE_SIZE) {
		struct mm_vma vma;

		if (!mm_look_up(mm, op, at, &vma)) {
			op->result = -EFAULT;
			break;
		}
		/* Swapped out: read in with the lock held, whatever the scheme
		 * does for faults: this is how get_user_pages() does it. */
		if (op->needs_io && !op->io_done) {
			op->io_done = true;
			mm_io(mm, op, 1);
		}
		op->result = mm_access(mm, op, &vma, at, MM_ACCESS_READ);
		mm_spend(mm, op, MM_COST_ARGS_PAGE, 1);
	}
	if (op->result != 0)
		op->result = -EFAULT;
	mm_end(mm, op);
}
