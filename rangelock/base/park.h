/*
 * park.h - the one door to sleeping, waking, the clock and the caller's name
 *
 * Every function takes the lock's host table (include/rangelock.h), or NULL for
 * the default: futex, CLOCK_MONOTONIC, one owner a thread.
 */
#ifndef RL_BASE_PARK_H
#define RL_BASE_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include <rangelock.h>

/* Sleep while *word == expected, until woken, the deadline, or for no reason.
 * Keeps errno. */
void rl_park(const struct rl_host *host, const uint32_t *word,
	     uint32_t expected, uint64_t deadline_ns);

/* End the park of all who sleep on this address; it is not read.  Keeps errno. */
void rl_wake(const struct rl_host *host, const uint32_t *word);

uint64_t rl_clock(const struct rl_host *host);

/* A thread's name is its thread pointer: one load, and no thread-local variable,
 * which would cost a call in a shared library, or keep dlopen() from loading it
 * (the initial-exec model). */
static inline uint64_t rl_owner(const struct rl_host *host)
{
	if (__builtin_expect(host && host->self, 0))
		return host->self(host->ctx);
	return (uint64_t)(uintptr_t)__builtin_thread_pointer();
}

/* True if looking again soon can help: somebody else may be running. */
static inline bool rl_can_spin(const struct rl_host *host)
{
	return !host || host->relax || !host->park;
}

/* Can another thread hold while one wakes up? */
static inline bool rl_is_parallel(const struct rl_host *host)
{
	return rl_can_spin(host);
}

static inline void rl_relax(const struct rl_host *host)
{
	if (host && host->relax)
		host->relax(host->ctx);
#if defined(__x86_64__) || defined(__i386__)
	else
		__builtin_ia32_pause();
#elif defined(__aarch64__)
	else
		__asm__ volatile("yield" ::: "memory");
#endif
}

#endif
