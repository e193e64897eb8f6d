/*
 * speed.h - is this CPU as fast as it was?
 *
 * A core may run two threads at a time, and the CPUs of a virtual machine do not
 * say whose the other one is.  While that one works, dense code takes up to twice
 * the time, and no clock of ours tells.
 */
#ifndef BENCH_SPEED_H
#define BENCH_SPEED_H

#include <stdbool.h>
#include <stdint.h>

/* Five additions and the like a lap, as many at a time as a core can do. */
static inline __attribute__((always_inline)) void add_densely(unsigned int laps)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5;

#pragma GCC unroll 10
	for (unsigned int i = 0; i < laps; i++) {
		a += 11;
		b ^= 13;
		c -= 17;
		d += 19;
		e ^= 23;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
	}
}

/* Additions, for some 10 us: did they take a fifth longer than the shortest time of
 * this process? */
bool cpu_is_slowed(void);

#endif
