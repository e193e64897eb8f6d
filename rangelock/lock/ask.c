/*
 * ask.c - a request that finds others in the lock
 *
 * Who stands in an entry cannot be waited for.  Most such holds are over sooner
 * than a membarrier, so a request that conflicts with one first looks at it for
 * a while, as long as it may be passed anyway; then it moves it to the tree.
 */
#include "rangelock/lock/ask.h"

#include "rangelock/engine/wait.h"
#include "rangelock/engine/wait_account.h"

#define LOOKS_NS	UINT64_C(20000)		/* more than they take */

/* Somebody in the tree is in the way: look until others may pass those who sleep
 * behind him.  The guard is free. */
static void look_at_guard(const struct rangelock *lk,
			  const struct rl_arbiter *a, unsigned int *looks)
{
	do {
		--*looks;
		rl_relax(lk->host);
	} while (*looks && rl_guard_flags(&a->guard) & RL_SLOW);
}

static unsigned int looks_of(const struct rangelock *lk,
			     enum rl_patience patience)
{
	return patience == RL_BLOCK && rl_can_spin(lk->host) &&
	       rl_lock_bypass_ns(lk) >= LOOKS_NS ? RL_ENTRY_LOOKS : 0;
}

/* Is nobody else under the guard? */
static bool is_alone(const struct rangelock *lk, const struct rl_arbiter *a)
{
	return rl_trees_are_empty(lk, a) && !rl_entry_holder(a, 0) &&
	       !rl_entry_holder(a, 1);
}

/* A filled leader enters, if nobody is in the way, and lets the guard go. */
static bool try_entry(struct rangelock *lk, struct rl_arbiter *a,
		      struct rl_range *r)
{
	uint64_t start = r->node.start, end = r->node.end;
	uint32_t flags = rl_guard_flags(&a->guard);
	bool passes = false;
	uint32_t length;
	unsigned int i;

	if ((flags && !rl_is_open(a)) || rl_range_is_several(r) ||
	    !rl_entry_measure(start, end, &length) ||
	    !rl_barrier_is_usable())
		return false;
	if (flags && !rl_entries_is_open_still(lk, a)) {
		if (!rl_entries_shut(a))
			rl_entries_halt(a);
		return false;
	}
	i = is_alone(lk, a) ? 0 : rl_entry_choose(lk, a, start, end,
						  rl_range_mode(r), &passes);
	if (i == RL_NO_ENTRY)
		return false;
	rl_entry_fill(a, i, r, start, length, rl_range_mode(r));
	rl_count_locked(lk, a, rl_range_mode(r), rl_range_grain(r) != RL_FINE);
	if (!flags && rl_range_mode(r) == RL_READ &&
	    !(a->nr_locked[RL_READ] % RL_BIAS_READS) &&
	    rl_readers_may_bias(lk, a))
		flags = RL_BIASED;
	/* Q7.  (W3) release: as in rl_ask(). */
	rl_store_release(&r->state, RL_INLINE);
	rl_guard_unlock_to(&a->guard, flags);
	if (passes)
		rl_ledger_add(rl_account_ledger(lk), nr_bypasses, 1);
	return true;
}

/* Nobody waits here, nor is anybody in the way. */
static bool is_clear(struct rangelock *lk, const struct rl_arbiter *a,
		     const struct rl_range *r)
{
	return is_alone(lk, a) ||
	       (!a->nr_waiting &&
		!rl_anybody_conflicts(lk, a, r->node.start, r->node.end,
				      rl_range_mode(r)));
}

/* The entries are taken or may not be used now: the short way to the tree. */
static bool try_tree(struct rangelock *lk, struct rl_arbiter *a,
		     struct rl_range *r)
{
	if (rl_range_is_several(r) || rl_guard_flags(&a->guard) & RL_BIASED ||
	    !is_clear(lk, a, r))
		return false;
	rl_arbiter_enter_quietly(lk, a, r);
	rl_arbiter_calm(a);
	/* (W3) release: as in ask_guarded(). */
	rl_store_release(&r->state, RL_HELD);
	rl_guard_unlock(&a->guard);
	return true;
}

static struct rl_arbiter *guard_entry(struct rangelock *lk,
				      const struct rl_range *leader,
				      enum rl_patience patience)
{
	if (rl_range_is_several(leader))
		return rl_guard_several(lk, leader, patience == RL_TRY);
	return rl_guard_lone(lk, leader->node.start, leader->node.end,
			     rl_range_mode(leader), patience == RL_TRY);
}

/* Must the readers who may be published there be in the tree? */
static bool is_against_bias(const struct rl_arbiter *a,
			    const struct rl_range *leader)
{
	return rl_guard_flags(&a->guard) & RL_BIASED &&
	       (rl_range_is_several(leader) ||
		rl_range_mode(leader) == RL_WRITE);
}

/* By the tree: nobody in an entry is in the way. */
static int enter(struct rangelock *lk, struct rl_arbiter *a,
		 struct rl_range *leader, enum rl_patience patience,
		 bool *spins)
{
	struct rl_pass pass;
	int error;

	rl_pass_adopt(&pass, lk, a);
	/* Q1.  (W3) release: who cancels it finds its arbiter. */
	rl_store_release(&leader->state, RL_QUEUED);
	error = rl_arbiter_enter(&pass, leader, patience);
	if (!error)
		/* (W3) release: the same. */
		rl_store_release(&leader->state, RL_HELD);
	else if (error != EINPROGRESS)
		rl_store_relaxed(&leader->state, RL_IDLE);
	/* Behind others who wait it takes more than a spin. */
	*spins = leader->nr_blockers == leader->nr_held_blockers;
	rl_arbiter_calm(a);
	return error;
}

/* An open arbiter is shut only for one who must wait. */
static bool is_beside_open(const struct rl_arbiter *a,
			   enum rl_patience patience)
{
	return rl_guard_flags(&a->guard) & RL_OPEN && patience != RL_TRY;
}

/* A plain arbiter does not open. */
static bool may_look(const struct rl_arbiter *a, unsigned int looks)
{
	return looks && !(rl_guard_flags(&a->guard) & RL_STAYS_SLOW);
}

static int ask_guarded(struct rangelock *lk, struct rl_arbiter *a,
		       struct rl_range *leader, enum rl_patience patience,
		       uint64_t deadline_ns)
{
	unsigned int looks = looks_of(lk, patience);
	bool spins = true, has_evicted = false;
	unsigned int i;
	int error;

	for (;;) {
		bool is_kept = true;		/* the guard */

		i = rl_entry_in_the_way(a, leader);
		if (i != RL_NO_ENTRY && patience == RL_TRY) {
			rl_guard_unlock(&a->guard);
			return EBUSY;
		}
		if (i != RL_NO_ENTRY) {
			is_kept = rl_entries_make_way(lk, a, i, &looks);
		} else if (is_against_bias(a, leader)) {
			if (patience == RL_TRY && !RL_PLANTED(TRY_WAITS))
				rl_entries_evict_held(lk, a);
			else
				rl_entries_evict(lk, a);
		} else if (is_beside_open(a, patience)) {
			error = enter(lk, a, leader, RL_TRY, &spins);
			if (error != EBUSY)
				break;
			if (!rl_entries_shut(a)) {
				rl_entries_evict(lk, a);
				/* A barrier each: the second time it queues. */
				looks = has_evicted ? 0 : looks;
				has_evicted = true;
			}
		} else {
			error = enter(lk, a, leader,
				      may_look(a, looks) ? RL_LOOK : patience,
				      &spins);
			if (error != EAGAIN)
				break;
			rl_guard_unlock(&a->guard);
			look_at_guard(lk, a, &looks);
			is_kept = false;
		}
		if (is_kept && rl_guard_is_right(lk, a, leader))
			continue;
		if (is_kept)
			rl_guard_unlock(&a->guard);
		/* Who tries has kept it: the guard is waited for. */
		a = guard_entry(lk, leader, patience);
		if (try_entry(lk, a, leader))
			return 0;
	}
	rl_guard_unlock(&a->guard);		/* entering grants nobody else */
	if (error != EINPROGRESS || patience == RL_SUBMIT)
		return error;
	return rl_await(lk, leader, deadline_ns, spins);
}

/* is_full: there is no entry for it. */
static int ask_filled(struct rangelock *lk, struct rl_arbiter *a,
		      struct rl_range *leader, enum rl_patience patience,
		      uint64_t deadline_ns, bool is_full)
{
	int error = 0;

	if ((is_full || !try_entry(lk, a, leader)) && !try_tree(lk, a, leader))
		error = ask_guarded(lk, a, leader, patience, deadline_ns);
	if (!error)
		rl_order_hold(lk, leader);
	else if (error == EBUSY)
		rl_guard_give_way(lk->host);
	return error;
}

int rl_ask_filled(struct rangelock *lk, struct rl_range *leader,
		  enum rl_patience patience, uint64_t deadline_ns)
{
	struct rl_arbiter *a;

	if (patience == RL_BLOCK)
		rl_order_ask(lk);
	a = guard_entry(lk, leader, patience);
	return a ? ask_filled(lk, a, leader, patience, deadline_ns, false) :
		   EBUSY;
}

/* Stand in an entry, beside others perhaps; false: there is none for it. */
static __attribute__((noinline)) bool
ask_beside(struct rangelock *lk, struct rl_arbiter *a, struct rl_range *r,
	   const struct rl_ask *ask)
{
	uint64_t start = ask->grain == RL_FINE ? ask->start : 0;
	uint64_t end = ask->grain == RL_FINE ? ask->end : RL_END;
	uint32_t length;
	unsigned int i = 0;
	bool passes;

	if (!rl_entry_measure(start, end, &length))
		return false;
	if (!is_alone(lk, a))
		i = rl_entry_choose(lk, a, start, end, ask->mode, &passes);
	if (i == RL_NO_ENTRY)
		return false;
	rl_ask_enter(lk, a, i, r, start, length, ask);
	return true;
}

/* The guard that it is under, where a was looked for first. */
static __attribute__((noinline)) struct rl_arbiter *
guard_ask(struct rangelock *lk, struct rl_arbiter *a, const struct rl_ask *ask)
{
	uint64_t start = ask->grain == RL_FINE ? ask->start : 0;
	uint64_t end = ask->grain == RL_FINE ? ask->end : RL_END;
	bool is_try = ask->patience == RL_TRY;

	if (a)
		return rl_guard_lone_from(lk, a, start, end, ask->mode, is_try);
	if (ask->patience == RL_BLOCK)
		rl_order_ask(lk);
	return rl_guard_lone(lk, start, end, ask->mode, is_try);
}

int rl_ask_slowly(struct rangelock *lk, struct rl_arbiter *a,
		  struct rl_range *r, const struct rl_ask *ask)
{
	bool is_full = false;

	RL_REQUIRE(rl_range_is_free(r));
	if (lk->host || ask->patience == RL_SUBMIT) {
		rl_fill_range(lk, r, ask);
		return rl_ask_filled(lk, r, ask->patience, ask->deadline_ns);
	}
	if (!a || rl_shard_is_closed(a) || (lk->forest && a == &lk->central))
		a = guard_ask(lk, a, ask);
	if (!a)
		return EBUSY;
	if (!rl_guard_flags(&a->guard) && rl_barrier_is_usable() &&
	    rl_count_is_easy(lk, a, ask->mode, ask->grain != RL_FINE)) {
		if (ask_beside(lk, a, r, ask))
			return 0;
		is_full = true;
	}
	rl_fill_range(lk, r, ask);
	return ask_filled(lk, a, r, ask->patience, ask->deadline_ns, is_full);
}
