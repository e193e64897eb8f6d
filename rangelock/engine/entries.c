/*
 * entries.c - who may enter, and moving those who stand in an entry
 *
 * See entries.h for the protocol.  Cost of an eviction: a membarrier(2).
 */
#include "rangelock/engine/entries.h"

#include "rangelock/base/line.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait_account.h"

void rl_count_wrapped(struct rangelock *lk, enum rl_mode mode, bool is_coarse)
{
	rl_add_relaxed16(&lk->nr_wrapped[mode][is_coarse], 1);
}

static bool entry_conflicts(const struct rl_arbiter *a, unsigned int i,
			    uint64_t start, uint64_t end, enum rl_mode mode)
{
	enum rl_mode held = rl_entry_holder(a, i) & 1 ? RL_WRITE : RL_READ;

	return start < rl_entry_end(a, i) && a->entry_start[i] < end &&
	       rl_modes_conflict(mode, held);
}

static unsigned int find_conflict(const struct rl_arbiter *a, uint64_t start,
				  uint64_t end, enum rl_mode mode)
{
	for (unsigned int i = 0; i < RL_ENTRIES; i++)
		if (rl_entry_is_used(a, i) &&
		    entry_conflicts(a, i, start, end, mode))
			return i;
	return RL_NO_ENTRY;
}

bool rl_entries_conflict(const struct rl_arbiter *a, uint64_t start,
			 uint64_t end, enum rl_mode mode)
{
	return find_conflict(a, start, end, mode) != RL_NO_ENTRY;
}

unsigned int rl_entry_in_the_way(const struct rl_arbiter *a,
				 const struct rl_range *leader)
{
	unsigned int found = RL_NO_ENTRY;

	for (unsigned int i = 0; found == RL_NO_ENTRY &&
				 i < rl_range_nr_nodes(leader); i++)
		found = find_conflict(a, leader[i].node.start,
				      leader[i].node.end,
				      rl_range_mode(leader + i));
	return found;
}

/* Does somebody in the tree who holds conflict?  If not, *passes says whether
 * somebody does who waits. */
static bool tree_conflicts(struct rangelock *lk, const struct rl_arbiter *a,
			   uint64_t start, uint64_t end, enum rl_mode mode,
			   bool *passes)
{
	struct rl_walk w;
	struct rl_node *n = rl_walk_first(&w, lk, a, start, end);

	*passes = false;
	for (; n; n = rl_walk_next(&w, n)) {
		const struct rl_range *y = rl_range_of(n);

		if (!rl_modes_conflict(mode, rl_range_mode(y)))
			continue;
		if (rl_range_is_held(y) && !RL_PLANTED(OPEN_OVER_HOLDER))
			return true;
		*passes = true;
	}
	return false;
}

bool rl_anybody_conflicts(struct rangelock *lk, const struct rl_arbiter *a,
			  uint64_t start, uint64_t end, enum rl_mode mode)
{
	bool passes;

	return rl_entries_conflict(a, start, end, mode) ||
	       tree_conflicts(lk, a, start, end, mode, &passes);
}

unsigned int rl_entry_choose(struct rangelock *lk, const struct rl_arbiter *a,
			     uint64_t start, uint64_t end, enum rl_mode mode,
			     bool *passes)
{
	unsigned int chosen = RL_NO_ENTRY;

	for (unsigned int i = RL_ENTRIES; i--;) {
		if (!rl_entry_holder(a, i))
			chosen = i;
		else if (entry_conflicts(a, i, start, end, mode))
			return RL_NO_ENTRY;
	}
	if (chosen != RL_NO_ENTRY &&
	    tree_conflicts(lk, a, start, end, mode, passes))
		return RL_NO_ENTRY;
	return chosen;
}

/* ---- Opening (O1) ---- */

#define OPENED_FOR	256u	/* so many requests are walked through, at most */

/* Ticks, of which the word holds the lowest 23 bits. */
static uint32_t tick_of(uint64_t ns)
{
	return (uint32_t)(ns >> RL_TICK_BITS) * RL_UNTIL_ONE;
}

/* How long an arbiter is open at most. */
static uint64_t open_ns(const struct rangelock *lk)
{
	uint64_t bypass_ns = rl_lock_bypass_ns(lk);

	return bypass_ns < RL_OPEN_MAX_NS ? bypass_ns : RL_OPEN_MAX_NS;
}

/* Since when the first waits; false: there are too many to know. */
static bool find_oldest(const struct rl_pass *pass, uint64_t *oldest_ns)
{
	unsigned int nr = 0;
	struct rl_walk w;
	struct rl_node *n;

	*oldest_ns = UINT64_MAX;
	n = rl_walk_first(&w, pass->lk, pass->arbiter, 0, RL_END);
	for (; n; n = rl_walk_next(&w, n)) {
		const struct rl_range *leader = rl_range_leader(rl_range_of(n));

		if (nr++ == OPENED_FOR)
			return false;
		if (leader->flags & RL_F_WAITING &&
		    leader->since_ns < *oldest_ns)
			*oldest_ns = leader->since_ns;
	}
	return true;
}

/* Is somebody called?  Or else, this pair counted, have enough gone by the tree to pay
 * for a walk?  A host whose threads cannot run at the same time gains nothing. */
static bool count_down(const struct rl_pass *pass)
{
	struct rl_arbiter *a = pass->arbiter;
	uint32_t flags = rl_guard_flags(&a->guard);

	if (pass->front)
		return true;
	if (!rl_is_parallel(pass->lk->host))
		return false;
	if (!(flags & RL_CALM))
		return true;
	rl_guard_set_flags(&a->guard, flags - RL_CALM_ONE);
	return false;
}

/* The time that is left is counted in whole ticks, and looked at as if a tick had
 * passed: it ends too early rather than too late. */
void rl_entries_open(struct rl_pass *pass)
{
	uint64_t bypass_ns = open_ns(pass->lk), oldest_ns, now;
	struct rl_arbiter *a = pass->arbiter;
	uint32_t flags = rl_guard_flags(&a->guard);
	bool is_halted = (flags & ~RL_CALM) == (RL_OPEN | RL_SLOW);

	if (!a->nr_waiting || pass->granted || !bypass_ns ||
	    !rl_barrier_is_usable() ||
	    (flags & ~(RL_SLOW | RL_CALM) && !is_halted) || !count_down(pass))
		return;
	now = rl_pass_now(pass);
	if (!find_oldest(pass, &oldest_ns) || now - oldest_ns >= bypass_ns) {
		rl_entries_shut(a);
		flags = rl_guard_flags(&a->guard) & ~RL_CALM;
		rl_guard_set_flags(&a->guard, flags | RL_CALM_AFTER_SHUT);
		return;
	}
	rl_guard_set_flags(&a->guard, RL_OPEN | tick_of(oldest_ns + bypass_ns));
	RL_INVARIANT(rl_arbiter_is_valid(pass->lk, a));
}

bool rl_entries_is_open_still(const struct rangelock *lk,
			      const struct rl_arbiter *a)
{
	uint32_t until = rl_guard_flags(&a->guard) & RL_UNTIL;
	uint32_t left = until - tick_of(rl_clock(lk->host)) - RL_UNTIL_ONE;

	/* Long after its end it looks like long before. */
	return left <= tick_of(open_ns(lk)) || RL_PLANTED(OPEN_FOR_EVER) ||
	       (RL_PLANTED(OPEN_AGAIN) && (int32_t)left >= 0);
}

bool rl_entries_shut(struct rl_arbiter *a)
{
	uint32_t flags = rl_guard_flags(&a->guard);

	if (!(flags & RL_OPEN))
		return true;
	if (rl_entries_are_used(a) && !RL_PLANTED(OPEN_NO_SHUT))
		return false;
	rl_guard_set_flags(&a->guard, flags & RL_SLOW ?
					      flags & ~RL_OPEN :
					      RL_SLOW | RL_CALM_AFTER_SHUT);
	return true;
}

void rl_arbiter_calm(struct rl_arbiter *a)
{
	uint32_t flags = rl_guard_flags(&a->guard);

	uint32_t needs = RL_STAYS_SLOW | RL_CLOSED | RL_MOVED_ANY | RL_PINS |
			 RL_OPEN;

	if (RL_PLANTED(ENTRY_NO_PIN))
		needs &= ~RL_PINS;
	if (RL_PLANTED(ENTRY_CALM_MOVED))
		needs &= ~RL_MOVED_ANY;
	/* The waiters of a closed shard are under another guard. */
	if (!(flags & RL_SLOW) || flags & needs || a->nr_waiting)
		return;
	if (flags & RL_CALM)
		flags -= RL_CALM_ONE;
	else
		flags &= ~RL_SLOW;
	rl_guard_set_flags(&a->guard, flags);
}

void rl_entries_pin(struct rl_arbiter *a)
{
	uint32_t flags;

	rl_entries_halt(a);
	flags = rl_guard_flags(&a->guard);

	RL_REQUIRE((flags & RL_PINS) != RL_PINS);	/* 4,095 threads */
	flags = (flags & ~RL_CALM) | RL_CALM_AFTER_BARRIER;
	if (RL_PLANTED(BIAS_ENDS_EARLY))
		flags &= ~RL_BIASED;
	rl_guard_set_flags(&a->guard, (flags + RL_PIN) | RL_SLOW);
}

void rl_entries_unpin(struct rl_arbiter *a)
{
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) - RL_PIN);
}

void rl_entry_stand_in_tree(struct rangelock *lk, struct rl_arbiter *a,
			    struct rl_range *r)
{
	struct rl_pass pass;

	r->lock_tag = rl_lock_tag(lk);
	r->seq = 0;
	r->flags |= RL_F_HELD;
	rl_trees_insert(lk, a, r);
	if (!a->nr_waiting || RL_PLANTED(OPEN_UNCOUNTED))
		return;
	/* It may have passed them, uncounted. */
	rl_pass_adopt(&pass, lk, a);
	rl_arbiter_count_holder(&pass, r);
}

/* The range of entry i, in the handle of its holder, if it is not there yet. */
static void copy_range(const struct rl_arbiter *a, unsigned int i,
		       struct rl_range *r)
{
	if (!(r->bare & RL_BARE_NODE))
		return;
	/* Relaxed, twice: who is not its owner looks again under the guard. */
	rl_store_relaxed64(&r->node.start, a->entry_start[i]);
	rl_store_relaxed64(&r->node.end, rl_entry_end(a, i));
}

void rl_entries_move(struct rangelock *lk, struct rl_arbiter *a)
{
	RL_INVARIANT(!rl_is_open(a));
	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		uint64_t holder = rl_entry_holder(a, i);
		uint32_t flags = rl_guard_flags(&a->guard);

		if (!holder || flags & RL_MOVED(i))
			continue;
		copy_range(a, i, rl_entry_range(holder));
		rl_entry_stand_in_tree(lk, a, rl_entry_range(holder));
		rl_guard_set_flags(&a->guard, flags | RL_MOVED(i));
	}
	rl_readers_move(lk, a);
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) & ~RL_OPEN);
}

void rl_entries_evict(struct rangelock *lk, struct rl_arbiter *a)
{
	rl_entries_pin(a);
	rl_guard_unlock(&a->guard);
	rl_barrier_heavy();
	rl_guard_lock(&a->guard, lk->host);
	/* If it was closed meanwhile nobody is left in an entry. */
	rl_entries_move(lk, a);
	rl_entries_unpin(a);
}

void rl_entries_evict_held(struct rangelock *lk, struct rl_arbiter *a)
{
	rl_entries_pin(a);
	rl_barrier_heavy();
	rl_entries_move(lk, a);
	rl_entries_unpin(a);
}

/* The holder of the entry that blocks the leader is about to leave: look, at
 * most so often, until it has.  The guard is free. */
static void look_at_entry(const struct rangelock *lk, const uint64_t *entry,
			  uint64_t holder, unsigned int *looks)
{
	/* Relaxed: whoever finds it free looks again, under the guard. */
	while (holder && *looks && rl_load_relaxed64(entry) == holder) {
		--*looks;
		rl_relax(lk->host);
	}
}

bool rl_entries_make_way(struct rangelock *lk, struct rl_arbiter *a,
			 unsigned int i, unsigned int *looks)
{
	uint64_t holder = rl_entry_holder(a, i);

	if (!*looks) {
		rl_entries_evict(lk, a);
		return true;
	}
	--*looks;
	rl_guard_unlock(&a->guard);
	look_at_entry(lk, &a->entry_holder[i], holder, looks);
	return false;
}

void rl_entries_evict_all(struct rangelock *lk, uint64_t start, uint64_t end)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++) {
		rl_guard_lock(&a->guard, lk->host);
		if (rl_guard_flags(&a->guard) & RL_BIASED ||
		    rl_entries_conflict(a, start, end, RL_WRITE))
			rl_entries_evict(lk, a);
		rl_guard_unlock(&a->guard);
	}
}

/* Under the guard of a, where it had this entry: the moved holder has left. */
static void forget(struct rl_arbiter *a, const uint64_t *entry)
{
	if (rl_is_in_line(entry)) {
		rl_entries_unpin(a);
	} else {
		unsigned int i = (unsigned int)(entry - a->entry_holder);

		rl_guard_set_flags(&a->guard,
				   rl_guard_flags(&a->guard) & ~RL_MOVED(i));
	}
	rl_arbiter_calm(a);
}

/* Is the guard of the arbiter where r had its entry the one that r is under? */
static bool is_under(struct rangelock *lk, const struct rl_arbiter *a,
		     const struct rl_range *r)
{
	const struct rl_arbiter *tree = rl_tree_of(lk, r);

	return (tree == a) != rl_shard_is_closed(tree);
}

static void end_pass(struct rl_pass *pass, struct rl_deferred *deferred)
{
	if (deferred)
		rl_pass_end_deferred(pass, deferred);
	else
		rl_pass_end(pass);
}

void rl_entry_leave(struct rangelock *lk, struct rl_range *r,
		    struct rl_arbiter *a, struct rl_deferred *deferred)
{
	const uint64_t *entry = r->entry;	/* a callback may use r again */
	struct rl_pass pass;

	rl_guard_lock(&a->guard, lk->host);
	if (!(r->flags & RL_F_HELD)) {
		rl_arbiter_calm(a);
		rl_guard_unlock(&a->guard);
		return;
	}
	if (is_under(lk, a, r)) {
		rl_pass_adopt(&pass, lk, a);
		rl_arbiter_leave(&pass, r);
		forget(a, entry);
		rl_entries_open(&pass);
		end_pass(&pass, deferred);
		return;
	}
	rl_guard_unlock(&a->guard);
	rl_pass_begin_home(&pass, lk, r);
	rl_arbiter_leave(&pass, r);
	rl_arbiter_calm(pass.arbiter);
	rl_entries_open(&pass);
	end_pass(&pass, deferred);
	rl_guard_lock(&a->guard, lk->host);
	forget(a, entry);
	rl_guard_unlock(&a->guard);
}

void rl_entry_settle(struct rangelock *lk, struct rl_range *r)
{
	/* Relaxed: the caller holds it. */
	uint32_t state = rl_load_relaxed(&r->state);
	struct rl_arbiter *a;

	if (state != RL_INLINE && state != RL_PUBLISHED)
		return;
	a = rl_range_arbiter(r);
	rl_guard_lock(&a->guard, lk->host);
	if (rl_guard_flags(&a->guard) & RL_OPEN)
		rl_entries_evict(lk, a);
	if (r->flags & RL_F_HELD) {
		forget(a, r->entry);
	} else {
		if (state == RL_INLINE)
			copy_range(a, (unsigned int)(r->entry - a->entry_holder),
				   r);
		rl_entry_stand_in_tree(lk, a, r);
	}
	/* Relaxed: under the guard; it stands in the tree as it did here. */
	rl_store_relaxed64(r->entry, 0);
	/* (W3) release: as when it was entered. */
	rl_store_release(&r->state, RL_HELD);
	rl_guard_unlock(&a->guard);
}

void rl_entry_fork_child(uint64_t holder)
{
	uint32_t *state = &rl_entry_range(holder)->state;

	/* Relaxed, twice: the child has one thread. */
	if (rl_load_relaxed(state) != RL_IDLE || RL_PLANTED(FORK_HOLDS_LEAVING))
		rl_store_relaxed(state, RL_HELD);
}

void rl_entries_fork_child(struct rangelock *lk, struct rl_arbiter *a)
{
	rl_entries_halt(a);
	rl_entries_move(lk, a);
	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		uint64_t holder = rl_entry_holder(a, i);

		if (holder)
			rl_entry_fork_child(holder);
		/* Relaxed: the child has one thread. */
		rl_store_relaxed64(&a->entry_holder[i], 0);
	}
	rl_readers_fork_child(a, true);
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) &
				      ~(RL_MOVED_ANY | RL_PINS));
}
