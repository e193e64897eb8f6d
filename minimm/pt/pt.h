/*
 * pt.h - the page table: a radix tree of atomic entries
 *
 * Four levels of 512.  An entry is one word: what is mapped, how, and the stamp
 * of the mapping that it was made for (mm_vma.born), in place of 4 KiB of
 * contents.  Tables are made on demand and kept until the space ends.
 *
 * Entries are read without a lock and written under their table's, which is
 * held for a few entries at a time.  Weak spot: an empty table is not freed
 * when its range is unmapped.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_PT_PT_H
#define MINIMM_PT_PT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MM_TABLE_ENTRIES	512u

#define MM_PTE_PRESENT	0x01u
#define MM_PTE_WRITE	0x02u
#define MM_PTE_ANON	0x04u	/* a private page */
#define MM_PTE_ZERO	0x08u	/* the shared page of zeros */
#define MM_PTE_COW	0x10u	/* private, but shared with a child or parent */
#define MM_PTE_FREE	0x20u	/* MADV_FREE: clean, may go any time */
#define MM_PTE_FLAGS	0xffu
#define MM_PTE_STAMP(stamp)	((uint64_t)(stamp) << 8)
#define MM_PTE_STAMP_OF(pte)	((uint64_t)(pte) >> 8)

struct mm_table;		/* inner: pointers */

struct mm_leaf {
	pthread_mutex_t lock;
	uint64_t base;		/* address of entry 0 */
	uint32_t nr_present;	/* under the lock */
	uint64_t entries[MM_TABLE_ENTRIES];
};

/* Requires: nobody uses it any more.  root may be NULL. */
void mm_pt_destroy(struct mm_table *root);

/* The leaf of addr; made if need be (made and *root may be new), or NULL. */
struct mm_leaf *mm_pt_leaf(struct mm_table **root, uint64_t addr);
struct mm_leaf *mm_pt_find_leaf(struct mm_table *const *root, uint64_t addr);

/* The entry of addr, or 0.  Any time. */
uint64_t mm_pt_read(struct mm_table *const *root, uint64_t addr);

static inline void mm_leaf_lock(struct mm_leaf *leaf)
{
	pthread_mutex_lock(&leaf->lock);
}

static inline void mm_leaf_unlock(struct mm_leaf *leaf)
{
	pthread_mutex_unlock(&leaf->lock);
}

/* Under the leaf's lock. */
uint64_t mm_leaf_get(const struct mm_leaf *leaf, uint64_t addr);
void mm_leaf_set(struct mm_leaf *leaf, uint64_t addr, uint64_t pte);

/*
 * Call fn for each present entry of [start, end), under its leaf's lock, and
 * store what it returns.  Returns: how many entries there were.
 */
uint64_t mm_pt_change(struct mm_table *const *root, uint64_t start,
		      uint64_t end,
		      uint64_t (*fn)(void *arg, uint64_t addr, uint64_t pte),
		      void *arg);

/* Clear [start, end).  Returns: how many were present. */
uint64_t mm_pt_zap(struct mm_table *const *root, uint64_t start, uint64_t end);

/* How many are present in [start, end). */
uint64_t mm_pt_count(struct mm_table *const *root, uint64_t start,
		     uint64_t end);

#endif
