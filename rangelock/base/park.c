/*
 * park.c - futex, clock and thread name
 *
 * Private futexes with an absolute CLOCK_MONOTONIC timeout.  FUTEX_WAIT_BITSET
 * takes an absolute one; FUTEX_WAIT would take a relative one and drift.
 */
#include "rangelock/base/park.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rangelock/base/planted.h"

#define NS_PER_S	UINT64_C(1000000000)

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A deadline of the host's clock, by the kernel's: as far away as it is now. */
static uint64_t by_monotonic(const struct rl_host *host, uint64_t deadline_ns)
{
	uint64_t now = host->now(host->ctx), mine = monotonic();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

	return left < RL_NO_DEADLINE - mine ? mine + left : RL_NO_DEADLINE - 1;
}

void rl_park(const struct rl_host *host, const uint32_t *word,
	     uint32_t expected, uint64_t deadline_ns)
{
	struct timespec until, *timeout = NULL;
	int saved = errno;

	if (host && host->park) {
		host->park(host->ctx, word, expected, deadline_ns);
		return;
	}
	if (deadline_ns != RL_NO_DEADLINE) {
		if (host && host->now)
			deadline_ns = by_monotonic(host, deadline_ns);
		until.tv_sec = (time_t)(deadline_ns / NS_PER_S);
		until.tv_nsec = (long)(deadline_ns % NS_PER_S);
		timeout = &until;
	}
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, timeout,
		NULL, FUTEX_BITSET_MATCH_ANY);
	errno = saved;
}

void rl_wake(const struct rl_host *host, const uint32_t *word)
{
	int saved = errno;

	if (host && host->wake) {
		host->wake(host->ctx, word);
		return;
	}
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE,
		RL_PLANTED(WAKE_ONE) ? 1 : INT_MAX, NULL, NULL, 0);
	errno = saved;
}

uint64_t rl_clock(const struct rl_host *host)
{
	return host && host->now ? host->now(host->ctx) : monotonic();
}
