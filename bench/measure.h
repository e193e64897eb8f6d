/*
 * measure.h - workers on pinned CPUs, clocks, histograms, order statistics
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/atomics.h"
#include "bench/bench.h"

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ---- Order statistics: these sort in place ---- */

void sort_samples(double *v, size_t n);
double quantile(const double *sorted, size_t n, double q);

/* ---- Times, in buckets of about 3 % ---- */

#define HIST_STEPS	32
#define HIST_BUCKETS	(40 * HIST_STEPS)

struct hist {
	uint64_t nr, max_ns;
	uint64_t nr_in[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);
void hist_merge(struct hist *into, const struct hist *h);
double hist_quantile_us(const struct hist *h, double q);

/* ---- Clocks ---- */

uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
/* CPU time that others took from this machine since the last call, in CPUs:
 * other processes, and the hypervisor.  Steps of 10 ms. */
double stolen_cpus(void);

/* ---- Workers ---- */

struct crew;

struct worker {
	_Alignas(LINE) uint64_t nr_ops;		/* published, see advance() */
	_Alignas(LINE) struct crew *crew;
	struct cell *cell;
	unsigned int index, batch;
	uint64_t random;
	const struct span *spans;		/* a ring of a power of two */
	uint64_t span_mask;
	pthread_t thread;
	int tid;
	bool is_slowed;				/* before or after its work */
	struct hist *hists[3];
	uint64_t count;
};

struct crew {
	_Alignas(LINE) uint32_t stop;
	uint32_t measuring;
	unsigned int nr;
	void (*work)(struct worker *w);
	struct worker *workers;
	double seconds, cpu_ns;			/* of the last measurement */
	uint64_t nr_ops, least_ops, most_ops;
	pthread_barrier_t start;
};

static inline bool is_stopped(const struct worker *w)
{
	return load_relaxed(&w->crew->stop);
}

static inline void advance(struct worker *w, uint64_t n)
{
	w->count += n;
	store_relaxed(&w->nr_ops, w->count);
}

unsigned int nr_cpus(void);
void pin_to_cpu(unsigned int index);

/* Workers for a cell; the caller may add to them before crew_start(). */
int crew_init(struct crew *c, struct cell *cell, unsigned int nr,
	      void (*work)(struct worker *w));
int crew_start(struct crew *c);
/*
 * Let them run a little, then for so long (longer if there are many more of them
 * than CPUs: everybody must get some slices); leaves the figures in the crew.
 * Where each has a CPU of its own, the milliseconds in which somebody else took
 * one are left out.
 */
void crew_measure(struct crew *c, double seconds);
void crew_stop(struct crew *c);
void crew_destroy(struct crew *c);

/* Since the last call: was a worker with a CPU of its own slower than it can be
 * (speed.h), before or after its work? */
bool crews_were_slowed(void);

/* The plain shape: start, measure, stop.  False: no threads. */
bool crew_run(struct crew *c, double seconds);

#endif
