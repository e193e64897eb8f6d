/*
 * index.h - the VMAs of an address space: a copy-on-write B+-tree
 *
 * One root pointer publishes a whole version.  Readers walk it inside
 * mm_rcu_read_lock() and see one version from end to end; writers are ordered
 * by the short lock, copy the path that they change and publish once.
 *
 * Cost: a lookup O(log n), a splice O(k log n) copies of small nodes.  Weak
 * spot: every change, however small, copies a leaf of MM_INDEX_FANOUT entries.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_VMA_INDEX_H
#define MINIMM_VMA_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/vma/vma.h"

struct mm_index_node;
struct mm_retired;

struct mm_index {
	struct mm_index_node *root;	/* atomic; NULL: empty */
	uint32_t nr_vmas;		/* atomic */
	uint64_t nr_pages;		/* mapped; short lock */
	uint64_t txn;			/* short lock */
	uint64_t last_version;		/* short lock */
	struct mm_retired *retired;	/* short lock: wait for a grace period */
};

void mm_index_init(struct mm_index *index);

/* Requires: nobody reads or changes it any more. */
void mm_index_destroy(struct mm_index *index);

/* ---- Inside mm_rcu_read_lock(), or under the short lock ---- */

/* A copy, anon_id as it is now.  Others may set that while a plain copy reads. */
struct mm_vma mm_vma_read(const struct mm_vma *vma);

/* The first VMA with end > addr, or NULL. */
const struct mm_vma *mm_index_find(const struct mm_index *index, uint64_t addr);

/* The last VMA with start < addr, or NULL. */
const struct mm_vma *mm_index_find_before(const struct mm_index *index,
					  uint64_t addr);

/*
 * The highest x <= high for which [x - size, x) lies in [low, high) and keeps
 * clear of every VMA (and of the guard gap of a stack next above); 0 if there is
 * none.
 */
uint64_t mm_index_gap_below(const struct mm_index *index, uint64_t low,
			    uint64_t high, uint64_t size);

/* ... and the lowest start x >= low.  UINT64_MAX if there is none. */
uint64_t mm_index_gap_above(const struct mm_index *index, uint64_t low,
			    uint64_t high, uint64_t size);

/* Call visit for each VMA with end > from, in order, until it says false. */
void mm_index_visit(const struct mm_index *index, uint64_t from,
		    bool (*visit)(void *arg, const struct mm_vma *vma),
		    void *arg);

/* ---- Under the short lock ---- */

/*
 * Replace the VMAs that overlap [start, end) by fresh copies of added[0..n),
 * which are sorted, disjoint and lie in the union of [start, end) and what is
 * replaced; publish once.  Each gets a new version, and born unless it has one.
 */
void mm_index_splice(struct mm_index *index, uint64_t start, uint64_t end,
		     const struct mm_vma *added, unsigned int n);

/* Set the anon_id of the VMA at addr, if it is 0 still.  Returns the id. */
uint64_t mm_index_set_anon(struct mm_index *index, uint64_t addr, uint64_t id);

/* Sorted, disjoint, not empty, aligned; counts and gaps right.  Returns NULL or
 * what is wrong. */
const char *mm_index_is_valid(const struct mm_index *index);

#endif
