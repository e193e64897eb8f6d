/*
 * caps.c - recorded durations, without the outliers
 *
 * A call's duration contains its waiting for mmap_lock and for a CPU; the
 * highest hundredth is mostly that.
 */
#include "minimm/replay/caps.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void cap_kind(struct mm_plan *plan, int kind, uint64_t *values)
{
	size_t nr = 0;
	uint64_t cap;

	for (size_t i = 0; i < plan->nr_steps; i++) {
		if (plan->steps[i].kind == kind)
			values[nr++] = plan->steps[i].duration_ns;
	}
	if (nr == 0)
		return;
	qsort(values, nr, sizeof(*values), by_value);
	cap = values[(nr * 99 - 1) / 100];
	for (size_t i = 0; i < plan->nr_steps; i++) {
		if (plan->steps[i].kind == kind &&
		    plan->steps[i].duration_ns > cap)
			plan->steps[i].duration_ns = cap;
	}
}

int mm_cap_durations(struct mm_plan *plan)
{
	uint64_t *values = calloc(plan->nr_steps + 1, sizeof(*values));

	if (!values)
		return -1;
	for (int kind = 0; kind < MM_NR_KINDS; kind++)
		cap_kind(plan, kind, values);
	free(values);
	return 0;
}
