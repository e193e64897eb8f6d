/*
 * Goal: downgrade, upgrade, narrow and extend change what is held at one instant,
 * let in exactly those whom they unblock, and keep out those whom they should.
 */
#include "tests/conformance/engines.h"

#include "rangelock/base/atomic.h"

static struct rl_range a, b, c, d;

static void fresh(void)
{
	a = b = c = d = (struct rl_range)RL_RANGE_INIT;
}

StrictPromise(changes, a_downgrade_lets_in_the_readers_it_alone_kept_out)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &c, 0, 3, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &d, 2, 4, NULL), EINPROGRESS);
	rl_write_downgrade(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	check_eq(rl_poll(lk, &d), EINPROGRESS);	/* behind the writer */
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &d), 0);
	rl_unlock(lk, &b);
	rl_unlock(lk, &d);
}

struct guarded {
	struct rangelock *lk;
	uint64_t data;			/* plain */
	uint64_t rounds;
};

static void *write_often(void *arg)
{
	struct guarded *g = arg;
	struct rl_range r = RL_RANGE_INIT;

	for (uint64_t i = 0; i < g->rounds; i++) {
		check_eq(rl_write_lock(g->lk, &r, 0, 1), 0);
		g->data++;
		rl_unlock(g->lk, &r);
	}
	return NULL;
}

Promise(changes, no_writer_comes_between_a_write_and_its_downgrade)
{
	struct guarded g = { .lk = lk, .rounds = test_rounds(5000) };
	struct rl_range r = RL_RANGE_INIT;
	pthread_t thread;

	check_eq(pthread_create(&thread, NULL, write_often, &g), 0);
	for (uint64_t i = 0; i < g.rounds; i++) {
		uint64_t was;

		check_eq(rl_write_lock(lk, &r, 0, 1), 0);
		was = ++g.data;
		rl_write_downgrade(lk, &r);
		check_eq(g.data, was);
		if (i & 1 && rl_read_tryupgrade(lk, &r) == 0)
			check_eq(g.data++, was);
		rl_unlock(lk, &r);
	}
	check_eq(pthread_join(thread, NULL), 0);
}

Promise(changes, an_upgrade_needs_to_be_the_only_holder)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 9, 20), 0);
	check_eq(rl_read_tryupgrade(lk, &a), EBUSY);
	check_eq(rl_read_trylock(lk, &c, 0, 10), 0);	/* a is unchanged */
	rl_unlock(lk, &c);
	rl_unlock(lk, &b);
	check_eq(rl_read_tryupgrade(lk, &a), 0);
	check_eq(rl_read_trylock(lk, &b, 9, 20), EBUSY);
	rl_write_downgrade(lk, &a);
	check_eq(rl_read_trylock(lk, &b, 9, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

StrictPromise(changes, an_upgrade_passes_who_waits_and_they_wait_for_it)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 8, 9, NULL), EINPROGRESS);
	check_eq(rl_read_tryupgrade(lk, &a), 0);
	check_eq(rl_cancel(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);	/* it counts the upgraded */
	check_eq(rl_poll(lk, &b), ECANCELED);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
}

Promise(changes, the_second_of_two_upgraders_is_told_EBUSY)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 0, 10), 0);
	check_eq(rl_read_tryupgrade(lk, &a), EBUSY);
	check_eq(rl_read_tryupgrade(lk, &b), EBUSY);
	rl_unlock(lk, &a);
	check_eq(rl_read_tryupgrade(lk, &b), 0);
	rl_unlock(lk, &b);
}

StrictPromise(changes, narrowing_lets_in_exactly_those_outside_the_rest)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 0, 2, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 2, 3, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &d, 8, 20, NULL), EINPROGRESS);
	check_eq(rl_narrow(lk, &a, 2, 8), 0);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	check_eq(rl_poll(lk, &d), 0);
	check_eq(rl_narrow(lk, &a, 3, 8), 0);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
	rl_unlock(lk, &d);
}

Promise(changes, narrowing_keeps_a_part_of_what_is_held)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 10, 20), 0);
	check_eq(rl_narrow(lk, &a, 9, 20), EINVAL);
	check_eq(rl_narrow(lk, &a, 10, 21), EINVAL);
	check_eq(rl_narrow(lk, &a, 12, 12), EINVAL);
	check_eq(rl_narrow(lk, NULL, 12, 13), EINVAL);
	check_eq(rl_narrow(lk, &a, 10, 20), 0);
	check_eq(rl_narrow(lk, &a, 12, 13), 0);
	check_eq(rl_write_trylock(lk, &b, 10, 12), 0);
	check_eq(rl_write_trylock(lk, &c, 13, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
}

Promise(changes, a_coarse_lock_can_be_narrowed_to_a_fine_one)
{
	fresh();
	check_eq(rl_write_lock_coarse(lk, &a), 0);
	check_eq(rl_narrow(lk, &a, 100, 200), 0);
	check_eq(rl_write_trylock(lk, &b, 0, 100), 0);
	check_eq(rl_write_trylock(lk, &c, 200, RL_END), 0);
	check_eq(rl_read_trylock(lk, &d, 150, 151), EBUSY);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
}

Promise(changes, extending_takes_what_is_free_or_changes_nothing)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 10, 20), 0);
	check_eq(rl_write_lock(lk, &b, 30, 40), 0);
	check_eq(rl_tryextend(lk, &a, 10, 31), EBUSY);
	check_eq(rl_write_trylock(lk, &c, 20, 30), 0);	/* a is unchanged */
	rl_unlock(lk, &c);
	check_eq(rl_tryextend(lk, &a, 5, 30), 0);
	check_eq(rl_read_trylock(lk, &c, 29, 30), EBUSY);
	check_eq(rl_read_trylock(lk, &c, 5, 6), EBUSY);
	check_eq(rl_tryextend(lk, &a, 6, 30), EINVAL);
	check_eq(rl_tryextend(lk, &a, 5, 29), EINVAL);
	check_eq(rl_tryextend(NULL, &a, 5, 31), EINVAL);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

StrictPromise(changes, an_extension_does_not_pass_waiters_in_strict_order)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 20, 30), 0);
	check_eq(rl_write_submit(lk, &c, 15, 25, NULL), EINPROGRESS);
	check_eq(rl_tryextend(lk, &a, 0, 16), EBUSY);
	check_eq(rl_tryextend(lk, &a, 0, 15), 0);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &c);
}

LaxPromise(changes, who_waits_counts_the_part_that_an_extension_adds)
{
	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 20, 30), 0);
	check_eq(rl_write_submit(lk, &c, 15, 25, NULL), EINPROGRESS);
	check_eq(rl_tryextend(lk, &a, 0, 16), 0);
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &c), EINPROGRESS);
	check_eq(rl_narrow(lk, &a, 0, 15), 0);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &c);
}
