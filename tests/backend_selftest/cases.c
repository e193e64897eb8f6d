/*
 * Goal: something for run.sh to run: four tests that pass, and with
 * RL_BROKEN=n one that must not, in the way that n says.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum colour { RED, GREEN };

Test(good, compares_integers_of_all_types)
{
	uint64_t five = 5;
	unsigned char three = 3;
	bool yes = true;

	check_eq(five, 5);
	check_eq(three, 3);
	check_eq(yes, true);
	check_eq(GREEN, 1);
	check_ne(UINT64_MAX, -1);
	check_lt(-1, five);
	check_le(INT64_MIN, 0);
	check_eq((const char *)NULL, NULL);
	check_str_eq("a", "a");
}

Test(good, dies_as_it_says, .signal = SIGABRT)
{
	abort();
}

Test(good, exits_as_it_says, .exit_code = 7)
{
	exit(7);
}

Test(good, takes_a_part_of_the_rounds)
{
	setenv("RL_TEST_PERCENT", "10", 1);
	check_eq(test_rounds(1000), 100);
	check_eq(test_rounds(1), 1);
	setenv("RL_SEED", "42", 1);
	check_eq(test_seed(), 42);
}

/* Both threads fail as nearly at once as can be had. */
static void *fail_a_check(void *nr_there)
{
	atomic_fetch_add((atomic_int *)nr_there, 1);
	while (atomic_load((atomic_int *)nr_there) < 2)
		;
	check(false);
	return NULL;
}

static void *write_without_a_lock(void *shared)
{
	++*(volatile int *)shared;
	return NULL;
}

static void run_two(void *(*function)(void *), void *argument)
{
	pthread_t a, b;

	pthread_create(&a, NULL, function, argument);
	pthread_create(&b, NULL, function, argument);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

#ifndef RL_BROKEN
#define RL_BROKEN 0
#endif

#if RL_BROKEN == 1
Test(broken, check_fails)
{
	check_eq(2 + 2, 5);
}
#elif RL_BROKEN == 2
Test(broken, failed_check_is_no_abort, .signal = SIGABRT)
{
	check_eq(2 + 2, 5);
}
#elif RL_BROKEN == 3
Test(broken, hangs, .timeout = 0.5)
{
	for (;;)
		pause();
}
#elif RL_BROKEN == 4
Test(broken, hangs_in_a_child, .signal = SIGABRT, .timeout = 0.5)
{
	for (;;)
		pause();
}
#elif RL_BROKEN == 5
Test(broken, aborts)
{
	abort();
}
#elif RL_BROKEN == 6
Test(broken, does_not_abort, .signal = SIGABRT)
{
}
#elif RL_BROKEN == 7
Test(broken, check_fails_in_a_thread)
{
	atomic_int nr_there = 0;

	run_two(fail_a_check, &nr_there);
}
#elif RL_BROKEN == 8
Test(broken, races)
{
	int shared = 0;

	run_two(write_without_a_lock, &shared);
}
#elif RL_BROKEN == 9
Test(broken, leaks)
{
	char *volatile lost = malloc(10);

	memset(lost, 0, 10);
	lost = NULL;
}
#elif RL_BROKEN == 10
Test(broken, check_fails_in_a_child_of_the_test)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		check(false);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
}
#else
Test(good, runs_threads)
{
	int shared = 0;
	pthread_t a;

	pthread_create(&a, NULL, write_without_a_lock, &shared);
	pthread_join(a, NULL);
	check_eq(shared, 1);
}
#endif
