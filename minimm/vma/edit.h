/*
 * edit.h - what a change of mappings does to the records: Linux's rules
 *
 * An edit is the argument list of one mm_index_splice(): a run of records that
 * goes, and the run that takes its place.  Nothing here changes the index.
 * All calls under the short lock.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_VMA_EDIT_H
#define MINIMM_VMA_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/vma/index.h"
#include "minimm/vma/vma.h"

#define MM_EDIT_MAX	5

struct mm_edit {
	uint64_t start, end;		/* what goes: every VMA in here */
	struct mm_vma vmas[MM_EDIT_MAX];
	unsigned int nr;
	unsigned int nr_before;		/* records that go */
};

/* a ends where b starts.  May they be one? */
bool mm_vmas_mergeable(const struct mm_vma *a, const struct mm_vma *b);

/* The part of vma from start to end: offset and all. */
struct mm_vma mm_vma_part(const struct mm_vma *vma, uint64_t start,
			  uint64_t end);

/* Nothing is left in [start, end): neighbours are cut. */
void mm_edit_remove(const struct mm_index *index, uint64_t start, uint64_t end,
		    struct mm_edit *edit);

/*
 * added takes [added->start, added->end), over whatever is there; merged with
 * its neighbours if the rules allow.
 */
void mm_edit_insert(const struct mm_index *index, const struct mm_vma *added,
		    struct mm_edit *edit);

/*
 * As mm_edit_insert(), but into a gap, and merged with the one below only, and
 * only if that reaches above floor.
 */
void mm_edit_extend(const struct mm_index *index, const struct mm_vma *added,
		    uint64_t floor, struct mm_edit *edit);

/*
 * [start, end), a part of vma, gets flags: split and merged.
 * Returns: how many records more (or less) there are after it.
 */
int mm_edit_change(const struct mm_index *index, const struct mm_vma *vma,
		   uint64_t start, uint64_t end, uint32_t flags,
		   struct mm_edit *edit);

/*
 * The anon_id for the first anonymous page of vma: a neighbour's that could be
 * one with it but for its protection, or fresh.
 */
uint64_t mm_anon_for(const struct mm_index *index, const struct mm_vma *vma,
		     uint64_t fresh);

void mm_edit_apply(struct mm_index *index, const struct mm_edit *edit);

#endif
