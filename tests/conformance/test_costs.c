/*
 * Goal: who need not wait makes no system call: a child that may make none but
 * read, write and exit goes through every call that need not wait.
 */
#include "tests/conformance/engines.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The run-time parts of sanitizers and valgrind make calls of their own; there
 * the child goes unguarded.  An emulator has no seccomp: RL_TEST_EMULATED says so. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(RL_HELGRIND)
#define GUARDED	false
#elif defined(__has_feature)
#define GUARDED	(!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define GUARDED	true
#endif

static int use_all(struct rangelock *lk)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	int bad = 0;

	bad |= rl_write_lock(lk, &a, 0, 10);
	bad |= rl_read_lock(lk, &b, 10, 20);
	bad |= rl_tryextend(lk, &b, 10, 30);
	bad |= rl_narrow(lk, &b, 12, 14);
	bad |= rl_read_tryupgrade(lk, &b);
	rl_write_downgrade(lk, &a);
	bad |= rl_read_trylock(lk, many, 0, 10);
	bad |= rl_write_trylock_coarse(lk, &many[1]) != EBUSY;
	rl_unlock(lk, many);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	bad |= rl_lock_many(lk, many, 2, spans);
	rl_unlock_many(lk, many, 2);
	bad |= rl_write_submit_coarse(lk, &a, NULL);
	bad |= rl_wait(lk, &a);
	rl_unlock(lk, &a);
	return bad;
}

Promise(costs, who_need_not_wait_makes_no_system_call)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		if (!GUARDED || getenv("RL_TEST_EMULATED"))
			_exit(use_all(lk));
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
			_exit(2);
		syscall(SYS_exit, use_all(lk));
	}
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
}
