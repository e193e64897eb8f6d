/*
 * itree.c - a treap by start, in which each node knows its subtree's last end
 *
 * A treap is a search tree by its keys and a heap by random priorities, which
 * makes its shape that of a random insertion order.  The priority here is a mix
 * of the node's address: it needs no field, and no two nodes share one.  The
 * field max_end (the largest end in a node's subtree) prunes the walks.
 *
 * Cost: expected O(log n) for insert, erase and each step of a walk, with two
 * rotations an insert; no recursion.
 * Weak spot: the bound is expected, not certain, and the shape differs from run
 * to run with the addresses; the order of a walk does not.
 */
#include "rangelock/tree/itree.h"

#include "rangelock/base/planted.h"

/* A bijection (the finalizer of splitmix64): distinct nodes, distinct values. */
static uint64_t priority(const struct rl_node *n)
{
	uint64_t x = (uint64_t)(uintptr_t)n;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t subtree_end(const struct rl_node *n)
{
	uint64_t end = n->end;

	if (n->left)
		end = later(end, n->left->max_end);
	if (n->right)
		end = later(end, n->right->max_end);
	return end;
}

/* The pointer that points to n. */
static struct rl_node **link_to(struct rl_node **root, const struct rl_node *n)
{
	if (!n->parent)
		return root;
	if (n->parent->left == n)
		return &n->parent->left;
	return &n->parent->right;
}

/* Put n, a child, above its parent; the order of the nodes stays. */
static void rotate_up(struct rl_node **root, struct rl_node *n)
{
	struct rl_node *p = n->parent, *moved;

	*link_to(root, p) = n;
	n->parent = p->parent;
	if (p->left == n) {
		moved = n->right;
		p->left = moved;
		n->right = p;
	} else {
		moved = n->left;
		p->right = moved;
		n->left = p;
	}
	if (moved)
		moved->parent = p;
	p->parent = n;
	n->max_end = p->max_end;
	p->max_end = subtree_end(p);
}

void rl_itree_insert_slow(struct rl_node **root, struct rl_node *n)
{
	struct rl_node **link = root, *parent = NULL;
	uint64_t mine = priority(n);

	while (*link) {
		parent = *link;
		parent->max_end = later(parent->max_end, n->end);
		link = n->start < parent->start ? &parent->left
						: &parent->right;
	}
	n->left = n->right = NULL;
	n->parent = parent;
	n->max_end = n->end;
	*link = n;
	while (n->parent && priority(n->parent) < mine)
		rotate_up(root, n);
}

void rl_itree_erase_slow(struct rl_node **root, struct rl_node *n)
{
	struct rl_node **link = link_to(root, n), *parent = n->parent;
	struct rl_node *a = n->left, *b = n->right, *p;

	/* Merge n's two subtrees in its place: what is chosen at each step has
	 * the rest of both below it. */
	while (a && b) {
		uint64_t end = later(a->max_end, b->max_end);

		if (priority(a) > priority(b)) {
			*link = a;
			a->parent = parent;
			parent = a;
			link = &a->right;
			a = a->right;
		} else {
			*link = b;
			b->parent = parent;
			parent = b;
			link = &b->left;
			b = b->left;
		}
		parent->max_end = end;
	}
	*link = a ? a : b;
	if (*link)
		(*link)->parent = parent;

	if (RL_PLANTED(ITREE_MAX_END))
		return;
	for (p = n->parent; p; p = p->parent) {
		uint64_t end = subtree_end(p);

		if (end == p->max_end)
			break;
		p->max_end = end;
	}
}

/* Does anything in the subtree end after start? */
static bool reaches_beyond(const struct rl_node *subtree, uint64_t start)
{
	return subtree && subtree->max_end - RL_PLANTED(ITREE_PRUNE) > start;
}

/*
 * If the left subtree has an end beyond start, then either the first overlap
 * is there, or that node (and with it all to its right) starts too late.
 */
struct rl_node *rl_itree_first_overlap(struct rl_node *root, uint64_t start,
				       uint64_t end)
{
	struct rl_node *n = root;

	if (!reaches_beyond(n, start))
		return NULL;
	while (n) {
		if (reaches_beyond(n->left, start))
			n = n->left;
		else if (rl_overlaps(n, start, end))
			return n;
		else if (n->start >= end)
			return NULL;
		else
			n = n->right;
	}
	return NULL;
}

struct rl_node *rl_itree_next_overlap(struct rl_node *n, uint64_t start,
				      uint64_t end)
{
	struct rl_node *found;

	for (;;) {
		found = rl_itree_first_overlap(n->right, start, end);
		if (found)
			return found;
		while (n->parent && n->parent->right == n)
			n = n->parent;
		n = n->parent;
		if (!n || n->start >= end)
			return NULL;
		if (rl_overlaps(n, start, end))
			return n;
	}
}

/* The last one in a subtree of which every node starts before end. */
static struct rl_node *last_beyond(struct rl_node *n, uint64_t start)
{
	for (;;) {
		if (reaches_beyond(n->right, start))
			n = n->right;
		else if (n->end > start)
			return n;
		else
			n = n->left;
	}
}

/*
 * Go down along the border between the nodes that start before end and those
 * that do not.  Each step to the right leaves a node and a left subtree before
 * the border; the last of them that reaches beyond start has the answer.
 */
struct rl_node *rl_itree_last_overlap(struct rl_node *root, uint64_t start,
				      uint64_t end)
{
	struct rl_node *n = root, *node = NULL, *subtree = NULL;

	while (reaches_beyond(n, start)) {
		if (n->start >= end) {
			n = n->left;
			continue;
		}
		if (n->end > start) {
			node = n;
		} else if (reaches_beyond(n->left, start)) {
			node = NULL;
			subtree = n->left;
		}
		n = n->right;
	}
	if (node)
		return node;
	return subtree ? last_beyond(subtree, start) : NULL;
}

static bool node_is_valid(const struct rl_node *n)
{
	const struct rl_node *children[2] = { n->left, n->right };

	for (int i = 0; i < 2; i++) {
		if (!children[i])
			continue;
		if (children[i]->parent != n)
			return false;
		if (priority(children[i]) >= priority(n))
			return false;
	}
	return n->start < n->end && n->max_end == subtree_end(n);
}

/* The first node of a subtree; NULL if a link on the way does not lead back. */
static const struct rl_node *leftmost(const struct rl_node *n)
{
	for (; n->left; n = n->left)
		if (n->left->parent != n)
			return NULL;
	return n;
}

bool rl_itree_is_valid(const struct rl_node *root)
{
	const struct rl_node *n, *before = NULL;

	if (!root)
		return true;
	if (root->parent)
		return false;
	n = leftmost(root);
	if (!n)
		return false;
	while (n) {
		if (!node_is_valid(n) || (before && before->start > n->start))
			return false;
		before = n;
		if (n->right) {
			n = leftmost(n->right);
			if (!n)
				return false;
			continue;
		}
		while (n->parent && n->parent->right == n)
			n = n->parent;
		n = n->parent;
	}
	return true;
}
