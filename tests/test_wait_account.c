/*
 * Goal: a wait is true if some blocker's declared range conflicts with the
 * waiter's, and is charged to that blocker's site, else to the first one's.
 */
#include "tests/arbitration.h"

#include <string.h>

#include <rangelock/stats.h>

#include "rangelock/engine/ledger.h"

static struct hand h;

/* The holder locks everything for site and declares [start, end). */
static void hold_wide(unsigned int i, enum rl_mode mode, uint64_t start,
		      uint64_t end, uint8_t site)
{
	struct rl_range *r = &h.r[i];

	r->node.start = 0;
	r->node.end = RL_END;
	r->declared_start = start;
	r->declared_end = end;
	r->mode = (uint8_t)mode;
	r->flags = RL_COARSE | RL_F_AT_SITE;
	r->site = site;
	r->owner = i + 1;
	check_eq(rl_arbiter_enter(&h.pass, r, RL_SUBMIT), 0);
}

static struct rl_stats stats(void)
{
	struct rl_stats s;

	memset(&s, 0, sizeof(s));
	rl_ledger_read(rl_lock_ledger(&h.lk), &s);
	return s;
}


Test(wait_account, a_wait_behind_a_declared_conflict_is_true)
{
	hand_begin(&h, 0);
	hold_wide(0, RL_READ, 0, 10, 7);
	hold_wide(1, RL_READ, 20, 30, 8);
	check_eq(hand_enter(&h, 2, RL_WRITE, 25, 26), EINPROGRESS);
	check(h.r[2].flags & RL_F_TRUE);
	check(h.r[2].flags & RL_F_BEHIND_WIDE);
	check_eq(h.r[2].blocker_site, 8);
	check_eq(hand_enter(&h, 3, RL_WRITE, 9, 10), EINPROGRESS);
	check(h.r[3].flags & RL_F_TRUE);
	check_eq(h.r[3].blocker_site, 7);
	hand_end(&h);
}

Test(wait_account, a_wait_behind_locked_ranges_alone_is_false)
{
	hand_begin(&h, 0);
	hold_wide(0, RL_WRITE, 0, 10, 7);
	check_eq(hand_enter(&h, 2, RL_WRITE, 10, 20), EINPROGRESS);
	check(!(h.r[2].flags & RL_F_TRUE));
	check_eq(h.r[2].blocker_site, 7);
	hand_end(&h);
}

Test(wait_account, readers_that_declare_the_same_bytes_wait_for_nothing_true)
{
	hand_begin(&h, 0);
	hold_wide(0, RL_WRITE, 0, 10, 7);
	h.r[0].flags |= RL_F_DECLARES_READ;
	check_eq(hand_enter(&h, 2, RL_READ, 5, 6), EINPROGRESS);
	check(!(h.r[2].flags & RL_F_TRUE));
	check_eq(hand_enter(&h, 3, RL_WRITE, 5, 6), EINPROGRESS);
	check(h.r[3].flags & RL_F_TRUE);
	hand_end(&h);
}

Test(wait_account, each_wait_is_counted_once_when_it_ends)
{
	hand_begin(&h, 0);
	check_eq(hand_enter(&h, 0, RL_WRITE, 0, 10), 0);
	check_eq(hand_enter(&h, 1, RL_WRITE, 0, 10), EINPROGRESS);
	check_eq(stats().nr_contended[RL_WRITE][0], 1);
	check_eq(stats().nr_waits[0], 0);
	h.pass.now_ns = h.r[1].since_ns + 77;
	rl_arbiter_leave(&h.pass, &h.r[0]);
	check_eq(stats().nr_waits[0], 1);
	check_eq(stats().wait_ns[0], 77);
	check_eq(stats().wait_ns_max, 77);
	check_eq(stats().wait_ns_min, 77);
	hand_end(&h);
}
