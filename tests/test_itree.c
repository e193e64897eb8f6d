/*
 * Goal: the interval tree answers every overlap question as an array would, in
 * order, and keeps its shape.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/tree/itree.h"

#define NR_NODES	96
#define SPACE		64

static uint64_t rng;

static uint64_t rnd(uint64_t below)
{
	rng += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = rng;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % below;
}

/* The model: the nodes of the tree in order, kept sorted by hand. */
struct model {
	struct rl_node nodes[NR_NODES];
	bool is_in[NR_NODES];
	struct rl_node *order[NR_NODES];
	size_t n;
	struct rl_node *root;
};

static void add(struct model *m, struct rl_node *n, uint64_t start,
		uint64_t end)
{
	size_t at = 0;

	n->start = start;
	n->end = end;
	while (at < m->n && m->order[at]->start <= start)
		at++;
	memmove(&m->order[at + 1], &m->order[at],
		(m->n - at) * sizeof(m->order[0]));
	m->order[at] = n;
	m->n++;
	m->is_in[n - m->nodes] = true;
	rl_itree_insert(&m->root, n);
}

static void drop(struct model *m, struct rl_node *n)
{
	size_t at = 0;

	while (m->order[at] != n)
		at++;
	m->n--;
	memmove(&m->order[at], &m->order[at + 1],
		(m->n - at) * sizeof(m->order[0]));
	m->is_in[n - m->nodes] = false;
	rl_itree_erase(&m->root, n);
}

/* Walk the tree and the array side by side. */
static void compare(const struct model *m, uint64_t start, uint64_t end)
{
	struct rl_node *n = rl_itree_first_overlap(m->root, start, end);
	struct rl_node *last = NULL;

	for (size_t i = 0; i < m->n; i++) {
		struct rl_node *want = m->order[i];

		if (!(want->start < end && start < want->end))
			continue;
		check_eq(n, want);
		last = n;
		n = rl_itree_next_overlap(n, start, end);
	}
	check_eq(n, (struct rl_node *)NULL);
	check_eq(rl_itree_last_overlap(m->root, start, end), last);
}

static void random_range(uint64_t *start, uint64_t *end)
{
	*start = rnd(SPACE);
	*end = *start + 1 + rnd(rnd(4) ? 4 : SPACE);
	if (rnd(16) == 0)
		*end = RL_END;
}

Test(itree, answers_as_an_array_would)
{
	static struct model m;
	uint64_t rounds = test_rounds(200000);

	rng = test_seed();
	memset(&m, 0, sizeof(m));
	for (uint64_t i = 0; i < rounds; i++) {
		struct rl_node *n = &m.nodes[rnd(NR_NODES)];
		uint64_t start, end;

		if (m.is_in[n - m.nodes]) {
			drop(&m, n);
		} else {
			random_range(&start, &end);
			add(&m, n, start, end);
		}
		check(rl_itree_is_valid(m.root));
		random_range(&start, &end);
		compare(&m, start, end);
		if (i % 512 == 0) {
			compare(&m, 0, RL_END);
			while (m.n > 0)
				drop(&m, m.order[rnd(m.n)]);
			check_eq(m.root, (struct rl_node *)NULL);
		}
	}
}

Test(itree, empty_tree_overlaps_nothing)
{
	check_eq(rl_itree_first_overlap(NULL, 0, RL_END),
		 (struct rl_node *)NULL);
	check_eq(rl_itree_last_overlap(NULL, 0, RL_END),
		 (struct rl_node *)NULL);
	check(rl_itree_is_valid(NULL));
}

Test(itree, neighbours_do_not_overlap)
{
	struct rl_node a = { .start = 10, .end = 20 }, *root = NULL;

	rl_itree_insert(&root, &a);
	check_eq(rl_itree_first_overlap(root, 0, 10), (struct rl_node *)NULL);
	check_eq(rl_itree_first_overlap(root, 20, 30), (struct rl_node *)NULL);
	check_eq(rl_itree_first_overlap(root, 19, 20), &a);
	check_eq(rl_itree_first_overlap(root, 0, 11), &a);
	rl_itree_erase(&root, &a);
	check_eq(root, (struct rl_node *)NULL);
}

Test(itree, equal_starts_keep_their_order_of_insertion)
{
	struct rl_node nodes[32], *root = NULL, *n;
	size_t i = 0;

	for (i = 0; i < 32; i++) {
		nodes[i].start = 5;
		nodes[i].end = 6 + (i * 7) % 32;
		rl_itree_insert(&root, &nodes[i]);
	}
	i = 0;
	for (n = rl_itree_first_overlap(root, 0, RL_END); n;
	     n = rl_itree_next_overlap(n, 0, RL_END))
		check_eq(n, &nodes[i++]);
	check_eq(i, 32);
}

Test(itree, sorted_insertion_does_not_make_a_list)
{
	static struct rl_node nodes[4096];
	struct rl_node *root = NULL;
	unsigned int deepest = 0;

	for (size_t i = 0; i < 4096; i++) {
		nodes[i].start = i * 10;
		nodes[i].end = i * 10 + 10;
		rl_itree_insert(&root, &nodes[i]);
	}
	check(rl_itree_is_valid(root));
	for (size_t i = 0; i < 4096; i++) {
		unsigned int depth = 0;

		for (struct rl_node *n = &nodes[i]; n; n = n->parent)
			depth++;
		if (depth > deepest)
			deepest = depth;
	}
	/* A random tree of this size is about 29 deep; 64 is out of reach. */
	check_lt(deepest, 64);
}

Test(itree, checker_sees_a_stale_end_a_wrong_order_and_a_wrong_parent)
{
	struct rl_node a = { .start = 0, .end = 5 };
	struct rl_node b = { .start = 10, .end = 15 };
	struct rl_node *root = NULL, *child;

	rl_itree_insert(&root, &a);
	rl_itree_insert(&root, &b);
	child = root == &a ? &b : &a;
	check(rl_itree_is_valid(root));
	root->max_end++;
	check(!rl_itree_is_valid(root));
	root->max_end--;
	child->parent = NULL;
	check(!rl_itree_is_valid(root));
	child->parent = root;
	a.start = 12;
	a.end = 15;
	check(!rl_itree_is_valid(root));
}

/* Priorities are of addresses: which of two is on top is not ours to choose. */
static void make_pair(struct rl_node *top, struct rl_node *under, bool on_right)
{
	*top = (struct rl_node){ .start = 10, .end = 20 };
	*under = (struct rl_node){ .start = on_right ? 15 : 5, .end = 20,
				   .parent = top, .max_end = 20 };
	*(on_right ? &top->right : &top->left) = under;
	top->max_end = 20;
}

Test(itree, checker_sees_each_wrong_link)
{
	struct rl_node a, b, *top = &a, *under = &b;

	for (int on_right = 0; on_right < 2; on_right++) {
		make_pair(&a, &b, on_right);
		if (!rl_itree_is_valid(&a)) {	/* so it is the other way round */
			top = &b;
			under = &a;
		}
		make_pair(under, top, on_right);
		check(!rl_itree_is_valid(under));
		make_pair(top, under, on_right);
		check(rl_itree_is_valid(top));
		check(!rl_itree_is_valid(under));	/* it has a parent */
		under->parent = under;
		check(!rl_itree_is_valid(top));
		under->parent = top;
		under->end = under->start;
		check(!rl_itree_is_valid(top));
		under->end = 20;
		check(rl_itree_is_valid(top));
		under->start = on_right ? 9 : 11;
		check(!rl_itree_is_valid(top));
	}
}

/* The second child of a right child leads back to neither. */
Test(itree, checker_sees_a_wrong_link_further_down)
{
	struct rl_node n[64], *root = NULL, *right;

	for (size_t i = 0; i < 64; i++) {
		n[i].start = i;
		n[i].end = i + 1;
		rl_itree_insert(&root, &n[i]);
	}
	check(rl_itree_is_valid(root));
	for (size_t i = 0; i < 64; i++) {
		right = n[i].right;
		if (!right || !right->left)
			continue;
		right->left->parent = &n[i];
		check(!rl_itree_is_valid(root));
		right->left->parent = right;
	}
	check(rl_itree_is_valid(root));
}
