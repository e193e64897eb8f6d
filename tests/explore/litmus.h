/*
 * litmus.h - is the memory model RC11, no stronger and no weaker?
 */
#ifndef RL_TESTS_EXPLORE_LITMUS_H
#define RL_TESTS_EXPLORE_LITMUS_H

#include <stdbool.h>
#include <stdint.h>

/* Run the tests whose names contain part; prints one line each.  Adds to both
 * counts. */
void run_litmus(const char *part, unsigned int *passed, unsigned int *failed);

/* ---- reduction.c ---- */
/* As run_litmus(): does the exhaustive search miss what the random one finds? */
void run_reduction(const char *part, unsigned int *passed, unsigned int *failed);

/* ---- programs.c ---- */
/* Random programs of a seed. */
struct programs {
	bool has_shapes;		/* those that are written down, too */
	uint64_t seed, from, count;	/* from: the number of the first */
	uint64_t literal_max;		/* executions of a search without reductions */
};

/* Do these have the same outcomes with and without reductions?  Stops at one that
 * has not. */
void run_programs(const struct programs *p, unsigned int *passed,
		  unsigned int *failed);

#endif
