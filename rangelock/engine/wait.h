/*
 * wait.h - the waiting side of a request
 */
#ifndef RL_ENGINE_WAIT_H
#define RL_ENGINE_WAIT_H

#include <stdbool.h>

#include <rangelock.h>

/* Wait for a queued leader.  Returns: 0, held; ECANCELED or ETIMEDOUT, idle;
 * EDEADLK (cycle.h), idle, or if it was submitted still queued. */
int rl_await(struct rangelock *lk, struct rl_range *leader,
	     uint64_t deadline_ns, bool spins);

/* Withdraw a leader that waits.  Returns: 0; EBUSY if it holds (or is about
 * to); EINVAL if it is not in lk. */
int rl_withdraw(struct rangelock *lk, struct rl_range *leader);

#endif
