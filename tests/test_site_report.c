/*
 * Goal: every wait is charged to the right pair, as true or false, and sites
 * are ranked by what their own conversion would end.
 */
#include "tests/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rangelock/site.h>

#include "rangelock/lock/site.h"

#define PASSED	7

static struct rl_site a = RL_SITE_INIT("report_a", RL_COARSE);
static struct rl_site b = RL_SITE_INIT("report_b", RL_COARSE);
static struct rl_site c = RL_SITE_INIT("report_c", RL_COARSE);

static void begin(enum rl_grain grain_a, enum rl_grain grain_b)
{
	rl_site_set_grain(&a, grain_a);
	rl_site_set_grain(&b, grain_b);
	rl_site_set_grain(&c, RL_COARSE);
	rl_sites_reset();
}

static struct rl_site_stats stats_of(const struct rl_site *site)
{
	struct rl_site_stats s;

	rl_site_read((uint16_t)site->id, &s);
	return s;
}

static void charge(const struct rl_site *waiter, const struct rl_site *blocker,
		   unsigned int wide, uint64_t ns)
{
	rl_charge_wait((uint16_t)waiter->id, (uint16_t)blocker->id, false, wide,
		       ns);
}

Test(site_report, removable_is_what_one_site_alone_can_end)
{
	begin(RL_COARSE, RL_COARSE);
	charge(&a, &b, RL_WIDE_WAITER, 1);
	charge(&a, &b, RL_WIDE_BLOCKER, 10);
	charge(&a, &b, RL_WIDE_WAITER | RL_WIDE_BLOCKER, 100);
	charge(&a, &b, 0, 1000);
	rl_charge_wait((uint16_t)a.id, (uint16_t)b.id, true, 3, 10000);
	check_eq(stats_of(&a).removable_ns, 1);
	check_eq(stats_of(&a).nr_removable, 1);
	check_eq(stats_of(&b).removable_ns, 10);
	check_eq(stats_of(&a).shared_ns, 100);
	check_eq(stats_of(&b).shared_ns, 100);
	check_eq(stats_of(&a).wait_ns[0], 10000);
	check_eq(stats_of(&a).wait_ns[1], 1111);
	check_eq(stats_of(&a).nr_waits[1], 4);
	check_eq(stats_of(&b).nr_waits[0] + stats_of(&b).nr_waits[1], 0);
	check_eq(stats_of(&c).removable_ns + stats_of(&c).shared_ns, 0);
	rl_sites_reset();
	check_eq(stats_of(&a).wait_ns[1], 0);
}

Test(site_report, site_that_waits_for_itself_is_removable_and_counts_once)
{
	begin(RL_COARSE, RL_COARSE);
	charge(&a, &a, RL_WIDE_WAITER | RL_WIDE_BLOCKER, 100);
	charge(&a, &a, RL_WIDE_WAITER, 10);
	charge(&a, &a, RL_WIDE_BLOCKER, 1);
	check_eq(stats_of(&a).removable_ns, 111);
	check_eq(stats_of(&a).nr_removable, 3);
	check_eq(stats_of(&a).shared_ns, 0);
}

Test(site_report, request_without_a_site_is_nobody_to_convert)
{
	begin(RL_COARSE, RL_COARSE);
	rl_charge_wait((uint16_t)a.id, 0, false, RL_WIDE_WAITER, 5);
	rl_charge_wait(0, (uint16_t)b.id, false, RL_WIDE_BLOCKER, 7);
	check_eq(stats_of(&a).removable_ns, 5);
	check_eq(stats_of(&b).removable_ns, 7);
}

Test(site_report, best_to_convert_comes_first)
{
	struct rl_site_stats top[3];

	begin(RL_COARSE, RL_COARSE);
	charge(&a, &b, RL_WIDE_BLOCKER, 50);
	charge(&c, &b, RL_WIDE_WAITER, 60);
	charge(&a, &c, 3, 1000);
	check_le(3, rl_sites_read(top, 3));
	check_str_eq(top[0].name, "report_c");
	check_str_eq(top[1].name, "report_b");
	check_str_eq(top[2].name, "report_a");
	check_eq(top[2].shared_ns, 1000);
}

Test(site_report, pairs_come_with_the_most_false_waiting_first)
{
	struct rl_pair_stats top[4];

	begin(RL_COARSE, RL_COARSE);
	charge(&a, &b, 1, 10);
	charge(&b, &a, 1, 30);
	charge(&a, &c, 1, 20);
	rl_charge_wait((uint16_t)c.id, 0, true, 0, 99);
	check_eq(rl_site_pairs_read(NULL, 0), 4);
	check_eq(rl_site_pairs_read(top, 2), 4);
	check_str_eq(top[0].waiter, "report_b");
	check_eq(top[0].wait_ns[1], 30);
	check_str_eq(top[1].blocker, "report_c");
	check_eq(rl_site_pairs_read(top, 4), 4);
	check_eq(top[2].wait_ns[1], 10);
	check_str_eq(top[3].waiter, "report_c");
	check_eq(top[3].blocker, (const char *)NULL);
	check_eq(top[3].wait_ns[0], 99);
	rl_sites_reset();
	check_eq(rl_site_pairs_read(top, 4), 0);
}

/* ---- Through the lock, by a clock that moves when it is told to ---- */

static uint64_t fake_now;

static uint64_t now(void *ctx)
{
	(void)ctx;
	return fake_now;
}

/* B waits 100 ns for A, who holds [0, 10). */
static void b_waits_for_a(uint64_t start, uint64_t end)
{
	struct rl_host host = { .now = now };
	struct rl_options options = RL_OPTIONS_INIT;
	struct rl_range ra = RL_RANGE_INIT, rb = RL_RANGE_INIT;
	struct rangelock lk;

	options.host = &host;
	check_eq(rl_init(&lk, &options), 0);
	check_eq(rl_write_lock_at(&lk, &ra, &a, 0, 10), 0);
	check_eq(rl_write_submit_at(&lk, &rb, &b, start, end, NULL),
		 EINPROGRESS);
	fake_now += 100;
	rl_unlock(&lk, &ra);
	check_eq(rl_poll(&lk, &rb), 0);
	rl_unlock(&lk, &rb);
	check_eq(rl_destroy(&lk), 0);
}

Test(site_report, two_coarse_ones_share_a_false_wait)
{
	begin(RL_COARSE, RL_SHADOW);
	b_waits_for_a(10, 20);
	check_eq(stats_of(&b).wait_ns[1], 100);
	check_eq(stats_of(&b).shared_ns, 100);
	check_eq(stats_of(&a).shared_ns, 100);
	check_eq(stats_of(&a).nr_waits[1], 0);
	check_eq(stats_of(&a).removable_ns, 0);
}

Test(site_report, coarse_blocker_of_a_fine_waiter_is_removable)
{
	begin(RL_COARSE, RL_FINE);
	b_waits_for_a(10, 20);
	check_eq(stats_of(&a).removable_ns, 100);
	check_eq(stats_of(&b).removable_ns, 0);
	check_eq(stats_of(&b).wait_ns[1], 100);
}

Test(site_report, coarse_waiter_behind_a_fine_blocker_is_removable)
{
	begin(RL_FINE, RL_COARSE);
	b_waits_for_a(10, 20);
	check_eq(stats_of(&b).removable_ns, 100);
	check_eq(stats_of(&a).removable_ns, 0);
}

Test(site_report, declared_ranges_that_meet_make_a_true_wait)
{
	for (int grain = RL_COARSE; grain <= RL_FINE; grain++) {
		begin((enum rl_grain)grain, RL_COARSE);
		b_waits_for_a(9, 20);
		check_eq(stats_of(&b).wait_ns[0], 100);
		check_eq(stats_of(&b).nr_waits[0], 1);
		check_eq(stats_of(&b).nr_waits[1], 0);
		check_eq(stats_of(&a).removable_ns, 0);
		check_eq(stats_of(&b).shared_ns, 0);
	}
}

/* The pairs keep their slots for ever, so this is in a process of its own. */
Test(site_report, totals_are_the_sum_of_all_pairs_and_of_the_overflow,
     .exit_code = PASSED)
{
	struct rl_sites_total total;
	uint64_t nr = 0;

	begin(RL_COARSE, RL_COARSE);
	for (uint16_t w = 0; w <= 255; w++)
		for (uint16_t k = 0; k <= 255; k++, nr++)
			rl_charge_wait(w, k, k & 1, 0, 2);
	rl_sites_total(&total);
	check_eq(total.nr_waits[0] + total.nr_waits[1], nr);
	check_eq(total.wait_ns[0], nr);
	check_lt(0, total.nr_lost);
	check_le(total.nr_neither, total.nr_waits[1]);
	exit(PASSED);
}
