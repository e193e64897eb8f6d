/*
 * random.h - numbers that depend on nothing but the seed and what they are for
 *
 * A hash (splitmix64's finalizer) of the seed and three counters: no state, so
 * the order of the calls does not matter.
 */
#ifndef MM_REPLAY_RANDOM_H
#define MM_REPLAY_RANDOM_H

#include <stdint.h>

static inline uint64_t mm_random_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t mm_random(uint64_t seed, uint64_t purpose, uint64_t a,
				 uint64_t b)
{
	seed = mm_random_mix(seed ^ purpose << 56);
	return mm_random_mix(mm_random_mix(seed ^ a) ^ b);
}

/* One of 0 to n - 1 from 64 random bits. */
static inline uint64_t mm_random_below(uint64_t bits, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)bits * n) >> 64);
}

#endif
