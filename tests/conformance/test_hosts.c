/*
 * Goal: the lock lives by its host table alone: it sleeps, wakes, reads the clock
 * and names its callers through it, spins only where the host can relax, and asks
 * for nothing at all when nobody is in the way; no lock call allocates (G5).
 */
#include "tests/conformance/engines.h"

#include <malloc.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/shards.h"

static struct rl_range a, b, c;

/* A host of steps: whoever parks runs the next step of the others. */
static struct {
	struct rangelock *lk;
	uint64_t now, self;
	unsigned int nr_parks, nr_wakes, nr_relaxes, nr_clocks;
	void (*on_park)(void);
	void (*on_clock)(void);
} steps;

static void step_park(void *ctx, const uint32_t *word, uint32_t expected,
		      uint64_t deadline_ns)
{
	void (*step)(void) = steps.on_park;
	uint64_t self = steps.self;

	check_eq(ctx, &steps);
	check_eq(*word, expected);
	steps.nr_parks++;
	steps.on_park = NULL;
	if (step)
		step();
	else
		steps.now = deadline_ns;
	steps.self = self;
}

static void step_wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	(void)word;
	steps.nr_wakes++;
}

static uint64_t step_now(void *ctx)
{
	void (*step)(void) = steps.on_clock;

	(void)ctx;
	steps.nr_clocks++;
	steps.on_clock = NULL;
	if (step)
		step();
	return steps.now;
}

static uint64_t step_self(void *ctx)
{
	(void)ctx;
	return steps.self;
}

static void step_relax(void *ctx)
{
	(void)ctx;
	steps.nr_relaxes++;
}

static const struct rl_host still_host = {
	.park = step_park, .wake = step_wake, .now = step_now,
	.self = step_self, .ctx = &steps,
};

static const struct rl_host spinning_host = {
	.park = step_park, .wake = step_wake, .now = step_now,
	.self = step_self, .relax = step_relax, .ctx = &steps,
};

static void fresh(struct rangelock *lk)
{
	a = b = c = (struct rl_range)RL_RANGE_INIT;
	memset(&steps, 0, sizeof(steps));
	steps.lk = lk;
	steps.now = 1000;
	steps.self = 1;
}

static void on_each_host_engine(const struct rl_host *host,
				void (*body)(struct rangelock *lk))
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.host = host;
	on_each_engine(&options, body);
}

static void unlock_a(void)
{
	steps.self = 1;
	rl_unlock(steps.lk, &a);
}

static void sleep_and_be_woken(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	steps.self = 2;
	steps.on_park = unlock_a;
	check_eq(rl_write_lock(lk, &b, 0, 10), 0);
	check_eq(steps.nr_parks, 1);
	check_eq(steps.nr_wakes, 1);
	check_eq(steps.nr_relaxes, 0);
	rl_unlock(lk, &b);
	check_eq(steps.nr_wakes, 1);
}

Test(hosts, who_waits_parks_and_is_woken_by_the_unlock)
{
	on_each_host_engine(&still_host, sleep_and_be_woken);
}

static void spin_then_sleep(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	steps.self = 2;
	steps.on_park = unlock_a;
	check_eq(rl_write_lock(lk, &b, 0, 10), 0);
	check_lt(0, steps.nr_relaxes);
	check_eq(steps.nr_parks, 1);
	rl_unlock(lk, &b);
}

Test(hosts, a_host_that_can_relax_is_spun_on_before_it_parks)
{
	on_each_host_engine(&spinning_host, spin_then_sleep);
}

static void cancel_b(void)
{
	steps.self = 1;
	check_eq(rl_cancel(steps.lk, &b), 0);
}

static void sleep_and_be_cancelled(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	steps.self = 2;
	steps.on_park = cancel_b;
	check_eq(rl_write_lock(lk, &b, 0, 10), ECANCELED);
	check_eq(steps.nr_wakes, 1);
	rl_unlock(lk, &a);
}

Test(hosts, a_cancel_wakes_who_parks)
{
	on_each_host_engine(&still_host, sleep_and_be_cancelled);
}

static void return_at_once(void)
{
	steps.on_park = unlock_a;
}

static void wake_for_nothing(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	steps.self = 2;
	steps.on_park = return_at_once;
	check_eq(rl_write_lock(lk, &b, 0, 10), 0);
	check_eq(steps.nr_parks, 2);
	rl_unlock(lk, &b);
}

Test(hosts, a_park_may_return_for_no_reason)
{
	on_each_host_engine(&still_host, wake_for_nothing);
}

static void reach_deadline(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	steps.self = 2;
	check_eq(rl_write_lock_until(lk, &b, 0, 10, 5000), ETIMEDOUT);
	check_eq(rl_now(lk), 5000);
	check_eq(steps.nr_parks, 1);
	rl_unlock(lk, &a);
	check_eq(stats_of(lk).wait_ns[0], 4000);
}

Test(hosts, deadlines_are_of_the_host_s_clock)
{
	on_each_host_engine(&still_host, reach_deadline);
}

/* The unlock comes after the look at the clock and before the guard. */
static void unlock_late(void)
{
	steps.now = 9000;
	unlock_a();
}

static void lose_to_the_grant(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	steps.self = 2;
	steps.on_clock = unlock_late;
	check_eq(rl_wait_until(lk, &b, 5000), 0);
	check_eq(nr_held(lk), 1);
	rl_unlock(lk, &b);
}

Test(hosts, a_late_waiter_that_is_granted_first_holds)
{
	on_each_host_engine(&still_host, lose_to_the_grant);
}

static void cancel_late(void)
{
	steps.now = 9000;
	cancel_b();
}

static void lose_to_the_cancel(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	steps.self = 2;
	steps.on_clock = cancel_late;
	check_eq(rl_wait_until(lk, &b, 5000), ECANCELED);
	rl_unlock(lk, &a);
	check_eq(nr_held(lk), 0);
}

Test(hosts, a_late_waiter_that_is_cancelled_first_is_told_so)
{
	on_each_host_engine(&still_host, lose_to_the_cancel);
}

/* Fibers: two names in one thread. */
static void be_two(struct rangelock *lk)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_self(lk), 1);
	check_eq(rl_write_lock(lk, &b, 0, 10), EDEADLK);
	steps.self = 2;
	check(!rl_is_held(lk, 0, 10, RL_WRITE));
	check_eq(rl_write_lock_until(lk, &b, 0, 10, 0), ETIMEDOUT);
	rl_unlock(lk, &a);
}

Test(hosts, a_fiber_is_not_its_thread)
{
	on_each_host_engine(&still_host, be_two);
}

/* Owner 2 sleeps for e; its other request d could pass c, and is not let. */
static struct rl_range d;

static void let_others_go(void)
{
	struct rangelock *lk = steps.lk;

	steps.self = 1;
	rl_unlock(lk, &b);
	check_eq(rl_poll(lk, &d), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &d), 0);
}

static void sleep_beside_a_queued_one(struct rangelock *lk)
{
	struct rl_range e = RL_RANGE_INIT;

	fresh(lk);
	d = e;
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(lk, &b, 20, 30), 0);
	steps.self = 3;
	check_eq(rl_write_submit(lk, &c, 0, 25, NULL), EINPROGRESS);
	steps.self = 2;
	check_eq(rl_write_submit(lk, &d, 22, 24, NULL), EINPROGRESS);
	steps.on_park = let_others_go;
	check_eq(rl_write_lock(lk, &e, 5, 6), 0);
	rl_unlock(lk, &d);
	rl_unlock(lk, &e);
}

Test(hosts, nothing_of_a_sleeper_passes_but_what_it_sleeps_for)
{
	struct rl_options options = lax_options;

	options.host = &still_host;
	on_each_engine(&options, sleep_beside_a_queued_one);
}

static void let_go_of_guard(void)
{
	struct rl_arbiter *arbiter;

	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(steps.lk, i)); i++)
		rl_guard_unlock(&arbiter->guard);
}

static void nap_for_the_guard(struct rangelock *lk)
{
	struct rl_arbiter *arbiter;

	fresh(lk);
	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(lk, i)); i++)
		rl_guard_lock(&arbiter->guard, lk->host);
	check_eq(rl_read_trylock(lk, &a, 0, 1), EBUSY);
	check_eq(steps.nr_parks, 0);
	steps.on_park = let_go_of_guard;
	check_eq(rl_read_lock(lk, &a, 0, 1), 0);
	check_eq(steps.nr_parks, 1);
	check_eq(steps.nr_relaxes, 0);
	rl_unlock(lk, &a);
}

Test(hosts, without_relax_even_a_guard_is_never_spun_on)
{
	on_each_host_engine(&still_host, nap_for_the_guard);
}

static void lock_alone(struct rangelock *lk)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct mallinfo2 before, after;

	fresh(lk);
	before = mallinfo2();
	for (unsigned int i = 0; i < 100; i++) {
		check_eq(rl_write_lock(lk, &a, i, i + 1), 0);
		check_eq(rl_read_lock(lk, &b, i + 1, i + 2), 0);
		check_eq(rl_read_trylock_coarse(lk, &c), EBUSY);
		rl_write_downgrade(lk, &a);
		check_eq(rl_read_tryupgrade(lk, &a), 0);
		check_eq(rl_tryextend(lk, &b, i + 1, i + 3), 0);
		check_eq(rl_narrow(lk, &b, i + 2, i + 3), 0);
		rl_unlock(lk, &a);
		rl_unlock(lk, &b);
		check_eq(rl_lock_many(lk, many, 2, spans), 0);
		rl_unlock_many(lk, many, 2);
	}
	after = mallinfo2();
	check_eq(steps.nr_parks, 0);
	check_eq(steps.nr_wakes, 0);
	check_eq(steps.nr_clocks, 0);
	check_eq(steps.nr_relaxes, 0);
	check_eq(after.uordblks, before.uordblks);
}

Test(hosts, who_need_not_wait_costs_the_host_nothing)
{
	on_each_host_engine(&spinning_host, lock_alone);
}

static void wait_without_allocating(struct rangelock *lk)
{
	struct mallinfo2 before, after;

	fresh(lk);
	before = mallinfo2();
	for (unsigned int i = 0; i < 100; i++) {
		steps.self = 1;
		check_eq(rl_write_lock(lk, &a, 0, 10), 0);
		check_eq(rl_write_submit(lk, &c, 5, 10, NULL), EINPROGRESS);
		steps.self = 2;
		steps.on_park = unlock_a;
		check_eq(rl_read_lock(lk, &b, 0, 5), 0);
		rl_unlock(lk, &b);
		rl_unlock(lk, &c);
	}
	after = mallinfo2();
	check_eq(steps.nr_parks, 100);
	check_eq(after.uordblks, before.uordblks);
}

Test(hosts, a_wait_allocates_nothing)
{
	on_each_host_engine(&still_host, wait_without_allocating);
}

/* A host of real threads, over one mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static uint32_t nr_slept;

static void mutex_park(void *ctx, const uint32_t *word, uint32_t expected,
		       uint64_t deadline_ns)
{
	(void)ctx;
	(void)deadline_ns;
	pthread_mutex_lock(&mutex);
	nr_slept++;
	if (rl_load_relaxed(word) == expected && deadline_ns == RL_NO_DEADLINE)
		pthread_cond_wait(&woken, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void mutex_wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	(void)word;
	pthread_mutex_lock(&mutex);
	pthread_cond_broadcast(&woken);
	pthread_mutex_unlock(&mutex);
}

static const struct rl_host mutex_host = {
	.park = mutex_park, .wake = mutex_wake,
};

static uint64_t shared_sum;

static void *add_up(void *lk)
{
	uint64_t rounds = test_rounds(3000);
	struct rl_range r = RL_RANGE_INIT;

	for (uint64_t i = 0; i < rounds; i++) {
		check_eq(rl_write_lock(lk, &r, 0, 1), 0);
		shared_sum++;
		rl_unlock(lk, &r);
	}
	return NULL;
}

static void add_up_in_threads(struct rangelock *lk)
{
	pthread_t threads[3];

	shared_sum = 0;
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_create(&threads[i], NULL, add_up, lk), 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	check_eq(shared_sum, 3 * test_rounds(3000));
}

Test(hosts, threads_can_sleep_by_a_host_of_their_own)
{
	on_each_host_engine(&mutex_host, add_up_in_threads);
}
