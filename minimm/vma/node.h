/*
 * node.h - the nodes of the index, for the files in this folder
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_VMA_NODE_H
#define MINIMM_VMA_NODE_H

#include <stddef.h>
#include <stdint.h>

#include "minimm/vma/index.h"

#define MM_INDEX_FANOUT	16

/*
 * Entry i is a VMA (level 0) or a child.  A published node never changes: only
 * the change that made it (txn) may write to it.
 */
struct mm_index_node {
	uint64_t txn;
	uint32_t level;
	uint32_t nr;
	uint64_t start[MM_INDEX_FANOUT];	/* of the first VMA in i */
	uint64_t end[MM_INDEX_FANOUT];		/* of the last VMA in i */
	uint64_t gap[MM_INDEX_FANOUT];		/* largest between VMAs in i */
	void *entry[MM_INDEX_FANOUT];
};

static inline struct mm_index_node *mm_node_child(const struct mm_index_node *n,
						  unsigned int i)
{
	return n->entry[i];
}

static inline struct mm_vma *mm_node_vma(const struct mm_index_node *n,
					 unsigned int i)
{
	return n->entry[i];
}

struct mm_index_node *mm_index_root(const struct mm_index *index);

#endif
