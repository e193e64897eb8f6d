/*
 * protect.c - mprotect, mlock, munlock, madvise: records that change
 *
 * They go from VMA to VMA and stop at the first hole (madvise goes on): what
 * came before it stays done, as in the kernel.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/atomic.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

/* Under the short lock.  Returns: 0 or -ENOMEM for too many records. */
static int set_flags(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		     uint64_t start, uint64_t end, uint32_t flags)
{
	struct mm_edit edit;
	int more;

	if (flags == vma->flags)
		return 0;
	more = mm_edit_change(&mm->index, vma, start, end, flags, &edit);
	if (more > 0 && mm->index.nr_vmas + (uint32_t)more >
			mm->config.map_count_max)
		return -ENOMEM;
	mm_apply(mm, op, &edit);
	return 0;
}

/*
 * The flags that a VMA shall get.  Returns: 0, or the error that ends the walk.
 */
typedef int new_flags_fn(struct mm *mm, struct mm_op *op,
			 const struct mm_vma *vma, uint64_t start,
			 uint64_t end, uint32_t *flags);

/*
 * Walk [start, end), giving each VMA its flags.  *done: how far it came.
 * Returns: 0; -ENOMEM if there is a hole; fn's error.
 */
static int change_range(struct mm *mm, struct mm_op *op, uint64_t start,
			uint64_t end, new_flags_fn *fn, uint64_t *done)
{
	uint64_t at = start;
	int error = 0;

	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	mm_short_lock(mm, op);
	while (at < end && !error && op->pages_end == 0) {
		const struct mm_vma *found = mm_index_find(&mm->index, at);
		struct mm_vma vma;
		uint64_t part_end;
		uint32_t flags;

		if (found && found->start > at && found->start < end &&
		    at > start && MM_PLANTED(PROTECT_JUMPS_HOLES))
			at = found->start;
		if (!found || found->start > at) {
			error = -ENOMEM;
			break;
		}
		vma = *found;
		part_end = vma.end < end ? vma.end : end;
		flags = vma.flags;
		error = fn(mm, op, &vma, at, part_end, &flags);
		if (!error)
			error = set_flags(mm, op, &vma, at, part_end, flags);
		if (!error)
			at = part_end;
	}
	mm_short_unlock(mm, op);
	*done = at;
	return error;
}

/* ---- mprotect ---- */

static int protected_flags(struct mm *mm, struct mm_op *op,
			   const struct mm_vma *vma, uint64_t start,
			   uint64_t end, uint32_t *flags)
{
	uint32_t prot = op->prot & MM_VM_ACCESS;
	uint32_t f = (vma->flags & ~(MM_VM_ACCESS | MM_VM_EXECUTE_KEY)) | prot;

	if (prot == MM_VM_EXEC && mm->config.has_protection_keys)
		f |= MM_VM_EXECUTE_KEY;
	if (prot & MM_VM_WRITE && !(f & MM_VM_MAYWRITE))
		return -EACCES;
	if (f == vma->flags)
		return 0;
	if (prot & MM_VM_WRITE) {
		if (!(vma->flags & (MM_VM_ACCOUNT | MM_VM_WRITE |
				    MM_VM_SHARED | MM_VM_NORESERVE))) {
			if (!mm_may_commit(mm, end - start))
				return -ENOMEM;
			f |= MM_VM_ACCOUNT;
		}
	} else if (vma->flags & MM_VM_ACCOUNT && !vma->file &&
		   mm_load_relaxed(&vma->anon_id) == 0) {
		/* Nothing was written: nothing need be promised. */
		f &= ~MM_VM_ACCOUNT;
	}
	if (prot & MM_VM_WRITE && (vma->flags & (MM_VM_WRITE | MM_VM_SHARED |
						 MM_VM_LOCKED)) == MM_VM_LOCKED) {
		op->pages_start = start;
		op->pages_end = end;
	}
	*flags = f;
	return 0;
}

static uint64_t without_write(void *arg, uint64_t addr, uint64_t pte)
{
	(void)arg;
	(void)addr;
	return pte & ~(uint64_t)MM_PTE_WRITE;
}

/* Entries never allow more than their VMA; what it allows anew is found out by
 * the next fault. */
static void take_write(struct mm *mm, struct mm_op *op, uint64_t start,
		       uint64_t end)
{
	uint64_t nr;

	if (start >= end || MM_PLANTED(PROTECT_KEEPS_WRITE))
		return;
	nr = mm_pt_change(&mm->root, start, end,
			  op->prot & MM_VM_WRITE ? NULL : without_write, NULL);
	op->nr_pages += (uint32_t)nr;
	mm_spend(mm, op, MM_COST_WALK_PAGE, nr);
	if (nr)
		mm_spend(mm, op, MM_COST_TLB_FLUSH, 1);
}

void mm_run_protect(struct mm *mm, struct mm_op *op)
{
	uint64_t end = op->addr + mm_page_up(op->len), done = op->addr;

	if (op->addr & ~MM_PAGE_MASK) {
		op->result = -EINVAL;
		return;
	}
	if (op->len == 0)
		return;
	if (end <= op->addr) {
		op->result = -ENOMEM;
		return;
	}
	mm_begin(mm, op);
	do {
		uint64_t from = done;

		op->pages_end = 0;
		op->result = change_range(mm, op, from, end, protected_flags,
					  &done);
		take_write(mm, op, from, done);
		/* Private locked memory that may now be written gets its pages
		 * at once, before the next VMA changes. */
		if (op->pages_end)
			mm_populate(mm, op, op->pages_start, done);
	} while (op->result == 0 && done < end);
	op->pages_end = 0;
	mm_end(mm, op);
}

/* ---- mlock, munlock ---- */

static int locked_flags(struct mm *mm, struct mm_op *op,
			const struct mm_vma *vma, uint64_t start,
			uint64_t end, uint32_t *flags)
{
	(void)mm;
	(void)start;
	(void)end;
	if (vma->flags & MM_VM_DROPPABLE)
		return 0;
	*flags = vma->flags & ~MM_VM_LOCKED;
	if (op->kind == MM_MLOCK)
		*flags |= MM_VM_LOCKED;
	return 0;
}

void mm_run_lock(struct mm *mm, struct mm_op *op)
{
	uint64_t start = mm_page_down(op->addr), done;
	uint64_t len = mm_page_up(op->len + (op->addr - start));
	uint64_t end = start + len;

	if (end < start) {
		op->result = -EINVAL;
		return;
	}
	if (len == 0)
		return;
	if (op->kind == MM_MLOCK && len > mm->config.memlock_limit) {
		op->result = -ENOMEM;
		return;
	}
	mm_begin(mm, op);
	op->result = change_range(mm, op, start, end, locked_flags, &done);
	if (op->kind == MM_MLOCK && op->result == 0) {
		if (mm->scheme->populate)
			mm->scheme->populate(mm, op);
		op->result = mm_populate(mm, op, start, end);
	}
	mm_end(mm, op);
}

/* ---- madvise ---- */

static bool is_known_advice(int32_t advice)
{
	/* 0..4, 8..25 and the two that poison pages (not here). */
	return (advice >= 0 && advice <= 4) || (advice >= 8 && advice <= 25);
}

static int advised_flags(struct mm *mm, struct mm_op *op,
			 const struct mm_vma *vma, uint64_t start,
			 uint64_t end, uint32_t *flags)
{
	uint32_t f = vma->flags;

	(void)mm;
	(void)start;
	(void)end;
	switch (op->advice) {
	case MM_ADV_NORMAL:
		f &= ~(MM_VM_RANDOM | MM_VM_SEQUENTIAL);
		break;
	case MM_ADV_RANDOM:
		f = (f & ~MM_VM_SEQUENTIAL) | MM_VM_RANDOM;
		break;
	case MM_ADV_SEQUENTIAL:
		f = (f & ~MM_VM_RANDOM) | MM_VM_SEQUENTIAL;
		break;
	case MM_ADV_DONTFORK:
		f |= MM_VM_DONTCOPY;
		break;
	case MM_ADV_DOFORK:
		f &= ~MM_VM_DONTCOPY;
		break;
	case MM_ADV_HUGEPAGE:
		f = (f & ~MM_VM_NOHUGEPAGE) | MM_VM_HUGEPAGE;
		break;
	case MM_ADV_NOHUGEPAGE:
		f = (f & ~MM_VM_HUGEPAGE) | MM_VM_NOHUGEPAGE;
		break;
	case MM_ADV_DONTDUMP:
		f |= MM_VM_DONTDUMP;
		break;
	case MM_ADV_DODUMP:
		if (f & MM_VM_DROPPABLE)
			return -EINVAL;
		f &= ~MM_VM_DONTDUMP;
		break;
	default:
		break;
	}
	*flags = f;
	return 0;
}

static uint64_t freed(void *arg, uint64_t addr, uint64_t pte)
{
	(void)arg;
	(void)addr;
	return pte & MM_PTE_ANON ? pte | MM_PTE_FREE : pte;
}

/* One VMA's part of MADV_DONTNEED or MADV_FREE. */
static int drop_part(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		     uint64_t start, uint64_t end)
{
	uint64_t nr;

	if (vma->flags & MM_VM_LOCKED)
		return -EINVAL;
	if (op->advice == MM_ADV_DONTNEED) {
		mm_zap(mm, op, start, end);
		return 0;
	}
	if (vma->file)
		return -EINVAL;
	nr = mm_pt_change(&mm->root, start, end, freed, NULL);
	op->nr_pages += (uint32_t)nr;
	mm_spend(mm, op, MM_COST_WALK_PAGE, nr);
	return 0;
}

/* Part by part over the holes, which make the result -ENOMEM. */
static int advise_range(struct mm *mm, struct mm_op *op, uint64_t at,
			uint64_t end)
{
	bool drops = op->advice == MM_ADV_DONTNEED || op->advice == MM_ADV_FREE;
	int hole = 0, error = 0;
	struct mm_vma vma;

	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	while (at < end) {
		uint64_t part_end;

		if (!mm_find_vma_after(mm, at, &vma) || vma.start >= end)
			return -ENOMEM;
		if (vma.start > at) {
			hole = -ENOMEM;
			at = vma.start;
		}
		part_end = vma.end < end ? vma.end : end;
		if (drops)
			error = drop_part(mm, op, &vma, at, part_end);
		else
			error = change_range(mm, op, at, part_end,
					     advised_flags, &part_end);
		if (error)
			return error;
		at = part_end;
	}
	return hole;
}

void mm_run_advise(struct mm *mm, struct mm_op *op)
{
	uint64_t len = mm_page_up(op->len), end = op->addr + len;

	if (!is_known_advice(op->advice) || op->addr & ~MM_PAGE_MASK ||
	    (op->len && !len) || end < op->addr) {
		op->result = -EINVAL;
		return;
	}
	if (len == 0)
		return;
	mm_begin(mm, op);
	op->result = advise_range(mm, op, op->addr, end);
	mm_end(mm, op);
}
