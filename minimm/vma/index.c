/*
 * index.c - a copy-on-write B+-tree: walks, and the splice that changes it
 *
 * A change works on nodes of its own: a node with another txn is copied before
 * it is written, and the old one retired.  So a splice of several records
 * copies each node of its path once, and one store of the root publishes it.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/vma/index.h"

#include <assert.h>
#include <stdlib.h>

#include "minimm/env/atomic.h"
#include "minimm/env/memory.h"
#include "minimm/env/planted.h"
#include "minimm/env/rcu.h"
#include "minimm/vma/node.h"

const struct mm_vm_ops mm_anon_ops = { .name = "anon", .fine_is_fine = true };
const struct mm_vm_ops mm_file_ops = { .name = "file", .fine_is_fine = false };
const struct mm_vm_ops mm_fine_file_ops = { .name = "file", .fine_is_fine = true };

struct mm_index_node *mm_index_root(const struct mm_index *index)
{
	/* (M1) acquire: the nodes and records behind the root are written.
	 * Pairs with (M1) in publish(). */
	return mm_pointer_load_acquire((void *const *)&index->root);
}

static void publish(struct mm_index *index, struct mm_index_node *root)
{
	/* (M1) release: everything behind the root.  Pairs with (M1) in
	 * mm_index_root(). */
	mm_pointer_store_release((void **)&index->root, root);
}

void mm_index_init(struct mm_index *index)
{
	*index = (struct mm_index){ .txn = 1 };
}

static void free_tree(struct mm_index_node *n)
{
	if (!n)
		return;
	for (unsigned int i = 0; i < n->nr; i++) {
		if (n->level > 0)
			free_tree(mm_node_child(n, i));
		else
			free(mm_node_vma(n, i));
	}
	free(n);
}

void mm_index_destroy(struct mm_index *index)
{
	free_tree(index->root);
	mm_rcu_free_now(&index->retired);
	index->root = NULL;
}

/* ---- Walks ---- */

struct mm_vma mm_vma_read(const struct mm_vma *vma)
{
	return (struct mm_vma){
		.start = vma->start,
		.end = vma->end,
		.flags = vma->flags,
		.anon_is_inherited = vma->anon_is_inherited,
		.pgoff = vma->pgoff,
		.file = vma->file,
		.anon_id = mm_load_relaxed(&vma->anon_id),
		.version = vma->version,
		.born = vma->born,
	};
}

const struct mm_vma *mm_index_find(const struct mm_index *index, uint64_t addr)
{
	const struct mm_index_node *n = mm_index_root(index);

	while (n) {
		unsigned int i = 0;

		while (i < n->nr && n->end[i] <= addr)
			i++;
		if (i == n->nr)
			return NULL;
		if (n->level == 0)
			return mm_node_vma(n, i);
		n = mm_node_child(n, i);
	}
	return NULL;
}

const struct mm_vma *mm_index_find_before(const struct mm_index *index,
					  uint64_t addr)
{
	const struct mm_index_node *n = mm_index_root(index);

	while (n) {
		unsigned int i = n->nr;

		while (i > 0 && n->start[i - 1] >= addr)
			i--;
		if (i == 0)
			return NULL;
		if (n->level == 0)
			return mm_node_vma(n, i - 1);
		n = mm_node_child(n, i - 1);
	}
	return NULL;
}

static bool visit_node(const struct mm_index_node *n, uint64_t from,
		       bool (*visit)(void *, const struct mm_vma *), void *arg)
{
	for (unsigned int i = 0; i < n->nr; i++) {
		if (n->end[i] <= from)
			continue;
		if (n->level == 0 ? !visit(arg, mm_node_vma(n, i))
				  : !visit_node(mm_node_child(n, i), from,
						visit, arg))
			return false;
	}
	return true;
}

void mm_index_visit(const struct mm_index *index, uint64_t from,
		    bool (*visit)(void *arg, const struct mm_vma *vma),
		    void *arg)
{
	const struct mm_index_node *root = mm_index_root(index);

	if (root)
		visit_node(root, from, visit, arg);
}

/* ---- Changes ---- */

static struct mm_index_node *new_node(struct mm_index *index, uint32_t level)
{
	struct mm_index_node *n = mm_alloc(sizeof(*n));

	n->txn = index->txn;
	n->level = level;
	n->nr = 0;
	return n;
}

/* A node that this change may write to. */
static struct mm_index_node *own(struct mm_index *index,
				 struct mm_index_node *n)
{
	struct mm_index_node *copy;

	if (n->txn == index->txn)
		return n;
	copy = mm_alloc(sizeof(*copy));
	*copy = *n;
	copy->txn = index->txn;
	mm_rcu_retire(&index->retired, n);
	return copy;
}

static void move_entries(struct mm_index_node *to, unsigned int at,
			 const struct mm_index_node *from, unsigned int first,
			 unsigned int n)
{
	/* Within one node the caller shifts by one place: copy from the end
	 * that is not overwritten. */
	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = to == from && at > first ? n - 1 - k : k;

		to->start[at + i] = from->start[first + i];
		to->end[at + i] = from->end[first + i];
		to->gap[at + i] = from->gap[first + i];
		to->entry[at + i] = from->entry[first + i];
	}
}

static void set_vma(struct mm_index_node *n, unsigned int i, struct mm_vma *v)
{
	n->start[i] = v->start;
	n->end[i] = v->end;
	n->gap[i] = 0;
	n->entry[i] = v;
}

/* The summary of a child. */
static void set_child(struct mm_index_node *n, unsigned int i,
		      struct mm_index_node *child)
{
	uint64_t gap = 0;

	for (unsigned int k = 0; k < child->nr; k++) {
		uint64_t before = k ? child->start[k] - child->end[k - 1] : 0;

		if (before > gap)
			gap = before;
		if (child->gap[k] > gap)
			gap = child->gap[k];
	}
	n->start[i] = child->start[0];
	n->end[i] = child->end[child->nr - 1];
	n->gap[i] = gap;
	n->entry[i] = child;
}

/* Open a place at i.  A full node gives its upper half to *right. */
static struct mm_index_node *open_place(struct mm_index *index,
					struct mm_index_node *n, unsigned int *i,
					struct mm_index_node **right)
{
	*right = NULL;
	if (n->nr == MM_INDEX_FANOUT) {
		/* Appending keeps full nodes full: maps grow at an end. */
		unsigned int half = *i == n->nr ? n->nr - 1 : n->nr / 2;

		*right = new_node(index, n->level);
		move_entries(*right, 0, n, half, n->nr - half);
		(*right)->nr = n->nr - half;
		n->nr = half;
		if (*i > half) {
			*i -= half;
			n = *right;
		}
	}
	move_entries(n, *i + 1, n, *i, n->nr - *i);
	n->nr++;
	return n;
}

/* Insert into the subtree of *slot; returns a new right sibling, or NULL. */
static struct mm_index_node *insert(struct mm_index *index,
				    struct mm_index_node **slot,
				    struct mm_vma *vma)
{
	struct mm_index_node *n = own(index, *slot), *right, *child;
	unsigned int i = 0;

	*slot = n;
	while (i < n->nr && n->start[i] < vma->start)
		i++;
	if (n->level == 0) {
		struct mm_index_node *home = open_place(index, n, &i, &right);

		set_vma(home, i, vma);
		return right;
	}
	if (i > 0)
		i--;
	child = mm_node_child(n, i);
	right = insert(index, &child, vma);
	set_child(n, i, child);
	if (right) {
		struct mm_index_node *grown = right, *home;

		i++;
		home = open_place(index, n, &i, &right);
		set_child(home, i, grown);
		return right;
	}
	return NULL;
}

static void close_place(struct mm_index_node *n, unsigned int i)
{
	move_entries(n, i, n, i + 1, n->nr - i - 1);
	n->nr--;
}

/* Two thin neighbours become one. */
static void join_children(struct mm_index *index, struct mm_index_node *n,
			  unsigned int i)
{
	struct mm_index_node *a, *b;

	if (i + 1 >= n->nr)
		return;
	a = mm_node_child(n, i);
	b = mm_node_child(n, i + 1);
	if (a->nr + b->nr > MM_INDEX_FANOUT * 3 / 4)
		return;
	a = own(index, a);
	move_entries(a, a->nr, b, 0, b->nr);
	a->nr += b->nr;
	if (b->txn == index->txn)
		free(b);
	else
		mm_rcu_retire(&index->retired, b);
	close_place(n, i + 1);
	set_child(n, i, a);
}

/* Take the VMA that starts at start out of the subtree of *slot; an empty
 * subtree becomes NULL. */
static void erase(struct mm_index *index, struct mm_index_node **slot,
		  uint64_t start)
{
	struct mm_index_node *n = own(index, *slot), *child;
	unsigned int i = 0;

	*slot = n;
	while (n->end[i] <= start)
		i++;
	if (n->level == 0) {
		assert(n->start[i] == start);
		mm_rcu_retire(&index->retired, mm_node_vma(n, i));
		close_place(n, i);
	} else {
		child = mm_node_child(n, i);
		erase(index, &child, start);
		if (!child) {
			close_place(n, i);
		} else {
			set_child(n, i, child);
			join_children(index, n, i);
			if (i > 0)
				join_children(index, n, i - 1);
		}
	}
	if (n->nr == 0) {
		free(n);
		*slot = NULL;
	}
}

static struct mm_index_node *erase_one(struct mm_index *index,
				       struct mm_index_node *root,
				       uint64_t start)
{
	erase(index, &root, start);
	while (root && root->level > 0 && root->nr == 1) {
		struct mm_index_node *child = mm_node_child(root, 0);

		if (root->txn == index->txn)
			free(root);
		else
			mm_rcu_retire(&index->retired, root);
		root = child;
	}
	return root;
}

static struct mm_index_node *insert_one(struct mm_index *index,
					struct mm_index_node *root,
					const struct mm_vma *vma)
{
	struct mm_vma *copy = mm_alloc(sizeof(*copy));
	struct mm_index_node *right;

	assert(vma->start < vma->end);
	*copy = *vma;
	copy->version = ++index->last_version;
	if (copy->born == 0)
		copy->born = copy->version;
	if (!root)
		root = new_node(index, 0);
	right = insert(index, &root, copy);
	if (right) {
		struct mm_index_node *top = new_node(index, root->level + 1);

		top->nr = 2;
		set_child(top, 0, root);
		set_child(top, 1, right);
		root = top;
	}
	return root;
}

void mm_index_splice(struct mm_index *index, uint64_t start, uint64_t end,
		     const struct mm_vma *added, unsigned int n)
{
	struct mm_index_node *root = index->root;
	uint32_t nr_vmas = index->nr_vmas;
	uint64_t nr_pages = index->nr_pages;

	for (;;) {
		/* Not yet published: look at our own version. */
		const struct mm_index ours = { .root = root };
		const struct mm_vma *vma = mm_index_find(&ours, start);

		if (!vma || vma->start >= end)
			break;
		nr_pages -= (vma->end - vma->start) >> MM_PAGE_SHIFT;
		nr_vmas--;
		root = erase_one(index, root, vma->start);
	}
	for (unsigned int i = 0; i < n; i++) {
		nr_pages += (added[i].end - added[i].start) >> MM_PAGE_SHIFT;
		nr_vmas++;
		root = insert_one(index, root, &added[i]);
	}
	publish(index, root);
	mm_store32_relaxed(&index->nr_vmas, nr_vmas);
	index->nr_pages = nr_pages;
	index->txn++;
	if (MM_PLANTED(INDEX_NO_GRACE))
		mm_rcu_free_now(&index->retired);
	/* Not before the root has changed: until then the old is found. */
	mm_rcu_hand_over(&index->retired);
}

uint64_t mm_index_set_anon(struct mm_index *index, uint64_t addr, uint64_t id)
{
	const struct mm_vma *found = mm_index_find(index, addr);
	struct mm_vma *vma = (struct mm_vma *)found;

	if (!vma || vma->start > addr)
		return 0;
	if (mm_load_relaxed(&vma->anon_id) == 0)
		mm_store_relaxed(&vma->anon_id, id);
	return vma->anon_id;
}
