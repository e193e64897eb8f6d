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

/* Additions, for some 10 us: did they take a fifth longer than the shortest time of
 * this process? */
bool cpu_is_slowed(void);

#endif
