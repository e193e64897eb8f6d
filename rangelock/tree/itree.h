/*
 * itree.h - an intrusive interval tree: which ranges overlap this one?
 *
 * Nodes are struct rl_node of the public header; the caller sets start < end
 * and owns the memory.  Order: by start, equal starts in order of insertion.
 * No atomics and no threads: whoever guards the root guards the nodes.
 *
 * Cost: expected O(log n) for each call, O(1) for the only node of a tree.
 */
#ifndef RL_TREE_ITREE_H
#define RL_TREE_ITREE_H

#include <stdbool.h>
#include <stddef.h>

#include <rangelock.h>

/* The one overlap test of the project. */
static inline bool rl_overlaps(const struct rl_node *a, uint64_t start,
			       uint64_t end)
{
	return a->start < end && start < a->end;
}

void rl_itree_insert_slow(struct rl_node **root, struct rl_node *n);
void rl_itree_erase_slow(struct rl_node **root, struct rl_node *n);

/* Requires: n is in no tree; n->start < n->end. */
static inline void rl_itree_insert(struct rl_node **root, struct rl_node *n)
{
	if (*root) {
		rl_itree_insert_slow(root, n);
		return;
	}
	n->left = n->right = n->parent = NULL;
	n->max_end = n->end;
	*root = n;
}

/* Requires: n is in this tree, with the keys it was inserted with. */
static inline void rl_itree_erase(struct rl_node **root, struct rl_node *n)
{
	if (!n->parent && !n->left && !n->right)
		*root = NULL;
	else
		rl_itree_erase_slow(root, n);
}

/*
 * Walk the nodes that overlap [start, end), in order, or from the last one.
 * A walk reads keys and links only.  Between two steps the tree must not
 * change; to erase while walking, take the next one first.
 */
struct rl_node *rl_itree_first_overlap(struct rl_node *root, uint64_t start,
				       uint64_t end);
struct rl_node *rl_itree_next_overlap(struct rl_node *n, uint64_t start,
				      uint64_t end);
struct rl_node *rl_itree_last_overlap(struct rl_node *root, uint64_t start,
				      uint64_t end);

/* Order, priorities, max_end and parents, all of them: O(n). */
bool rl_itree_is_valid(const struct rl_node *root);

#endif
