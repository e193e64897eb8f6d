/*
 * litmus.h - is the memory model RC11, no stronger and no weaker?
 */
#ifndef RL_TESTS_EXPLORE_LITMUS_H
#define RL_TESTS_EXPLORE_LITMUS_H

/* Run the tests whose names contain part; prints one line each.  Adds to both
 * counts. */
void run_litmus(const char *part, unsigned int *passed, unsigned int *failed);

/* ---- reduction.c ---- */
/* As run_litmus(): does the exhaustive search miss what the random one finds? */
void run_reduction(const char *part, unsigned int *passed, unsigned int *failed);

#endif
