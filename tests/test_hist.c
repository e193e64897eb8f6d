/*
 * Goal: buckets and quantiles are right at every border.
 */
#include "tests/backend.h"

#include "rangelock/engine/hist.h"

Test(hist, buckets_and_their_lows_agree_at_every_border)
{
	for (unsigned int b = 0; b < RL_HIST_BUCKETS; b++) {
		uint64_t low = rl_hist_low(b);

		check_eq(rl_hist_bucket(low), b);
		check_lt(low, rl_hist_low(b + 1));
		if (b + 1 < RL_HIST_BUCKETS)
			check_eq(rl_hist_bucket(rl_hist_low(b + 1) - 1), b);
		if (b >= 4)
			check_le((rl_hist_low(b + 1) - low) * 4, low);
	}
	check_eq(rl_hist_low(RL_HIST_BUCKETS), UINT64_C(1) << 43);
	check_eq(rl_hist_bucket(UINT64_C(1) << 43), RL_HIST_BUCKETS - 1);
	check_eq(rl_hist_bucket(UINT64_MAX), RL_HIST_BUCKETS - 1);
}

Test(hist, quantile_is_the_upper_end_of_the_bucket_of_that_rank)
{
	uint64_t hist[RL_HIST_BUCKETS] = { 0 };

	check_eq(rl_hist_quantile(hist, 500), 0);
	hist[rl_hist_bucket(0)] = 99;
	hist[rl_hist_bucket(100)] = 1;
	check_eq(rl_hist_quantile(hist, 0), 1);
	check_eq(rl_hist_quantile(hist, 500), 1);
	check_eq(rl_hist_quantile(hist, 990), 1);
	check_eq(rl_hist_quantile(hist, 991), 112);
	check_eq(rl_hist_quantile(hist, 1000), 112);
	check_eq(rl_hist_quantile(hist, 5000), 112);
	hist[0] = UINT64_MAX / 2;
	check_eq(rl_hist_quantile(hist, 999), 1);
}
