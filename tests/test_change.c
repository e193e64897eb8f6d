/*
 * Goal: a change keeps handle and tree in step: range, mode, grain and what is
 * declared.  (Whom it lets in: test_arbiter.c, conformance/test_changes.c.)
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/site.h>

#include "rangelock/engine/entries.h"

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range a;

static void check_range(uint64_t start, uint64_t end, uint64_t declared_start,
			uint64_t declared_end)
{
	rl_entry_settle(&lk, &a);	/* in the tree its handle has the range */
	check_eq(a.node.start, start);
	check_eq(a.node.end, end);
	check_eq(rl_range_declared_start(&a), declared_start);
	check_eq(rl_range_declared_end(&a), declared_end);
}

Test(change, a_fine_range_changes_what_it_locks_and_declares)
{
	check_eq(rl_read_lock(&lk, &a, 10, 20), 0);
	check_eq(rl_narrow(&lk, &a, 12, 18), 0);
	check_range(12, 18, 12, 18);
	check_eq(rl_tryextend(&lk, &a, 5, 18), 0);
	check_range(5, 18, 5, 18);
	check_eq(rl_read_tryupgrade(&lk, &a), 0);
	check_eq(rl_range_mode(&a), RL_WRITE);
	rl_write_downgrade(&lk, &a);
	check_eq(rl_range_mode(&a), RL_READ);
	check_range(5, 18, 5, 18);
	rl_unlock(&lk, &a);
}

Test(change, a_coarse_range_becomes_fine_when_it_is_narrowed)
{
	check_eq(rl_write_lock_coarse(&lk, &a), 0);
	check_eq(rl_tryextend(&lk, &a, 0, RL_END), 0);
	check_eq(rl_range_grain(&a), RL_COARSE);
	check_eq(rl_narrow(&lk, &a, 3, 9), 0);
	check_eq(rl_range_grain(&a), RL_FINE);
	check_range(3, 9, 3, 9);
	rl_unlock(&lk, &a);
}

Test(change, under_a_coarse_site_only_the_declared_range_changes)
{
	static struct rl_site site = RL_SITE_INIT("change_coarse", RL_COARSE);

	check_eq(rl_write_lock_at(&lk, &a, &site, 10, 20), 0);
	check_range(0, RL_END, 10, 20);
	check_eq(rl_narrow(&lk, &a, 12, 18), 0);
	check_range(0, RL_END, 12, 18);
	check_eq(rl_narrow(&lk, &a, 10, 18), EINVAL);
	check_eq(rl_tryextend(&lk, &a, 0, 100), 0);
	check_range(0, RL_END, 0, 100);
	check_eq(rl_range_grain(&a), RL_COARSE);
	rl_unlock(&lk, &a);
}

Test(change, what_makes_no_sense_changes_nothing)
{
	check_eq(rl_read_lock(&lk, &a, 10, 20), 0);
	check_eq(rl_narrow(&lk, &a, 10, 10), EINVAL);
	check_eq(rl_narrow(&lk, &a, 0, 15), EINVAL);
	check_eq(rl_tryextend(&lk, &a, 11, 30), EINVAL);
	check_eq(rl_read_tryupgrade(NULL, &a), EINVAL);
	check_range(10, 20, 10, 20);
	rl_unlock(&lk, &a);
}
