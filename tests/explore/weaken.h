/*
 * weaken.h - every ordered access of the library, relaxed one at a time
 */
#ifndef RL_TESTS_EXPLORE_WEAKEN_H
#define RL_TESTS_EXPLORE_WEAKEN_H

#include <stdbool.h>

/* For each place whose order is stronger than relaxed: make it relaxed (a barrier:
 * leave it out) and ask is_noticed().  Prints a line each, then how many were
 * noticed.  part: only places whose "file:line function" contains it. */
void weaken_each(const char *part, bool (*is_noticed)(void));

/* Relax those whose "FILE:LINE FUNCTION" contains place; false: there are none. */
bool weaken_place(const char *place);

#endif
