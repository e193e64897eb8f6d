/*
 * Goal: a lock starts empty with its options, gives back what it took, and is
 * refused to be destroyed while it is in use.  (Options that make no sense:
 * conformance/test_misuse.c; fork: conformance/test_forking.c.)
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/stats.h>

#include "rangelock/engine/forest.h"
#include "rangelock/engine/ledger.h"
#include "rangelock/engine/request.h"

Test(init, options_are_kept)
{
	static const struct rl_host host = { .now = NULL };
	struct rl_options o = RL_OPTIONS_INIT;
	struct rangelock lk;

	memset(&lk, 0xff, sizeof(lk));
	o.name = "kept";
	o.bypass_ns = 123;
	o.chunk_size = 4096;
	o.nr_shards = 16;
	o.host = &host;
	check_eq(rl_init(&lk, &o), 0);
	check_str_eq(lk.name, "kept");
	check_eq(rl_lock_bypass_ns(&lk), 123);
	check_eq(lk.geometry.chunk_bits, 12);
	check_eq(lk.forest->nr_shards, 16);
	check_eq(lk.host, &host);
	check_eq(lk.central.root, (struct rl_node *)NULL);
	check_eq(rl_destroy(&lk), 0);
}

static void check_flags(const struct rl_options *o, uint32_t flags)
{
	struct rangelock lk;
	struct rl_arbiter *a;
	uint32_t nr = 0;

	check_eq(rl_init(&lk, o), 0);
	for (; (a = rl_lock_arbiter(&lk, nr)); nr++)
		check_eq(a->guard, flags);
	check_eq(nr, o->chunk_size ? 5 : 1);
	check_eq(rl_destroy(&lk), 0);
}

Test(init, a_plain_lock_is_slow_in_every_arbiter_and_others_in_none)
{
	struct rl_options o = RL_OPTIONS_INIT;

	check_flags(&o, 0);
	o.flags = RL_PLAIN;
	check_flags(&o, RL_STAYS_SLOW | RL_SLOW);
	o.chunk_size = 4096;
	o.nr_shards = 4;
	check_flags(&o, RL_STAYS_SLOW | RL_SLOW);
	o.flags = 0;
	check_flags(&o, 0);
}

Test(init, the_static_initializer_is_the_default_options)
{
	struct rangelock by_hand = RANGELOCK_INIT, by_call;

	check_eq(rl_init(&by_call, NULL), 0);
	check_eq(rl_lock_bypass_ns(&by_hand), rl_lock_bypass_ns(&by_call));
	check_eq(rl_lock_bypass_ns(&by_hand), RL_BYPASS_NS);
	check_eq(rl_destroy(&by_hand), 0);
	check_eq(rl_destroy(&by_call), 0);
}

Test(init, a_destroyed_static_lock_gives_its_ledger_back)
{
	static struct rangelock locks[RL_LEDGERS + 8];

	for (unsigned int i = 0; i < RL_LEDGERS + 8; i++) {
		struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
		struct rl_stats stats;

		check_eq(rl_write_lock(&locks[i], &a, 0, 1), 0);
		check_eq(rl_write_submit(&locks[i], &b, 0, 1, NULL),
			 EINPROGRESS);
		check_eq(rl_stats_read(&locks[i], &stats), 0);
		check_eq(stats.shared, 0);
		rl_unlock(&locks[i], &a);
		check_eq(rl_destroy(&locks[i]), EBUSY);
		rl_unlock(&locks[i], &b);
		check_eq(rl_destroy(&locks[i]), 0);
	}
}

static bool is_ledger_shared(const char *name)
{
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	struct rl_options o = RL_OPTIONS_INIT;
	struct rl_stats stats;
	struct rangelock lk;

	o.name = name;
	o.chunk_size = 4096;
	check_eq(rl_init(&lk, &o), 0);
	check_eq(rl_write_lock(&lk, &a, 0, 1), 0);
	check_eq(rl_write_submit(&lk, &b, 0, 1, NULL), EINPROGRESS);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	check_eq(rl_stats_read(&lk, &stats), 0);
	check_eq(stats.nr_waits[0], 1);
	check_eq(rl_destroy(&lk), 0);
	return stats.shared != 0;
}

Test(init, a_named_lock_has_a_ledger_of_its_own)
{
	struct rl_ledger *taken[RL_LEDGERS];
	size_t nr = 0;

	check_eq(is_ledger_shared(NULL), 0);
	while (nr < RL_LEDGERS - 1)
		taken[nr++] = rl_ledger_claim();
	check_eq(is_ledger_shared(NULL), 1);
	check_eq(is_ledger_shared("named"), 0);
	while (nr)
		check(rl_ledger_release(taken[--nr]));
}

Test(init, the_lock_s_hot_words_fill_one_cache_line)
{
	static struct rangelock lk;

	check_eq(sizeof(struct rl_arbiter), 64);
	check_eq((uintptr_t)&lk.central % 64, 0);
	check_eq(sizeof(struct rangelock) % 64, 0);
	check_le(sizeof(struct rl_range), 136);
}
