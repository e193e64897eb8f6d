/*
 * notes.h - what stands below the table
 */
#ifndef MM_CMD_NOTES_H
#define MM_CMD_NOTES_H

#include <stdio.h>

#include "minimm/cmd/results.h"

/* For each scheme what false waiting is left and why, what made it start over,
 * and what of the trace was not replayed as it stands. */
void mm_results_notes(const struct mm_results *results, FILE *file);

#endif
