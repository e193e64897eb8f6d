/*
 * Goal: biased readers are published, found by whoever must know of them, and keep
 * excluding writers; and the bias ends with the first of these.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>

#include <rangelock/stats.h>

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
	begin(0);
	turn(0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	check_eq(b.state, RL_PUBLISHED);
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
	struct rl_range r[RL_RECORDS + 1];

	begin(0);
	turn(0);
	for (unsigned int i = 0; i <= RL_RECORDS; i++) {
		rl_range_init(&r[i]);
		check_eq(rl_read_lock(&lk, &r[i], 0, 10), 0);
		check_eq(r[i].state, i < RL_RECORDS ? RL_PUBLISHED : RL_HELD);
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
	shard = turn(1 + rl_shard_of_chunk(lk.forest, 0));
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
	check_eq(rl_write_trylock(&lk, &b, 0, 10), 0);
	rl_unlock(&lk, &b);
	finish();
}

Test(readers, without_the_option_nothing_turns_biased)
{
	check_eq(rl_init(&lk, NULL), 0);
	rl_readers_turn(&lk, 0);
	check_eq(rl_guard_flags(&lk.central.guard), 0);
	check_eq(rl_destroy(&lk), 0);
}
