/*
 * Goal: the heavy barrier is there exactly where the kernel has it, returns in
 * every thread and in a child, and of a light and a heavy one at least one side
 * sees the other's store.
 */
#include "tests/backend.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangelock/base/barrier.h"

Test(barrier, it_is_usable_where_the_kernel_has_it)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	check_eq(rl_barrier_is_usable(),
		 commands > 0 &&
		 commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

Test(barrier, it_returns_and_leaves_errno_alone)
{
	if (!rl_barrier_is_usable())
		return;
	errno = EXDEV;
	for (unsigned int i = 0; i < 10; i++)
		rl_barrier_heavy();
	check_eq(errno, EXDEV);
}

static void *execute(void *arg)
{
	rl_barrier_heavy();
	return arg;
}

static void execute_in_child(void)
{
	pthread_t thread;
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		rl_barrier_heavy();
		check_eq(pthread_create(&thread, NULL, execute, NULL), 0);
		check_eq(pthread_join(thread, NULL), 0);
		rl_barrier_heavy();
		_exit(0);
	}
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
}

Test(barrier, it_returns_in_a_child_of_fork_too)
{
	if (rl_barrier_is_usable())
		execute_in_child();
}

/*
 * The promise itself.  The light side stores ever higher numbers, and keeps for
 * each what it then saw of the heavy side's.  When the heavy side stores one and
 * behind its barrier sees n, then n + 1 was stored too late for it, and who
 * stored that must have seen the heavy side's.
 */
#define KEPT	65536u

/* Each word on a line of its own. */
static struct {
	uint64_t word;
} __attribute__((aligned(128))) light_side, heavy_side;

static uint64_t kept[KEPT];		/* the number << 32 | what was seen */
static uint32_t is_over;

/* Relaxed, all of them: the barriers alone are to order them. */
static void *be_light(void *arg)
{
	for (uint64_t n = 1; !rl_load_relaxed(&is_over); n++) {
		uint64_t saw;

		rl_store_relaxed64(&light_side.word, n);
		rl_barrier_light();
		saw = rl_load_relaxed64(&heavy_side.word);
		rl_store_relaxed64(&kept[n % KEPT], n << 32 | saw);
	}
	return arg;
}

static bool has_come_to(uint64_t n)
{
	for (unsigned int i = 0; i < 1000; i++)
		if (rl_load_relaxed64(&light_side.word) >= n)
			return true;
	return false;
}

static void be_heavy(uint64_t round)
{
	uint64_t n, what;

	rl_store_relaxed64(&heavy_side.word, round);
	rl_barrier_heavy();
	n = rl_load_relaxed64(&light_side.word) + 1;
	if (!has_come_to(n + 1)) {
		sched_yield();
		return;
	}
	what = rl_load_relaxed64(&kept[n % KEPT]);
	if (what >> 32 == (uint32_t)n)		/* still kept */
		check_le(round, (uint32_t)what);
}

Test(barrier, of_a_light_and_a_heavy_side_one_sees_the_other_s_store)
{
	uint64_t rounds = test_rounds(20000);
	pthread_t thread;

	if (!rl_barrier_is_usable())
		return;
	check_eq(pthread_create(&thread, NULL, be_light, NULL), 0);
	for (uint64_t i = 1; i <= rounds; i++)
		be_heavy(i);
	rl_store_relaxed(&is_over, 1);
	check_eq(pthread_join(thread, NULL), 0);
}
