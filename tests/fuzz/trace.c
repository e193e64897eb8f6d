/*
 * Goal: a trace, however broken, gzip or plain, is refused with a message or
 * replayed; then every scheme gives the same results, misses no conflict and
 * breaks no invariant.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "minimm/replay/layout.h"
#include "minimm/replay/run.h"
#include "minimm/scheme/scheme.h"
#include "minimm/trace/lines.h"

#define PAGES_MAX	(UINT64_C(1) << 10)	/* populating more takes too long */

static void notice(void *arg, const char *text)
{
	(void)arg;
	fuzz_fail("%s", text);
}

static bool takes_long(const struct mm_plan *plan)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < plan->nr_steps; i++) {
		const struct mm_step *s = &plan->steps[i];

		if (s->len / MM_PAGE_SIZE > PAGES_MAX || s->new_len / MM_PAGE_SIZE > PAGES_MAX)
			return true;
		pages += (s->len + s->new_len) / MM_PAGE_SIZE;
	}
	return pages > 4 * PAGES_MAX;
}

static void replay(const struct mm_plan *plan, const struct mm_layout *layout)
{
	struct mm_replay_result first, result;
	struct sim_costs costs;
	struct mm_replay r = {
		.plan = plan, .layout = layout, .costs = &costs, .nr_cpus = 2,
		.seed = 1, .report = notice,
	};
	char why[MM_WHY_MAX];

	sim_costs_default(&costs);
	for (unsigned int i = 0; mm_schemes[i]; i++) {
		if (mm_schemes[i] == &mm_scheme_none)
			continue;
		if (mm_replay_run(&r, mm_schemes[i], &result, why))
			fuzz_fail("%s", why);
		if (result.nr_missed || result.nr_violations)
			fuzz_fail("%s: missed or broken", mm_schemes[i]->name);
		if (i == 0)
			first = result;
		else if (memcmp(first.nr_mismatches, result.nr_mismatches,
				sizeof(first.nr_mismatches)) != 0)
			fuzz_fail("the results depend on the scheme");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mm_recording rec;
	struct mm_layout layout = { .parts = NULL };
	struct mm_plan plan;
	char why[MM_WHY_MAX];

	if (mm_recording_read(&rec, fuzz_file(data, size), why) != 0) {
		if (strnlen(why, sizeof(why)) == sizeof(why) || !*why)
			fuzz_fail("refused without a message");
		return 0;
	}
	memset(&plan, 0, sizeof(plan));
	if (mm_plan_make(&plan, &rec, why) == 0 && !takes_long(&plan) &&
	    mm_layout_make(&layout, &plan, 1, 1, why) == 0)
		replay(&plan, &layout);
	mm_layout_free(&layout);
	mm_plan_free(&plan);
	mm_recording_free(&rec);
	return 0;
}
