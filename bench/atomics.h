/*
 * atomics.h - atomic accesses of the bench and its peers, order in the name
 *
 * Of any scalar type.  The library has its own (rangelock/base/atomic.h), which
 * later builds give other meanings; the peers must not change with them.
 */
#ifndef BENCH_ATOMICS_H
#define BENCH_ATOMICS_H

#include <sched.h>
#include <stdint.h>

#define load_relaxed(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define load_seq_cst(p)		__atomic_load_n(p, __ATOMIC_SEQ_CST)
#define store_relaxed(p, v)	__atomic_store_n(p, v, __ATOMIC_RELAXED)
#define store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define swap_acquire(p, v)	__atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define swap_seq_cst(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define add_acquire(p, v)	__atomic_fetch_add(p, v, __ATOMIC_ACQUIRE)
#define add_release(p, v)	__atomic_fetch_add(p, v, __ATOMIC_RELEASE)
#define add_acq_rel(p, v)	__atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define add_relaxed(p, v)	__atomic_fetch_add(p, v, __ATOMIC_RELAXED)
#define cas_acquire(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_ACQUIRE, \
				    __ATOMIC_RELAXED)
#define cas_release(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_RELEASE, \
				    __ATOMIC_RELAXED)
/* What it finds instead is acquired too. */
#define cas_seq_cst(p, expected, v) \
	__atomic_compare_exchange_n(p, expected, v, 0, __ATOMIC_SEQ_CST, \
				    __ATOMIC_ACQUIRE)

static inline void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

/*
 * One step of waiting in a peer that only knows how to spin: a pause, and after
 * a hundred of them the CPU goes to somebody else.  Kinder than what most of
 * their authors do, else they would stand still with more threads than CPUs.
 */
static inline void spin_politely(unsigned int *nr_spins)
{
	if (++*nr_spins % 128)
		pause_cpu();
	else
		sched_yield();
}

#endif
