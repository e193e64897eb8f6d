/*
 * init.c - init, destroy, and the child after a fork
 *
 * The only file that allocates: a ledger for each rl_init().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/ledger.h"
#include "rangelock/tree/itree.h"

#define SHARDS_MAX	1024u

#define LK_FORKING	0x1u		/* lk->flags: rl_fork_prepare() was here */

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static bool options_are_sound(const struct rl_options *o)
{
	if (o->size != sizeof(*o) || o->flags)
		return false;
	if (o->chunk_size && !is_power_of_two(o->chunk_size))
		return false;
	if (o->nr_shards &&
	    (!is_power_of_two(o->nr_shards) || o->nr_shards > SHARDS_MAX))
		return false;
	return true;
}

int rl_init(struct rangelock *lk, const struct rl_options *options)
{
	struct rl_options defaults = RL_OPTIONS_INIT;
	const struct rl_options *o = options ? options : &defaults;
	struct rl_ledger *ledger;

	if (!lk || !options_are_sound(o))
		return EINVAL;
	ledger = malloc(sizeof(*ledger));
	if (!ledger)
		return ENOMEM;
	rl_ledger_init(ledger);
	memset(lk, 0, sizeof(*lk));
	lk->bypass_bias_ns = o->bypass_ns - RL_BYPASS_NS;
	lk->host = o->host;
	lk->ledger = ledger;
	lk->name = o->name;
	lk->chunk_size = o->chunk_size;
	lk->nr_shards = o->nr_shards;
	return 0;
}

int rl_destroy(struct rangelock *lk)
{
	struct rl_pass pass;
	bool is_used;

	if (!lk)
		return EINVAL;
	rl_pass_begin(&pass, lk);
	is_used = lk->central.root != NULL;
	rl_pass_end(&pass);
	if (is_used)
		return EBUSY;
	if (lk->ledger && !rl_ledger_release(lk->ledger))
		free(lk->ledger);
	lk->ledger = NULL;
	return 0;
}

void rl_fork_prepare(struct rangelock *lk)
{
	RL_REQUIRE(lk != NULL);
	rl_guard_lock(&lk->central.guard, lk->host);
	lk->flags |= LK_FORKING;
}

void rl_fork_parent(struct rangelock *lk)
{
	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(lk->flags & LK_FORKING);
	lk->flags &= ~LK_FORKING;
	rl_guard_unlock(&lk->central.guard);
}

/* Everybody but this thread is gone: drop what they held and waited for. */
static void drop_others(struct rangelock *lk)
{
	struct rl_arbiter *a = &lk->central;
	uint64_t self = rl_self(lk);
	struct rl_node *n, *next;

	for (n = rl_itree_first_overlap(a->root, 0, RL_END); n; n = next) {
		const struct rl_range *r = rl_range_leader(rl_range_of(n));

		next = rl_itree_next_overlap(n, 0, RL_END);
		if (!(r->flags & RL_F_HELD) || r->owner != self)
			rl_itree_erase(&a->root, n);
	}
	a->nr_waiting = 0;
}

int rl_fork_child(struct rangelock *lk)
{
	bool is_sound;

	if (!lk)
		return EINVAL;
	/* Relaxed: the child has one thread. */
	is_sound = lk->flags & LK_FORKING ||
		   rl_load_relaxed(&lk->central.guard) == RL_GUARD_FREE;
	lk->flags &= ~LK_FORKING;
	if (is_sound) {
		drop_others(lk);
	} else {
		lk->central.root = NULL;
		lk->central.nr_waiting = 0;
	}
	rl_store_relaxed(&lk->central.guard, RL_GUARD_FREE);
	return is_sound ? 0 : EOWNERDEAD;
}
