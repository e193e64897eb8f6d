/*
 * space.h - what the files of this folder share
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_MM_SPACE_H
#define MINIMM_MM_SPACE_H

#include "minimm/mm/mm.h"
#include "minimm/vma/edit.h"

/* run_*: perform a whole operation: begin, section, end. */
void mm_run_map(struct mm *mm, struct mm_op *op);
void mm_run_unmap(struct mm *mm, struct mm_op *op);
void mm_run_protect(struct mm *mm, struct mm_op *op);
void mm_run_lock(struct mm *mm, struct mm_op *op);	/* mlock, munlock */
void mm_run_advise(struct mm *mm, struct mm_op *op);
void mm_run_remap(struct mm *mm, struct mm_op *op);
void mm_run_brk(struct mm *mm, struct mm_op *op);
void mm_run_fault(struct mm *mm, struct mm_op *op);
void mm_run_fork(struct mm *mm, struct mm_op *op);
void mm_run_exit(struct mm *mm, struct mm_op *op);
void mm_run_maps(struct mm *mm, struct mm_op *op);
void mm_run_ps(struct mm *mm, struct mm_op *op);

/* The scheme's hooks, and the observer's section around what they protect. */
void mm_begin(struct mm *mm, struct mm_op *op);
void mm_end(struct mm *mm, struct mm_op *op);
void mm_enter(struct mm *mm, struct mm_op *op);
void mm_leave(struct mm *mm, struct mm_op *op);

/* ---- Changes of the index.  Under op's short lock ---- */

/* Splice, paying for it. */
void mm_apply(struct mm *mm, struct mm_op *op, const struct mm_edit *edit);

/* May [start, end) be taken out, as far as the number of records goes? */
bool mm_may_remove(struct mm *mm, const struct mm_edit *edit);

/* May a mapping promise so many more pages? */
bool mm_may_commit(const struct mm *mm, uint64_t bytes);

/* Make the marker of op, if any, end in the mapping of [start, end), and all
 * other map markers there.  false: op's was lost. */
bool mm_settle_marker(struct mm *mm, struct mm_op *op, uint64_t start,
		      uint64_t end);

/* A file of one user, in memory of free()'s. */
void mm_file_init(struct mm_file *file, uint64_t id, uint64_t nr_pages,
		  const struct mm_vm_ops *ops);

/* Keep a file alive as long as mm. */
void mm_hold_file(struct mm *mm, struct mm_file *file);

/* ---- Without the short lock ---- */

/* Take [start, end) out of the index, and its entries away; isolated: call the
 * scheme's hook in between.  Returns: 0 or -ENOMEM. */
int mm_remove(struct mm *mm, struct mm_op *op, uint64_t start, uint64_t end,
	      bool isolated);

/* Clear the entries of [start, end) and pay for it. */
void mm_zap(struct mm *mm, struct mm_op *op, uint64_t start, uint64_t end);

/* I1: nothing may be mapped in a range that has just been given out. */
void mm_expect_no_entries(struct mm *mm, struct mm_op *op, uint64_t start,
			  uint64_t end);

/* A driver that is not fine with ranges is not entered with less than all of
 * mm->lock: what fine, from the VMA or the range, says must be true, or op holds
 * all (or uses other locks). */
void mm_expect_driver(struct mm *mm, struct mm_op *op, bool fine);

/*
 * Access one address, within a section, as vma says: install or change its
 * entry.  Returns: 0, MM_SEGV_ACCERR, MM_SIGBUS, or -EAGAIN if the VMA was not
 * what it seemed (a violation, and reported).
 */
int64_t mm_access(struct mm *mm, struct mm_op *op, const struct mm_vma *vma,
		  uint64_t addr, enum mm_access access);

/* Make all pages of [start, end) present, as far as it is mapped; stops at the
 * first that cannot be.  Returns: 0, -ENOMEM, -EAGAIN. */
int64_t mm_populate(struct mm *mm, struct mm_op *op, uint64_t start,
		    uint64_t end);

/* The VMA at addr, which op has just paid to look up. */
bool mm_look_up(struct mm *mm, struct mm_op *op, uint64_t addr,
		struct mm_vma *vma);

#endif
