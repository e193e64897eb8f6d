/*
 * Goal: threads that race for the same pages find every scheme sound (no missed
 * conflict, no broken invariant, no deadlock), find the one that locks nothing
 * out, and do the same twice.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <string.h>

#include "minimm/oracle/racy.h"
#include "minimm/scheme/scheme.h"

static char first_report[512];

static void keep_first(void *arg, const char *text)
{
	(void)arg;
	if (!first_report[0])
		strncpy(first_report, text, sizeof(first_report) - 1);
}

static struct oracle_result run(struct racy_options options, uint64_t *ns)
{
	struct oracle_result result;

	first_report[0] = '\0';
	options.report = keep_first;
	check_eq(racy_run(&options, &result, ns), 0);
	check_eq(result.nr_operations,
		 (options.nr_threads ? options.nr_threads : 16) *
		 (options.nr_operations ? options.nr_operations : 200));
	return result;
}

static void check_sound(struct racy_options options)
{
	uint64_t seed = options.seed ? options.seed : test_seed();

	for (uint64_t i = 0; i < test_rounds(12); i++) {
		struct oracle_result r;

		options.seed = seed + i;
		r = run(options, NULL);
		check_msg(!r.nr_missed && !r.nr_violations,
			  "%s, seed %llu: %s", options.scheme->name,
			  (unsigned long long)options.seed, first_report);
	}
}

static void check_all_sizes(const struct mm_scheme *scheme)
{
	check_sound((struct racy_options){ .scheme = scheme, .seed = 1 });
	check_sound((struct racy_options){ .scheme = scheme });
	check_sound((struct racy_options){ .scheme = scheme, .nr_pages = 6,
					   .nr_operations = 100 });
	check_sound((struct racy_options){ .scheme = scheme, .nr_threads = 48,
					   .nr_cpus = 3, .nr_operations = 50 });
}

Test(racy, coarse_is_sound)
{
	check_all_sizes(&mm_scheme_coarse);
}

Test(racy, coarse_mitigated_is_sound)
{
	check_all_sizes(&mm_scheme_coarse_mitigated);
}

Test(racy, range_is_sound)
{
	check_all_sizes(&mm_scheme_range);
}

Test(racy, range_full_is_sound)
{
	check_all_sizes(&mm_scheme_range_full);
}

Test(racy, range_full_is_sound_with_any_fault_window)
{
	for (uint64_t window = MM_PAGE_SIZE; window <= UINT64_C(1) << 48;
	     window <<= 11)
		check_sound((struct racy_options){
			.scheme = &mm_scheme_range_full,
			.fault_window = window, .nr_operations = 50 });
}

/* Which sites are fine: a bit each. */
static uint64_t fine_mask;

static int init_by_mask(struct mm *mm)
{
	(void)mm;
	for (unsigned int i = 0; i < MM_NR_SITES; i++)
		mm_site_grain((enum mm_site)i,
			      fine_mask >> i & 1 ? RL_FINE : RL_COARSE);
	return 0;
}

static void check_mixtures(const struct mm_scheme *scheme)
{
	struct mm_scheme mixed = *scheme;
	uint64_t seed = test_seed();

	mixed.init = init_by_mask;
	for (uint64_t i = 0; i < test_rounds(60); i++) {
		struct oracle_result r;

		fine_mask = (seed + i) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
		r = run((struct racy_options){ .scheme = &mixed, .seed = i + 1,
					       .nr_operations = 60 }, NULL);
		check_msg(!r.nr_missed && !r.nr_violations,
			  "%s, sites %llx, seed %llu: %s", scheme->name,
			  (unsigned long long)fine_mask,
			  (unsigned long long)i + 1, first_report);
	}
}

Test(racy, any_mixture_of_converted_sites_is_sound)
{
	check_mixtures(&mm_scheme_coarse);
	check_mixtures(&mm_scheme_coarse_mitigated);
	check_mixtures(&mm_scheme_range);
	check_mixtures(&mm_scheme_range_full);
}

Test(racy, locking_nothing_is_found_out)
{
	struct oracle_result r = run((struct racy_options){
		.scheme = &mm_scheme_none, .seed = 1 }, NULL);

	check_ne(r.nr_missed, 0);
	check_ne(r.nr_violations, 0);
	check_eq(strncmp(first_report, "missed conflict at ", 19), 0);
}

Test(racy, one_seed_is_one_run)
{
	for (unsigned int i = 0; mm_schemes[i]; i++) {
		struct racy_options o = { .scheme = mm_schemes[i], .seed = 7 };
		struct oracle_result one, two;
		uint64_t one_ns, two_ns;

		one = run(o, &one_ns);
		two = run(o, &two_ns);
		check_eq(one_ns, two_ns);
		check_eq(one.nr_short, two.nr_short);
		check_eq(one.wait_ns[ORACLE_TRUE], two.wait_ns[ORACLE_TRUE]);
		check_eq(one.wait_ns[ORACLE_FALSE], two.wait_ns[ORACLE_FALSE]);
		check_eq(one.nr_missed, two.nr_missed);
		check_eq(one.nr_aborts[ORACLE_TRUE], two.nr_aborts[ORACLE_TRUE]);
		check_eq(one.nr_fallbacks[ORACLE_TRUE],
			 two.nr_fallbacks[ORACLE_TRUE]);
	}
}
