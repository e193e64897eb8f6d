/*
 * remap.c - mremap: shrink, grow in place, move, one VMA or (same length, fixed)
 * several
 *
 * The checks come in the kernel's order; each step is one splice, so a failure
 * half way leaves what was done before it, as there.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdlib.h>

#include "minimm/env/memory.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

#define ALL_FLAGS	(MM_REMAP_MAYMOVE | MM_REMAP_FIXED | MM_REMAP_DONTUNMAP)

/* One move or change of size: a VMA's part, or all of op. */
struct remap {
	uint64_t addr, old_len, new_len, new_addr;
	uint32_t flags;
};

static bool has_new_addr(const struct remap *r)
{
	return r->flags & (MM_REMAP_FIXED | MM_REMAP_DONTUNMAP);
}

static struct remap remap_of(const struct mm_op *op)
{
	return (struct remap){
		.addr = op->addr,
		.old_len = mm_page_up(op->len),
		.new_len = mm_page_up(op->new_len),
		.new_addr = op->new_addr,
		.flags = op->flags,
	};
}

static int check_arguments(const struct mm_op *op)
{
	struct remap r = remap_of(op);

	if (r.flags & ~ALL_FLAGS || r.addr & ~MM_PAGE_MASK || r.new_len == 0 ||
	    r.new_len > MM_TASK_SIZE)
		return -EINVAL;
	if (!has_new_addr(&r))
		return 0;
	if (r.new_addr > MM_TASK_SIZE - r.new_len ||
	    r.new_addr & ~MM_PAGE_MASK || !(r.flags & MM_REMAP_MAYMOVE))
		return -EINVAL;
	if (r.flags & MM_REMAP_DONTUNMAP && r.old_len != r.new_len)
		return -EINVAL;
	if (r.addr + r.old_len > r.new_addr && r.new_addr + r.new_len > r.addr)
		return -EINVAL;
	return 0;
}

/* Room for the records of a move, as the kernel counts beforehand. */
static bool has_room(struct mm *mm)
{
	return mm_nr_vmas(mm) + 2 < mm->config.map_count_max - 3;
}

/* What the VMA at the address says to it. */
static int check_vma(const struct remap *r, const struct mm_vma *vma)
{
	uint64_t kept = r->old_len;

	if (r->old_len == 0 && !(vma->flags & MM_VM_MAYSHARE))
		return -EINVAL;
	/* What is cut off may be anything; what stays where it is, too. */
	if (r->new_len < r->old_len)
		kept = r->new_len;
	if (!has_new_addr(r) && r->new_len <= r->old_len)
		return 0;
	return kept > vma->end - r->addr ? -EFAULT : 0;
}

/* Could it grow where it is? */
static bool fits_in_place(struct mm *mm, const struct remap *r,
			  const struct mm_vma *vma)
{
	uint64_t end = r->addr + r->new_len;

	return r->addr + r->old_len == vma->end && end > vma->end &&
	       end <= MM_TASK_SIZE && mm_range_is_free(mm, vma->end, end);
}

struct mm_remap_plan mm_plan_remap(struct mm *mm, struct mm_op *op)
{
	struct mm_remap_plan plan = { .fails = true };
	struct remap r = remap_of(op);
	struct mm_vma vma;

	if (check_arguments(op) != 0)
		return plan;
	if (r.flags & MM_REMAP_FIXED || r.flags & MM_REMAP_DONTUNMAP) {
		plan.fails = false;
		return plan;
	}
	if (!mm_find_vma(mm, r.addr, &vma) || check_vma(&r, &vma) != 0)
		return plan;
	plan.fits = r.new_len <= r.old_len || fits_in_place(mm, &r, &vma);
	plan.fails = !plan.fits && !(r.flags & MM_REMAP_MAYMOVE);
	return plan;
}

/* ---- Moving ---- */

struct moved_entry {
	uint64_t addr, pte;
};

struct moved_entries {
	struct moved_entry *list;
	size_t nr, room;
};

static uint64_t take_entry(void *arg, uint64_t addr, uint64_t pte)
{
	struct moved_entries *m = arg;

	if (m->nr == m->room) {
		m->room = m->room ? 2 * m->room : 64;
		m->list = mm_realloc(m->list, m->nr * sizeof(*m->list),
				     m->room * sizeof(*m->list));
	}
	m->list[m->nr++] = (struct moved_entry){ addr, pte };
	return 0;
}

static void move_entries(struct mm *mm, struct mm_op *op, uint64_t from,
			 uint64_t len, uint64_t to)
{
	struct moved_entries m = { .list = NULL };

	mm_pt_change(&mm->root, from, from + len, take_entry, &m);
	for (size_t i = 0; i < m.nr; i++) {
		uint64_t addr = m.list[i].addr - from + to;
		struct mm_leaf *leaf = mm_pt_leaf(&mm->root, addr);

		mm_leaf_lock(leaf);
		mm_leaf_set(leaf, addr, m.list[i].pte);
		mm_leaf_unlock(leaf);
	}
	free(m.list);
	op->nr_pages += (uint32_t)m.nr;
	mm_spend(mm, op, MM_COST_MOVE_PAGE, m.nr);
	if (m.nr)
		mm_spend(mm, op, MM_COST_TLB_FLUSH, 1);
}

/* MREMAP_DONTUNMAP: the old VMA stays, without its pages and their owner. */
static void empty_source(struct mm *mm, struct mm_op *op, const struct remap *r)
{
	const struct mm_vma *found;
	struct mm_vma vma;

	mm_short_lock(mm, op);
	found = mm_index_find(&mm->index, r->addr);
	if (found && found->start <= r->addr) {
		vma = *found;
		vma.flags &= ~MM_VM_LOCKED;
		if (vma.start == r->addr && vma.end == r->addr + r->old_len) {
			vma.anon_id = 0;
			vma.anon_is_inherited = false;
		}
		mm_index_splice(&mm->index, vma.start, vma.end, &vma, 1);
	}
	mm_short_unlock(mm, op);
}

/* Under the short lock: the record at the new place. */
static int insert_copy(struct mm *mm, struct mm_op *op, const struct remap *r)
{
	const struct mm_vma *found = mm_index_find(&mm->index, r->addr);
	struct mm_vma copy;
	struct mm_edit edit;

	if (!found || found->start > r->addr)
		return -EFAULT;
	if (mm->index.nr_vmas >= mm->config.map_count_max - 3)
		return -ENOMEM;
	if (found->flags & MM_VM_ACCOUNT && !mm_may_commit(mm, r->new_len))
		return -ENOMEM;
	copy = mm_vma_part(found, r->addr, found->end);
	copy.start = r->new_addr;
	copy.end = r->new_addr + r->new_len;
	/* Without a page yet, private memory is as if mapped there. */
	if (!copy.file && (copy.anon_id == 0 || MM_PLANTED(MREMAP_FORGETS_OFFSET)))
		copy.pgoff = r->new_addr >> MM_PAGE_SHIFT;
	if (!mm_settle_marker(mm, op, copy.start, copy.end))
		mm_violation(mm, op, "I8 moved to a marker that was lost");
	mm_edit_insert(&mm->index, &copy, &edit);
	mm_apply(mm, op, &edit);
	return 0;
}

static int64_t move(struct mm *mm, struct mm_op *op, const struct remap *r,
		    const struct mm_vma *vma)
{
	int error;

	mm_short_lock(mm, op);
	error = insert_copy(mm, op, r);
	mm_short_unlock(mm, op);
	if (error)
		return error;
	mm_expect_no_entries(mm, op, r->new_addr, r->new_addr + r->new_len);
	if (r->old_len) {
		move_entries(mm, op, r->addr, r->old_len, r->new_addr);
		if (r->flags & MM_REMAP_DONTUNMAP)
			empty_source(mm, op, r);
		else
			mm_remove(mm, op, r->addr, r->addr + r->old_len, false);
	}
	if (vma->flags & MM_VM_LOCKED && r->new_len > r->old_len)
		mm_populate(mm, op, r->new_addr + r->old_len,
			    r->new_addr + r->new_len);
	return (int64_t)r->new_addr;
}

/* Cut the end off.  Returns: 0, -EINVAL or -ENOMEM. */
static int cut(struct mm *mm, struct mm_op *op, const struct remap *r,
	       bool isolated)
{
	uint64_t from = r->addr + r->new_len, len = r->old_len - r->new_len;

	if (from > MM_TASK_SIZE || len > MM_TASK_SIZE - from)
		return -EINVAL;
	return mm_remove(mm, op, from, from + len, isolated);
}

/* To a given address, or (DONTUNMAP alone) to one of the allocator's choice. */
static int64_t move_to(struct mm *mm, struct mm_op *op, struct remap *r)
{
	struct mm_vma vma;
	int error;

	if (r->flags & MM_REMAP_FIXED) {
		error = mm_remove(mm, op, r->new_addr, r->new_addr + r->new_len,
				  false);
		if (error)
			return error;
		if (!mm_find_vma(mm, r->addr, &vma))
			return -EFAULT;
	}
	if (r->new_len < r->old_len) {
		error = cut(mm, op, r, false);
		if (error)
			return error;
		r->old_len = r->new_len;
	}
	if (!mm_find_vma(mm, r->addr, &vma) || r->old_len > vma.end - r->addr)
		return -EFAULT;
	return move(mm, op, r, &vma);
}

/* ---- Staying ---- */

static int64_t grow_in_place(struct mm *mm, struct mm_op *op,
			     const struct remap *r, const struct mm_vma *vma)
{
	struct mm_vma more = mm_vma_part(vma, vma->end, r->addr + r->new_len);
	const struct mm_vma *now;
	struct mm_edit edit;
	int error = 0;

	mm_short_lock(mm, op);
	now = mm_index_find(&mm->index, r->addr);
	if (now)
		more.anon_id = now->anon_id;
	if (!now || now->end != more.start) {
		error = -EFAULT;
	} else if (vma->flags & MM_VM_ACCOUNT &&
	    !mm_may_commit(mm, more.end - more.start)) {
		error = -ENOMEM;
	} else {
		rl_pending_supersede(&mm->pending, more.start, more.end);
		mm_edit_insert(&mm->index, &more, &edit);
		mm_apply(mm, op, &edit);
	}
	mm_short_unlock(mm, op);
	if (error)
		return error;
	mm_expect_no_entries(mm, op, more.start, more.end);
	if (vma->flags & MM_VM_LOCKED)
		mm_populate(mm, op, more.start, more.end);
	return (int64_t)r->addr;
}

static int64_t choose_and_move(struct mm *mm, struct mm_op *op,
			       struct remap *r, const struct mm_vma *vma)
{
	if (!op->target) {
		mm_pick_address(mm, op, true);
		mm_spend(mm, op, MM_COST_GAP_SEARCH, 1);
	}
	if (!op->target)
		return -ENOMEM;
	r->new_addr = op->target;
	return move(mm, op, r, vma);
}

static int64_t remap_one(struct mm *mm, struct mm_op *op, struct remap *r)
{
	struct mm_vma vma;
	int error;

	if (!mm_look_up(mm, op, r->addr, &vma))
		return -EFAULT;
	error = check_vma(r, &vma);
	if (error)
		return error;
	if (r->flags & MM_REMAP_FIXED)
		return move_to(mm, op, r);
	if (r->flags & MM_REMAP_DONTUNMAP)
		return choose_and_move(mm, op, r, &vma);
	if (r->new_len < r->old_len) {
		error = cut(mm, op, r, true);
		return error ? error : (int64_t)r->addr;
	}
	if (r->new_len == r->old_len)
		return (int64_t)r->addr;
	if (fits_in_place(mm, r, &vma))
		return grow_in_place(mm, op, r, &vma);
	if (!(r->flags & MM_REMAP_MAYMOVE))
		return -ENOMEM;
	return choose_and_move(mm, op, r, &vma);
}

/* Same length, fixed: VMA by VMA, the holes between them kept. */
static int64_t remap_all(struct mm *mm, struct mm_op *op, const struct remap *all)
{
	uint64_t end = all->addr + all->old_len;
	uint64_t at = all->addr;
	struct mm_vma vma;

	if (!mm_look_up(mm, op, at, &vma))
		return -EFAULT;
	while (at < end && mm_find_vma_after(mm, at, &vma) && vma.start < end) {
		uint64_t from = vma.start > at ? vma.start : at;
		uint64_t to = vma.end < end ? vma.end : end;
		struct remap part = {
			.addr = from, .old_len = to - from, .new_len = to - from,
			.new_addr = all->new_addr + (from - all->addr),
			.flags = all->flags,
		};
		int64_t result = move_to(mm, op, &part);

		if (result < 0)
			return result;
		at = to;
	}
	return (int64_t)all->new_addr;
}

void mm_run_remap(struct mm *mm, struct mm_op *op)
{
	struct remap r = remap_of(op);
	int error = check_arguments(op);

	if (error) {
		op->result = error;
		return;
	}
	mm_begin(mm, op);
	if (has_new_addr(&r) && !has_room(mm))
		op->result = -ENOMEM;
	else if (r.flags & MM_REMAP_FIXED && r.old_len == r.new_len)
		op->result = remap_all(mm, op, &r);
	else
		op->result = remap_one(mm, op, &r);
	mm_end(mm, op);
}
