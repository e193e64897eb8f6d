/*
 * Goal: ledgers of the store are empty when claimed and never given twice, and
 * the shared one loses no count.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <string.h>

#include "rangelock/engine/hist.h"
#include "rangelock/engine/ledger.h"

static void expect_empty(const struct rl_ledger *l)
{
	struct rl_stats stats;

	memset(&stats, 0xff, sizeof(stats));
	rl_ledger_read(l, &stats);
	check_eq(stats.nr_waits[0] + stats.nr_waits[1], 0);
	check_eq(stats.wait_ns[0] + stats.wait_ns[1], 0);
	check_eq(stats.wait_ns_min, 0);
	check_eq(stats.wait_ns_max, 0);
	check_eq(stats.nr_contended[RL_WRITE][1], 0);
	check_eq(stats.nr_bypasses, 0);
	for (unsigned int b = 0; b < RL_HIST_BUCKETS; b++)
		check_eq(stats.wait_hist[b], 0);
}

Test(ledger, reads_back_what_was_counted)
{
	struct rl_ledger l;
	struct rl_stats stats;

	rl_ledger_init(&l);
	expect_empty(&l);
	expect_empty(NULL);
	rl_ledger_add(&l, nr_contended[RL_WRITE][1], 1);
	rl_ledger_note_wait(&l, true, 10);
	rl_ledger_note_wait(&l, false, 1000);
	rl_ledger_note_wait(&l, false, 0);
	rl_ledger_add(&l, nr_deadlocks, 3);
	rl_ledger_add(&l, nr_cycles, 2);
	check_eq(rl_ledger_deadlock_ns(&l), RL_DEADLOCK_NS);
	rl_ledger_read(&l, &stats);
	check(!stats.shared);
	check_eq(stats.nr_contended[RL_WRITE][1], 1);
	check_eq(stats.nr_contended[RL_READ][1], 0);
	check_eq(stats.nr_waits[0], 1);
	check_eq(stats.nr_waits[1], 2);
	check_eq(stats.wait_ns[0], 10);
	check_eq(stats.wait_ns[1], 1000);
	check_eq(stats.wait_ns_min, 0);
	check_eq(stats.wait_ns_max, 1000);
	check_eq(stats.wait_hist[rl_hist_bucket(10)], 1);
	check_eq(stats.nr_deadlocks, 3);
	check_eq(stats.nr_cycles, 2);
	rl_ledger_reset(&l);
	expect_empty(&l);
	check(!rl_ledger_release(&l));
}

static bool is_shared(const struct rl_ledger *l)
{
	struct rl_stats stats;

	rl_ledger_read(l, &stats);
	return stats.shared;
}

/* Claim until the shared one comes: it is the last of the n that are taken.
 * Locks of other tests may have some still. */
static size_t exhaust(struct rl_ledger *taken[RL_LEDGERS])
{
	size_t n = 0;

	do {
		check_lt(n, RL_LEDGERS);
		taken[n] = rl_ledger_claim();
		for (size_t k = 0; k < n; k++)
			check_ne(taken[n], taken[k]);
	} while (!is_shared(taken[n++]));
	rl_ledger_reset(taken[n - 1]);
	return n;
}

static void release_all(struct rl_ledger **taken, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(rl_ledger_release(taken[i]));
}

Test(ledger, store_gives_each_once_then_the_shared_one)
{
	struct rl_ledger *taken[RL_LEDGERS], *late;
	size_t n = exhaust(taken);
	struct rl_stats stats;

	for (size_t i = 0; i < n; i++)
		rl_ledger_note_wait(taken[i], true, 5);
	late = rl_ledger_claim();
	check_eq(late, taken[n - 1]);
	rl_ledger_note_wait(late, true, 7);
	rl_ledger_read(late, &stats);
	check_eq(stats.nr_waits[0], 2);
	check_eq(stats.wait_ns_min, 5);
	check_eq(stats.wait_ns_max, 7);
	rl_ledger_reset(late);
	check(rl_ledger_release(late));
	release_all(taken, n);
	check_eq(exhaust(taken), n);
	for (size_t i = 0; i < n; i++)
		expect_empty(taken[i]);
	release_all(taken, n);
}

#define NR_THREADS	4

static struct rl_ledger *claims[NR_THREADS];
static uint64_t nr_rounds;

static void *count_in_the_shared_one(void *arg)
{
	struct rl_ledger **mine = arg;

	for (uint64_t i = 0; i < nr_rounds; i++)
		rl_ledger_note_wait(*mine, i & 1, i);
	return NULL;
}

Test(ledger, shared_one_loses_no_count_among_threads)
{
	struct rl_ledger *others[RL_LEDGERS];
	size_t n = exhaust(others);
	pthread_t threads[NR_THREADS];
	struct rl_stats stats;

	nr_rounds = test_rounds(20000);
	for (size_t i = 0; i < NR_THREADS; i++) {
		claims[i] = rl_ledger_claim();
		pthread_create(&threads[i], NULL, count_in_the_shared_one,
			       &claims[i]);
	}
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	rl_ledger_read(claims[0], &stats);
	check_eq(stats.nr_waits[0] + stats.nr_waits[1], NR_THREADS * nr_rounds);
	check_eq(stats.wait_ns_max, nr_rounds - 1);
	check_eq(stats.wait_ns_min, 0);
	rl_ledger_reset(claims[0]);
	release_all(claims, NR_THREADS);
	release_all(others, n);
}

static void *claim_and_release(void *arg)
{
	for (uint64_t i = 0; i < nr_rounds; i++) {
		struct rl_ledger *l = rl_ledger_claim();

		if (!is_shared(l)) {
			expect_empty(l);
			rl_ledger_note_wait(l, true, 1);
		}
		rl_ledger_release(l);
	}
	return arg;
}

Test(ledger, claimed_ones_are_empty_and_ones_own_among_threads)
{
	pthread_t threads[NR_THREADS];

	nr_rounds = test_rounds(5000);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, claim_and_release, NULL);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
}
