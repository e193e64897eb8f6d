/*
 * passing.h - a sleeper who was called, and others who pass him, by hand
 *
 * The host is one thread that says it is several: park, wake and relax are where the
 * others would run.
 */
#ifndef RL_TESTS_PASSING_H
#define RL_TESTS_PASSING_H

#include "tests/backend.h"

#include <errno.h>

#include "rangelock/engine/entries.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait.h"

#define CHUNK	16u

static struct rangelock lk;
static struct rl_range holder, sleeper, passer, other;
static uint64_t now_ns;
static unsigned int nr_wakes;
static bool passer_left;
static struct rl_range *relax_unlocks;	/* while somebody looks */

/* The sleeper has claimed in vain and sleeps again: let the passer go. */
static inline void park(void *ctx, const uint32_t *word, uint32_t expected,
		 uint64_t deadline_ns)
{
	(void)ctx;
	(void)deadline_ns;
	check_eq(word, &sleeper.state);
	check_eq(expected, RL_PARKED);
	check(!passer_left);
	check_eq(sleeper.nr_held_blockers, 1);
	passer_left = true;
	rl_unlock(&lk, &passer);
}

static inline void wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	check(word == &sleeper.state || word == &other.state);
	nr_wakes++;
}

static inline uint64_t now(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static inline void relax(void *ctx)
{
	(void)ctx;
	if (relax_unlocks)
		rl_unlock(&lk, relax_unlocks);
	relax_unlocks = NULL;
}

static const struct rl_host host = {
	.park = park, .wake = wake, .now = now, .relax = relax,
};

/* Somebody sleeps on [4, end), behind a holder of [0, 8). */
static inline void start_with(uint64_t chunk_size, uint64_t end)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.host = &host;
	options.chunk_size = chunk_size;
	now_ns = UINT64_C(123456789);
	nr_wakes = 0;
	passer_left = false;
	relax_unlocks = NULL;
	check_eq(rl_init(&lk, &options), 0);
	rl_range_init(&holder);
	rl_range_init(&sleeper);
	rl_range_init(&passer);
	rl_range_init(&other);
	check_eq(rl_write_lock(&lk, &holder, 0, 8), 0);
	check_eq(rl_write_submit(&lk, &sleeper, 4, end, NULL), EINPROGRESS);
	sleeper.flags |= RL_F_AWAITED;
	sleeper.state = RL_PARKED;
}

static inline void start(uint64_t chunk_size)
{
	start_with(chunk_size, 8);
}

/* ... and now is called. */
static inline void let_holder_go(void)
{
	rl_unlock(&lk, &holder);
	check_eq(nr_wakes, 1);
	check_eq(sleeper.state, RL_CALLED);
}

static inline void end(void)
{
	rl_unlock(&lk, &sleeper);
	check_eq(rl_destroy(&lk), 0);
}

/* Others go past whoever waits there, by the tree, until it is open. */
static inline void pass_until_open(struct rl_arbiter *arbiter, uint64_t start_,
				   uint64_t end_)
{
	bool is_fast = rl_barrier_is_usable();
	unsigned int nr = 0;

	for (; !rl_is_open(arbiter) && nr < 2 * RL_CALM_PAIRS; nr++) {
		check_eq(rl_write_lock(&lk, &other, start_, end_), 0);
		check_eq(other.state, RL_HELD);
		rl_unlock(&lk, &other);
	}
	check_eq(rl_is_open(arbiter), is_fast);
	check_eq(nr < 2 * RL_CALM_PAIRS, is_fast);
}

static inline void submit_asleep(struct rl_range *r, uint64_t start_, uint64_t end_)
{
	rl_range_init(r);
	check_eq(rl_write_submit(&lk, r, start_, end_, NULL), EINPROGRESS);
	r->flags |= RL_F_AWAITED;
	r->state = RL_PARKED;
}

#endif
