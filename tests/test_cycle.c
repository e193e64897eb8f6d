/*
 * Goal: of threads that wait in a circle, over several locks, the youngest waiter
 * is told after deadlock_ns, or the circle is reported; and nobody else ever is.
 */
#include "tests/sleepers.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rangelock/stats.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/cycle.h"
#include "rangelock/engine/entries.h"
#include "tests/backend.h"

#define NR_LOCKS	3

static struct rangelock lk[NR_LOCKS];
static char said[4096];

static void write_down(void *arg, const char *text, size_t length)
{
	check_eq(arg, said);
	strncat(said, text, length);
}

static struct rl_options usual_options(void)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.host = &sleepers_host;
	o.bypass_ns = 0;
	return o;
}

static void begin_with(const struct rl_options *o)
{
	static const char *const names[NR_LOCKS] = { "one", "two", "three" };
	struct rl_options named = *o;

	sleepers_begin();
	said[0] = '\0';
	for (unsigned int i = 0; i < NR_LOCKS; i++) {
		named.name = names[i];
		check_eq(rl_init(&lk[i], &named), 0);
	}
}

static void begin(void)
{
	struct rl_options o = usual_options();

	begin_with(&o);
}

static void end(void)
{
	sleepers_join();
	check_eq(rl_nr_listed(), 0);
	for (unsigned int i = 0; i < NR_LOCKS; i++)
		check_eq(rl_destroy(&lk[i]), 0);
}

static uint64_t nr_told(unsigned int i)
{
	struct rl_stats s;

	check_eq(rl_stats_read(&lk[i], &s), 0);
	check_le(s.nr_deadlocks, s.nr_cycles);
	return s.nr_deadlocks;
}

/* Everybody lists himself, and then everybody searches. */
static void let_them_search(void)
{
	for (unsigned int i = 0; i < 4; i++)
		sleepers_pass(RL_DEADLOCK_NS);
}

/* Each of n has a lock of its own, and wants the next one's. */
static void go_round(unsigned int n, enum rl_mode held, enum rl_mode wanted)
{
	for (unsigned int i = 0; i < n; i++)
		sleeper_has(i, &lk[i], held, 0, 10);
	for (unsigned int i = 0; i < n; i++)
		sleeper_wants(i, &lk[(i + 1) % n], wanted, 5, 15);
}

static void check_circle_of(unsigned int n)
{
	begin();
	go_round(n, RL_WRITE, RL_WRITE);
	sleepers_pass(RL_DEADLOCK_NS - 100);
	for (unsigned int i = 0; i < n; i++)
		check(!sleeper_is_through(i));
	check_eq(rl_nr_listed(), 0);
	sleepers_pass(100);
	sleepers_pass(RL_DEADLOCK_NS);
	check_eq(sleeper_result(n - 1), EDEADLK);
	for (unsigned int i = 0; i + 1 < n; i++)
		check_eq(sleeper_result(i), 0);
	for (unsigned int i = 0; i < n; i++)
		check_eq(nr_told(i), i == 0);	/* where the last one waited */
	end();
}

Test(cycle, two_threads_and_two_locks)
{
	check_circle_of(2);
}

Test(cycle, three_threads_and_three_locks)
{
	check_circle_of(3);
}

Test(cycle, two_threads_and_one_lock)
{
	begin();
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10);
	sleeper_has(1, &lk[0], RL_WRITE, 10, 20);
	sleeper_wants(0, &lk[0], RL_READ, 15, 16);
	sleeper_wants(1, &lk[0], RL_READ, 5, 6);
	let_them_search();
	check_eq(sleeper_result(1), EDEADLK);
	check_eq(sleeper_result(0), 0);
	end();
}

Test(cycle, through_shards_and_over_all_of_them)
{
	struct rl_options o = usual_options();

	o.chunk_size = 4;
	o.nr_shards = 2;
	begin_with(&o);
	sleeper_has(0, &lk[0], RL_WRITE, 0, 2);		/* narrow */
	sleeper_has(1, &lk[1], RL_READ, 0, 100);	/* wide */
	sleeper_has(2, &lk[2], RL_WRITE, 5, 6);
	sleeper_wants(0, &lk[1], RL_WRITE, 9, 10);
	sleeper_wants(1, &lk[2], RL_READ, 5, 6);
	sleeper_wants(2, &lk[0], RL_WRITE, 1, 2);
	let_them_search();
	check_eq(sleeper_result(2), EDEADLK);
	check_eq(sleeper_result(1), 0);
	check_eq(sleeper_result(0), 0);
	end();
}

/* 0 reads what 2 waits to write, and 1 waits behind 2 to read beside it. */
Test(cycle, through_readers_several_ranges_and_who_waits_himself)
{
	begin();
	sleeper_has(0, &lk[0], RL_READ, 0, 10);
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_has(2, NULL, RL_READ, 0, 0);
	sleeper_wants(2, &lk[0], RL_WRITE, 5, 15);
	sleeper_wants_too(1, RL_READ, 40, 50);
	sleeper_wants(1, &lk[0], RL_READ, 12, 14);
	sleeper_wants(0, &lk[1], RL_READ, 9, 20);
	let_them_search();
	check_eq(sleeper_result(0), EDEADLK);
	check_eq(sleeper_result(1), 0);
	check_eq(sleeper_result(2), 0);
	end();
}

Test(cycle, readers_that_share_wait_for_nobody)
{
	begin();
	go_round(3, RL_READ, RL_READ);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(sleeper_result(i), 0);
	end();
}

Test(cycle, nobody_in_a_chain_is_told)
{
	begin();
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10);	/* and never goes */
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_has(2, &lk[2], RL_WRITE, 0, 10);
	sleeper_has(3, NULL, RL_READ, 0, 0);
	sleeper_wants(2, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	sleeper_wants(3, &lk[2], RL_READ, 0, 10);
	for (unsigned int i = 0; i < 20; i++)
		sleepers_pass(RL_DEADLOCK_NS << i / 2);
	check_eq(rl_nr_listed(), 3);
	sleeper_has(4, NULL, RL_READ, 0, 0);
	for (unsigned int i = 0; i < NR_LOCKS; i++)
		check_eq(nr_told(i), 0);
	for (unsigned int i = 1; i <= 3; i++)
		check(!sleeper_is_through(i));
	sleeper_wants(0, &lk[0], RL_WRITE, 20, 30);
	sleepers_settle();
	for (unsigned int i = 0; i <= 3; i++)
		check_eq(sleeper_result(i), 0);
	end();
}

/* The older one lists itself last, and so is the first who could see it. */
Test(cycle, the_youngest_is_told_whoever_looks_last)
{
	struct rl_options o = usual_options();

	begin();
	check_eq(rl_destroy(&lk[1]), 0);
	o.deadlock_ns = 5 * RL_DEADLOCK_NS;
	check_eq(rl_init(&lk[1], &o), 0);
	go_round(2, RL_WRITE, RL_WRITE);	/* 0 waits in lk[1] */
	sleepers_pass(5 * RL_DEADLOCK_NS - 100);
	check_eq(rl_nr_listed(), 1);
	sleepers_pass(100);
	check_eq(rl_nr_listed(), 2);
	check(!sleeper_is_through(0));
	check(!sleeper_is_through(1));
	sleepers_pass(5 * RL_DEADLOCK_NS);
	check_eq(sleeper_result(1), EDEADLK);
	check_eq(sleeper_result(0), 0);
	check_eq(nr_told(1), 0);
	end();
}

Test(cycle, a_lock_without_a_time_takes_no_part)
{
	struct rl_options o = usual_options();

	begin();
	check_eq(rl_destroy(&lk[1]), 0);
	o.deadlock_ns = 0;
	check_eq(rl_init(&lk[1], &o), 0);
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10)->until_ns = 3000 * MS;
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	sleepers_pass(1000 * MS);
	sleepers_pass(900 * MS);
	check_eq(rl_nr_listed(), 1);
	sleepers_pass(200 * MS);
	check_eq(sleeper_result(0), ETIMEDOUT);
	check_eq(sleeper_result(1), 0);
	end();
}

Test(cycle, a_circle_can_be_reported_once_and_goes_on)
{
	struct rl_options o = usual_options();
	struct rl_stats stats;

	o.deadlock_report = write_down;
	o.deadlock_arg = said;
	begin_with(&o);
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10)->until_ns = 5000 * MS;
	sleeper_has(1, &lk[1], RL_READ, 0, 10);
	sleeper_wants(0, &lk[1], RL_WRITE, 9, 11);
	sleeper_wants(1, &lk[0], RL_READ, 3, 4);
	for (unsigned int i = 0; i < 10; i++)
		sleepers_pass(10 * RL_DEADLOCK_NS);
	check(!sleeper_is_through(0));
	check(!sleeper_is_through(1));
	check_msg(!strncmp(said, "deadlock of 2, the youngest first\nowner ", 40),
		  "said: %s", said);
	check_msg(strstr(said, "waits read [0x3, 0x4) of one behind owner ") <
			  strstr(said, "waits write [0x9, 0xb) of two behind"),
		  "said: %s", said);
	check_eq(strstr(said + 1, "deadlock of"), NULL);	/* once */
	sleepers_pass(4000 * MS);
	check_eq(sleeper_result(0), ETIMEDOUT);
	check_eq(sleeper_result(1), 0);
	check_eq(rl_stats_read(&lk[0], &stats), 0);
	check_eq(stats.nr_cycles, 1);
	check_eq(stats.nr_deadlocks, 0);
	end();
}

Test(cycle, a_deadline_that_comes_first_ends_it)
{
	begin();
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10)->until_ns = 1005 * MS;
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	sleepers_pass(6 * MS);
	check_eq(sleeper_result(0), ETIMEDOUT);
	check_eq(sleeper_result(1), 0);
	sleepers_pass(RL_DEADLOCK_NS);
	check_eq(nr_told(0) + nr_told(1), 0);
	end();
}

Test(cycle, a_cancel_ends_it)
{
	struct sleeper *first;

	begin();
	first = sleeper_has(0, &lk[0], RL_WRITE, 0, 10);
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	check_eq(rl_cancel(&lk[1], first->wants), 0);
	sleepers_settle();
	check_eq(sleeper_result(0), ECANCELED);
	check_eq(sleeper_result(1), 0);
	end();
}

/* 1 waits behind what 0 has queued; then it is 0's, who sleeps for 1. */
static struct rl_range queued, outer;

static void granted(struct rl_range *r)
{
	check_eq(r, &queued);
}

static void close_the_circle_late(rl_granted_fn *fn)
{
	struct sleeper *first;

	begin();
	queued = outer = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_write_lock(&lk[0], &outer, 0, 10), 0);
	check_eq(rl_write_submit(&lk[0], &queued, 0, 10, fn), EINPROGRESS);
	rl_give(&lk[0], &outer, RL_NOBODY);
	first = sleeper_has(0, NULL, RL_READ, 0, 0);
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	sleepers_pass(RL_DEADLOCK_NS);
	check_eq(rl_nr_listed(), 2);
	check(!sleeper_is_through(0));
	rl_unlock(&lk[0], &outer);
	rl_give(&lk[0], &queued, first->wants->owner);	/* as if it had queued it */
}

Test(cycle, one_that_closes_while_all_sleep_is_found_later)
{
	close_the_circle_late(NULL);
	for (unsigned int i = 0; i < 4; i++)
		sleepers_pass(RL_DEADLOCK_NS);
	check_eq(sleeper_result(1), EDEADLK);
	check_eq(sleeper_result(0), 0);
	rl_unlock(&lk[0], &queued);
	end();
}

Test(cycle, who_has_a_callback_need_not_unlock)
{
	close_the_circle_late(granted);
	for (unsigned int i = 0; i < 8; i++)
		sleepers_pass(RL_DEADLOCK_NS << i);
	check(!sleeper_is_through(0));
	check(!sleeper_is_through(1));
	rl_unlock(&lk[0], &queued);
	sleepers_settle();
	check_eq(sleeper_result(1), 0);
	check_eq(sleeper_result(0), 0);
	end();
}

/* 1 waits for 4, and behind 3, whom it may pass; 3 waits for 2, and he for 1. */
Test(cycle, who_may_be_passed_is_in_nobody_s_way)
{
	struct rl_options o = usual_options();

	o.bypass_ns = UINT64_C(1) << 62;
	begin_with(&o);
	sleeper_has(1, &lk[1], RL_WRITE, 0, 10);
	sleeper_has(2, &lk[0], RL_WRITE, 0, 5);
	sleeper_has(3, NULL, RL_READ, 0, 0);
	sleeper_has(4, &lk[0], RL_WRITE, 9, 12);
	sleeper_wants(3, &lk[0], RL_WRITE, 0, 9);
	sleeper_wants(1, &lk[0], RL_WRITE, 8, 10);
	sleeper_wants(2, &lk[1], RL_WRITE, 0, 10);
	for (unsigned int i = 0; i < 8; i++)
		sleepers_pass(RL_DEADLOCK_NS << i);
	for (unsigned int i = 1; i <= 3; i++)
		check(!sleeper_is_through(i));
	sleeper_wants(4, &lk[2], RL_READ, 0, 1);	/* and is through */
	sleepers_settle();
	for (unsigned int i = 1; i <= 4; i++)
		check_eq(sleeper_result(i), 0);
	end();
}

Test(cycle, passers_in_entries_do_not_hide_one)
{
	struct rl_options o = usual_options();
	struct rl_range passer = RL_RANGE_INIT, stays[2] = { passer, passer };

	o.bypass_ns = 64 * RL_DEADLOCK_NS;
	begin_with(&o);
	rl_entry_settle(&lk[0], &sleeper_has(0, &lk[0], RL_WRITE, 0, 10)->has);
	rl_entry_settle(&lk[1], &sleeper_has(1, &lk[1], RL_WRITE, 0, 10)->has);
	for (unsigned int i = 0; i < 2; i++) {
		sleeper_wants(i, &lk[!i], RL_WRITE, 5, 40);
		for (unsigned int n = 0; n < 2 * RL_CALM_PAIRS; n++) {
			check_eq(rl_write_lock(&lk[!i], &passer, 20, 30), 0);
			rl_unlock(&lk[!i], &passer);
		}
		check_eq(rl_is_open(&lk[!i].central), rl_barrier_is_usable());
		check_eq(rl_write_lock(&lk[!i], &stays[i], 20, 30), 0);
	}
	let_them_search();
	check_eq(sleeper_result(1), EDEADLK);
	rl_unlock(&lk[1], &stays[0]);
	rl_unlock(&lk[0], &stays[1]);
	sleepers_settle();
	check_eq(sleeper_result(0), 0);
	end();
}

/* The search has seen 2 wait for 0; this is done while it looks at 0. */
static struct sleeper *last;
static void (*meanwhile)(void);

static void do_it_now(void)
{
	sleeper_on_clock(2, meanwhile);
}

static void do_it_soon(void)
{
	sleeper_on_clock(2, do_it_now);
}

static void search_and_meanwhile(void (*what)(void))
{
	begin();
	meanwhile = what;
	sleeper_has(0, &lk[1], RL_WRITE, 0, 10);
	sleeper_has(1, NULL, RL_READ, 0, 0);
	last = sleeper_has(2, &lk[0], RL_READ, 0, 10);
	sleeper_wants(1, &lk[0], RL_WRITE, 5, 15);
	sleeper_wants(0, &lk[0], RL_READ, 12, 14);
	sleepers_pass(RL_DEADLOCK_NS);
	check_eq(rl_nr_listed(), 2);
	sleepers_pass(RL_DEADLOCK_NS / 2);
	sleeper_wants(2, &lk[1], RL_WRITE, 0, 10);
	sleepers_pass(RL_DEADLOCK_NS / 2);
	/* It is due, it plans, and sees how long 1 has waited, before 0. */
	sleeper_on_clock(2, do_it_soon);
	sleepers_pass(RL_DEADLOCK_NS / 2);
}

static void cancel_last(void)
{
	check_eq(rl_cancel(&lk[1], last->wants), 0);
}

Test(cycle, what_has_changed_since_it_was_found_does_not_count)
{
	search_and_meanwhile(cancel_last);
	check_eq(sleeper_result(2), ECANCELED);
	check_eq(sleeper_result(1), 0);
	check_eq(sleeper_result(0), 0);
	check_eq(nr_told(1), 0);
	end();
}

static void take_guard(void)
{
	rl_guard_lock(&lk[1].central.guard, NULL);
}

Test(cycle, who_cannot_have_a_guard_searches_later)
{
	search_and_meanwhile(take_guard);
	check(!sleeper_is_through(2));
	rl_guard_unlock(&lk[1].central.guard);
	let_them_search();
	check_eq(sleeper_result(2), EDEADLK);
	check_eq(sleeper_result(1), 0);
	check_eq(sleeper_result(0), 0);
	end();
}

/* Nobody is found behind so many. */
#define NR_CROWD	20000u

Test(cycle, a_search_ends)
{
	static struct rl_range crowd[NR_CROWD];

	begin();
	for (unsigned int i = 0; i < NR_CROWD; i++) {
		rl_range_init(&crowd[i]);
		check_eq(rl_read_lock(&lk[0], &crowd[i], i, i + 1), 0);
	}
	sleeper_has(0, NULL, RL_READ, 0, 0);
	sleeper_wants(0, &lk[0], RL_WRITE, 0, NR_CROWD);
	let_them_search();
	check_eq(rl_nr_listed(), 1);
	check(!sleeper_is_through(0));
	for (unsigned int i = 0; i < NR_CROWD; i++)
		rl_unlock(&lk[0], &crowd[i]);
	sleepers_settle();
	check_eq(sleeper_result(0), 0);
	end();
}

/* A host that gives a name, and one that leaves it to the thread. */
static uint64_t name_of(void *ctx)
{
	(void)ctx;
	return 7;
}

static void give_to_the_waiter(const struct rl_host *host, bool is_told)
{
	struct rl_options o = usual_options();
	struct rl_range mine = RL_RANGE_INIT;

	begin();
	check_eq(rl_destroy(&lk[1]), 0);
	o.host = host;
	check_eq(rl_init(&lk[1], &o), 0);
	check_eq(rl_write_lock(&lk[1], &mine, 0, 10), 0);
	rl_give(&lk[1], &mine, RL_NOBODY);
	sleeper_has(0, NULL, RL_READ, 0, 0);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	rl_give(&lk[1], &mine, 7);
	let_them_search();
	check_eq(sleeper_is_through(0), is_told);
	rl_unlock(&lk[1], &mine);
	sleepers_settle();
	check_eq(sleeper_result(0), is_told ? EDEADLK : 0);
	end();
}

Test(cycle, owners_are_known_by_the_names_of_their_host)
{
	struct rl_host named = sleepers_host;

	named.self = name_of;
	give_to_the_waiter(&named, true);
	give_to_the_waiter(&sleepers_host, false);
}

/* What was submitted stays queued. */
static struct rl_range submitted;

static void *wait_for_submitted(void *arg)
{
	(void)arg;
	check_eq(rl_wait(&lk[1], &submitted), EDEADLK);
	check_eq(rl_poll(&lk[1], &submitted), EINPROGRESS);
	check_eq(rl_cancel(&lk[1], &submitted), 0);
	check_eq(rl_poll(&lk[1], &submitted), ECANCELED);
	return NULL;
}

Test(cycle, a_submitted_request_is_not_withdrawn)
{
	struct rl_options o = RL_OPTIONS_INIT;	/* of real time */
	struct rl_range mine = RL_RANGE_INIT, his = RL_RANGE_INIT;
	pthread_t thread;

	submitted = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_init(&lk[1], &o), 0);
	check_eq(rl_write_lock(&lk[1], &mine, 0, 10), 0);
	check_eq(rl_write_submit(&lk[1], &submitted, 0, 10, NULL), EINPROGRESS);
	check_eq(pthread_create(&thread, NULL, wait_for_submitted, NULL), 0);
	/* Given to who waits for it: a circle of one. */
	while (rl_nr_listed() == 0)
		sched_yield();
	rl_give(&lk[1], &mine, submitted.owner);
	check_eq(pthread_join(thread, NULL), 0);
	rl_unlock(&lk[1], &mine);
	check_eq(rl_write_trylock(&lk[1], &his, 0, 10), 0);
	rl_unlock(&lk[1], &his);
	check_eq(rl_destroy(&lk[1]), 0);
}

Test(cycle, the_child_of_a_fork_has_an_empty_list)
{
	pid_t child;
	int status;

	begin();
	sleeper_has(0, &lk[0], RL_WRITE, 0, 10);
	sleeper_has(1, NULL, RL_READ, 0, 0);
	sleeper_wants(1, &lk[0], RL_WRITE, 0, 10);
	sleepers_pass(RL_DEADLOCK_NS);
	check_eq(rl_nr_listed(), 1);
	fflush(NULL);
	child = fork();
	if (!child)
		_exit((int)rl_nr_listed());
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	sleeper_wants(0, &lk[1], RL_WRITE, 0, 10);
	sleepers_settle();
	end();
}
