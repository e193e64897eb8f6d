/*
 * Goal: each call of a site asks for what its name says, declares its range under
 * every grain, and counts at its site.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/site.h>

#include "rangelock/engine/entries.h"

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range a;
static struct rl_site site = RL_SITE_INIT("lock_at", RL_FINE);

static void check_is(int error, enum rl_mode mode, enum rl_grain grain)
{
	check_eq(error, 0);
	check_eq(rl_range_mode(&a), mode);
	check_eq(rl_range_grain(&a), grain);
	check_eq(a.site, site.id);
	check_eq(a.declared_start, 3);
	check_eq(a.declared_end, 9);
	rl_entry_settle(&lk, &a);	/* in the tree its handle has the range */
	check_eq(a.node.start, grain == RL_FINE ? 3 : 0);
	check_eq(a.node.end, grain == RL_FINE ? 9 : RL_END);
	rl_unlock(&lk, &a);
}

Test(lock_at, each_call_asks_for_what_its_name_says_under_each_grain)
{
	for (enum rl_grain g = RL_COARSE; g <= RL_FINE; g++) {
		check_eq(rl_site_set_grain(&site, g), 0);
		check_is(rl_read_lock_at(&lk, &a, &site, 3, 9), RL_READ, g);
		check_is(rl_write_lock_at(&lk, &a, &site, 3, 9), RL_WRITE, g);
		check_is(rl_read_trylock_at(&lk, &a, &site, 3, 9), RL_READ, g);
		check_is(rl_write_trylock_at(&lk, &a, &site, 3, 9), RL_WRITE,
			 g);
		check_is(rl_read_lock_at_until(&lk, &a, &site, 3, 9, 0),
			 RL_READ, g);
		check_is(rl_write_lock_at_until(&lk, &a, &site, 3, 9, 0),
			 RL_WRITE, g);
		check_is(rl_read_submit_at(&lk, &a, &site, 3, 9, NULL),
			 RL_READ, g);
		check_is(rl_write_submit_at(&lk, &a, &site, 3, 9, NULL),
			 RL_WRITE, g);
	}
}

Test(lock_at, a_missing_site_or_an_empty_range_is_EINVAL)
{
	check_eq(rl_read_lock_at(&lk, &a, NULL, 3, 9), EINVAL);
	check_eq(rl_write_trylock_at(&lk, &a, &site, 9, 9), EINVAL);
	check_eq(rl_write_submit_at(NULL, &a, &site, 3, 9, NULL), EINVAL);
	check_eq(rl_read_lock_at_until(&lk, NULL, &site, 3, 9, 0), EINVAL);
}
