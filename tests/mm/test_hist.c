/*
 * Goal: quantiles are at most 1.6 % too high and never too low, against a sorted
 * array; number, sum and maximum are exact.
 */
#include "tests/backend.h"

#include <stdlib.h>
#include <string.h>

#include "minimm/oracle/hist.h"

static struct hist h;

Test(hist, empty_answers_zero)
{
	memset(&h, 0, sizeof(h));
	check_eq(hist_quantile(&h, 500), 0);
	check_eq(hist_quantile(&h, 1000), 0);
}

Test(hist, small_values_are_exact)
{
	memset(&h, 0, sizeof(h));
	for (uint64_t i = 0; i < 100; i++)
		hist_add(&h, i / 2);
	check_eq(hist_quantile(&h, 10), 0);
	check_eq(hist_quantile(&h, 500), 24);
	check_eq(hist_quantile(&h, 990), 49);
	check_eq(h.max, 49);
	check_eq(h.sum, 2450);
}

Test(hist, the_greatest_value_has_a_bucket)
{
	memset(&h, 0, sizeof(h));
	hist_add(&h, UINT64_MAX);
	hist_add(&h, 1);
	check_eq(hist_quantile(&h, 1000), UINT64_MAX);
	check_eq(hist_quantile(&h, 1), 1);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

Test(hist, quantiles_agree_with_a_sorted_array)
{
	static uint64_t values[20000];
	uint64_t state = test_seed();
	size_t n = sizeof(values) / sizeof(values[0]);

	memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < n; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		values[i] = state >> 20 >> (state >> 58) % 40;
		hist_add(&h, values[i]);
	}
	qsort(values, n, sizeof(values[0]), by_value);
	for (unsigned int t = 1; t <= 1000; t++) {
		uint64_t want = values[(n * t + 999) / 1000 - 1];
		uint64_t got = hist_quantile(&h, t);

		check_le(want, got);
		check_le(got, want + want / 64);
	}
}

Test(hist, merging_is_adding)
{
	static struct hist other;

	memset(&h, 0, sizeof(h));
	memset(&other, 0, sizeof(other));
	hist_add(&h, 10);
	hist_add(&other, 1000);
	hist_merge(&h, &other);
	check_eq(h.nr, 2);
	check_eq(h.max, 1000);
	check_eq(hist_quantile(&h, 500), 10);
	check_eq(hist_quantile(&h, 1000), 1000);
}
