/*
 * speed.c - is this CPU as fast as it was?
 */
#include "bench/speed.h"

#include "bench/measure.h"

#define LAPS		3		/* the shortest counts: of interrupts we know */
#define ADDITIONS	2000u		/* laps of them */
#define SLOWED		1.2

static uint64_t time_additions(void)
{
	uint64_t start = now_ns();

	add_densely(ADDITIONS);
	return now_ns() - start;
}

bool cpu_is_slowed(void)
{
	static uint64_t shortest = UINT64_MAX;
	uint64_t mine = UINT64_MAX, known;

	for (int i = 0; i < LAPS; i++) {
		uint64_t ns = time_additions();

		mine = ns < mine ? ns : mine;
	}
	/* Two threads may both be the fastest: either will do. */
	known = load_relaxed(&shortest);
	if (mine < known)
		store_relaxed(&shortest, mine);
	return (double)mine > SLOWED * (double)known;
}
