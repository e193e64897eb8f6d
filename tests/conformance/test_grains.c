/*
 * Goal: a call site locks what its grain says at the time of the call, coarse and
 * fine calls of one lock exclude each other all the same, and waits are true or
 * false as the declared ranges are.
 */
#include "tests/conformance/engines.h"

#include <string.h>

#include <rangelock/site.h>

#include "rangelock/base/atomic.h"

static struct rl_range a, b;

static void fresh(void)
{
	a = b = (struct rl_range)RL_RANGE_INIT;
}

static struct rl_site one = RL_SITE_INIT("grains_one", RL_FINE);
static struct rl_site two = RL_SITE_INIT("grains_two", RL_FINE);

Promise(grains, the_grain_says_what_is_locked)
{
	static const enum rl_grain wide[] = { RL_COARSE, RL_SHADOW };

	fresh();
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
	check_eq(rl_write_lock_at(lk, &a, &one, 0, 10), 0);
	check_eq(rl_write_trylock_at(lk, &b, &one, 10, 20), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	for (unsigned int i = 0; i < 2; i++) {
		check_eq(rl_site_set_grain(&one, wide[i]), 0);
		check_eq(rl_write_lock_at_until(lk, &a, &one, 0, 10, 0), 0);
		check_eq(rl_read_trylock_at(lk, &b, &two, 10, 20), EBUSY);
		check_eq(rl_site_check(lk, &a, 9, 1), 0);
		check_eq(rl_site_check(lk, &a, 9, 2), ERANGE);
		rl_unlock(lk, &a);
		check_eq(rl_read_lock_at_until(lk, &a, &one, 0, 10, 0), 0);
		check_eq(rl_read_trylock(lk, &b, 10, 20), 0);
		rl_unlock(lk, &a);
		rl_unlock(lk, &b);
	}
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
}

Promise(grains, a_held_range_keeps_the_grain_that_it_came_with)
{
	fresh();
	check_eq(rl_site_set_grain(&one, RL_COARSE), 0);
	check_eq(rl_write_submit_at(lk, &a, &one, 0, 10, NULL), 0);
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
	check_eq(rl_read_trylock_at(lk, &b, &one, 10, 20), EBUSY);
	rl_unlock(lk, &a);
	check_eq(rl_read_submit_at(lk, &b, &one, 10, 20, NULL), 0);
	check_eq(rl_write_trylock_at(lk, &a, &one, 0, 10), 0);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

Promise(grains, narrow_and_extend_mean_the_same_under_every_grain)
{
	fresh();
	check_eq(rl_site_set_grain(&one, RL_COARSE), 0);
	check_eq(rl_write_lock_at(lk, &a, &one, 0, 10), 0);
	check_eq(rl_narrow(lk, &a, 2, 8), 0);
	check_eq(rl_narrow(lk, &a, 0, 8), EINVAL);
	check_eq(rl_read_trylock(lk, &b, 50, 51), EBUSY);
	check_eq(rl_site_check(lk, &a, 0, 1), ERANGE);
	check_eq(rl_tryextend(lk, &a, 0, 60), 0);
	check_eq(rl_site_check(lk, &a, 0, 60), 0);
	rl_unlock(lk, &a);
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
}

Promise(grains, a_wait_is_true_if_the_declared_ranges_conflict)
{
	static const uint64_t starts[] = { 0, 10 };	/* true, false */

	for (unsigned int i = 0; i < 2; i++) {
		fresh();
		check_eq(rl_stats_reset(lk), 0);
		check_eq(rl_site_set_grain(&one, RL_COARSE), 0);
		check_eq(rl_write_lock_at(lk, &a, &one, 0, 10), 0);
		check_eq(rl_read_submit_at(lk, &b, &two, starts[i],
					   starts[i] + 10, NULL), EINPROGRESS);
		rl_unlock(lk, &a);
		check_eq(stats_of(lk).nr_waits[i], 1);
		check_eq(stats_of(lk).nr_waits[!i], 0);
		rl_unlock(lk, &b);
		check_eq(rl_site_set_grain(&one, RL_FINE), 0);
	}
}

Promise(grains, of_several_ranges_each_declares_its_own_mode)
{
	const struct rl_span spans[] = { { 0, 3, RL_READ }, { 5, 9, RL_WRITE } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	fresh();
	check_eq(rl_stats_reset(lk), 0);
	check_eq(rl_site_set_grain(&one, RL_COARSE), 0);
	check_eq(rl_lock_many_at(lk, many, &one, 2, spans), 0);
	check_eq(rl_read_submit_at(lk, &b, &two, 0, 3, NULL), EINPROGRESS);
	rl_unlock_many(lk, many, 2);
	check_eq(stats_of(lk).nr_waits[0], 0);
	check_eq(stats_of(lk).nr_waits[1], 1);
	rl_unlock(lk, &b);
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
}

/* Pages that two sites use while a third thread flips their grains. */
#define PAGES	8u

struct world {
	struct rangelock *lk;
	uint32_t users[PAGES], stop, nr_started;	/* atomic */
	uint64_t data[PAGES], rounds;			/* data: plain */
};

static void use_page(struct world *w, uint64_t page, bool writes)
{
	uint32_t n = writes ? 0x10000 : 1;
	uint32_t was = rl_add_relaxed(&w->users[page], n);

	check_msg(writes ? !was : was < 0x10000, "page in use: %#x", was);
	if (writes)
		w->data[page]++;
	else
		check_ne(w->data[page], UINT64_MAX);
	rl_add_relaxed(&w->users[page], 0u - n);
}

static void *use_pages(void *arg)
{
	struct world *w = arg;
	uint64_t rng = rl_add_relaxed(&w->nr_started, 1);
	struct rl_range r = RL_RANGE_INIT;

	for (uint64_t i = 0; i < w->rounds; i++) {
		uint64_t x = random_next(&rng), page = x % PAGES;
		struct rl_site *site = x >> 8 & 1 ? &one : &two;
		bool writes = x >> 9 & 1;

		check_eq((writes ? rl_write_lock_at : rl_read_lock_at)(
				 w->lk, &r, site, page, page + 1), 0);
		use_page(w, page, writes);
		rl_unlock(w->lk, &r);
	}
	return NULL;
}

static void *flip_grains(void *arg)
{
	struct world *w = arg;
	uint64_t rng = 99;

	while (!rl_load_relaxed(&w->stop)) {
		uint64_t x = random_next(&rng);

		rl_site_set_grain(x & 1 ? &one : &two,
				  (enum rl_grain)((x >> 8) % 3));
		sched_yield();
	}
	return NULL;
}

Promise(grains, switching_them_under_load_keeps_declared_ranges_apart)
{
	static struct world w;
	pthread_t threads[3], flipper;

	memset(&w, 0, sizeof(w));
	w.lk = lk;
	w.rounds = test_rounds(15000);
	check_eq(pthread_create(&flipper, NULL, flip_grains, &w), 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_create(&threads[i], NULL, use_pages, &w), 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	rl_store_relaxed(&w.stop, 1);
	check_eq(pthread_join(flipper, NULL), 0);
	check_eq(rl_site_set_grain(&one, RL_FINE), 0);
	check_eq(rl_site_set_grain(&two, RL_FINE), 0);
}
