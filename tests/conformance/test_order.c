/*
 * Goal: who goes first (G2, G3, G4): arrival order among those who conflict, the
 * bypass and its bound, and coarse requests like any others.
 */
#include "tests/conformance/engines.h"

#include <string.h>

static struct rl_range a, b, c, d;

static void fresh(void)
{
	a = b = c = d = (struct rl_range)RL_RANGE_INIT;
}

Promise(order, ranges_that_do_not_overlap_do_not_wait)
{
	fresh();
	check_eq(rl_write_trylock(lk, &a, 0, 10), 0);
	check_eq(rl_write_trylock(lk, &b, 10, 20), 0);
	check_eq(rl_write_trylock(lk, &c, RL_END - 1, RL_END), 0);
	check_eq(rl_write_trylock(lk, &d, 9, 10), EBUSY);
	check_eq(rl_write_trylock(lk, &d, 9, 11), EBUSY);
	rl_unlock(lk, &a);
	check_eq(rl_write_trylock(lk, &d, 9, 10), 0);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
	rl_unlock(lk, &d);
}

Promise(order, readers_share_and_writers_do_not)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 5, 15), 0);
	check_eq(rl_write_trylock(lk, &c, 14, 20), EBUSY);
	check_eq(rl_write_trylock(lk, &c, 15, 20), 0);
	check_eq(rl_read_trylock(lk, &d, 19, 30), EBUSY);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
}

StrictPromise(order, the_earlier_of_two_that_conflict_goes_first)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &c, 14, 20, NULL), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
}

StrictPromise(order, a_later_reader_does_not_overtake_a_waiting_writer)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_read_trylock(lk, &c, 12, 14), EBUSY);
	check_eq(rl_read_submit(lk, &c, 12, 14, NULL), EINPROGRESS);
	check_eq(rl_read_trylock(lk, &d, 0, 5), 0);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
	rl_unlock(lk, &d);
}

LaxPromise(order, who_conflicts_only_with_young_waiters_passes_them)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_write_trylock(lk, &c, 12, 14), 0);
	check_eq(stats_of(lk).nr_bypasses, 1);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), EINPROGRESS);	/* behind who passed it */
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &b), 0);
	rl_unlock(lk, &b);
}

static uint64_t clock_ns;

static uint64_t read_clock(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

static const struct rl_host clock_host = { .now = read_clock };

static void pass_within_the_bound(struct rangelock *lk)
{
	fresh();
	clock_ns = 1000;
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	clock_ns += 499;
	check_eq(rl_read_trylock(lk, &c, 12, 14), 0);
	rl_unlock(lk, &c);
	clock_ns++;
	check_eq(rl_read_trylock(lk, &c, 12, 14), EBUSY);
	check_eq(rl_write_submit(lk, &c, 12, 14, NULL), EINPROGRESS);
	clock_ns++;
	check_eq(rl_read_trylock(lk, &d, 13, 14), EBUSY);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
}

Test(order, a_waiter_of_age_bypass_ns_is_not_passed)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.bypass_ns = 500;
	options.host = &clock_host;
	on_each_engine(&options, pass_within_the_bound);
}

static void extend_within_the_bound(struct rangelock *lk)
{
	fresh();
	clock_ns = 1000;
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 20, 30), 0);
	check_eq(rl_write_submit(lk, &c, 25, 40, NULL), EINPROGRESS);
	clock_ns += 500;
	check_eq(rl_tryextend(lk, &a, 0, 26), EBUSY);
	check_eq(rl_tryextend(lk, &a, 0, 25), 0);
	clock_ns--;
	check_eq(rl_tryextend(lk, &a, 0, 26), 0);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
}

Test(order, an_extension_does_not_pass_a_waiter_of_age_bypass_ns)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.bypass_ns = 500;
	options.host = &clock_host;
	on_each_engine(&options, extend_within_the_bound);
}

/* Two that conflict with each other, the earlier one at start. */
static void pass_in_order(struct rangelock *lk, uint64_t start)
{
	struct rl_range e = RL_RANGE_INIT;

	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(lk, &b, 20, 30), 0);
	check_eq(rl_write_submit(lk, &c, 0, 25, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &d, start, start + 2, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &e, 22, 24, NULL), EINPROGRESS);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &d), 0);
	check_eq(rl_poll(lk, &e), EINPROGRESS);
	rl_unlock(lk, &d);
	check_eq(rl_poll(lk, &e), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &e);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
}

LaxPromise(order, of_those_who_may_pass_the_earlier_goes_first)
{
	pass_in_order(lk, 21);
	pass_in_order(lk, 23);
}

Promise(order, a_coarse_request_conflicts_as_the_whole_range_would)
{
	fresh();
	check_eq(rl_write_lock_coarse(lk, &a), 0);
	check_eq(rl_read_trylock(lk, &b, RL_END - 1, RL_END), EBUSY);
	check_eq(rl_read_trylock_coarse(lk, &b), EBUSY);
	rl_unlock(lk, &a);
	check_eq(rl_read_lock_coarse(lk, &a), 0);
	check_eq(rl_read_trylock(lk, &b, 0, 1), 0);
	check_eq(rl_read_trylock_coarse(lk, &c), 0);
	check_eq(rl_write_trylock(lk, &d, 7, 8), EBUSY);
	check_eq(rl_write_trylock_coarse(lk, &d), EBUSY);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
	check_eq(rl_write_trylock_coarse(lk, &d), 0);
	rl_unlock(lk, &d);
	check_eq(stats_of(lk).nr_locked[RL_WRITE][1], 2);
	check_eq(stats_of(lk).nr_locked[RL_READ][1], 2);
	check_eq(stats_of(lk).nr_locked[RL_READ][0], 1);
}

StrictPromise(order, a_coarse_and_a_fine_request_keep_their_order)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 1), 0);
	check_eq(rl_write_submit_coarse(lk, &b, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 5, 6, NULL), EINPROGRESS);
	check_eq(rl_read_submit_coarse(lk, &d, NULL), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), 0);
	check_eq(rl_poll(lk, &d), 0);
	rl_unlock(lk, &c);
	rl_unlock(lk, &d);
}

StrictPromise(order, one_unlock_lets_in_all_whom_it_alone_kept_out)
{
	struct actor actors[5];

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 100), 0);
	for (uint64_t i = 0; i < 5; i++)
		actor_start_waiting(&actors[i], lk, RL_READ, 10 * i,
				    10 * i + 20);
	rl_unlock(lk, &a);
	for (unsigned int i = 0; i < 5; i++)
		check_eq(actor_join(&actors[i]), 0);
	check_eq(nr_held(lk), 5);
	for (unsigned int i = 0; i < 5; i++)
		rl_unlock(lk, &actors[i].r);
}

/* Two readers that take turns hold it all the time; the writer gets in. */
struct relay {
	struct rangelock *lk;
	struct actor *writer;
};

static void *read_in_turns(void *arg)
{
	struct relay *relay = arg;
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	unsigned int turn = 0;

	check_eq(rl_read_lock(relay->lk, &r[0], 0, 1), 0);
	until(nr_waiting(relay->lk) == 1);
	while (!actor_is_done(relay->writer)) {
		/* Over the end of the other's hold, as long as it may pass. */
		if (rl_read_trylock(relay->lk, &r[!turn], 0, 1) == 0) {
			rl_unlock(relay->lk, &r[turn]);
			turn = !turn;
			continue;
		}
		rl_unlock(relay->lk, &r[turn]);
		check_eq(rl_read_lock(relay->lk, &r[turn], 0, 1), 0);
	}
	rl_unlock(relay->lk, &r[turn]);
	return NULL;
}

Promise(order, a_writer_is_not_starved_by_readers_that_take_turns)
{
	struct actor writer;
	struct relay relay = { .lk = lk, .writer = &writer };
	pthread_t thread;

	memset(&writer, 0, sizeof(writer));
	writer.lk = lk;
	check_eq(pthread_create(&thread, NULL, read_in_turns, &relay), 0);
	until(nr_held(lk) == 1);
	{
		struct rl_range r = RL_RANGE_INIT;

		check_eq(rl_write_lock(lk, &r, 0, 1), 0);
		rl_unlock(lk, &r);
	}
	__atomic_store_n(&writer.is_done, 1, __ATOMIC_RELEASE);
	check_eq(pthread_join(thread, NULL), 0);
}
