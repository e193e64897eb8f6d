/*
 * unmap.c - munmap, brk, and how ranges leave
 *
 * First the records leave the index, which is what everybody looks at; then the
 * entries go, O(pages), without the short lock.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/atomic.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

void mm_apply(struct mm *mm, struct mm_op *op, const struct mm_edit *edit)
{
	mm_spend(mm, op, MM_COST_VMA_UPDATE,
		 edit->nr > edit->nr_before ? edit->nr : edit->nr_before);
	mm_edit_apply(&mm->index, edit);
}

bool mm_may_remove(struct mm *mm, const struct mm_edit *edit)
{
	/* Only a hole inside one record makes more of them. */
	return edit->nr <= edit->nr_before ||
	       mm->index.nr_vmas < mm->config.map_count_max;
}

bool mm_may_commit(const struct mm *mm, uint64_t bytes)
{
	return bytes >> MM_PAGE_SHIFT <= mm->config.commit_pages;
}

void mm_zap(struct mm *mm, struct mm_op *op, uint64_t start, uint64_t end)
{
	uint64_t nr;

	if (MM_PLANTED(ZAP_FORGETS_LAST))
		end -= MM_PAGE_SIZE;
	nr = mm_pt_zap(&mm->root, start, end);
	if (nr == 0)
		return;
	mm_add_relaxed(&mm->nr_entries, 0 - nr);
	op->nr_pages += (uint32_t)nr;
	mm_spend(mm, op, MM_COST_ZAP_PAGE, nr);
	mm_spend(mm, op, MM_COST_TLB_FLUSH, 1);
}

void mm_expect_no_entries(struct mm *mm, struct mm_op *op, uint64_t start,
			  uint64_t end)
{
	uint64_t nr = mm_pt_count(&mm->root, start, end);

	if (nr)
		mm_violation(mm, op,
			     "I1 %llu entries in a range that was free",
			     (unsigned long long)nr);
}

/* marked: op->pending keeps the range from being given out. */
static int isolate(struct mm *mm, struct mm_op *op, uint64_t start,
		   uint64_t end, bool *marked, bool *any)
{
	struct mm_edit edit;
	int error = 0;

	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	mm_expect_driver(mm, op, mm_range_is_fine(mm, start, end));
	mm_short_lock(mm, op);
	mm_edit_remove(&mm->index, start, end, &edit);
	*any = edit.nr_before > 0;
	if (!mm_may_remove(mm, &edit))
		error = -ENOMEM;
	else if (*any)
		mm_apply(mm, op, &edit);
	if (!error && *any && *marked)
		*marked = rl_pending_mark(&mm->pending, &op->pending,
					  RL_PENDING_UNMAP, start, end) == 0;
	else
		*marked = false;
	mm_short_unlock(mm, op);
	return error;
}

int mm_remove(struct mm *mm, struct mm_op *op, uint64_t start, uint64_t end,
	      bool isolated)
{
	bool marked = isolated && mm->scheme->marks_unmaps && !op->is_marked;
	bool any;
	int error;

	if (marked)
		op->pending = (struct rl_pending)RL_PENDING_INIT;
	error = isolate(mm, op, start, end, &marked, &any);
	if (error)
		return error;
	if (any && isolated && mm->scheme->isolated)
		mm->scheme->isolated(mm, op);
	if (any)
		mm_zap(mm, op, start, end);
	if (marked) {
		mm_short_lock(mm, op);
		rl_pending_commit(&op->pending);
		mm_short_unlock(mm, op);
	}
	return 0;
}

void mm_run_unmap(struct mm *mm, struct mm_op *op)
{
	uint64_t end = op->addr + mm_page_up(op->len);

	if (op->addr & ~MM_PAGE_MASK || op->addr > MM_TASK_SIZE ||
	    op->len > MM_TASK_SIZE - op->addr || end == op->addr) {
		op->result = -EINVAL;
		return;
	}
	mm_begin(mm, op);
	op->result = mm_remove(mm, op, op->addr, end, true);
	mm_end(mm, op);
}

/* ---- brk ---- */

/* Under the short lock. */
static bool heap_may_grow(struct mm *mm, uint64_t from, uint64_t to)
{
	const struct mm_vma *next = mm_index_find(&mm->index, from);
	uint64_t bytes = to - from;

	if (to > MM_TASK_SIZE || !mm_may_commit(mm, bytes))
		return false;
	if (mm->index.nr_vmas > mm->config.map_count_max)
		return false;
	if (next && next->start < to + MM_PAGE_SIZE)
		return false;
	if (next && next->flags & MM_VM_GROWSDOWN &&
	    next->start < to + MM_PAGE_SIZE + MM_GUARD_GAP)
		return false;
	return true;
}

static void grow_heap(struct mm *mm, struct mm_op *op, uint64_t from,
		      uint64_t to)
{
	struct mm_vma added = {
		.start = from, .end = to,
		.flags = MM_VM_READ | MM_VM_WRITE | MM_VM_MAYWRITE |
			 MM_VM_MAYEXEC | MM_VM_ACCOUNT,
		.pgoff = from >> MM_PAGE_SHIFT,
	};
	struct mm_edit edit;
	bool grows;

	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	mm_short_lock(mm, op);
	grows = heap_may_grow(mm, from, to);
	if (grows) {
		rl_pending_supersede(&mm->pending, from, to);
		mm_edit_extend(&mm->index, &added, mm->config.brk_start,
			       &edit);
		mm_apply(mm, op, &edit);
		mm_store_relaxed(&mm->brk, op->addr);
	}
	mm_short_unlock(mm, op);
	if (grows)
		mm_expect_no_entries(mm, op, from, to);
}

static void set_break(struct mm *mm, struct mm_op *op, uint64_t brk)
{
	mm_short_lock(mm, op);
	mm_store_relaxed(&mm->brk, brk);
	mm_short_unlock(mm, op);
}

static void shrink_heap(struct mm *mm, struct mm_op *op, uint64_t to,
			uint64_t from)
{
	struct mm_vma first;

	/* Nothing is left of it: then it stays where it is. */
	if (!mm_find_vma_after(mm, to, &first) || first.start >= from)
		return;
	if (mm_remove(mm, op, to, from, true) == 0)
		set_break(mm, op, op->addr);
}

void mm_run_brk(struct mm *mm, struct mm_op *op)
{
	uint64_t old, new_end, old_end;

	op->old_break = mm_load_relaxed(&mm->brk);
	mm_op_footprint(op);
	mm_begin(mm, op);
	old = mm_load_relaxed(&mm->brk);
	new_end = mm_page_up(op->addr);
	old_end = mm_page_up(old);
	if (op->addr >= mm->config.brk_start) {
		if (new_end == old_end)
			set_break(mm, op, op->addr);
		else if (op->addr <= old)
			shrink_heap(mm, op, new_end, old_end);
		else if (new_end > old_end)
			grow_heap(mm, op, old_end, new_end);
	}
	op->result = (int64_t)mm_load_relaxed(&mm->brk);
	mm_end(mm, op);
}
