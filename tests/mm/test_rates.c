/*
 * Goal: what a run's rates are summed up to: medians, the ends, and ratios to
 * coarse that pair repetition with repetition.
 */
#include "tests/backend.h"

#include "minimm/cmd/rates.h"
#include "minimm/scheme/scheme.h"

Test(rates, a_median_is_the_middle_or_between_the_two)
{
	double odd[] = { 5, 1, 9 }, even[] = { 8, 2, 4, 1 }, one[] = { 7 };
	struct mm_spread s = mm_spread_of(odd, 3);

	check(s.median == 5 && s.low == 1 && s.high == 9);
	s = mm_spread_of(even, 4);
	check(s.median == 3 && s.low == 1 && s.high == 8);
	s = mm_spread_of(one, 1);
	check(s.median == 7 && s.low == 7 && s.high == 7);
}

Test(rates, a_ratio_is_to_coarse_of_the_same_repetition_and_threads)
{
	double a[] = { 100, 10, 40 }, b[] = { 300, 20, 40 }, c[] = { 1, 1, 1 };
	struct mm_args args = { .nr_reps = 3 };
	struct mm_rates_cell cells[] = {
		{ .scheme = &mm_scheme_coarse, .nr_threads = 4, .rates = c,
		  .nr_rates = 3 },
		{ .scheme = &mm_scheme_coarse, .nr_threads = 2, .rates = a,
		  .nr_rates = 3 },
		{ .scheme = &mm_scheme_range, .nr_threads = 2, .rates = b,
		  .nr_rates = 3 },
	};
	struct mm_rates rates = { .args = &args, .cells = cells,
				  .nr_cells = 3 };
	struct mm_spread s;

	check(mm_rates_to_coarse(&rates, &cells[2], &s));
	check(s.median == 2 && s.low == 1 && s.high == 3);
	check(b[0] == 300 && a[1] == 10);
	cells[1].nr_rates = 2;
	check(mm_rates_to_coarse(&rates, &cells[2], &s));
	check(s.median == 2.5 && s.low == 2 && s.high == 3);
	cells[2].nr_rates = 0;
	check(!mm_rates_to_coarse(&rates, &cells[2], &s));
	check_eq(mm_rates_nr_rows(&rates), 2);
}

Test(rates, without_coarse_there_is_no_ratio)
{
	double a[] = { 1 }, zero[] = { 0 };
	struct mm_args args = { .nr_reps = 1 };
	struct mm_rates_cell cells[] = {
		{ .scheme = &mm_scheme_range, .nr_threads = 2, .rates = a,
		  .nr_rates = 1 },
		{ .scheme = &mm_scheme_coarse, .nr_threads = 1, .rates = zero,
		  .nr_rates = 1 },
		{ .scheme = &mm_scheme_range, .nr_threads = 1, .rates = a,
		  .nr_rates = 1 },
	};
	struct mm_rates rates = { .args = &args, .cells = cells,
				  .nr_cells = 3 };
	struct mm_spread s;

	check(!mm_rates_to_coarse(&rates, &cells[0], &s));
	check(!mm_rates_to_coarse(&rates, &cells[2], &s));
}
