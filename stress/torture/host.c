/*
 * host.c - doors that dawdle
 *
 * A host table whose park, wake and relax yield, pause and return at random:
 * waits begin late, end early and for no reason, wakes come late and too often.
 * Each is legal; a lock that relies on their speed shows.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stress/torture/torture.h"

#define NS_PER_S	UINT64_C(1000000000)
#define LATE_NS		100000		/* an early end of a park */
#define SPRINT_RARER	16u		/* so much seldomer the doors dawdle */

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

static void nap(long ns)
{
	struct timespec t = { .tv_nsec = ns };
	int saved = errno;

	nanosleep(&t, NULL);
	errno = saved;
}

void tt_dwell(struct tt_worker *me)
{
	uint32_t dice = tt_below(me, 128);

	if (dice < 80)
		return;
	if (dice < 106) {
		for (uint32_t n = tt_below(me, 200); n; n--)
			pause_cpu();
	} else if (dice < 127) {
		sched_yield();
	} else {
		nap(tt_below(me, 50000));
	}
}

void tt_wait_step(uint32_t *nr_steps)
{
	if (++*nr_steps < 20)
		sched_yield();
	else
		nap(20000);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void futex_wait(const uint32_t *word, uint32_t expected,
		       uint64_t deadline_ns)
{
	struct timespec until, *timeout = NULL;
	int saved = errno;

	if (deadline_ns != RL_NO_DEADLINE) {
		until.tv_sec = (time_t)(deadline_ns / NS_PER_S);
		until.tv_nsec = (long)(deadline_ns % NS_PER_S);
		timeout = &until;
	}
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, timeout,
		NULL, FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

static void perturb(uint32_t one_in)
{
	if (tt_me && tt_me->round->scene->is_sprint)
		one_in *= SPRINT_RARER;
	if (tt_me && !tt_below(tt_me, one_in))
		tt_dwell(tt_me);
}

static void park(void *ctx, const uint32_t *word, uint32_t expected,
		 uint64_t deadline_ns)
{
	(void)ctx;
	perturb(2);
	if (tt_me && !tt_below(tt_me, 16))
		return;				/* for no reason */
	if (tt_me && !tt_below(tt_me, 16) &&
	    deadline_ns > clock_ns() + LATE_NS)
		deadline_ns = clock_ns() + LATE_NS;
	futex_wait(word, expected, deadline_ns);
	perturb(2);
}

static void wake(void *ctx, const uint32_t *word)
{
	int saved = errno;

	(void)ctx;
	perturb(2);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	if (tt_me && !tt_below(tt_me, 8))
		syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL,
			NULL, 0);
	perturb(4);
	errno = saved;
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	perturb(8);
	return clock_ns();
}

static void relax(void *ctx)
{
	(void)ctx;
	if (tt_me)
		tt_me->nr_relaxed++;
	pause_cpu();
	perturb(64);
}

void tt_host_init(struct tt_round *round)
{
	round->host = (struct rl_host){ .park = park, .wake = wake, .now = now };
	if (round->doors == TT_PERTURBED)
		round->host.relax = relax;
}
