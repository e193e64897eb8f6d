/*
 * Goal: the table of pairs keeps pairs and kinds apart and loses no count.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <stdlib.h>

#include "rangelock/engine/charge.h"

#define PASSED	7

Test(charge, keeps_pairs_and_kinds_apart)
{
	struct rl_charge pair;
	size_t at = 0, n = 0;

	rl_charge_reset();
	rl_charge_wait(0, 0, true, 0, 100);
	rl_charge_wait(1, 2, false, RL_WIDE_WAITER, 10);
	rl_charge_wait(2, 1, false, RL_WIDE_BLOCKER, 20);
	rl_charge_wait(1, 2, false, 3, 30);
	while (rl_charge_next(&at, &pair)) {
		n++;
		if (rl_charge_waiter(&pair) == 0)
			check_eq(pair.true_ns, 100);
		else if (rl_charge_waiter(&pair) == 1)
			check_eq(pair.false_ns[1] + pair.false_ns[3], 40);
		else
			check_eq(pair.false_ns[2], 20);
	}
	check_eq(n, 3);
	rl_charge_reset();
	at = 0;
	check(!rl_charge_next(&at, &pair));
}

/* The pairs keep their slots for ever, so this is in a process of its own. */
Test(charge, what_finds_no_room_is_counted_apart, .exit_code = PASSED)
{
	struct rl_charge pair;
	uint64_t nr = 0;
	size_t at = 0;

	rl_charge_reset();
	for (uint16_t w = 0; w <= 255; w++)
		for (uint16_t b = 0; b <= 255; b++)
			rl_charge_wait(w, b, false, 0, 1);
	while (rl_charge_next(&at, &pair))
		nr += pair.nr_false[0];
	rl_charge_overflow(&pair);
	check_lt(0, pair.nr_false[0]);
	check_eq(nr + pair.nr_false[0], 256 * 256);
	rl_charge_reset();
	rl_charge_overflow(&pair);
	check_eq(pair.nr_false[0], 0);
	exit(PASSED);
}

#define NR_THREADS	4

static uint64_t nr_rounds;

static void *charge_three_pairs(void *arg)
{
	for (uint64_t i = 0; i < nr_rounds; i++)
		rl_charge_wait(7, (uint16_t)(i % 3), i & 1, RL_WIDE_WAITER, 2);
	return arg;
}

Test(charge, threads_lose_no_count)
{
	pthread_t threads[NR_THREADS];
	struct rl_charge pair;
	uint64_t nr = 0, ns = 0;
	size_t at = 0;

	nr_rounds = test_rounds(20000);
	rl_charge_reset();
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, charge_three_pairs, NULL);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	while (rl_charge_next(&at, &pair)) {
		check_eq(rl_charge_waiter(&pair), 7);
		nr += pair.nr_true + pair.nr_false[RL_WIDE_WAITER];
		ns += pair.true_ns + pair.false_ns[RL_WIDE_WAITER];
	}
	check_eq(nr, NR_THREADS * nr_rounds);
	check_eq(ns, 2 * NR_THREADS * nr_rounds);
	rl_charge_reset();
}
