/*
 * shards.h - whose guard a request is under; closing and opening shards
 */
#ifndef RL_ENGINE_SHARDS_H
#define RL_ENGINE_SHARDS_H

#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/forest.h"

/*
 * A request looks for its arbiter: returns it with its guard taken.  NULL: is_try,
 * and a guard stayed taken, or it conflicts with somebody in an entry.
 */
struct rl_arbiter *rl_guard_lone(struct rangelock *lk, uint64_t start,
				 uint64_t end, enum rl_mode mode, bool is_try);

/* The same for who has taken the guard of the arbiter a where it looked first. */
struct rl_arbiter *rl_guard_lone_from(struct rangelock *lk,
				      struct rl_arbiter *a, uint64_t start,
				      uint64_t end, enum rl_mode mode,
				      bool is_try);

struct rl_arbiter *rl_guard_several(struct rangelock *lk,
				    const struct rl_range *leader, bool is_try);

/* Take the guard that a leader, in the lock or about to be, is under. */
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

/* Is the guard of a, which is held, the one that a leader is under, who is in the
 * lock or about to be?  If not, let it go and ask again for the right one. */
bool rl_guard_is_right(struct rangelock *lk, const struct rl_arbiter *a,
		       const struct rl_range *leader);

/* Take the guard that an arbiter's tree is under: its own, or for a closed shard
 * the central one. */
struct rl_arbiter *rl_guard_tree(struct rangelock *lk, struct rl_arbiter *tree);

/* Begin a pass under the guard that the leader is under.  If its arbiter is open it
 * is shut; look so often, first, whether one in an entry leaves it. */
void rl_pass_begin_looking(struct rl_pass *pass, struct rangelock *lk,
			   const struct rl_range *leader, unsigned int looks);

void rl_pass_begin_home(struct rl_pass *pass, struct rangelock *lk,
			const struct rl_range *leader);

/* The same, where r, held in a tree and alone, may become [start, end). */
void rl_pass_begin_change(struct rl_pass *pass, struct rangelock *lk,
			  const struct rl_range *r, uint64_t start,
			  uint64_t end);

/* For tests: close (or open, if nobody touches it) a shard now. */
void rl_forest_close(struct rangelock *lk, uint32_t shard);
void rl_forest_open(struct rangelock *lk, uint32_t shard);

/* F2 and F3, and the counts.  Takes every guard. */
bool rl_forest_is_valid(struct rangelock *lk);

#endif
