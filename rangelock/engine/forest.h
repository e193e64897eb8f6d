/*
 * forest.h - many small arbiters, each for its own part of the object
 *
 * The object is cut into chunks; every chunk belongs to one of S shards, each an
 * arbiter on a cache line of its own.  A narrow request (a lone range inside one
 * chunk) stands in its shard's tree, under the shard's guard.  A wide one (all
 * others) stands in the central tree, under the central guard, and first closes
 * each shard that it touches: from then on the shard's tree is under the central
 * guard too.  Nothing moves; a guard takes over a tree.
 *
 * F1  Two conflicting requests are under the same guard.
 * F2  A narrow request is in its shard's tree, or in an entry of the arbiter
 *     whose guard it is under; nobody is in an entry of a closed shard who was
 *     not moved to its tree.
 * F3  While a shard is open nobody in the central tree or in an entry of the
 *     central arbiter touches it.
 *
 * F1 follows: two that conflict share a byte, so a chunk, so a shard s.  If s is
 * open neither is central (F3), so both are under the guard of s; if it is
 * closed both are under the central one.
 *
 * A shard opens and closes only with the central guard and then the shard's
 * guard held; nobody takes the central guard under a shard's.  So RL_CLOSED may
 * be read under either.
 */
#ifndef RL_ENGINE_FOREST_H
#define RL_ENGINE_FOREST_H

#include <stdbool.h>
#include <stddef.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/entries.h"
#include "rangelock/engine/request.h"
#include "rangelock/tree/itree.h"

#define RL_SHARDS_MAX	1024u
#define RL_SHARDS	64u		/* the default */
#define RL_WIDE		UINT32_MAX	/* no shard */

struct rl_forest {
	uint64_t next_seq;		/* atomic */
	uint32_t nr_shards;		/* a power of two */
	struct rl_geometry geometry;	/* the lock has a copy, for the quick path */
	uint32_t nr_closing;		/* atomic: closers between two holds */
	/* The rest: guarded by the central guard. */
	uint32_t nr_open;
	uint32_t nr_crowded;		/* closed ones whose tree is not empty */
	uint32_t nr_all;		/* wide requests that touch every shard */
	uint32_t nr_since_wide;		/* narrow arrivals at closed shards */
	/* Chunks whose shards are all closed: from, and one behind; or none. */
	uint64_t closed_from, closed_to;
} __attribute__((aligned(64)));

/* A line; then come the shards. */
static inline struct rl_arbiter *rl_shard(const struct rl_forest *f,
					  uint32_t shard)
{
	return (struct rl_arbiter *)(uintptr_t)(f + 1) + shard;
}

_Static_assert(sizeof(struct rl_forest) == 64, "the shards are aligned");

/* Behind them, by shard: the wide requests that touch it, but not all; under the
 * central guard. */
static inline uint32_t *rl_nr_touching(const struct rl_forest *f)
{
	return (uint32_t *)(void *)rl_shard(f, f->nr_shards);
}

/* In memory of that size, aligned to 64; both numbers are powers of two. */
size_t rl_forest_size(uint32_t nr_shards);
struct rl_forest *rl_forest_init(void *memory, uint64_t chunk_size,
				 uint32_t nr_shards);

/* All arbiters were emptied from outside: all shards are open, nobody is wide. */
void rl_forest_empty(struct rl_forest *f);

/*
 * The low bits of the chunk's number, turned by a product of the others: the chunks
 * of an aligned run of nr_shards all differ, and of 64 that lie a power of two apart
 * 35 in 64 shards at least.  No five bits of the factor are equal in a row; of some
 * thousand such it is one that scatters best.
 */
#define RL_SHARD_FACTOR	UINT64_C(0xb48b0dcd3932aed3)

static inline uint32_t rl_shard_of_chunk(const struct rl_geometry *g,
					 uint64_t chunk)
{
	uint64_t turn = (chunk >> g->shard_bits) * RL_SHARD_FACTOR;

	return ((uint32_t)chunk ^ (uint32_t)(turn >> g->turn_shift)) &
	       g->shard_mask;
}

/* The shard of a range inside one chunk, or RL_WIDE. */
static inline uint32_t rl_shard_of(const struct rl_forest *f, uint64_t start,
				   uint64_t end)
{
	uint64_t chunk = start >> f->geometry.chunk_bits;

	if (chunk != (end - 1) >> f->geometry.chunk_bits)
		return RL_WIDE;
	return rl_shard_of_chunk(&f->geometry, chunk);
}

static inline uint32_t rl_shard_of_range(const struct rl_forest *f,
					 const struct rl_range *leader)
{
	if (rl_range_is_several(leader))
		return RL_WIDE;
	return rl_shard_of(f, leader->node.start, leader->node.end);
}

static inline bool rl_shard_is_closed(const struct rl_arbiter *shard)
{
	return rl_guard_flags(&shard->guard) & RL_CLOSED;
}

/* Under the central guard: are the shards of a range all closed?  No also if that
 * would have to be found out. */
static inline bool rl_are_closed(const struct rl_forest *f, uint64_t start,
				 uint64_t end)
{
	return !f->nr_open || (start >> f->geometry.chunk_bits >= f->closed_from &&
			       (end - 1) >> f->geometry.chunk_bits < f->closed_to);
}

/* The arbiter in whose tree a leader stands. */
static inline struct rl_arbiter *rl_tree_of(struct rangelock *lk,
					    const struct rl_range *leader)
{
	uint32_t shard = lk->forest ? rl_shard_of_range(lk->forest, leader) :
				      RL_WIDE;

	return shard == RL_WIDE ? &lk->central : rl_shard(lk->forest, shard);
}

/* The i-th arbiter of a lock, from 0, the central one first; NULL behind. */
struct rl_arbiter *rl_lock_arbiter(struct rangelock *lk, uint32_t i);

/* An arrival number. */
uint64_t rl_next_seq(struct rangelock *lk);

/* ---- Which shards a range touches ---- */

struct rl_touch {
	bool all;
	uint64_t shards[RL_SHARDS_MAX / 64];	/* a bit each */
};

void rl_touch_nothing(const struct rl_forest *f, struct rl_touch *t);
void rl_touch_range(const struct rl_forest *f, struct rl_touch *t,
		    uint64_t start, uint64_t end);
struct rl_touch rl_touch_of(const struct rl_forest *f,
			    const struct rl_range *leader);

static inline bool rl_touches(const struct rl_touch *t, uint32_t shard)
{
	return t->all || t->shards[shard / 64] >> shard % 64 & 1;
}

/* ---- All under one guard ---- */

/* A walk over the nodes that overlap a range, in all trees under a guard: not in
 * order of address. */
struct rl_walk {
	struct rangelock *lk;
	uint64_t start, end;
	uint32_t shard, behind;		/* the next tree, and one behind the last */
	struct rl_touch touch;
};

struct rl_node *rl_walk_first(struct rl_walk *w, struct rangelock *lk,
			      const struct rl_arbiter *a, uint64_t start,
			      uint64_t end);
struct rl_node *rl_walk_next(struct rl_walk *w, struct rl_node *n);

/* Insert or erase a leader's nodes, under the guard that a is of. */
void rl_trees_insert(struct rangelock *lk, struct rl_arbiter *a,
		     struct rl_range *leader);
void rl_trees_erase(struct rangelock *lk, struct rl_arbiter *a,
		    struct rl_range *leader);

/* A leader of which this many wait now begins or ends to wait. */
void rl_trees_note_waiting(struct rangelock *lk, struct rl_arbiter *a,
			   const struct rl_range *leader, int32_t change);

/* Is there anybody in a tree under the central guard? */
static inline bool rl_trees_are_empty(const struct rangelock *lk,
				      const struct rl_arbiter *a)
{
	return !a->root && (a != &lk->central || !lk->forest ||
			    !lk->forest->nr_crowded);
}

#endif
