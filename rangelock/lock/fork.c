/*
 * fork.c - a lock in the child after a fork
 *
 * Only the forking thread is there.  If no other was inside the lock, the child
 * takes out, by the rules, what the others held and waited for.
 */
#include <errno.h>
#include <string.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/grant.h"
#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"
#include "rangelock/lock/lock_order.h"
#include "rangelock/lock/rwlock.h"
#include "rangelock/lock/site.h"
#include "rangelock/tree/itree.h"

void rl_fork_prepare(struct rangelock *lk)
{
	struct rl_arbiter *a;

	RL_REQUIRE(lk != NULL);
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		rl_guard_lock(&a->guard, lk->host);
	rl_guard_set_flags(&lk->central.guard,
			   rl_guard_flags(&lk->central.guard) | RL_FORKING);
}

void rl_fork_parent(struct rangelock *lk)
{
	struct rl_arbiter *a;

	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(rl_guard_flags(&lk->central.guard) & RL_FORKING);
	rl_guard_set_flags(&lk->central.guard,
			   rl_guard_flags(&lk->central.guard) & ~RL_FORKING);
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		rl_guard_unlock(&a->guard);
}

/* The first leader in the tree, in order, that is not this thread's, or that
 * another one was just letting go. */
static struct rl_range *find_other(struct rl_arbiter *a, uint64_t self,
				   bool waits)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		struct rl_range *leader = rl_range_leader(rl_range_of(n));

		/* Relaxed: the child has one thread. */
		if (waits != !!(leader->flags & RL_F_WAITING))
			continue;
		if (leader->owner != self ||
		    rl_load_relaxed(&leader->state) == RL_IDLE)
			return leader;
	}
	return NULL;
}

static bool is_granted(const struct rl_range *held)
{
	/* Relaxed: the child has one thread. */
	uint32_t state = rl_load_relaxed(&held->state);

	if (RL_PLANTED(FORK_GRANTS_LEAVING) && state == RL_IDLE)
		return true;
	return rl_state_is_queued(state);
}

/*
 * Requests of this thread that were granted, by a thread that is not here to
 * let them in: let the plain ones in, and list those with a callback.
 */
static void let_in_granted(struct rangelock *lk, struct rl_arbiter *a,
			   struct rl_deferred *due)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		struct rl_range *leader = rl_range_leader(rl_range_of(n));

		if (leader != rl_range_of(n) || !(leader->flags & RL_F_HELD) ||
		    leader->owner != rl_self(lk) || !is_granted(leader))
			continue;
		/* Relaxed, as above. */
		if (!leader->granted)
			rl_store_relaxed(&leader->state, RL_HELD);
		else
			rl_append_callback(due, leader);
	}
}

/* That may grant what this thread waits for.  Who waits leaves before all who
 * hold, or it would be granted too. */
static void leave_for_others(struct rangelock *lk, struct rl_arbiter *a,
			     bool waits, struct rl_deferred *due)
{
	uint64_t self = rl_self(lk);
	struct rl_range *other;
	struct rl_pass pass;

	rl_pass_adopt(&pass, lk, rl_guard_tree(lk, a));
	while (!RL_PLANTED(FORK_KEEPS_OTHERS) &&
	       (other = find_other(a, self, waits)) != NULL) {
		rl_arbiter_leave(&pass, other);
		/* Relaxed: the child has one thread. */
		if (!RL_PLANTED(FORK_STATES_STAY))
			rl_store_relaxed(&other->state, RL_IDLE);
	}
	rl_pass_end_deferred(&pass, due);
}

/* Callbacks that are due, but of others, who were granted and then taken out. */
static void drop_others(struct rl_deferred *due)
{
	struct rl_deferred all = *due;

	due->head = due->tail = NULL;
	for (struct rl_range *r = all.head, *next; r; r = next) {
		next = r->next;
		if (r->flags & RL_F_HELD || RL_PLANTED(FORK_CALLS_OTHERS))
			rl_append_callback(due, r);
	}
}

/* Was no thread inside any guard when the fork came? */
static bool is_sound(struct rangelock *lk)
{
	struct rl_arbiter *a;

	if (rl_guard_flags(&lk->central.guard) & RL_FORKING)
		return true;
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		if (rl_guard_is_taken(&a->guard))
			return false;
	return true;
}

/* Relaxed, here and above: the child has one thread. */
static void empty(struct rangelock *lk)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++) {
		uint32_t flags = rl_guard_flags(&a->guard) & RL_STAYS_SLOW;

		a->root = NULL;
		a->nr_waiting = 0;
		memset(a->entry_holder, 0, sizeof(a->entry_holder));
		if (!RL_PLANTED(FORK_KEEPS_READERS))
			rl_readers_fork_child(a, false);
		rl_store_relaxed(&a->guard, flags ? flags | RL_SLOW : 0);
	}
	if (lk->forest)
		rl_forest_empty(lk->forest);
}

int rl_fork_child(struct rangelock *lk)
{
	struct rl_deferred due = { NULL, NULL };
	struct rl_arbiter *a;

	if (!lk)
		return EINVAL;
	rl_sites_fork_child();
	if (!is_sound(lk)) {
		empty(lk);
		rl_order_empty(lk);
		rl_rwlock_forget(lk);
		return EOWNERDEAD;
	}
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		rl_store_relaxed(&a->guard,
				 rl_guard_flags(&a->guard) & ~RL_FORKING);
	if (lk->forest && !RL_PLANTED(FORK_KEEPS_CLOSING))
		rl_store_relaxed(&lk->forest->nr_closing, 0);
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++) {
		rl_guard_lock(&a->guard, lk->host);
		rl_entries_fork_child(lk, a);
		let_in_granted(lk, a, &due);	/* before anybody else is granted */
		rl_guard_unlock(&a->guard);
	}
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		leave_for_others(lk, a, true, &due);
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++)
		leave_for_others(lk, a, false, &due);
	drop_others(&due);
	rl_run_callbacks(&due);
	return 0;
}
