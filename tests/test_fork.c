/*
 * Goal: in a forest too, the child of a fork has what its thread had, in the
 * shards and in the central arbiter, and nothing else.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rangelock/stats.h>

#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"

static struct rangelock lk;
static struct rl_range narrow, wide, queued, others[2];

static void begin(void)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.chunk_size = 16;
	o.nr_shards = 4;
	check_eq(rl_init(&lk, &o), 0);
	rl_range_init(&narrow);
	rl_range_init(&wide);
	rl_range_init(&queued);
	rl_range_init(&others[0]);
	rl_range_init(&others[1]);
}

static void *lock_others(void *arg)
{
	check_eq(rl_write_lock(&lk, &others[0], 16, 17), 0);
	check_eq(rl_write_lock(&lk, &others[1], 40, 90), 0);
	return arg;
}

static void in_child(void)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_fork_child(&lk), 0);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_poll(&lk, &queued), 0);	/* the other one is gone */
	check_eq(rl_load_relaxed(&others[0].state), RL_IDLE);
	check_eq(rl_load_relaxed(&others[1].state), RL_IDLE);
	check(rl_is_held(&lk, 0, 4, RL_WRITE));
	check_eq(rl_write_trylock(&lk, &r, 0, 1), EBUSY);
	rl_unlock(&lk, &narrow);
	rl_unlock(&lk, &wide);
	rl_unlock(&lk, &queued);
	check_eq(rl_write_trylock_coarse(&lk, &r), 0);
	rl_unlock(&lk, &r);
	check(rl_forest_is_valid(&lk));
}

Test(fork, a_child_keeps_its_own_in_every_arbiter)
{
	pthread_t thread;
	int status;
	pid_t child;

	begin();
	check_eq(rl_write_lock(&lk, &narrow, 0, 4), 0);
	check_eq(pthread_create(&thread, NULL, lock_others, NULL), 0);
	check_eq(pthread_join(thread, NULL), 0);
	rl_give(&lk, &others[0], RL_NOBODY);
	rl_give(&lk, &others[1], RL_NOBODY);
	check_eq(rl_read_lock(&lk, &wide, 200, 300), 0);
	check_eq(rl_write_submit(&lk, &queued, 16, 20, NULL), EINPROGRESS);

	rl_fork_prepare(&lk);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		in_child();
		_exit(0);
	}
	rl_fork_parent(&lk);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);

	rl_unlock(&lk, &others[0]);
	check_eq(rl_poll(&lk, &queued), 0);
	rl_unlock(&lk, &others[1]);
	rl_unlock(&lk, &narrow);
	rl_unlock(&lk, &wide);
	rl_unlock(&lk, &queued);
	check_eq(rl_destroy(&lk), 0);
}

static void narrow_ones_open_their_shard(void)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_fork_child(&lk), 0);
	check_eq(rl_write_lock_coarse(&lk, &r), 0);
	rl_unlock(&lk, &r);
	check_eq(lk.forest->nr_open, 0);
	for (unsigned int i = 0; i < 1000; i++) {
		check_eq(rl_write_lock(&lk, &r, 0, 4), 0);
		rl_unlock(&lk, &r);
	}
	check_eq(lk.forest->nr_open, 1);
	_exit(0);
}

/* Who closes shards has let the central guard go when the fork comes. */
Test(fork, whoever_was_closing_a_shard_closes_none_in_the_child)
{
	pid_t child;
	int status;

	begin();
	rl_fork_prepare(&lk);
	rl_store_relaxed(&lk.forest->nr_closing, 1);
	fflush(NULL);
	child = fork();
	if (child == 0)
		narrow_ones_open_their_shard();
	rl_store_relaxed(&lk.forest->nr_closing, 0);
	rl_fork_parent(&lk);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	check_eq(rl_destroy(&lk), 0);
}

/* Somebody was under a guard when the fork came, and this thread read. */
static void readers_are_forgotten(void)
{
	rl_guard_lock(&lk.central.guard, NULL);
	check_eq(rl_fork_child(&lk), EOWNERDEAD);
	rl_range_init(&narrow);
	rl_readers_turn(&lk, 0);
	check_eq(rl_write_trylock(&lk, &others[0], 0, 4), 0);
	rl_unlock(&lk, &others[0]);
	check_eq(rl_destroy(&lk), 0);
	_exit(0);
}

Test(fork, an_emptied_lock_has_no_readers)
{
	struct rl_options o = RL_OPTIONS_INIT;
	pid_t child;
	int status;

	o.flags = RL_READER_BIAS;
	check_eq(rl_init(&lk, &o), 0);
	rl_readers_turn(&lk, 0);
	check_eq(rl_read_lock(&lk, &narrow, 0, 4), 0);
	fflush(NULL);
	child = fork();
	if (child == 0)
		readers_are_forgotten();
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	rl_unlock(&lk, &narrow);
	check_eq(rl_destroy(&lk), 0);
}
