/*
 * hist.c - log-linear histograms: four buckets for each power of two
 *
 * A value's two bits below its highest one choose the bucket in its power of
 * two; values below 4 have no such bits and a bucket each.  Cost: a few shifts.
 * Weak spot: a quantile is known to a quarter only.
 */
#include "rangelock/engine/hist.h"

#define LINEAR_BITS	2u
#define LINEAR		(1u << LINEAR_BITS)

unsigned int rl_hist_bucket(uint64_t value)
{
	unsigned int power, bucket;

	if (value < LINEAR)
		return (unsigned int)value;
	power = 63u - (unsigned int)__builtin_clzll(value) - LINEAR_BITS;
	bucket = LINEAR * (power + 1) +
		 ((unsigned int)(value >> power) & (LINEAR - 1));
	return bucket < RL_HIST_BUCKETS ? bucket : RL_HIST_BUCKETS - 1;
}

uint64_t rl_hist_low(unsigned int bucket)
{
	uint64_t steps;

	if (bucket > RL_HIST_BUCKETS)
		bucket = RL_HIST_BUCKETS;
	if (bucket < LINEAR)
		return bucket;
	steps = LINEAR + (bucket & (LINEAR - 1));
	return steps << (bucket / LINEAR - 1);
}

/* The share's size, rounded up and at least one; the product stays small
 * enough by taking whole thousands of the total apart. */
static uint64_t rank_of(uint64_t total, unsigned int thousandths)
{
	uint64_t rank = total / 1000 * thousandths +
			(total % 1000 * thousandths + 999) / 1000;

	return rank ? rank : 1;
}

uint64_t rl_hist_quantile(const uint64_t hist[RL_HIST_BUCKETS],
			  unsigned int thousandths)
{
	uint64_t total = 0, seen = 0, rank;
	unsigned int b;

	if (!hist)
		return 0;
	for (b = 0; b < RL_HIST_BUCKETS; b++)
		total += hist[b];
	if (total == 0)
		return 0;
	rank = rank_of(total, thousandths < 1000 ? thousandths : 1000);
	for (b = 0; b < RL_HIST_BUCKETS - 1; b++) {
		seen += hist[b];
		if (seen >= rank)
			break;
	}
	return rl_hist_low(b + 1);
}
