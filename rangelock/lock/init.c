/*
 * init.c - init, destroy, and the child after a fork
 *
 * The only file that allocates: a ledger for each rl_init().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/grant.h"
#include "rangelock/engine/ledger.h"
#include "rangelock/lock/rwlock.h"
#include "rangelock/lock/site.h"
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

/* The first leader in the tree, in order, that is not this thread's. */
static struct rl_range *find_other(struct rl_arbiter *a, uint64_t self)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		struct rl_range *leader = rl_range_leader(rl_range_of(n));

		if (leader->owner != self)
			return leader;
	}
	return NULL;
}

/*
 * Requests of this thread that were granted, by a thread that is not here to
 * let them in: let the plain ones in, and list those with a callback.
 */
static void let_in_granted(struct rl_arbiter *a, struct rl_deferred *due)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		struct rl_range *leader = rl_range_leader(rl_range_of(n));

		/* Relaxed, twice: the child has one thread. */
		if (leader != rl_range_of(n) || !(leader->flags & RL_F_HELD) ||
		    rl_load_relaxed(&leader->state) == RL_HELD)
			continue;
		if (!leader->granted)
			rl_store_relaxed(&leader->state, RL_HELD);
		else
			rl_append_callback(due, leader);
	}
}

/*
 * Everybody but this thread is gone: take out, by the rules, what they held and
 * waited for.  That may grant what this thread waits for.  The guard is taken.
 */
static void leave_for_others(struct rangelock *lk)
{
	struct rl_deferred due = { NULL, NULL };
	uint64_t self = rl_self(lk);
	struct rl_range *other;
	struct rl_pass pass;

	rl_pass_adopt(&pass, lk);
	let_in_granted(pass.arbiter, &due);
	while (!RL_PLANTED(FORK_KEEPS_OTHERS) &&
	       (other = find_other(pass.arbiter, self)) != NULL)
		rl_arbiter_leave(&pass, other);
	rl_pass_end_deferred(&pass, &due);
	rl_run_callbacks(&due);
}

int rl_fork_child(struct rangelock *lk)
{
	if (!lk)
		return EINVAL;
	rl_sites_fork_child();
	/* Relaxed: the child has one thread. */
	if (!(lk->flags & LK_FORKING) &&
	    rl_load_relaxed(&lk->central.guard) != RL_GUARD_FREE) {
		lk->central.root = NULL;
		lk->central.nr_waiting = 0;
		rl_store_relaxed(&lk->central.guard, RL_GUARD_FREE);
		rl_rwlock_forget(lk);
		return EOWNERDEAD;
	}
	lk->flags &= ~LK_FORKING;
	rl_store_relaxed(&lk->central.guard, RL_GUARD_TAKEN);
	leave_for_others(lk);
	return 0;
}
