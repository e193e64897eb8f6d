/*
 * Goal: a child has the lock without the threads it does not have: what it held
 * itself, or nothing when the fork caught somebody inside.
 */
#include "tests/conformance/engines.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/request.h"

static struct rl_range a, b;

static void fresh(void)
{
	a = b = (struct rl_range)RL_RANGE_INIT;
}

/* A check that fails in the child ends it with a status that is not 0. */
static void check_child(pid_t child)
{
	int status;

	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
}

StrictPromise(forking, the_child_keeps_what_the_calling_thread_holds)
{
	struct actor holder, waiter;
	pid_t child;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	actor_start(&holder, lk, RL_WRITE, 20, 30, RL_NO_DEADLINE);
	check_eq(actor_join(&holder), 0);
	rl_give(lk, &holder.r, RL_NOBODY);	/* its thread's name is free */
	actor_start_waiting(&waiter, lk, RL_WRITE, 5, 25);
	rl_fork_prepare(lk);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(lk), 0);
		check_eq(nr_held(lk), 1);
		check_eq(nr_waiting(lk), 0);
		check_eq(rl_read_trylock(lk, &b, 9, 10), EBUSY);
		check_eq(rl_write_lock(lk, &b, 20, 30), 0);
		rl_unlock(lk, &a);
		rl_unlock(lk, &b);
		check_eq(rl_destroy(lk), 0);
		_exit(0);
	}
	rl_fork_parent(lk);
	check_child(child);
	check_eq(nr_held(lk), 2);
	rl_unlock(lk, &a);
	rl_unlock(lk, &holder.r);
	check_eq(actor_join(&waiter), 0);
	rl_unlock(lk, &waiter.r);
}

static unsigned int nr_called;

static void count_call(struct rl_range *r)
{
	(void)r;
	nr_called++;
}

/* Whoever owns it: another thread has said IDLE, and not yet freed its entry. */
StrictPromise(forking, what_another_thread_is_unlocking_in_an_entry_is_not_held)
{
	uint32_t state;
	pid_t child;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	rl_fork_prepare(lk);
	state = rl_load_relaxed(&a.state);
	rl_store_relaxed(&a.state, RL_IDLE);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(lk), 0);
		check_eq(nr_held(lk), 0);
		check_eq(rl_write_trylock(lk, &b, 0, 10), 0);
		rl_unlock(lk, &b);
		check_eq(rl_destroy(lk), 0);
		_exit(0);
	}
	rl_store_relaxed(&a.state, state);
	rl_fork_parent(lk);
	check_child(child);
	rl_unlock(lk, &a);
}

/* Of two requests of threads that are gone, the first one's end grants the second. */
StrictPromise(forking, no_callback_of_another_thread_runs_in_the_child)
{
	struct rl_range first = RL_RANGE_INIT, second = RL_RANGE_INIT;
	pid_t child;

	fresh();
	nr_called = 0;
	check_eq(rl_write_lock(lk, &a, 0, 4), 0);
	check_eq(rl_write_submit(lk, &first, 2, 8, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &second, 6, 10, count_call), EINPROGRESS);
	first.owner = second.owner = rl_self(lk) + 1;
	rl_fork_prepare(lk);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(lk), 0);
		check_eq(nr_called, 0);
		check_eq(nr_held(lk), 1);
		rl_unlock(lk, &a);
		check_eq(rl_destroy(lk), 0);
		_exit(0);
	}
	rl_fork_parent(lk);
	check_child(child);
	check_eq(rl_cancel(lk, &second), 0);
	check_eq(rl_cancel(lk, &first), 0);
	rl_unlock(lk, &a);
}

StrictPromise(forking, what_the_child_has_queued_is_granted_when_it_can_be)
{
	struct rl_range plain = RL_RANGE_INIT, called = RL_RANGE_INIT;
	pid_t child;

	fresh();
	nr_called = 0;
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(lk, &b, 10, 20), 0);
	rl_give(lk, &a, RL_NOBODY);
	check_eq(rl_write_submit(lk, &plain, 0, 5, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &called, 5, 6, count_call), EINPROGRESS);
	rl_fork_prepare(lk);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(lk), 0);
		check_eq(rl_poll(lk, &plain), 0);
		check_eq(nr_called, 1);
		check_eq(nr_held(lk), 3);
		rl_unlock(lk, &plain);
		rl_unlock(lk, &called);
		rl_unlock(lk, &b);
		check_eq(rl_destroy(lk), 0);
		_exit(0);
	}
	rl_fork_parent(lk);
	check_child(child);
	check_eq(nr_called, 0);
	rl_unlock(lk, &a);
	check_eq(rl_poll(lk, &plain), 0);
	check_eq(nr_called, 1);
	rl_unlock(lk, &plain);
	rl_unlock(lk, &called);
	rl_unlock(lk, &b);
}

/* A thread that holds [5, 15) and waits for that: before it in the tree, or after. */
struct waiter {
	struct rangelock *lk;
	struct rl_range held, asked;
	uint64_t start, end;
};

static void *hold_and_submit(void *arg)
{
	struct waiter *w = arg;

	check_eq(rl_write_lock(w->lk, &w->held, 5, 15), 0);
	check_eq(rl_write_submit(w->lk, &w->asked, w->start, w->end,
				 count_call), EINPROGRESS);
	return NULL;
}

static void fork_beside(struct waiter *w)
{
	pthread_t thread;
	pid_t child;

	nr_called = 0;
	check_eq(pthread_create(&thread, NULL, hold_and_submit, w), 0);
	check_eq(pthread_join(thread, NULL), 0);
	rl_fork_prepare(w->lk);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(w->lk), 0);
		check_eq(nr_called, 0);
		check_eq(nr_held(w->lk), 0);
		check_eq(nr_waiting(w->lk), 0);
		check_eq(rl_destroy(w->lk), 0);
		_exit(0);
	}
	rl_fork_parent(w->lk);
	check_child(child);
	rl_unlock(w->lk, &w->held);
	check_eq(nr_called, 1);
	rl_unlock(w->lk, &w->asked);
}

Promise(forking, callbacks_of_other_threads_do_not_run_in_the_child)
{
	fork_beside(&(struct waiter){ .lk = lk, .start = 0, .end = 20 });
	fork_beside(&(struct waiter){ .lk = lk, .start = 9, .end = 10 });
}

/* Who spins on a guard says so. */
static uint32_t is_at_guard;

static void say_at_guard(void *ctx)
{
	(void)ctx;
	/* Relaxed: it is all there is to say. */
	rl_store_relaxed(&is_at_guard, 1);
	sched_yield();
}

static void *lock_a(void *lk)
{
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	/* In an entry: without a host an earlier use would have left it. */
	if (rl_state_is_inline(rl_load_relaxed(&a.state)))
		a.granted = count_call;
	return NULL;
}

static void *unlock_a(void *lk)
{
	rl_unlock(lk, &a);
	return NULL;
}

static void use_without_a(struct rangelock *lk)
{
	check_eq(rl_fork_child(lk), 0);
	check_eq(nr_called, 0);
	check_eq(rl_poll(lk, &b), 0);
	check_eq(nr_held(lk), 1);
	rl_unlock(lk, &b);
	check_eq(nr_held(lk), 0);
}

/* While another thread, which has said already that a is free, comes to the guard
 * to take it out of the tree. */
static void fork_in_unlock(struct rangelock *lk)
{
	pthread_t thread;
	pid_t child;

	check_eq(rl_write_submit(lk, &b, 0, 10, NULL), EINPROGRESS);
	rl_fork_prepare(lk);
	rl_store_relaxed(&is_at_guard, 0);
	check_eq(pthread_create(&thread, NULL, unlock_a, lk), 0);
	until(rl_load_relaxed(&is_at_guard));
	fflush(NULL);
	child = fork();
	if (child == 0) {
		use_without_a(lk);
		_exit(0);
	}
	rl_fork_parent(lk);
	check_child(child);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(nr_called, 0);
	check_eq(rl_poll(lk, &b), 0);
	rl_unlock(lk, &b);
}

static void fork_in_unlocks(struct rangelock *lk)
{
	pthread_t thread;

	fresh();
	nr_called = 0;
	check_eq(pthread_create(&thread, NULL, lock_a, lk), 0);
	check_eq(pthread_join(thread, NULL), 0);
	fork_in_unlock(lk);
	lock_a(lk);			/* ours now, which anybody may unlock */
	fork_in_unlock(lk);
}

Test(forking, what_another_thread_is_unlocking_is_not_there_in_the_child)
{
	static const struct rl_host host = { .relax = say_at_guard };
	struct rl_options options = strict_options;

	options.host = &host;
	on_each_engine(&options, fork_in_unlocks);
}

Promise(forking, the_child_keeps_several_ranges_too)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	pid_t child;

	fresh();
	check_eq(rl_lock_many(lk, many, 2, spans), 0);
	fflush(NULL);
	child = fork();			/* nobody can be inside */
	if (child == 0) {
		check_eq(rl_fork_child(lk), 0);
		check_eq(rl_read_trylock(lk, &b, 2, 3), EBUSY);
		check_eq(rl_write_trylock(lk, &b, 8, 9), EBUSY);
		rl_unlock_many(lk, many, 2);
		check_eq(rl_write_trylock(lk, &b, 0, 9), 0);
		_exit(0);
	}
	check_child(child);
	rl_unlock_many(lk, many, 2);
}

Promise(forking, a_fork_that_caught_somebody_inside_leaves_an_empty_lock)
{
	pid_t child;

	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	rl_guard_lock(&lk->central.guard, lk->host);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		check_eq(rl_fork_child(lk), EOWNERDEAD);
		memset(&a, 0, sizeof(a));
		check_eq(nr_held(lk), 0);
		check_eq(rl_write_lock(lk, &a, 0, 10), 0);
		rl_unlock(lk, &a);
		_exit(0);
	}
	rl_guard_unlock(&lk->central.guard);
	check_child(child);
	rl_unlock(lk, &a);
}

/* In the child helgrind still holds the threads of the parent, which are not
 * there, against a child that empties what they were writing. */
#ifdef RL_HELGRIND
#define ALWAYS_PREPARE	true
#else
#define ALWAYS_PREPARE	false
#endif

/* Forks while two threads lock and unlock: whatever it caught, the child can
 * use the lock. */
struct busy {
	struct rangelock *lk;
	uint32_t stop;
};

static void *keep_busy(void *arg)
{
	struct busy *busy = arg;
	struct rl_range r = RL_RANGE_INIT;

	while (!rl_load_relaxed(&busy->stop)) {
		check_eq(rl_write_lock(busy->lk, &r, 0, 10), 0);
		rl_unlock(busy->lk, &r);
		sched_yield();	/* valgrind switches only here, or under the guard */
	}
	return NULL;
}

static void use_in_child(struct rangelock *lk)
{
	int error = rl_fork_child(lk);
	struct rl_range r = RL_RANGE_INIT;

	if (error && error != EOWNERDEAD)
		_exit(2);
	if (rl_write_lock(lk, &r, 0, 10))
		_exit(3);
	rl_unlock(lk, &r);
	_exit(0);
}

Promise(forking, a_child_of_a_busy_program_can_use_the_lock)
{
	struct busy busy = { .lk = lk };
	uint64_t rounds = test_rounds(40);
	pthread_t threads[2];

	for (unsigned int i = 0; i < 2; i++)
		check_eq(pthread_create(&threads[i], NULL, keep_busy, &busy), 0);
	for (uint64_t i = 0; i < rounds; i++) {
		bool prepares = ALWAYS_PREPARE || i & 1;
		pid_t child;

		if (prepares)
			rl_fork_prepare(lk);
		child = fork();
		if (child == 0)
			use_in_child(lk);
		if (prepares)
			rl_fork_parent(lk);
		check_child(child);
	}
	rl_store_relaxed(&busy.stop, 1);
	for (unsigned int i = 0; i < 2; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
}
