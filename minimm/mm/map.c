/*
 * map.c - mmap: the checks in the kernel's order, then one splice
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/atomic.h"
#include "minimm/env/memory.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

#define RETRY_MAX	1000u
#define ERROR_MIN	(-UINT64_C(4095))

static bool is_fixed(const struct mm_op *op)
{
	return op->flags & (MM_MAP_FIXED | MM_MAP_NOREPLACE);
}

static bool is_anonymous(const struct mm_op *op)
{
	return op->flags & MM_MAP_ANONYMOUS;
}

/* What can be said without looking at the space. */
static int check_arguments(const struct mm_op *op)
{
	uint64_t len = mm_page_up(op->len);
	uint64_t pgoff = op->offset >> MM_PAGE_SHIFT;

	if (op->offset & ~MM_PAGE_MASK)
		return -EINVAL;
	if (!is_anonymous(op) && !op->file)
		return -EBADF;
	if (op->len == 0)
		return -EINVAL;
	/* There are no huge pages here to be reserved. */
	if (op->flags & MM_MAP_HUGETLB)
		return is_anonymous(op) ? -ENOMEM : -EINVAL;
	if (len == 0)
		return -ENOMEM;
	if (pgoff + (len >> MM_PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (len > MM_TASK_SIZE)
		return -ENOMEM;
	/* The kernel takes such an address for the error of whoever chose it. */
	if (is_fixed(op) && op->addr >= ERROR_MIN)
		return (int)(int64_t)op->addr;
	if (is_fixed(op) && op->addr > MM_TASK_SIZE - len)
		return -ENOMEM;
	if (is_fixed(op) && op->addr & ~MM_PAGE_MASK)
		return -EINVAL;
	return 0;
}

/* ... and is said only once the address is known to be good. */
static int check_type(const struct mm_op *op)
{
	uint32_t type = op->flags & MM_MAP_TYPE;

	if (is_anonymous(op)) {
		if (type == MM_MAP_SHARED)
			return op->flags & MM_MAP_GROWSDOWN ? -EINVAL : 0;
		if (type == MM_MAP_DROPPABLE)
			return op->flags & (MM_MAP_LOCKED | MM_MAP_GROWSDOWN)
			       ? -EINVAL : 0;
		return type == MM_MAP_PRIVATE ? 0 : -EINVAL;
	}
	if (type != MM_MAP_SHARED && type != MM_MAP_SHARED_VALIDATE &&
	    type != MM_MAP_PRIVATE)
		return -EINVAL;
	if (type != MM_MAP_PRIVATE && op->prot & MM_VM_WRITE &&
	    op->file->no_write)
		return -EACCES;
	return op->flags & MM_MAP_GROWSDOWN ? -EINVAL : 0;
}

static uint32_t vma_flags(const struct mm *mm, const struct mm_op *op)
{
	uint32_t type = op->flags & MM_MAP_TYPE;
	uint32_t flags = (op->prot & MM_VM_ACCESS) | MM_VM_MAYWRITE |
			 MM_VM_MAYEXEC;

	if (mm->config.has_protection_keys &&
	    (op->prot & MM_VM_ACCESS) == MM_VM_EXEC)
		flags |= MM_VM_EXECUTE_KEY;
	if (op->flags & MM_MAP_GROWSDOWN)
		flags |= MM_VM_GROWSDOWN;
	if (op->flags & MM_MAP_LOCKED)
		flags |= MM_VM_LOCKED;
	if (op->flags & MM_MAP_STACK)
		flags |= MM_VM_NOHUGEPAGE;
	if (op->flags & MM_MAP_SYNC)
		flags |= MM_VM_SYNC;
	if (op->flags & MM_MAP_NORESERVE)
		flags |= MM_VM_NORESERVE;
	if (type == MM_MAP_SHARED || type == MM_MAP_SHARED_VALIDATE) {
		flags |= MM_VM_SHARED | MM_VM_MAYSHARE;
		if (!is_anonymous(op) && op->file->no_write)
			flags &= ~(MM_VM_SHARED | MM_VM_MAYWRITE);
	}
	if (type == MM_MAP_DROPPABLE)
		flags |= MM_VM_DROPPABLE | MM_VM_NORESERVE |
			 MM_VM_WIPEONFORK | MM_VM_DONTDUMP;
	if ((flags & (MM_VM_NORESERVE | MM_VM_SHARED | MM_VM_WRITE)) ==
	    MM_VM_WRITE)
		flags |= MM_VM_ACCOUNT;
	return flags;
}

/* Does the mapping promise memory now? */
static bool promises(const struct mm_op *op, uint32_t flags)
{
	if (flags & MM_VM_ACCOUNT)
		return true;
	return is_anonymous(op) && flags & MM_VM_SHARED &&
	       !(flags & MM_VM_NORESERVE);
}

struct locked_sum {
	uint64_t bytes;
};

static bool add_locked(void *arg, const struct mm_vma *vma)
{
	if (vma->flags & MM_VM_LOCKED)
		((struct locked_sum *)arg)->bytes += vma->end - vma->start;
	return true;
}

static bool may_lock(struct mm *mm, uint64_t bytes)
{
	struct locked_sum sum = { 0 };

	if (mm->config.memlock_limit == MM_NO_LIMIT)
		return true;
	mm_index_visit(&mm->index, 0, add_locked, &sum);
	return sum.bytes + bytes <= mm->config.memlock_limit;
}

/* Everything but the answer is decided here, under the short lock. */
static int check_space(struct mm *mm, const struct mm_op *op,
		       const struct mm_vma *added)
{
	const struct mm_vma *there = mm_index_find(&mm->index, added->start);
	uint64_t bytes = added->end - added->start;

	if (mm->index.nr_vmas > mm->config.map_count_max)
		return -ENOMEM;
	if (op->flags & MM_MAP_NOREPLACE && there && there->start < added->end)
		return -EEXIST;
	if (op->flags & MM_MAP_LOCKED && !may_lock(mm, bytes))
		return -EAGAIN;
	return check_type(op);
}

static void split_at(struct mm *mm, struct mm_op *op, uint64_t addr)
{
	const struct mm_vma *vma = mm_index_find(&mm->index, addr);
	struct mm_vma parts[2];

	if (!vma || vma->start >= addr)
		return;
	parts[0] = mm_vma_part(vma, vma->start, addr);
	parts[1] = mm_vma_part(vma, addr, vma->end);
	mm_spend(mm, op, MM_COST_VMA_UPDATE, 2);
	mm_index_splice(&mm->index, parts[0].start, parts[1].end, parts, 2);
}

/*
 * Memory that cannot be promised is refused when the old mappings have been cut
 * (private), or are gone (shared): so it is in the kernel.
 */
static int refuse_promise(struct mm *mm, struct mm_op *op,
			  const struct mm_vma *added, bool *gone)
{
	struct mm_edit edit;

	if (added->flags & MM_VM_SHARED) {
		mm_edit_remove(&mm->index, added->start, added->end, &edit);
		if (edit.nr_before > 0)
			mm_apply(mm, op, &edit);
		*gone = edit.nr_before > 0;
	} else {
		split_at(mm, op, added->start);
		split_at(mm, op, added->end);
	}
	return -ENOMEM;
}

static void give_shared_object(struct mm *mm, struct mm_vma *added)
{
	struct mm_file *file = mm_alloc(sizeof(*file));

	mm_file_init(file, 0, (added->end - added->start) >> MM_PAGE_SHIFT,
		     &mm_anon_ops);
	file->is_anonymous = true;
	mm_hold_file(mm, file);
	mm_file_put(file);
	added->file = file;
	added->pgoff = 0;
}

static struct mm_vma record_of(const struct mm *mm, const struct mm_op *op,
			       uint64_t start)
{
	struct mm_vma vma = {
		.start = start,
		.end = start + mm_page_up(op->len),
		.flags = vma_flags(mm, op),
		.pgoff = start >> MM_PAGE_SHIFT,
	};

	if (!is_anonymous(op)) {
		vma.file = op->file;
		vma.pgoff = op->offset >> MM_PAGE_SHIFT;
	}
	return vma;
}

/* Something is there that our mapping would take the place of.
 * Returns: 0; -ENOMEM for too many records. */
static int check_replaced(struct mm *mm, struct mm_op *op,
			  const struct mm_vma *added)
{
	struct mm_edit edit;

	mm_edit_remove(&mm->index, added->start, added->end, &edit);
	if (!mm_may_remove(mm, &edit))
		return -ENOMEM;
	op->answer_taken = !is_fixed(op);
	if (op->answer_taken && !op->answer)
		mm_violation(mm, op, "I7 a choice that is not free");
	return 0;
}

/*
 * Under the short lock: check, build, splice.  *gone: what was there before is
 * out of the index, its pages are not yet.
 * Returns: 0, -errno, or 1 if our marker was lost.
 */
static int insert(struct mm *mm, struct mm_op *op, struct mm_vma *added,
		  bool *gone)
{
	const struct mm_vma *there = mm_index_find(&mm->index, added->start);
	bool replaces = there && there->start < added->end;
	struct mm_edit edit;
	int error = check_space(mm, op, added);

	if (!error && replaces)
		error = check_replaced(mm, op, added);
	if (error)
		return error;
	if (promises(op, added->flags) &&
	    !mm_may_commit(mm, added->end - added->start))
		return refuse_promise(mm, op, added, gone);
	if (!mm_settle_marker(mm, op, added->start, added->end))
		return 1;
	if (is_anonymous(op) && added->flags & MM_VM_SHARED)
		give_shared_object(mm, added);
	else if (added->file)
		mm_hold_file(mm, added->file);
	mm_edit_insert(&mm->index, added, &edit);
	mm_apply(mm, op, &edit);
	*gone = replaces;
	return 0;
}

/* Returns: what insert() does. */
static int map(struct mm *mm, struct mm_op *op)
{
	bool gone = false;
	struct mm_vma added;
	int error;

	if (!is_fixed(op) && !op->target) {
		/* The scheme left the choice to us. */
		mm_pick_address(mm, op, true);
		mm_spend(mm, op, MM_COST_GAP_SEARCH, 1);
		if (!op->target)
			return -ENOMEM;
	}
	if (is_fixed(op))
		op->target = op->addr;
	added = record_of(mm, op, op->target);
	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	mm_expect_driver(mm, op, mm_vma_is_fine(&added) &&
			 (op->flags & MM_MAP_NOREPLACE ||
			  mm_range_is_fine(mm, added.start, added.end)));
	mm_short_lock(mm, op);
	error = insert(mm, op, &added, &gone);
	mm_short_unlock(mm, op);
	/* Nobody is let in between: our lock covers the range. */
	if (gone)
		mm_zap(mm, op, added.start, added.end);
	if (error)
		return error;
	if (!gone)
		mm_expect_no_entries(mm, op, added.start, added.end);
	op->result = (int64_t)added.start;
	return 0;
}

static bool wants_pages(const struct mm_op *op)
{
	return op->flags & MM_MAP_LOCKED ||
	       (op->flags & (MM_MAP_POPULATE | MM_MAP_NONBLOCK)) ==
		       MM_MAP_POPULATE;
}

void mm_run_map(struct mm *mm, struct mm_op *op)
{
	int error = check_arguments(op);

	if (error) {
		op->result = error;
		return;
	}
	for (;;) {
		mm_begin(mm, op);
		error = map(mm, op);
		if (error <= 0 || op->nr_retries >= RETRY_MAX)
			break;
		mm_end(mm, op);
		mm_aborted(mm, op, "lost its address");
		op->target = 0;
		op->nr_retries++;
	}
	if (error)
		op->result = error < 0 ? error : -EAGAIN;
	else if (wants_pages(op)) {
		if (mm->scheme->populate)
			mm->scheme->populate(mm, op);
		/* As in the kernel: what cannot be had is not said. */
		mm_populate(mm, op, op->target,
			    op->target + mm_page_up(op->len));
	}
	mm_end(mm, op);
}
