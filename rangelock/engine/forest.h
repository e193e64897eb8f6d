/*
 * forest.h - many small arbiters, each for its own part of the object
 *
 * The object is cut into chunks; every chunk belongs to one of S shards, each an
 * arbiter on a cache line of its own.  A narrow request (a lone range inside one
 * chunk) goes to its shard while that is open.  A wide one (all others) goes to
 * the central arbiter, lk->central, and first closes each shard that it touches:
 * the shard's requests move to the central one, and so do its newcomers.
 *
 * F1  Two conflicting requests are in the same arbiter.
 * F2  A shard's arbiter holds narrow requests of that shard only, and nothing
 *     while it is closed.
 * F3  While a shard is open no request in the central arbiter touches it.
 *
 * F1 follows: two that conflict share a byte, so a chunk, so a shard s.  If s is
 * open neither is in the central one (F3), so both are in s; if it is closed
 * neither is in s (F2), so both are in the central one.
 *
 * A shard opens and closes, and a request moves, only with the central guard
 * and then the shard's guard held; nobody takes the central guard under a
 * shard's.  So is_closed and a request's home may be read under either.
 */
#ifndef RL_ENGINE_FOREST_H
#define RL_ENGINE_FOREST_H

#include <stdbool.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"

#define RL_SHARDS_MAX	1024u
#define RL_SHARDS	64u		/* the default */
#define RL_WIDE		UINT32_MAX	/* no shard */

struct rl_shard {
	struct rl_arbiter arbiter;
	uint32_t is_closed;
	uint32_t unused;
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct rl_shard) == 64, "a shard is one cache line");

struct rl_forest {
	uint32_t nr_shards;		/* a power of two */
	uint8_t shard_bits, chunk_bits;
	/* The rest but the shards: guarded by the central guard. */
	uint32_t nr_open;
	uint32_t nr_all;		/* wide requests that touch every shard */
	uint32_t nr_since_wide;		/* narrow arrivals at closed shards */
	uint32_t *nr_touching;		/* by shard: the other wide requests */
	struct rl_shard *shards;
};

/* In memory of that size, aligned to 64; both numbers are powers of two.  The
 * shards come first: f->shards is the memory. */
size_t rl_forest_size(uint32_t nr_shards);
struct rl_forest *rl_forest_init(void *memory, uint64_t chunk_size,
				 uint32_t nr_shards);

/* All arbiters were emptied from outside: all shards are open, nobody is wide. */
void rl_forest_empty(struct rl_forest *f);

/* A fold of all bits of the chunk's number: the chunks of an aligned run of
 * nr_shards all differ, and so do those that lie a power of two apart. */
static inline uint32_t rl_shard_of_chunk(const struct rl_forest *f,
					 uint64_t chunk)
{
	uint32_t folded, shard;

	chunk ^= chunk >> 32;
	folded = (uint32_t)(chunk ^ chunk >> 16) & 0xffff;
	shard = folded;
	for (unsigned int bits = f->shard_bits; bits && bits < 16;
	     bits += f->shard_bits)
		shard ^= folded >> bits;
	return shard & (f->nr_shards - 1);
}

/* The shard of a range inside one chunk, or RL_WIDE. */
static inline uint32_t rl_shard_of(const struct rl_forest *f, uint64_t start,
				   uint64_t end)
{
	uint64_t chunk = start >> f->chunk_bits;

	if (chunk != (end - 1) >> f->chunk_bits)
		return RL_WIDE;
	return rl_shard_of_chunk(f, chunk);
}

static inline uint32_t rl_shard_of_range(const struct rl_forest *f,
					 const struct rl_range *leader)
{
	if (rl_range_is_several(leader))
		return RL_WIDE;
	return rl_shard_of(f, leader->node.start, leader->node.end);
}

/*
 * A filled leader looks for its arbiter: returns it with its guard taken, and
 * leader->home set.  NULL: is_try, and a guard stayed taken.
 */
struct rl_arbiter *rl_forest_guard_entry(struct rangelock *lk,
					 struct rl_range *leader, bool is_try);

/* A filled leader takes the guard of the arbiter that it belongs to, as above. */
static inline struct rl_arbiter *rl_guard_entry(struct rangelock *lk,
						struct rl_range *leader,
						bool is_try)
{
	if (__builtin_expect(lk->forest != NULL, 0))
		return rl_forest_guard_entry(lk, leader, is_try);
	if (!is_try)
		rl_guard_lock(&lk->central.guard, lk->host);
	else if (!rl_guard_trylock(&lk->central.guard, lk->host))
		return NULL;
	return &lk->central;
}

/* Take the guard of the arbiter that a leader, held or queued, is in. */
struct rl_arbiter *rl_forest_guard_home(struct rangelock *lk,
					const struct rl_range *leader);

static inline struct rl_arbiter *rl_guard_home(struct rangelock *lk,
					       const struct rl_range *leader)
{
	if (lk->forest)
		return rl_forest_guard_home(lk, leader);
	rl_guard_lock(&lk->central.guard, lk->host);
	return &lk->central;
}

/* Begin a pass under the guard of the leader's home. */
void rl_pass_begin_home(struct rl_pass *pass, struct rangelock *lk,
			const struct rl_range *leader);

/* The same, where r, held and alone, may become [start, end). */
void rl_pass_begin_change(struct rl_pass *pass, struct rangelock *lk,
			  const struct rl_range *r, uint64_t start,
			  uint64_t end);

/* A leader came into (1) or left (-1) the central arbiter; guarded by it. */
void rl_forest_note(struct rangelock *lk, const struct rl_range *leader,
		    int32_t change);

/* The i-th arbiter of a lock, from 0, the central one first; NULL behind. */
struct rl_arbiter *rl_lock_arbiter(struct rangelock *lk, uint32_t i);

/* For tests: close (or open, if nothing touches it) a shard now. */
void rl_forest_close(struct rangelock *lk, uint32_t shard);
void rl_forest_open(struct rangelock *lk, uint32_t shard);

/* F2 and F3, and the counts.  Takes every guard. */
bool rl_forest_is_valid(struct rangelock *lk);

#endif
