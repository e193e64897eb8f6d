/*
 * forest.c - which tree, and all trees under one guard
 *
 * Weak spot: a walk over a wide range in the central arbiter looks at every
 * closed shard that it touches, if any of them has somebody in its tree.
 */
#include "rangelock/engine/forest.h"

#include <string.h>

static uint8_t log2_of(uint64_t power)
{
	return (uint8_t)__builtin_ctzll(power);
}

size_t rl_forest_size(uint32_t nr_shards)
{
	size_t size = sizeof(struct rl_forest) +
		      nr_shards * (sizeof(struct rl_arbiter) + sizeof(uint32_t));

	return (size + 63) & ~(size_t)63;
}

struct rl_forest *rl_forest_init(void *memory, uint64_t chunk_size,
				 uint32_t nr_shards)
{
	struct rl_forest *f = memory;
	uint8_t shard_bits = log2_of(nr_shards);

	memset(memory, 0, rl_forest_size(nr_shards));
	f->nr_shards = f->nr_open = nr_shards;
	f->geometry.shard_mask = nr_shards - 1;
	f->geometry.shard_bits = shard_bits;
	f->geometry.chunk_bits = log2_of(chunk_size);
	f->geometry.turn_shift = (uint8_t)((64 - shard_bits) % 64);
	return f;
}

void rl_forest_empty(struct rl_forest *f)
{
	f->nr_all = f->nr_since_wide = f->nr_crowded = 0;
	rl_store_relaxed(&f->nr_closing, 0);	/* relaxed: nobody is in it */
	f->nr_open = f->nr_shards;
	f->closed_from = f->closed_to = 0;
	memset(rl_nr_touching(f), 0, f->nr_shards * sizeof(uint32_t));
}

struct rl_arbiter *rl_lock_arbiter(struct rangelock *lk, uint32_t i)
{
	if (i == 0)
		return &lk->central;
	if (!lk->forest || i > lk->forest->nr_shards)
		return NULL;
	return rl_shard(lk->forest, i - 1);
}

uint64_t rl_next_seq(struct rangelock *lk)
{
	if (!lk->forest)
		return ++lk->next_seq;
	/* Relaxed: who compares two numbers has them from one guard. */
	return rl_add_relaxed64(&lk->forest->next_seq, 1) + 1;
}

void rl_touch_range(const struct rl_forest *f, struct rl_touch *t,
		    uint64_t start, uint64_t end)
{
	uint64_t first = start >> f->geometry.chunk_bits;
	uint64_t last = (end - 1) >> f->geometry.chunk_bits;

	/* So long a run contains an aligned one of nr_shards chunks. */
	if (last - first >= 2 * (uint64_t)f->nr_shards - 2) {
		t->all = true;
		return;
	}
	for (uint64_t c = first; c <= last; c++) {
		uint32_t s = rl_shard_of_chunk(&f->geometry, c);

		t->shards[s / 64] |= UINT64_C(1) << s % 64;
	}
}

void rl_touch_nothing(const struct rl_forest *f, struct rl_touch *t)
{
	t->all = false;
	memset(t->shards, 0, (f->nr_shards + 63) / 64 * sizeof(t->shards[0]));
}

struct rl_touch rl_touch_of(const struct rl_forest *f,
			    const struct rl_range *leader)
{
	struct rl_touch t;

	rl_touch_nothing(f, &t);
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++)
		rl_touch_range(f, &t, leader[i].node.start, leader[i].node.end);
	return t;
}

/* ---- Walking ---- */

/* The first node in the trees from w->shard on. */
static struct rl_node *walk_on(struct rl_walk *w)
{
	while (w->shard < w->behind) {
		uint32_t s = w->shard++;
		struct rl_arbiter *a = rl_shard(w->lk->forest, s);
		struct rl_node *n;

		/* The tree of an open one is not ours to look at. */
		if (!rl_touches(&w->touch, s) || !rl_shard_is_closed(a))
			continue;
		n = rl_itree_first_overlap(a->root, w->start, w->end);
		if (n)
			return n;
	}
	return NULL;
}

/* The closed shards that w's range touches. */
static void walk_shards(struct rl_walk *w, const struct rl_forest *f)
{
	uint32_t shard = rl_shard_of(f, w->start, w->end);

	if (shard != RL_WIDE) {
		w->shard = shard;
		w->behind = shard + 1;
		w->touch.all = true;
		return;
	}
	w->behind = f->nr_shards;
	rl_touch_nothing(f, &w->touch);
	rl_touch_range(f, &w->touch, w->start, w->end);
}

struct rl_node *rl_walk_first(struct rl_walk *w, struct rangelock *lk,
			      const struct rl_arbiter *a, uint64_t start,
			      uint64_t end)
{
	const struct rl_forest *f = lk->forest;
	struct rl_node *n;

	w->lk = lk;
	w->start = start;
	w->end = end;
	w->shard = w->behind = 0;
	if (a == &lk->central && f && f->nr_crowded)
		walk_shards(w, f);
	n = rl_itree_first_overlap(a->root, start, end);
	return n ? n : walk_on(w);
}

struct rl_node *rl_walk_next(struct rl_walk *w, struct rl_node *n)
{
	n = rl_itree_next_overlap(n, w->start, w->end);
	return n ? n : walk_on(w);
}

/* ---- Coming and going ---- */

/* A wide leader comes into (1) or leaves (-1) the central tree. */
static void note_wide(struct rl_forest *f, const struct rl_range *leader,
		      int32_t change)
{
	struct rl_touch t = rl_touch_of(f, leader);

	f->nr_since_wide = 0;
	if (t.all) {
		f->nr_all += (uint32_t)change;
		return;
	}
	for (uint32_t w = 0; w < (f->nr_shards + 63) / 64; w++)
		for (uint64_t bits = t.shards[w]; bits; bits &= bits - 1)
			rl_nr_touching(f)[64 * w + (uint32_t)__builtin_ctzll(bits)]
				+= (uint32_t)change;
}

void rl_trees_insert(struct rangelock *lk, struct rl_arbiter *a,
		     struct rl_range *leader)
{
	struct rl_arbiter *tree = rl_tree_of(lk, leader);

	if (a != tree && !tree->root)
		lk->forest->nr_crowded++;
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++)
		rl_itree_insert(&tree->root, &leader[i].node);
	if (lk->forest && tree == &lk->central)
		note_wide(lk->forest, leader, 1);
}

void rl_trees_erase(struct rangelock *lk, struct rl_arbiter *a,
		    struct rl_range *leader)
{
	struct rl_arbiter *tree = rl_tree_of(lk, leader);

	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++)
		rl_itree_erase(&tree->root, &leader[i].node);
	if (a != tree && !tree->root)
		lk->forest->nr_crowded--;
	if (lk->forest && tree == &lk->central)
		note_wide(lk->forest, leader, -1);
}

void rl_trees_note_waiting(struct rangelock *lk, struct rl_arbiter *a,
			   const struct rl_range *leader, int32_t change)
{
	struct rl_arbiter *tree = rl_tree_of(lk, leader);

	a->nr_waiting += (uint32_t)change;
	if (a != tree)
		tree->nr_waiting += (uint32_t)change;
}
