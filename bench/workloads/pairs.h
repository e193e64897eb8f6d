/*
 * pairs.h - lock and unlock, nothing else: the loop of several workloads
 */
#ifndef BENCH_WORKLOADS_PAIRS_H
#define BENCH_WORKLOADS_PAIRS_H

#include "bench/measure.h"

#define RING		64		/* ranges that a worker takes in turn */

/* What the workers of a cell do. */
struct pairs {
	enum mode mode;
	bool coarse;
	struct span rings[MAX_THREADS][RING];
	void *held;			/* the workload's */
};

extern const struct metric pairs_metrics[2];	/* ns, mops */

/* cell->state is a struct pairs. */
void pairs_measure(struct cell *c, double seconds, double *values);
struct pairs *pairs_new(struct cell *c, enum mode mode, bool coarse);
void pairs_free(struct cell *c);

void ring_fill(struct span *ring, uint64_t start, uint64_t length);

#endif
