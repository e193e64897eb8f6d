/*
 * hist.h - latencies, log-linear: 64 buckets for each power of two
 *
 * A bucket is at most 1/64 of its lower end wide, so a quantile is at most 1.6 %
 * too high and never too low; sum, number and maximum are exact.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ORACLE_HIST_H
#define MINIMM_ORACLE_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS	6
#define HIST_SUB	(1u << HIST_SUB_BITS)
#define HIST_BUCKETS	((64u - HIST_SUB_BITS + 1u) * HIST_SUB)

/* All zero is empty. */
struct hist {
	uint64_t nr;
	uint64_t sum;
	uint64_t max;
	uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t value);

/* The value that a share of all (0 to 1000 thousandths) does not exceed: the
 * highest of its bucket, or the maximum if that is less.  0 if empty. */
uint64_t hist_quantile(const struct hist *h, unsigned int thousandths);

/* Add all of from to h. */
void hist_merge(struct hist *h, const struct hist *from);

#endif
