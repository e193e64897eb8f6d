/*
 * Goal: whatever the kernel answers to a sleep or a wake, the lock's promises
 * stand: exclusion, no deadline before its time, no end of a wait without one.
 *
 * run.py starts this under strace, which lies in the kernel's name.  So nothing
 * but the lock may sleep here: threads are waited for by looking.  A wait that
 * never ends is the caller's to notice.  Ends with `N passed, M failed`.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include <rangelock.h>
#include <rangelock/stats.h>

#define WORKERS		4
#define ROUNDS		40
#define CHUNK		4096
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

static struct rangelock lk;
static uint64_t total;			/* guarded by byte 0 of lk */
static uint32_t nr_ended, nr_failed, answer;

static const struct engine {
	const char *name;
	uint64_t chunk_size;
	uint32_t nr_shards;
} engines[] = {
	{ "compact", 0, 0 }, { "forest", CHUNK, 4 },
};

static const struct engine *engine;

static void expect(const char *what, uint64_t got, uint64_t want)
{
	if (got == want)
		return;
	printf("FAIL %s: got %llu, want %llu\n", what, (unsigned long long)got,
	       (unsigned long long)want);
	__atomic_fetch_add(&nr_failed, 1, __ATOMIC_RELAXED);
}

static void open_lock(void)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.chunk_size = engine->chunk_size;
	o.nr_shards = engine->nr_shards;
	if (rl_init(&lk, &o))
		abort();
}

static void close_lock(void)
{
	expect("destroy", (uint64_t)rl_destroy(&lk), 0);
}

static void start(void *(*run)(void *arg))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) || pthread_detach(thread))
		abort();
}

static void until_ended(uint32_t n)
{
	while (__atomic_load_n(&nr_ended, __ATOMIC_ACQUIRE) < n)
		sched_yield();
	nr_ended = 0;
}

static void end(void)
{
	__atomic_fetch_add(&nr_ended, 1, __ATOMIC_RELEASE);
}

static uint64_t nr_waiting(void)
{
	struct rl_stats stats;

	if (rl_stats_read(&lk, &stats))
		abort();
	return stats.nr_waiting_now;
}

/* ---- Exclusion: everybody's range has byte 0 ---- */

static int lock_round(struct rl_range *r, unsigned int round)
{
	switch (round % 4) {
	case 0:
		return rl_write_lock_coarse(&lk, r);
	case 1:
		return rl_write_lock(&lk, r, 0, CHUNK + 1);
	case 2:
		return rl_write_lock_until(&lk, r, 0, 8, RL_NO_DEADLINE);
	default:
		return rl_write_lock(&lk, r, 0, 1);
	}
}

static void *work(void *arg)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct rl_range r = RL_RANGE_INIT;
		uint64_t before;

		expect("a lock", (uint64_t)lock_round(&r, round), 0);
		before = total;
		for (unsigned int i = 0; i < 20; i++)
			sched_yield();
		total = before + 1;
		rl_unlock(&lk, &r);
	}
	end();
	return arg;
}

static void holders_exclude_each_other(void)
{
	total = 0;
	for (unsigned int i = 0; i < WORKERS; i++)
		start(work);
	until_ended(WORKERS);
	expect("rounds of all", total, WORKERS * ROUNDS);
}

/* ---- Deadlines ---- */

#define DEADLINES	3	/* what a thread asks of the kernel may be granted at first */

static uint32_t turn;

static void until_turn(uint32_t n)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != n)
		sched_yield();
}

static void set_turn(uint32_t n)
{
	__atomic_store_n(&turn, n, __ATOMIC_RELEASE);
}

static void *wait_until_deadline(void *arg)
{
	struct rl_range r = RL_RANGE_INIT;

	for (uint32_t i = 0; i < DEADLINES; i++) {
		uint64_t deadline_ns;

		until_turn(2 * i + 1);
		deadline_ns = rl_now(&lk) + 10000000;
		expect("a lock that must wait too long",
		       (uint64_t)rl_write_lock_until(&lk, &r, 0, 1, deadline_ns),
		       ETIMEDOUT);
		expect("a deadline before its time", rl_now(&lk) < deadline_ns, 0);
		set_turn(2 * i + 2);
	}
	end();
	return arg;
}

/* On a fresh lock each time: one that had waiters may be prepared for more. */
static void nobody_gives_up_before_his_deadline(void)
{
	struct rl_range r = RL_RANGE_INIT;

	turn = 0;
	start(wait_until_deadline);
	for (uint32_t i = 0; i < DEADLINES; i++) {
		close_lock();
		open_lock();
		expect("a lock", (uint64_t)rl_write_lock(&lk, &r, 0, 1), 0);
		set_turn(2 * i + 1);
		until_turn(2 * i + 2);
		rl_unlock(&lk, &r);
	}
	until_ended(1);
}

/* ---- No deadline: only a grant or a cancel ends the wait ---- */

static struct rl_range waiter;

static void *wait_for_ever(void *arg)
{
	int error = rl_write_lock(&lk, &waiter, 0, 1);

	__atomic_store_n(&answer, (uint32_t)error, __ATOMIC_RELAXED);
	if (!error)
		rl_unlock(&lk, &waiter);
	end();
	return arg;
}

/* Until he has been asked to wait, and for some time. */
static void until_he_waits(void)
{
	while (nr_waiting() == 0)
		sched_yield();
	for (unsigned int i = 0; i < 1000; i++)
		sched_yield();
	expect("waiters", nr_waiting(), 1);
}

static void a_wait_without_a_deadline_ends_by_a_grant_or_a_cancel(void)
{
	for (int cancels = 0; cancels < 2; cancels++) {
		struct rl_range r = RL_RANGE_INIT;

		rl_range_init(&waiter);
		expect("a lock", (uint64_t)rl_write_lock(&lk, &r, 0, CHUNK + 1), 0);
		start(wait_for_ever);
		until_he_waits();
		if (cancels)
			expect("a cancel", (uint64_t)rl_cancel(&lk, &waiter), 0);
		else
			rl_unlock(&lk, &r);
		until_ended(1);
		expect("the end of a wait", answer, cancels ? ECANCELED : 0);
		if (cancels)
			rl_unlock(&lk, &r);
	}
}

int main(void)
{
	static void (*const tests[])(void) = {
		holders_exclude_each_other,
		nobody_gives_up_before_his_deadline,
		a_wait_without_a_deadline_ends_by_a_grant_or_a_cancel,
	};
	unsigned int failed = 0;

	for (engine = engines; engine < engines + NR(engines); engine++) {
		open_lock();
		for (size_t i = 0; i < NR(tests); i++) {
			nr_failed = 0;
			tests[i]();
			if (nr_failed)
				printf("FAIL %s: test %zu\n", engine->name, i + 1);
			failed += nr_failed != 0;
		}
		close_lock();
	}
	printf("%zu passed, %u failed\n", NR(engines) * NR(tests) - failed, failed);
	return failed != 0;
}
