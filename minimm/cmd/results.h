/*
 * results.h - what a replay has found, as a table and as JSON
 */
#ifndef MM_CMD_RESULTS_H
#define MM_CMD_RESULTS_H

#include <stdio.h>

#include "minimm/cmd/args.h"
#include "minimm/replay/run.h"
#include "minimm/trace/lines.h"

struct mm_results {
	const struct mm_args *args;
	const struct mm_plan *plan;
	struct mm_replay_result *list;	/* one a scheme */
	size_t nr;
	const struct mm_scheme *failed;	/* the next one; NULL: none has */
	char why[MM_WHY_MAX];
};

/* A row a scheme, then what is left and why, then what was skipped. */
void mm_results_table(const struct mm_results *results, FILE *file);

/* The object that docs/MINIMM.md describes, and a newline. */
void mm_results_json(const struct mm_results *results, FILE *file);

/* What of the trace was not replayed as it stands: call each() for every reason
 * with its number, in a fixed order. */
void mm_results_skipped(const struct mm_results *results, size_t i,
			void (*each)(void *arg, const char *reason,
				     uint64_t number),
			void *arg);

#endif
