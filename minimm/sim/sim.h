/*
 * sim.h - virtual time: logical threads on logical CPUs, in one OS thread
 *
 * A logical thread is a coroutine.  Its code takes no time; only sim_spend()
 * does, and that needs one of the N logical CPUs: first come, first served.  A
 * thread keeps its CPU until it sleeps, parks, waits or ends, or until its time
 * slice is over and somebody else is ready.  A thread that was woken runs on at
 * once, without a CPU, up to its next sim_spend(): so the end of a lock's wait
 * is the grant, and waiting for a CPU is counted apart.
 *
 * Deterministic: events are ordered by (time, number of the event), nothing
 * depends on addresses, the clock or the machine.  Same calls, same times.
 *
 * Unless said otherwise functions are called by a logical thread of sim, from
 * within sim_run().  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SIM_SIM_H
#define MINIMM_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rangelock.h>

#define SIM_SLICE_NS	UINT64_C(3000000)
#define SIM_NEVER	UINT64_MAX

struct sim;
struct sim_thread;

/* Write who a thread is, for the dump of a deadlock, into text. */
typedef void sim_describe_fn(void *arg, char *text, size_t size);

struct sim_options {
	unsigned int nr_cpus;		/* at least 1 */
	uint64_t slice_ns;		/* 0: SIM_SLICE_NS */
	sim_describe_fn *describe;	/* or NULL; arg is sim_spawn()'s */
};

/* Returns: NULL for want of memory or for no CPU.  Called from outside. */
struct sim *sim_create(const struct sim_options *options);

/* From outside.  Threads that never ended are dropped where they stand. */
void sim_destroy(struct sim *sim);

/*
 * Start a thread that calls fn(arg) at start_ns, or now if that is over.  From
 * outside, or by a thread.
 * Returns: its number, from 1 upwards; 0 for want of memory.
 */
uint64_t sim_spawn(struct sim *sim, uint64_t start_ns, void (*fn)(void *arg),
		   void *arg);

/*
 * Run until every thread has ended.  From outside; may be called again after
 * more sim_spawn().
 * Returns: 0; EDEADLK if nobody can run but somebody waits (sim_dump() says who
 *	    and for what); ENOMEM if a stack cannot be had.
 */
int sim_run(struct sim *sim);

/* Nanoseconds since sim_create().  From anywhere. */
uint64_t sim_now(const struct sim *sim);

/* The number of the calling thread; 0 outside. */
uint64_t sim_self(const struct sim *sim);

/* The arg of the calling thread; NULL outside. */
void *sim_arg(const struct sim *sim);

/* Sleep without a CPU.  A time that is over returns at once and keeps it.
 * Sleeping and spending outside of a thread take no time at all. */
void sim_sleep_until(struct sim *sim, uint64_t time_ns);
static inline void sim_sleep(struct sim *sim, uint64_t ns)
{
	sim_sleep_until(sim, sim_now(sim) + ns);
}

/* Occupy a CPU for ns, waiting for one first if all are taken. */
void sim_spend(struct sim *sim, uint64_t ns);

/*
 * Something that happens once: the end of an operation that others come after.
 * All zero is "not yet".  Waiting takes no CPU.
 */
struct sim_event {
	struct sim_thread *first, *last;	/* who waits, in order */
	bool happened;
};

void sim_wait_event(struct sim *sim, struct sim_event *event);
void sim_signal(struct sim *sim, struct sim_event *event);

/*
 * The host table for locks (rl_options.host): park and wake by address, now,
 * self; no relax, so that the lock never spins.  self() outside is UINT64_MAX.
 * Aborts: a park from outside that nobody can end.
 */
const struct rl_host *sim_host(struct sim *sim);

/* A line for each thread that has not ended: who, in what state, since when.
 * From anywhere. */
void sim_dump(struct sim *sim, rl_write_fn *write, void *arg);

struct sim_stats {
	uint64_t nr_threads;
	uint64_t nr_switches;
	uint64_t nr_events;
	uint64_t busy_ns;		/* of all CPUs together */
	uint64_t cpu_wait_ns;		/* of all threads, for a CPU */
};

void sim_stats_read(const struct sim *sim, struct sim_stats *stats);

#endif
