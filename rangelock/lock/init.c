/*
 * init.c - init and destroy
 *
 * The only calls that allocate: the shards, and a ledger for a lock that has a name
 * or options that a ledger keeps.  Other locks take one of the store.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rangelock/engine/ledger.h"
#include "rangelock/engine/shards.h"
#include "rangelock/lock/lock_order.h"

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static bool options_are_sound(const struct rl_options *o)
{
	if (o->size != sizeof(*o) || o->flags & ~(RL_PLAIN | RL_READER_BIAS) ||
	    o->flags == (RL_PLAIN | RL_READER_BIAS))
		return false;
	if (o->chunk_size && !is_power_of_two(o->chunk_size))
		return false;
	if (o->nr_shards &&
	    (!is_power_of_two(o->nr_shards) || o->nr_shards > RL_SHARDS_MAX))
		return false;
	return true;
}

static bool plant_forest(struct rangelock *lk, const struct rl_options *o)
{
	uint32_t nr_shards = o->nr_shards ? o->nr_shards : RL_SHARDS;
	void *memory = aligned_alloc(64, rl_forest_size(nr_shards));

	if (!memory)
		return false;
	lk->forest = rl_forest_init(memory, o->chunk_size, nr_shards);
	lk->geometry = lk->forest->geometry;
	return true;
}

static void make_plain(struct rangelock *lk)
{
	struct rl_arbiter *a;

	/* Relaxed: nobody else knows the lock yet. */
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		rl_store_relaxed(&a->guard, RL_STAYS_SLOW | RL_SLOW);
}

static bool needs_ledger(const struct rl_options *o)
{
	return o->name || o->flags & RL_READER_BIAS ||
	       o->deadlock_ns != RL_DEADLOCK_NS || o->deadlock_report;
}

static struct rl_ledger *make_ledger(const struct rl_options *o)
{
	struct rl_ledger *ledger = malloc(sizeof(*ledger));

	if (!ledger)
		return NULL;
	rl_ledger_init(ledger);
	ledger->reader_bias = o->flags & RL_READER_BIAS;
	ledger->deadlock_bias_ns = o->deadlock_ns - RL_DEADLOCK_NS;
	ledger->deadlock_report = o->deadlock_report;
	ledger->deadlock_arg = o->deadlock_arg;
	return ledger;
}

int rl_init(struct rangelock *lk, const struct rl_options *options)
{
	struct rl_options defaults = RL_OPTIONS_INIT;
	const struct rl_options *o = options ? options : &defaults;
	struct rl_ledger *ledger = NULL;

	if (!lk || (uintptr_t)lk % _Alignof(struct rangelock) ||
	    !options_are_sound(o))
		return EINVAL;
	memset(lk, 0, sizeof(*lk));
	if (needs_ledger(o)) {
		ledger = make_ledger(o);
		if (!ledger)
			return ENOMEM;
	}
	if (o->chunk_size && !plant_forest(lk, o)) {
		free(ledger);
		return ENOMEM;
	}
	lk->bypass_bias_ns = o->bypass_ns - RL_BYPASS_NS;
	lk->host = o->host;
	lk->name = o->name;
	/* Relaxed: nobody else knows the lock yet. */
	rl_store_relaxed64(&lk->ledger, (uintptr_t)ledger);
	if (o->flags & RL_PLAIN)
		make_plain(lk);
	return 0;
}

static bool is_used(struct rangelock *lk)
{
	struct rl_arbiter *a, *guarded;
	bool used = false;

	rl_entries_evict_all(lk, 0, 0);

	for (uint32_t i = 0; !used && (a = rl_lock_arbiter(lk, i)); i++) {
		guarded = rl_guard_tree(lk, a);
		used = a->root || rl_entries_are_used(a);
		rl_guard_unlock(&guarded->guard);
	}
	return used;
}

int rl_destroy(struct rangelock *lk)
{
	struct rl_ledger *ledger;

	if (!lk)
		return EINVAL;
	if (is_used(lk))
		return EBUSY;
	rl_order_forget(lk);
	if (lk->forest)
		free(lk->forest);
	lk->forest = NULL;
	ledger = rl_lock_ledger(lk);
	if (ledger && !rl_ledger_release(ledger))
		free(ledger);
	rl_store_relaxed64(&lk->ledger, 0);
	return 0;
}
