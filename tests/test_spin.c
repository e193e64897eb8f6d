/*
 * Goal: a guard admits one thread at a time and publishes what it did; who cannot
 * have it spins a bounded time, then naps, or, trying, gives up.
 */
#include "tests/backend.h"

#include <pthread.h>

#include "rangelock/base/spin.h"

static uint32_t guard;
static uint64_t sum;			/* plain: the guard protects it */

static void *add_up(void *arg)
{
	uint64_t rounds = test_rounds(50000);

	(void)arg;
	for (uint64_t i = 0; i < rounds; i++) {
		if (i & 1)
			rl_guard_lock(&guard, NULL);
		else
			while (!rl_guard_trylock(&guard, NULL))
				;
		sum++;
		rl_guard_unlock(&guard);
	}
	return NULL;
}

Test(spin, one_thread_at_a_time)
{
	pthread_t threads[3];

	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_create(&threads[i], NULL, add_up, NULL), 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	check_eq(sum, 3 * test_rounds(50000));
}

static unsigned int nr_relaxes, nr_naps, nr_naps_wanted = 10, nr_relaxes_wanted;
static uint64_t clock_ns, last_nap_ns;
static bool ends_early;

static void relax(void *ctx)
{
	(void)ctx;
	nr_relaxes++;
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return clock_ns;
}

static void nap(void *ctx, const uint32_t *word, uint32_t expected,
		uint64_t deadline_ns)
{
	(void)ctx;
	check_eq(word, &guard);
	check_eq(expected, RL_GUARD_TAKEN);
	check_lt(clock_ns, deadline_ns);
	check_le(last_nap_ns, deadline_ns - clock_ns);
	last_nap_ns = deadline_ns - clock_ns;
	/* Soon, if it is free soon; and not longer than an eighth of the wait. */
	check_le(last_nap_ns, 2000000 + clock_ns / 8);
	clock_ns = ends_early ? clock_ns + 1000 : deadline_ns;
	if (++nr_naps == nr_naps_wanted)
		rl_guard_unlock(&guard);
}

static const struct rl_host still = { .park = nap, .now = now };
static const struct rl_host spinning = {
	.park = nap, .now = now, .relax = relax,
};

Test(spin, who_cannot_have_it_spins_then_naps_longer_and_longer)
{
	nr_relaxes = nr_naps = 0;
	last_nap_ns = 1;
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &spinning);
	check_eq(nr_naps, 10);
	check_lt(10, nr_relaxes);
	check_le(nr_relaxes, 500 * (nr_naps + 1));
	rl_guard_unlock(&guard);
}

static void relax_until_free(void *ctx)
{
	relax(ctx);
	if (nr_naps && nr_relaxes == nr_relaxes_wanted)
		rl_guard_unlock(&guard);
}

static void nap_and_look(void *ctx, const uint32_t *word, uint32_t expected,
			 uint64_t deadline_ns)
{
	nap(ctx, word, expected, deadline_ns);
	nr_relaxes_wanted = nr_relaxes + 130;
}

/* A guard that is seldom free for long is free while one looks. */
Test(spin, who_has_napped_looks_as_long_as_at_first)
{
	static const struct rl_host host = {
		.park = nap_and_look, .now = now, .relax = relax_until_free,
	};

	nr_relaxes = nr_naps = 0;
	clock_ns = 0;
	last_nap_ns = 1;
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &host);
	check_eq(nr_naps, 1);
	check_le(nr_relaxes_wanted, nr_relaxes);
	check_lt(nr_relaxes, nr_relaxes_wanted + 64);	/* the next look */
	rl_guard_unlock(&guard);
}

/* A thousand who nap for a millisecond keep the holder off the CPU. */
Test(spin, who_waits_for_long_naps_for_long)
{
	nr_relaxes = nr_naps = 0;
	nr_naps_wanted = 60;
	clock_ns = 0;
	last_nap_ns = 1;
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &spinning);
	check_eq(nr_naps, 60);
	check_lt(50000000, last_nap_ns);
	check_lt(last_nap_ns, 200000000);
	rl_guard_unlock(&guard);
	nr_naps_wanted = 10;
}

/* A signal ends each nap: it has not waited for long. */
Test(spin, naps_grow_with_the_wait_and_not_with_their_number)
{
	nr_relaxes = nr_naps = 0;
	nr_naps_wanted = 60;
	clock_ns = 0;
	last_nap_ns = 1;
	ends_early = true;
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &spinning);
	check_eq(nr_naps, 60);
	check_le(last_nap_ns, 100000);
	rl_guard_unlock(&guard);
	nr_naps_wanted = 10;
	ends_early = false;
}

static unsigned int nr_given;

static void nap_while_another_asks_in_vain(void *ctx, const uint32_t *word,
					   uint32_t expected,
					   uint64_t deadline_ns)
{
	unsigned int before = nr_relaxes;

	(void)ctx;
	(void)word;
	(void)expected;
	(void)deadline_ns;
	rl_guard_give_way(&spinning);
	nr_given = nr_relaxes - before;
	rl_guard_give_way(&still);
	rl_guard_unlock(&guard);
}

Test(spin, who_asks_in_vain_gives_way_to_those_who_nap)
{
	static const struct rl_host host = {
		.park = nap_while_another_asks_in_vain, .now = now, .relax = relax,
	};

	nr_relaxes = 0;
	rl_guard_give_way(&spinning);
	check_eq(nr_relaxes, 0);
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &host);
	check_lt(100, nr_given);
	rl_guard_unlock(&guard);
	nr_relaxes = 0;
	rl_guard_give_way(&spinning);
	check_eq(nr_relaxes, 0);
}

Test(spin, where_nobody_else_can_run_it_naps_at_once)
{
	nr_relaxes = nr_naps = 0;
	last_nap_ns = 1;
	check(rl_guard_take(&guard));
	rl_guard_lock(&guard, &still);
	check_eq(nr_naps, 10);
	check(!rl_guard_trylock(&guard, &still));
	check_eq(nr_naps, 10);
	rl_guard_unlock(&guard);
	check(rl_guard_trylock(&guard, &still));
	rl_guard_unlock(&guard);
}

Test(spin, trying_is_bounded)
{
	nr_relaxes = nr_naps = 0;
	check(rl_guard_take(&guard));
	check(!rl_guard_trylock(&guard, &spinning));
	check_lt(0, nr_relaxes);
	check_le(nr_relaxes, 10000);
	check_eq(nr_naps, 0);
	rl_guard_unlock(&guard);
}
