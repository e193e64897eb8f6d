/*
 * fault.c - an access: what it installs, and the fault around it
 *
 * The VMA is copied at the first look.  The page is made without any lock of
 * the page table; then, under the table's lock, a second look at the index says
 * whether the copy is still what the address is (I1, I2): the scheme's lock
 * promised it, and a scheme that breaks the promise is reported.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/atomic.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

#define FAULT_RETRIES	100u

/* ---- One page ---- */

struct page_plan {
	uint64_t pte;
	enum mm_cost cost;
	bool needs_owner;	/* the VMA must have an anon_id */
};

static bool is_shared(const struct mm_vma *vma)
{
	return vma->flags & MM_VM_MAYSHARE;
}

static struct page_plan new_private(const struct mm_vma *vma,
				    enum mm_cost cost)
{
	return (struct page_plan){
		.pte = MM_PTE_PRESENT | MM_PTE_WRITE | MM_PTE_ANON |
		       MM_PTE_STAMP(vma->born),
		.cost = cost, .needs_owner = true,
	};
}

static struct page_plan plan_present(const struct mm_vma *vma, uint64_t pte,
				     bool write)
{
	struct page_plan same = { .pte = pte, .cost = MM_COST_WALK_PAGE };

	if (!write)
		return same;
	same.pte &= ~(uint64_t)MM_PTE_FREE;
	if (pte & MM_PTE_WRITE)
		return same;
	if (pte & MM_PTE_ZERO)
		return new_private(vma, MM_COST_ZERO_PAGE);
	if (!is_shared(vma) && (!(pte & MM_PTE_ANON) || pte & MM_PTE_COW))
		return new_private(vma, MM_COST_COPY_PAGE);
	same.pte |= MM_PTE_WRITE;
	return same;
}

static struct page_plan plan_page(const struct mm_vma *vma, uint64_t pte,
				  bool write)
{
	struct page_plan plan = {
		.pte = MM_PTE_PRESENT | MM_PTE_STAMP(vma->born),
		.cost = MM_COST_MAP_PAGE,
	};

	if (pte & MM_PTE_PRESENT)
		return plan_present(vma, pte, write);
	if (write && !is_shared(vma))
		return new_private(vma, vma->file ? MM_COST_COPY_PAGE
						  : MM_COST_ZERO_PAGE);
	if (write)
		plan.pte |= MM_PTE_WRITE;
	if (!vma->file)
		plan.pte |= MM_PTE_ZERO;
	return plan;
}

/* Are a and b the same mapping, as far as a fault at addr can tell? */
static bool same_at(const struct mm_vma *a, const struct mm_vma *b,
		    uint64_t addr)
{
	return a->flags == b->flags && a->file == b->file &&
	       a->pgoff + ((addr - a->start) >> MM_PAGE_SHIFT) ==
		       b->pgoff + ((addr - b->start) >> MM_PAGE_SHIFT);
}

static bool still_there(struct mm *mm, struct mm_op *op,
			const struct mm_vma *vma, uint64_t addr)
{
	struct mm_vma now;

	if (!mm_find_vma(mm, addr, &now)) {
		mm_violation(mm, op, "I1 a page for %llx, which is not mapped",
			     (unsigned long long)addr);
		return false;
	}
	if (!same_at(vma, &now, addr)) {
		mm_violation(mm, op, "I2 the VMA at %llx changed on the way",
			     (unsigned long long)addr);
		return false;
	}
	return true;
}

/* Is the page of a mapping that was there before?  A merge with an older
 * neighbour makes the record at addr older than our copy of it. */
static bool is_older(struct mm *mm, const struct mm_vma *vma, uint64_t addr,
		     uint64_t pte)
{
	struct mm_vma now;

	if (MM_PTE_STAMP_OF(pte) >= vma->born)
		return false;
	return !mm_find_vma(mm, addr, &now) || MM_PTE_STAMP_OF(pte) < now.born;
}

static void check_entry(struct mm *mm, struct mm_op *op,
			const struct mm_vma *vma, uint64_t addr, uint64_t pte)
{
	unsigned long long at = addr;

	if (pte & MM_PTE_WRITE && !(vma->flags & MM_VM_WRITE))
		mm_violation(mm, op, "I3 %llx can be written", at);
	if (is_older(mm, vma, addr, pte))
		mm_violation(mm, op, "I4 %llx has an older mapping's page", at);
	if (pte & (MM_PTE_ANON | MM_PTE_ZERO) && is_shared(vma))
		mm_violation(mm, op, "I4 %llx has a private page", at);
}

/* The first private page of a VMA gives it an owner, maybe a neighbour's. */
static void give_owner(struct mm *mm, struct mm_op *op, uint64_t addr)
{
	const struct mm_vma *vma;

	mm_short_lock(mm, op);
	mm_spend(mm, op, MM_COST_ANON_VMA, 1);
	vma = mm_index_find(&mm->index, addr);
	if (vma && vma->start <= addr && mm_load_relaxed(&vma->anon_id) == 0)
		mm_index_set_anon(&mm->index, addr,
				  mm_anon_for(&mm->index, vma,
					      mm->last_anon_id + 1));
	mm->last_anon_id++;
	mm_short_unlock(mm, op);
}

/* Returns: 0 installed; 1 somebody else changed the entry; -EAGAIN. */
static int install(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		   uint64_t addr, uint64_t was, uint64_t pte)
{
	struct mm_leaf *leaf = mm_pt_leaf(&mm->root, addr);
	int error = 0;

	mm_leaf_lock(leaf);
	if (!still_there(mm, op, vma, addr))
		error = -EAGAIN;
	else if (mm_leaf_get(leaf, addr) != was)
		error = 1;
	else
		mm_leaf_set(leaf, addr, pte);
	mm_leaf_unlock(leaf);
	if (!error && !(was & MM_PTE_PRESENT))
		mm_add_relaxed(&mm->nr_entries, 1);
	return error;
}

static int touch_page(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		      uint64_t addr, bool write)
{
	bool owned = mm_load_relaxed(&vma->anon_id) != 0;
	int error;

	do {
		uint64_t pte = mm_pt_read(&mm->root, addr);
		struct page_plan plan = plan_page(vma, pte, write);

		if (pte & MM_PTE_PRESENT)
			check_entry(mm, op, vma, addr, pte);
		if (plan.needs_owner && !owned) {
			give_owner(mm, op, addr);
			owned = true;
		}
		mm_spend(mm, op, plan.cost, 1);
		if (plan.pte == pte)
			return 0;
		error = install(mm, op, vma, addr, pte, plan.pte);
		if (!error && !(pte & MM_PTE_PRESENT))
			op->nr_pages++;
	} while (error > 0);
	return error;
}

/* Refused at the look at the VMA.  On this machine what may be written or
 * executed may be read, unless a protection key says otherwise. */
static bool is_refused(const struct mm_vma *vma, enum mm_access access)
{
	if (!(vma->flags & MM_VM_ACCESS))
		return true;
	if (access == MM_ACCESS_WRITE)
		return !(vma->flags & MM_VM_WRITE);
	return access == MM_ACCESS_READ && vma->flags & MM_VM_EXECUTE_KEY;
}

int64_t mm_access(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		  uint64_t addr, enum mm_access access)
{
	uint64_t page = mm_page_down(addr);
	uint64_t pgoff = vma->pgoff + ((page - vma->start) >> MM_PAGE_SHIFT);
	int error;

	if (is_refused(vma, access))
		return MM_SEGV_ACCERR;
	mm_expect_driver(mm, op, mm_vma_is_fine(vma));
	if (vma->file && pgoff >= vma->file->nr_pages)
		return MM_SIGBUS;
	error = touch_page(mm, op, vma, page, access == MM_ACCESS_WRITE);
	if (error)
		return error;
	/* Nothing of a VMA's says that a fetch will fail: the page does. */
	return access == MM_ACCESS_EXEC && !(vma->flags & MM_VM_EXEC)
	       ? MM_SEGV_ACCERR : 0;
}

int64_t mm_populate(struct mm *mm, struct mm_op *op, uint64_t start,
		    uint64_t end)
{
	struct mm_vma vma;

	for (uint64_t at = start; at < end;) {
		enum mm_access access = MM_ACCESS_READ;
		uint64_t to;

		if (!mm_find_vma_after(mm, at, &vma) || vma.start >= end)
			return 0;
		if (vma.start > at)
			at = vma.start;
		to = vma.end < end ? vma.end : end;
		if ((vma.flags & (MM_VM_WRITE | MM_VM_SHARED)) == MM_VM_WRITE)
			access = MM_ACCESS_WRITE;
		for (; at < to; at += MM_PAGE_SIZE) {
			int64_t result;

			result = mm_access(mm, op, &vma, at, access);
			if (result)
				return result == -EAGAIN ? -EAGAIN : -ENOMEM;
		}
	}
	return 0;
}

/* ---- Stacks ---- */

/* No VMA at addr, but a stack above it. */
static bool below_stack(struct mm *mm, uint64_t addr)
{
	struct mm_vma vma;

	return mm_find_vma_after(mm, addr, &vma) && vma.start > addr &&
	       vma.flags & MM_VM_GROWSDOWN;
}

/* Under the short lock. */
static bool may_grow(struct mm *mm, const struct mm_vma *stack, uint64_t addr)
{
	const struct mm_vma *before;
	uint64_t grow = (stack->start - addr) >> MM_PAGE_SHIFT;

	if (addr < MM_HINT_MIN || grow > stack->pgoff)
		return false;
	if (stack->end - addr > mm->config.stack_limit)
		return false;
	before = mm_index_find_before(&mm->index, stack->start);
	return !before || before->flags & MM_VM_GROWSDOWN ||
	       !(before->flags & MM_VM_ACCESS) ||
	       addr - before->end >= MM_GUARD_GAP;
}

/* Is what the stack would grow over locked?  Its lowest pages may have been
 * unmapped since its scheme looked. */
static bool may_grow_over(const struct mm_op *op, uint64_t end)
{
	return !op->grow_end || end <= op->grow_end ||
	       MM_PLANTED(FINE_GROW_NO_RECHECK);
}

/* Returns: 0, MM_SEGV_MAPERR, or -EAGAIN to start over. */
static int64_t grow_stack(struct mm *mm, struct mm_op *op, uint64_t addr)
{
	const struct mm_vma *stack;
	struct mm_vma grown;
	int64_t error = MM_SEGV_MAPERR;

	mm_short_lock(mm, op);
	stack = mm_index_find(&mm->index, addr);
	if (stack && stack->start > addr && stack->flags & MM_VM_GROWSDOWN &&
	    may_grow(mm, stack, addr))
		error = may_grow_over(op, stack->start) ? 0 : -EAGAIN;
	if (!error) {
		if (stack->anon_id == 0)
			mm_index_set_anon(&mm->index, stack->start,
					  mm_anon_for(&mm->index, stack,
						      ++mm->last_anon_id));
		grown = *stack;
		grown.pgoff -= (grown.start - addr) >> MM_PAGE_SHIFT;
		grown.start = addr;
		rl_pending_supersede(&mm->pending, addr, stack->start);
		mm_spend(mm, op, MM_COST_VMA_UPDATE, 1);
		mm_index_splice(&mm->index, addr, grown.end, &grown, 1);
	}
	mm_short_unlock(mm, op);
	return error;
}

static void widen_footprint(struct mm *mm, struct mm_op *op, uint64_t page)
{
	struct mm_footprint *f = &op->footprint;
	struct mm_vma stack;

	if (!mm_find_vma_after(mm, page, &stack) || f->nr == MM_FOOTPRINT_MAX)
		return;
	if (!may_grow_over(op, stack.start))
		stack.start = op->grow_end;
	if (stack.start > page)
		f->extents[f->nr++] = (struct mm_extent){
			page, stack.start, MM_EXISTENCE, MM_CHANGES };
}

/* Find the VMA of a fault, growing a stack if there is one.  Returns: 0,
 * MM_SEGV_MAPERR, or -EAGAIN to start over. */
static int64_t find_or_grow(struct mm *mm, struct mm_op *op, struct mm_vma *vma)
{
	uint64_t page = mm_page_down(op->addr);
	int64_t error;

	if (mm_look_up(mm, op, page, vma))
		return 0;
	if (!below_stack(mm, page))
		return MM_SEGV_MAPERR;
	mm_leave(mm, op);
	if (mm->scheme->grow)
		mm->scheme->grow(mm, op);
	widen_footprint(mm, op, page);
	mm_enter(mm, op);
	if (mm_look_up(mm, op, page, vma))
		return 0;
	error = grow_stack(mm, op, page);
	if (error == -EAGAIN)
		mm_aborted(mm, op, "the stack moved");
	if (!error && !mm_find_vma(mm, page, vma))
		error = MM_SEGV_MAPERR;
	return error;
}

/* ---- The fault ---- */

/* The page is on a disk.  Returns: true if the fault has to start over. */
static bool read_in(struct mm *mm, struct mm_op *op)
{
	bool dropped = false;

	op->io_done = true;
	if (mm->scheme->before_io) {
		mm_leave(mm, op);
		dropped = mm->scheme->before_io(mm, op);
		if (!dropped)
			mm_enter(mm, op);
	}
	mm_io(mm, op, 1);
	if (dropped && MM_PLANTED(FAULT_NO_SECOND_LOOK)) {
		mm_begin(mm, op);
		return false;
	}
	return dropped;
}

/* Returns: the result, or -EAGAIN to start over. */
static int64_t fault_once(struct mm *mm, struct mm_op *op)
{
	struct mm_vma vma;
	int64_t error;

	if (op->addr >= MM_TASK_SIZE)
		return MM_SEGV_MAPERR;
	error = find_or_grow(mm, op, &vma);
	if (error)
		return error;
	if (is_refused(&vma, op->access))
		return MM_SEGV_ACCERR;
	if (op->needs_io && !op->io_done &&
	    !(mm_pt_read(&mm->root, op->addr) & MM_PTE_PRESENT) &&
	    read_in(mm, op))
		return -EAGAIN;
	return mm_access(mm, op, &vma, op->addr, op->access);
}

void mm_run_fault(struct mm *mm, struct mm_op *op)
{
	int64_t result;

	for (;;) {
		mm_begin(mm, op);
		result = fault_once(mm, op);
		if (result != -EAGAIN)
			break;
		mm_end(mm, op);
		if (++op->nr_retries == FAULT_RETRIES) {
			mm_violation(mm, op, "I13 a fault does not end");
			return;
		}
	}
	op->result = result;
	mm_end(mm, op);
}
