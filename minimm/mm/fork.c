/*
 * fork.c - a copy of an address space, and its end
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "minimm/env/atomic.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

struct copying {
	struct mm *child;
	uint64_t nr;
	uint32_t nr_vmas;
};

/* A private page is shared from here on, until one of the two writes. */
static uint64_t copy_entry(void *arg, uint64_t addr, uint64_t pte)
{
	struct copying *c = arg;
	struct mm_leaf *leaf = mm_pt_leaf(&c->child->root, addr);

	if (pte & MM_PTE_ANON && !MM_PLANTED(FORK_SHARES_WRITABLE))
		pte = (pte | MM_PTE_COW) & ~(uint64_t)MM_PTE_WRITE;
	mm_leaf_lock(leaf);
	mm_leaf_set(leaf, addr, pte);
	mm_leaf_unlock(leaf);
	c->nr++;
	return pte;
}

static bool copy_vma(void *arg, const struct mm_vma *vma)
{
	struct copying *c = arg;
	struct mm_vma copy = *vma;

	if (vma->flags & MM_VM_DONTCOPY)
		return true;
	copy.flags &= ~MM_VM_LOCKED;
	if (copy.anon_id || copy.flags & MM_VM_WIPEONFORK) {
		/* Its new pages are its own, its old ones its parent's. */
		copy.anon_id = copy.flags & MM_VM_WIPEONFORK
			       ? 0 : ++c->child->last_anon_id;
		copy.anon_is_inherited = copy.anon_id != 0;
	}
	if (copy.file)
		mm_hold_file(c->child, copy.file);
	mm_index_splice(&c->child->index, copy.start, copy.end, &copy, 1);
	c->nr_vmas++;
	return true;
}

static bool copy_pages(void *arg, const struct mm_vma *vma)
{
	void **both = arg;
	struct mm *mm = both[0];

	/* What a file has can be had again from there. */
	if (vma->anon_id && !(vma->flags & (MM_VM_DONTCOPY | MM_VM_WIPEONFORK)))
		mm_pt_change(&mm->root, vma->start, vma->end, copy_entry,
			     both[1]);
	return true;
}

static struct mm *new_child(struct mm *mm)
{
	struct mm_config config = mm->config;
	struct mm *child = mm_create(&config);

	if (!child)
		return NULL;
	child->brk = mm_load_relaxed(&mm->brk);
	child->last_anon_id = mm->last_anon_id;
	child->index.last_version = mm->index.last_version;
	return child;
}

void mm_run_fork(struct mm *mm, struct mm_op *op)
{
	struct copying c = { .nr = 0 };
	void *both[2] = { mm, &c };

	mm_begin(mm, op);
	c.child = new_child(mm);
	if (!c.child) {
		op->result = -ENOMEM;
		mm_end(mm, op);
		return;
	}
	/* The scheme's lock keeps the records as they are; the short one is
	 * needed for those that a neighbour's merge would replace. */
	mm_short_lock(mm, op);
	mm_index_visit(&mm->index, 0, copy_vma, &c);
	mm_short_unlock(mm, op);
	mm_index_visit(&c.child->index, 0, copy_pages, both);
	mm_store_relaxed(&c.child->nr_entries, c.nr);
	mm_spend(mm, op, MM_COST_VMA_UPDATE, c.nr_vmas);
	mm_spend(mm, op, MM_COST_FORK_PAGE, c.nr);
	mm_spend(mm, op, MM_COST_TLB_FLUSH, 1);
	op->nr_pages = (uint32_t)c.nr;
	op->child = c.child;
	mm_end(mm, op);
}

void mm_run_exit(struct mm *mm, struct mm_op *op)
{
	mm_begin(mm, op);
	mm_short_lock(mm, op);
	mm_spend(mm, op, MM_COST_VMA_UPDATE, mm->index.nr_vmas);
	mm_index_splice(&mm->index, 0, MM_TASK_SIZE, NULL, 0);
	mm_store_relaxed(&mm->brk, mm->config.brk_start);
	mm_short_unlock(mm, op);
	if (mm->scheme->isolated)
		mm->scheme->isolated(mm, op);
	mm_zap(mm, op, 0, MM_TASK_SIZE);
	mm_end(mm, op);
}
