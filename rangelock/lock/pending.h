/*
 * pending.h - what the gap search needs of a set of markers
 */
#ifndef RL_LOCK_PENDING_H
#define RL_LOCK_PENDING_H

#include <stdbool.h>

#include <rangelock/pending.h>

enum rl_pending_state {
	RL_PENDING_IDLE,	/* marks nothing; the owner's */
	RL_PENDING_MARKED,	/* in the set's tree */
	RL_PENDING_SUPERSEDED,	/* out of it; its owner does not know yet */
};

void rl_pending_set_lock(struct rl_pending_set *set);
void rl_pending_set_unlock(struct rl_pending_set *set);

/* Requires: under the guard, nothing overlaps, p marks nothing. */
void rl_pending_insert(struct rl_pending_set *set, struct rl_pending *p,
		       enum rl_pending_kind kind, uint64_t start, uint64_t end);

#endif
