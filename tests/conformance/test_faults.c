/*
 * Goal: what goes wrong around a lock (a thread that dies, a signal, a deadline at
 * the edge of time, a cancel too many, a destroy too early, no memory) has the
 * outcome that docs/TESTING.md states, and the lock goes on.
 */
#include "tests/conformance/engines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/readers.h"
#include "rangelock/engine/request.h"
#include "rangelock/engine/shards.h"

static struct rl_range a, b, c;

static void fresh(void)
{
	a = b = c = (struct rl_range)RL_RANGE_INIT;
}

/* ---- A thread that dies holding ---- */

static uint64_t owner_of_dead;
static struct rangelock *lock_of_dead;
static enum rl_mode mode_of_dead;

static void *lock_and_die(void *arg)
{
	owner_of_dead = rl_self(lock_of_dead);
	check_eq((mode_of_dead == RL_WRITE ? rl_write_lock : rl_read_lock)(
			 lock_of_dead, &a, 0, 10), 0);
	return arg;
}

static void let_one_die(struct rangelock *lk, enum rl_mode mode)
{
	pthread_t thread;

	fresh();
	lock_of_dead = lk;
	mode_of_dead = mode;
	check_eq(pthread_create(&thread, NULL, lock_and_die, NULL), 0);
	check_eq(pthread_join(thread, NULL), 0);
}

struct text {
	char bytes[2048];
	size_t length;
};

static void append(void *arg, const char *bytes, size_t length)
{
	struct text *t = arg;

	check_lt(t->length + length, sizeof(t->bytes));
	memcpy(t->bytes + t->length, bytes, length);
	t->length += length;
	t->bytes[t->length] = '\0';
}

/* Its range stays held, and the dump says whose it was. */
static void check_dump_names_dead(struct rangelock *lk)
{
	struct text t = { .length = 0 };
	char want[128];

	rl_dump(lk, append, &t);
	snprintf(want, sizeof(want), "holds %s fine [0, 0xa) owner %#" PRIx64 "\n",
		 mode_of_dead == RL_WRITE ? "write" : "read", owner_of_dead);
	check_msg(strstr(t.bytes, want), "no '%s' in: %s", want, t.bytes);
}


/* Somebody unlocks it.  A later thread may have the dead one's name, so it is
 * given away before that one waits. */
static void bury(struct rangelock *lk)
{
	struct actor waiter;

	check_eq(rl_write_trylock(lk, &b, 5, 15), EBUSY);
	check_eq(rl_write_lock_until(lk, &b, 5, 15, rl_now(lk) + 1000000),
		 ETIMEDOUT);
	check_eq(rl_destroy(lk), EBUSY);
	check_dump_names_dead(lk);
	rl_give(lk, &a, RL_NOBODY);
	actor_start_waiting(&waiter, lk, RL_WRITE, 9, 20);
	rl_unlock(lk, &a);
	check_eq(actor_join(&waiter), 0);
	rl_unlock(lk, &waiter.r);
}

Promise(faults, what_a_dead_thread_held_stays_held_and_the_dump_names_it)
{
	let_one_die(lk, RL_WRITE);
	check_dump_names_dead(lk);
	bury(lk);
	let_one_die(lk, RL_READ);
	bury(lk);
}

/* The record of its thread outlives it. */
Test(faults, what_a_dead_thread_has_published_is_found)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct rangelock lk;

	o.flags = RL_READER_BIAS;
	check_eq(rl_init(&lk, &o), 0);
	rl_readers_turn(&lk, 0);
	let_one_die(&lk, RL_READ);
	if (rl_barrier_is_usable())
		check_eq(a.state, RL_PUBLISHED);
	bury(&lk);
	check_eq(rl_destroy(&lk), 0);
}

/* ---- A signal whose handler trylocks ---- */

static struct {
	struct rangelock *lk;
	struct rl_range r;
	uint64_t start, end;
	int got;
	unsigned int nr;
} handler;

static void try_in_handler(int number)
{
	(void)number;
	handler.got = rl_write_trylock(handler.lk, &handler.r, handler.start,
				       handler.end);
	handler.nr++;
}

/* Its thread is outside of the library. */
static int signal_now(uint64_t start, uint64_t end)
{
	unsigned int before = handler.nr;

	handler.start = start;
	handler.end = end;
	check_eq(raise(SIGUSR2), 0);
	check_eq(handler.nr, before + 1);
	return handler.got;
}

static void signal_beside_holders(struct rangelock *lk)
{
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(signal_now(9, 12), EBUSY);	/* in an entry */
	check_eq(signal_now(10, 12), 0);
	rl_unlock(lk, &handler.r);
	check_eq(rl_read_submit(lk, &b, 5, 20, NULL), EINPROGRESS);
	check_eq(signal_now(9, 12), EBUSY);	/* in the tree */
	check_eq(signal_now(10, 12), EBUSY);	/* somebody waits there */
	check_eq(signal_now(20, 22), 0);
	check_eq(rl_poll(lk, &b), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &b), 0);
	rl_unlock(lk, &handler.r);
	rl_unlock(lk, &b);
}

/* Another thread, or the one that was interrupted, is inside. */
static void signal_beside_guards(struct rangelock *lk)
{
	struct rl_arbiter *arbiter;

	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(lk, i)); i++)
		rl_guard_lock(&arbiter->guard, NULL);
	check_eq(signal_now(0, 1), EBUSY);
	check_eq(signal_now(0, RL_END), EBUSY);
	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(lk, i)); i++)
		rl_guard_unlock(&arbiter->guard);
	check_eq(signal_now(0, RL_END), 0);
	rl_unlock(lk, &handler.r);
}

StrictPromise(faults, a_trylock_in_a_signal_handler_is_told_at_once)
{
	struct sigaction action = { .sa_handler = try_in_handler }, before;

	fresh();
	memset(&handler, 0, sizeof(handler));
	handler.lk = lk;
	check_eq(sigaction(SIGUSR2, &action, &before), 0);
	signal_beside_holders(lk);
	signal_beside_guards(lk);
	check_eq(sigaction(SIGUSR2, &before, NULL), 0);
}

/* ---- Deadlines at the edges of time ---- */

/* He sleeps, and goes on sleeping: a deadline that is taken for one that has passed
 * ends the wait. */
static void wait_until(struct rangelock *lk, uint64_t deadline_ns)
{
	struct actor waiter;

	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	actor_start(&waiter, lk, RL_WRITE, 5, 15, deadline_ns);
	until(rl_load_relaxed(&waiter.r.state) == RL_PARKED ||
	      actor_is_done(&waiter));
	for (unsigned int i = 0; i < 100; i++)
		sched_yield();
	check(!actor_is_done(&waiter));
	rl_unlock(lk, &a);
	check_eq(actor_join(&waiter), 0);
	rl_unlock(lk, &waiter.r);
}

Promise(faults, a_deadline_at_the_end_of_time_does_not_come)
{
	static const uint64_t ends[] = {
		RL_NO_DEADLINE, RL_NO_DEADLINE - 1, UINT64_C(1) << 63,
		(UINT64_C(1) << 63) - 1, UINT64_C(1) << 62,
	};

	fresh();
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		wait_until(lk, ends[i]);
}

Promise(faults, a_deadline_that_is_past_or_now_gets_what_is_free_and_no_more)
{
	fresh();
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t deadline_ns = i ? i == 1 ? 1 : rl_now(lk) : 0;

		check_eq(rl_write_lock_until(lk, &a, 0, 10, deadline_ns), 0);
		rl_give(lk, &a, RL_NOBODY);
		check_eq(rl_read_lock_until(lk, &b, 9, 11, deadline_ns),
			 ETIMEDOUT);
		check_eq(rl_read_submit(lk, &b, 9, 11, NULL), EINPROGRESS);
		check_eq(rl_wait_until(lk, &b, deadline_ns), ETIMEDOUT);
		check_eq(rl_read_submit(lk, &b, 9, 11, NULL), EINPROGRESS);
		rl_unlock(lk, &a);
		check_eq(rl_wait_until(lk, &b, deadline_ns), 0);
		rl_unlock(lk, &b);
	}
}

/* ---- A callback that locks ---- */

static struct rangelock *lock_of_callback;
static unsigned int nr_called;

static void lock_in_callback(struct rl_range *r)
{
	struct rangelock *lk = lock_of_callback;

	nr_called++;
	check_eq(rl_write_trylock(lk, &c, 9, 11), EBUSY);
	check_eq(rl_write_lock(lk, &c, 9, 11), EDEADLK);
	check_eq(rl_write_lock_until(lk, &c, 20, 30, 0), 0);	/* it is free */
	rl_unlock(lk, &c);
	check_eq(rl_write_submit(lk, &c, 9, 11, NULL), EINPROGRESS);
	rl_unlock(lk, r);
	check_eq(rl_poll(lk, &c), 0);
	rl_unlock(lk, &c);
	check_eq(rl_write_lock(lk, r, 0, RL_END), 0);	/* the same handle */
}

Promise(faults, a_callback_that_locks_gets_what_is_free_and_never_waits_for_itself)
{
	fresh();
	lock_of_callback = lk;
	nr_called = 0;
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 0, 10, lock_in_callback), EINPROGRESS);
	rl_unlock(lk, &a);
	check_eq(nr_called, 1);
	check(rl_is_held(lk, 0, RL_END, RL_WRITE));
	rl_unlock(lk, &b);
}

/* ---- A cancel too many ---- */

struct cancels {
	struct rangelock *lk;
	uint64_t rounds;
	uint32_t turn;			/* atomic */
	int got;
};

static void *cancel_too(void *arg)
{
	struct cancels *two = arg;

	for (uint32_t i = 1; i <= two->rounds; i++) {
		until(rl_load_acquire(&two->turn) == 2 * i - 1);
		two->got = rl_cancel(two->lk, &b);
		rl_store_release(&two->turn, 2 * i);
	}
	return NULL;
}

Promise(faults, of_two_who_cancel_one_request_one_has_done_it)
{
	struct cancels two = { .lk = lk, .rounds = test_rounds(2000) };
	pthread_t thread;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(pthread_create(&thread, NULL, cancel_too, &two), 0);
	for (uint32_t i = 1; i <= two.rounds; i++) {
		int got;

		check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
		rl_store_release(&two.turn, 2 * i - 1);
		got = rl_cancel(lk, &b);
		until(rl_load_acquire(&two.turn) == 2 * i);
		check(got == 0 ? two.got == EINVAL :
				 got == EINVAL && two.got == 0);
		check_eq(rl_poll(lk, &b), ECANCELED);
		check_eq(rl_cancel(lk, &b), EINVAL);
		check_eq(nr_waiting(lk), 0);
	}
	check_eq(pthread_join(thread, NULL), 0);
	rl_unlock(lk, &a);
}

/* ---- A destroy too early ---- */

static void destroy_is_refused(struct rangelock *lk)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_destroy(lk), EBUSY);
	check_eq(rl_write_trylock(lk, &r, 5, 6), EBUSY);	/* untouched */
	check_eq(rl_write_lock(lk, &r, 100, 101), 0);
	rl_unlock(lk, &r);
}

Promise(faults, a_destroy_under_use_is_refused_and_changes_nothing)
{
	struct actor waiter;

	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	destroy_is_refused(lk);			/* in an entry */
	destroy_is_refused(lk);			/* moved to the tree */
	actor_start_waiting(&waiter, lk, RL_WRITE, 0, RL_END);
	check_eq(rl_destroy(lk), EBUSY);
	check_eq(nr_waiting(lk), 1);
	rl_unlock(lk, &a);
	check_eq(actor_join(&waiter), 0);
	check_eq(rl_destroy(lk), EBUSY);
	rl_unlock(lk, &waiter.r);
	check_eq(rl_read_lock_coarse(lk, &a), 0);
	check_eq(rl_destroy(lk), EBUSY);
	rl_unlock(lk, &a);
}

Test(faults, a_destroy_beside_published_readers_is_refused)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct rangelock lk;

	fresh();
	o.flags = RL_READER_BIAS;
	check_eq(rl_init(&lk, &o), 0);
	rl_readers_turn(&lk, 0);
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	destroy_is_refused(&lk);
	rl_unlock(&lk, &a);
	check_eq(rl_destroy(&lk), 0);
}
