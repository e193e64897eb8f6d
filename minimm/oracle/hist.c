/*
 * hist.c - which bucket a value falls into, and where a share of all ends
 *
 * Values below 64 have a bucket each.  Adding costs a handful of instructions;
 * a quantile walks the buckets (3776 of them).  Weak spot: 30 KB each.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/oracle/hist.h"

static unsigned int bucket_of(uint64_t value)
{
	unsigned int log;

	if (value < HIST_SUB)
		return (unsigned int)value;
	log = 63u - (unsigned int)__builtin_clzll(value);
	return (log - HIST_SUB_BITS + 1u) * HIST_SUB +
	       (unsigned int)(value >> (log - HIST_SUB_BITS) & (HIST_SUB - 1u));
}

static uint64_t highest_of(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < HIST_SUB)
		return bucket;
	shift = bucket / HIST_SUB - 1u;
	return (((uint64_t)HIST_SUB + bucket % HIST_SUB + 1u) << shift) - 1u;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->nr++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	h->buckets[bucket_of(value)]++;
}

uint64_t hist_quantile(const struct hist *h, unsigned int thousandths)
{
	uint64_t rank = (h->nr * thousandths + 999) / 1000;
	uint64_t seen = 0;

	if (!h->nr)
		return 0;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= rank && seen)
			return highest_of(i) < h->max ? highest_of(i) : h->max;
	}
	return h->max;
}

void hist_merge(struct hist *h, const struct hist *from)
{
	h->nr += from->nr;
	h->sum += from->sum;
	if (from->max > h->max)
		h->max = from->max;
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
}
