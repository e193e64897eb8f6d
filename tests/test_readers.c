/*
 * Goal: biased readers are published, found by whoever must know of them, and keep
 * excluding writers; and the bias ends with the first of these.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rangelock/site.h>
#include <rangelock/stats.h>

#include "rangelock/base/line.h"

#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"

static struct rangelock lk;
static struct rl_range a, b, c;

static void begin(uint64_t chunk_size)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.chunk_size = chunk_size;
	options.flags = RL_READER_BIAS;
	check_eq(rl_init(&lk, &options), 0);
}

static struct rl_arbiter *turn(uint32_t i)
{
	struct rl_arbiter *arbiter = rl_lock_arbiter(&lk, i);

	rl_readers_turn(&lk, i);
	check_eq(rl_guard_flags(&arbiter->guard), RL_BIASED);
	return arbiter;
}

/* Nothing is left behind: after a calm period the arbiter is fast again. */
static void finish(void)
{
	for (unsigned int i = 0; i < 600; i++) {
		check_eq(rl_write_lock(&lk, &c, 0, 10), 0);
		rl_unlock(&lk, &c);
	}
	check_eq(rl_guard_flags(&lk.central.guard), 0);
	check_eq(rl_destroy(&lk), 0);
}

Test(readers, many_reads_without_a_write_turn_an_arbiter_biased)
{
	begin(0);
	for (unsigned int i = 0; i < RL_BIAS_READS; i++) {
		check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
		check_eq(a.state, RL_INLINE);
		rl_unlock(&lk, &a);
	}
	check_eq(rl_guard_flags(&lk.central.guard), RL_BIASED);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(a.state, RL_PUBLISHED);
	rl_unlock(&lk, &a);
	finish();
}

Test(readers, who_is_published_keeps_writers_out_and_is_let_go_by_the_tree)
{
	struct rl_deferred due = { NULL, NULL };

	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	check_eq(b.state, RL_PUBLISHED);
	rl_unlock_deferred(&lk, &b, &due);
	/* One who tries is not. */
	check_eq(rl_read_trylock(&lk, &b, 5, 15), 0);
	check_eq(b.state, RL_HELD);
	check_eq(rl_write_trylock(&lk, &c, 9, 20), EBUSY);
	check(!(rl_guard_flags(&lk.central.guard) & RL_BIASED));
	check_eq(rl_write_submit(&lk, &c, 12, 20, NULL), EINPROGRESS);
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &c), EINPROGRESS);
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &c), 0);
	rl_unlock(&lk, &c);
	finish();
}

Test(readers, a_write_beside_all_readers_moves_them_and_goes_on)
{
	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_trylock(&lk, &b, 10, 20), 0);
	check(rl_arbiter_is_valid(&lk, &lk.central));
	check_eq(rl_write_lock(&lk, &c, 9, 10), EDEADLK);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish();
}

Test(readers, a_thread_has_so_many_records_and_then_goes_by_the_tree)
{
	static struct rl_site site = RL_SITE_INIT("records", RL_FINE);
	struct rl_range r[RL_RECORDS + 1], beyond[2] = { RL_RANGE_INIT };

	begin(0);
	turn(0);
	for (unsigned int i = 0; i <= RL_RECORDS; i++) {
		rl_range_init(&r[i]);
		check_eq(rl_read_lock(&lk, &r[i], 0, 10), 0);
		check_eq(r[i].state, i < RL_RECORDS ? RL_PUBLISHED : RL_HELD);
	}
	rl_range_init(&beyond[1]);
	check_eq(rl_read_trylock(&lk, &beyond[0], 0, 10), 0);
	check_eq(rl_read_lock_at(&lk, &beyond[1], &site, 0, 10), 0);
	for (unsigned int i = 0; i < 2; i++) {
		check_eq(beyond[i].state, RL_HELD);
		rl_unlock(&lk, &beyond[i]);
	}
	check_eq(rl_write_trylock(&lk, &c, 0, 1), EBUSY);
	for (unsigned int i = 0; i <= RL_RECORDS; i++)
		rl_unlock(&lk, &r[i]);
	finish();
}

Test(readers, the_statistics_the_dump_and_destroy_know_who_is_published)
{
	struct rl_stats stats;

	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_destroy(&lk), EBUSY);
	check_eq(a.state, RL_PUBLISHED);
	check_eq(rl_stats_read(&lk, &stats), 0);
	check_eq(stats.nr_held_now, 1);
	check(rl_is_held(&lk, 0, 10, RL_READ));
	rl_unlock(&lk, &a);
	finish();
}

Test(readers, a_published_range_is_upgraded_only_if_it_is_alone)
{
	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	check_eq(rl_read_tryupgrade(&lk, &a), EBUSY);
	rl_unlock(&lk, &b);
	check_eq(rl_read_tryupgrade(&lk, &a), 0);
	check_eq(rl_read_trylock(&lk, &b, 5, 15), EBUSY);
	rl_unlock(&lk, &a);
	finish();
}

Test(readers, a_shard_closes_over_its_published_readers)
{
	struct rl_arbiter *shard;

	begin(4096);
	shard = turn(1 + rl_shard_of_chunk(&lk.geometry, 0));
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(a.state, RL_PUBLISHED);
	check_eq(rl_write_submit_coarse(&lk, &b, NULL), EINPROGRESS);
	check(rl_shard_is_closed(shard));
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	rl_unlock(&lk, &b);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_guard_flags(&shard->guard) & (RL_PINS | RL_BIASED), 0);
	check_eq(rl_destroy(&lk), 0);
}

static void *unlock_a(void *arg)
{
	rl_unlock(&lk, arg);
	return NULL;
}

Test(readers, another_thread_may_let_a_published_range_go)
{
	pthread_t thread;

	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(pthread_create(&thread, NULL, unlock_a, &a), 0);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(rl_write_trylock(&lk, &b, 0, 10), 0);
	rl_unlock(&lk, &b);
	finish();
}

Test(readers, until_the_published_are_moved_each_writer_moves_them_himself)
{
	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	rl_guard_lock(&lk.central.guard, NULL);
	rl_entries_pin(&lk.central);		/* one is on his way to the barrier */
	rl_guard_unlock(&lk.central.guard);
	check_eq(rl_write_trylock(&lk, &b, 0, 10), EBUSY);
	rl_unlock(&lk, &a);
	rl_guard_lock(&lk.central.guard, NULL);
	rl_entries_unpin(&lk.central);
	rl_guard_unlock(&lk.central.guard);
	finish();
}

Test(readers, who_publishes_himself_when_the_bias_has_ended_does_not_hold)
{
	begin(0);
	a.node.start = 0;
	a.node.end = 10;
	a.flags = RL_FINE;
	check(!rl_reader_publish(&lk, &lk.central, &a));
	check_eq(a.state, RL_IDLE);
	check_eq(rl_write_lock(&lk, &b, 0, 10), 0);
	check_eq(rl_write_submit(&lk, &c, 0, 10, NULL), EINPROGRESS);
	check(!rl_reader_publish(&lk, &lk.central, &a));	/* it is slow now */
	check_eq(a.state, RL_IDLE);
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &c);
	finish();
}

Test(readers, without_the_option_nothing_turns_biased)
{
	struct rl_options options = RL_OPTIONS_INIT;

	for (unsigned int i = 0; i < 2; i++) {
		check_eq(rl_init(&lk, &options), 0);
		rl_readers_turn(&lk, 0);
		check_eq(rl_guard_flags(&lk.central.guard), 0);
		check_eq(rl_destroy(&lk), 0);
		options.name = "with statistics of its own";
	}
}

Test(readers, of_two_locks_each_finds_its_own)
{
	struct rangelock other;
	struct rl_options options = RL_OPTIONS_INIT;

	begin(0);
	turn(0);
	options.flags = RL_READER_BIAS;
	check_eq(rl_init(&other, &options), 0);
	rl_readers_turn(&other, 0);
	check_eq(rl_read_lock(&other, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 0, 10), 0);
	check_eq(rl_write_trylock(&lk, &c, 0, 10), EBUSY);
	check_eq(a.flags & RL_F_HELD, 0);		/* not moved */
	check_ne(b.flags & RL_F_HELD, 0);
	rl_unlock(&lk, &b);
	check_eq(rl_write_trylock(&other, &c, 0, 10), EBUSY);
	rl_unlock(&other, &a);
	check_eq(rl_destroy(&other), 0);
	finish();
}

Test(readers, coarse_ones_and_those_of_sites_are_published_too)
{
	static struct rl_site site = RL_SITE_INIT("published", RL_FINE);

	begin(0);
	turn(0);
	check_eq(rl_read_lock_coarse(&lk, &a), 0);
	check_eq(a.state, RL_PUBLISHED);
	check_eq(rl_read_lock_at(&lk, &b, &site, 3, 9), 0);
	check_eq(b.state, RL_PUBLISHED);
	check_eq(b.declared_start, 3);
	check_eq(b.declared_end, 9);
	check_eq(rl_write_trylock(&lk, &c, RL_END - 1, RL_END), EBUSY);
	rl_unlock(&lk, &a);
	check_eq(rl_write_trylock(&lk, &c, 8, 10), EBUSY);
	check_eq(rl_write_trylock(&lk, &c, 9, 10), 0);
	rl_unlock(&lk, &c);
	rl_unlock(&lk, &b);
	finish();
}

Test(readers, several_ranges_move_the_published_first)
{
	const struct rl_span spans[] = { { 0, 3, RL_READ }, { 5, 9, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_lock_many(&lk, many, 2, spans), 0);
	check_eq(rl_guard_flags(&lk.central.guard) & RL_BIASED, 0);
	rl_unlock_many(&lk, many, 2);
	rl_unlock(&lk, &a);
	finish();
}

static void lock_again(void)
{
	rl_read_lock(&lk, &a, 20, 30);
}

Test(readers, a_published_handle_is_in_use, .signal = SIGABRT)
{
	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	lock_again();
}

/* A host may have fibers, and a record is a thread's. */
Test(readers, with_a_host_nobody_is_published)
{
	static const struct rl_host host = { .now = NULL };
	struct rl_options options = RL_OPTIONS_INIT;

	options.flags = RL_READER_BIAS;
	options.host = &host;
	check_eq(rl_init(&lk, &options), 0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_ne(a.state, RL_PUBLISHED);
	check_eq(rl_write_trylock(&lk, &b, 0, 10), EBUSY);
	rl_unlock(&lk, &a);
	check_eq(rl_destroy(&lk), 0);
}

Test(readers, an_arbiter_turns_only_if_nobody_else_is_in_it)
{
	begin(4096);
	check(!rl_readers_may_bias(&lk, &lk.central));	/* of a forest */
	check_eq(rl_destroy(&lk), 0);
	begin(0);
	check(rl_readers_may_bias(&lk, &lk.central));
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check(!rl_readers_may_bias(&lk, &lk.central));
	check_eq(rl_read_submit(&lk, &b, 0, 10, NULL), EINPROGRESS);
	rl_readers_turn(&lk, 0);			/* it is slow */
	check_eq(rl_guard_flags(&lk.central.guard) & RL_BIASED, 0);
	rl_unlock(&lk, &a);
	check(!rl_readers_may_bias(&lk, &lk.central));	/* b is in the tree */
	rl_unlock(&lk, &b);
	finish();
}

/* ---- Many threads, and fork ---- */

static uint32_t nr_ready, may_go;		/* atomic */
static pthread_t threads[RL_LINES];

/* Claims a record for its thread, and keeps it. */
static void *read_and_stay(void *arg)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_read_lock(&lk, &r, 0, 10), 0);
	rl_unlock(&lk, &r);
	rl_add_relaxed(&nr_ready, 1);
	while (!rl_load_acquire(&may_go))
		sched_yield();
	return arg;
}

static void *read_without_a_record(void *arg)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_read_lock(&lk, &r, 0, 10), 0);
	check_eq(r.state, RL_HELD);
	rl_unlock(&lk, &r);
	return arg;
}

Test(readers, who_finds_no_record_left_goes_by_the_tree)
{
	pthread_attr_t small;
	pthread_t late;

	begin(0);
	turn(0);
	nr_ready = may_go = 0;
	check_eq(pthread_attr_init(&small), 0);
	check_eq(pthread_attr_setstacksize(&small, 256 * 1024), 0);
	for (unsigned int i = 0; i < RL_LINES; i++)
		check_eq(pthread_create(&threads[i], &small, read_and_stay,
					NULL), 0);
	while (rl_load_acquire(&nr_ready) < RL_LINES)
		sched_yield();
	check_eq(pthread_create(&late, NULL, read_without_a_record, NULL), 0);
	check_eq(pthread_join(late, NULL), 0);
	rl_store_release(&may_go, 1);
	for (unsigned int i = 0; i < RL_LINES; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	pthread_attr_destroy(&small);
	finish();
}

static void *read_and_keep_b(void *arg)
{
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	rl_store_release(&nr_ready, 1);
	while (!rl_load_acquire(&may_go))
		sched_yield();
	return arg;
}

static void use_in_child(void)
{
	check_eq(rl_fork_child(&lk), 0);
	check(rl_is_held(&lk, 0, 10, RL_READ));
	check_eq(rl_write_trylock(&lk, &c, 0, 1), EBUSY);
	check_eq(rl_write_trylock(&lk, &c, 12, 13), 0);	/* b is gone */
	rl_unlock(&lk, &c);
	rl_unlock(&lk, &a);
	check_eq(rl_write_trylock(&lk, &c, 0, 20), 0);
	rl_unlock(&lk, &c);
	check_eq(rl_destroy(&lk), 0);
	_exit(0);
}

Test(readers, the_child_of_a_fork_keeps_what_its_own_thread_published)
{
	pthread_t thread;
	int status;
	pid_t child;

	begin(0);
	turn(0);
	nr_ready = may_go = 0;
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(pthread_create(&thread, NULL, read_and_keep_b, NULL), 0);
	while (!rl_load_acquire(&nr_ready))
		sched_yield();
	check_eq(a.state, RL_PUBLISHED);
	check_eq(b.state, RL_PUBLISHED);
	rl_fork_prepare(&lk);
	fflush(NULL);
	child = fork();
	if (child == 0)
		use_in_child();
	rl_fork_parent(&lk);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	rl_store_release(&may_go, 1);
	check_eq(pthread_join(thread, NULL), 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish();
}
