/*
 * Goal: park sleeps only while the word is as expected and not past its deadline,
 * wake ends it, errno is kept, and a host is asked instead wherever it answers.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/park.h"

static uint32_t word;

Test(park, a_word_that_has_changed_is_not_slept_on)
{
	rl_store_relaxed(&word, 1);
	errno = 77;
	rl_park(NULL, &word, 0, RL_NO_DEADLINE);
	check_eq(errno, 77);
}

Test(park, the_deadline_ends_it)
{
	uint64_t deadline_ns = rl_clock(NULL) + 1000000;

	rl_store_relaxed(&word, 0);
	errno = 77;
	while (rl_clock(NULL) < deadline_ns)	/* it may return early */
		rl_park(NULL, &word, 0, deadline_ns);
	rl_park(NULL, &word, 0, 0);
	check_eq(errno, 77);
}

static void *sleep_on_word(void *arg)
{
	(void)arg;
	while (rl_load_acquire(&word) == 0)
		rl_park(NULL, &word, 0, RL_NO_DEADLINE);
	return NULL;
}

Test(park, a_wake_ends_it_for_all)
{
	pthread_t threads[3];

	rl_store_relaxed(&word, 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_create(&threads[i], NULL, sleep_on_word, NULL),
			 0);
	rl_store_release(&word, 1);
	errno = 77;
	rl_wake(NULL, &word);
	check_eq(errno, 77);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
}

static int asked[4];

static void host_park(void *ctx, const uint32_t *w, uint32_t expected,
		      uint64_t deadline_ns)
{
	check_eq(ctx, asked);
	check_eq(w, &word);
	check_eq(expected, 5);
	check_eq(deadline_ns, 6);
	asked[0]++;
}

static void host_wake(void *ctx, const uint32_t *w)
{
	check_eq(ctx, asked);
	check_eq(w, &word);
	asked[1]++;
}

static uint64_t host_now(void *ctx)
{
	check_eq(ctx, asked);
	asked[2]++;
	return 11;
}

static uint64_t host_self(void *ctx)
{
	check_eq(ctx, asked);
	asked[3]++;
	return 12;
}

Test(park, a_host_is_asked_for_what_it_has)
{
	const struct rl_host host = {
		.park = host_park, .wake = host_wake, .now = host_now,
		.self = host_self, .ctx = asked,
	};
	const struct rl_host empty = { .ctx = asked };

	rl_park(&host, &word, 5, 6);
	rl_wake(&host, &word);
	check_eq(rl_clock(&host), 11);
	check_eq(rl_owner(&host), 12);
	for (unsigned int i = 0; i < 4; i++)
		check_eq(asked[i], 1);
	check_ne(rl_clock(&empty), 11);
	check_eq(rl_owner(&empty), rl_owner(NULL));
	check(rl_can_spin(&empty));
	check(!rl_can_spin(&host));
}

static uint64_t far_clock(void *ctx)
{
	(void)ctx;
	return UINT64_C(1) << 62;
}

/* 2^62 ns are 146 years: by the kernel's clock these would not end. */
Test(park, a_deadline_is_of_the_clock_of_the_host)
{
	const struct rl_host host = { .now = far_clock };
	uint64_t now = rl_clock(&host);

	word = 5;
	rl_park(&host, &word, 5, now + 1000000);
	rl_park(&host, &word, 5, now);
	rl_park(&host, &word, 5, now - 1);
	rl_park(&host, &word, 4, RL_NO_DEADLINE - 1);
	check_eq(rl_clock(&host), now);
}

static void *name_of_thread(void *arg)
{
	*(uint64_t *)arg = rl_owner(NULL);
	return NULL;
}

Test(park, threads_that_live_have_names_of_their_own)
{
	uint64_t other = 0;
	pthread_t thread;

	check_eq(pthread_create(&thread, NULL, name_of_thread, &other), 0);
	check_eq(pthread_join(thread, NULL), 0);
	check_ne(other, rl_owner(NULL));
	check_ne(other, RL_NOBODY);
}
