/*
 * skipped.c - what of the trace was not replayed as it stands, by reason
 *
 * A line that is skipped counts once for each copy.  Each reason is explained
 * in docs/MINIMM.md.
 */
#include "minimm/cmd/results.h"

void mm_results_skipped(const struct mm_results *results, size_t i,
			void (*each)(void *arg, const char *reason,
				     uint64_t number),
			void *arg)
{
	const struct mm_plan *plan = results->plan;
	const struct mm_replay_result *result = &results->list[i];
	uint64_t scale = results->args->scale, nr_differ = 0;

	for (int skip = 0; skip < MM_NR_SKIPS; skip++)
		each(arg, mm_skip_name((enum mm_skip)skip),
		     plan->rec->nr_skipped[skip] * scale);
	each(arg, "process_exit", plan->nr_left_out[MM_LEFT_EXIT] * scale);
	each(arg, "impossible", plan->nr_left_out[MM_LEFT_IMPOSSIBLE] * scale);
	each(arg, "failed_call", result->nr_failed);
	each(arg, "segv", result->nr_segv);
	each(arg, "older_mapping_refused", result->nr_older_refused);
	each(arg, "address_taken", result->nr_answers_taken);
	for (int kind = 0; kind < MM_NR_KINDS; kind++)
		nr_differ += result->nr_mismatches[kind];
	each(arg, "result_differs", nr_differ);
}
