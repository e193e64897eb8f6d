/*
 * shards.c - routing, closing and opening
 *
 * A narrow request in an open shard costs one guard on one line.  A wide one
 * costs the central guard, and for each open shard that it touches that shard's
 * guard and a flag; and one heavy barrier for all of them, if somebody stays in
 * their entries.  Closed shards stay closed until RL_REOPEN narrow requests have
 * come to closed shards with no wide one between: an all-coarse program closes
 * everything once.
 *
 * Weak spot: a range across a chunk border is wide.
 */
#include "rangelock/engine/shards.h"

#include <string.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"

/* docs/BENCH.md, "Chosen by measuring": make EXTRA=-DRL_REOPEN=... */
#ifndef RL_REOPEN
#define RL_REOPEN	16u
#endif
#ifndef RL_CLOSING_LOOKS
#define RL_CLOSING_LOOKS	500u	/* at entries that are about to be free */
#endif

static bool take(uint32_t *guard, const struct rl_host *host, bool is_try)
{
	if (is_try)
		return rl_guard_trylock(guard, host);
	rl_guard_lock(guard, host);
	return true;
}

/* ---- Closing: with the central guard held ---- */

/* One request's attempt to close what it touches. */
struct closing {
	const struct rl_touch *touch;
	/* Whose: a try gives up if it conflicts with an entry. */
	const struct rl_range *leader;	/* of several; or NULL, and */
	uint64_t start, end;
	enum rl_mode mode;
	uint64_t pinned[RL_SHARDS_MAX / 64];
	bool any_pinned, is_try;
};

static bool is_pinned(const struct closing *c, uint32_t shard)
{
	return c->any_pinned && c->pinned[shard / 64] >> shard % 64 & 1;
}

static void pin(struct closing *c, struct rl_arbiter *a, uint32_t shard)
{
	if (!c->any_pinned)
		memset(c->pinned, 0, sizeof(c->pinned));
	c->any_pinned = true;
	c->pinned[shard / 64] |= UINT64_C(1) << shard % 64;
	rl_entries_pin(a);
}

/* Both guards are held, and nobody is in an entry whom we may not move. */
static void close_shard(struct rangelock *lk, struct rl_arbiter *a)
{
	rl_entries_shut(a);
	rl_entries_move(lk, a);
	rl_guard_set_flags(&a->guard,
			   rl_guard_flags(&a->guard) | RL_CLOSED | RL_SLOW);
	lk->forest->nr_open--;
	lk->forest->nr_crowded += a->root != NULL;
	lk->central.nr_waiting += a->nr_waiting;
	if (!a->nr_waiting)
		return;
	if (!rl_is_open(&lk->central))
		rl_guard_set_flags(&lk->central.guard,
				   rl_guard_flags(&lk->central.guard) | RL_SLOW);
	else if (!RL_PLANTED(OPEN_CLOSES))
		/* They may be older than those whom others pass there. */
		rl_entries_halt(&lk->central);
}

enum closed { CLOSED, PINNED, REFUSED };

static bool is_refused(const struct closing *c, const struct rl_arbiter *a)
{
	if (!c->is_try)
		return false;
	return c->leader ? rl_entries_block(a, c->leader) :
			   rl_entries_conflict(a, c->start, c->end, c->mode);
}

/* In its entries, or perhaps published. */
static bool somebody_is_in(const struct rl_arbiter *a)
{
	return rl_guard_flags(&a->guard) & RL_BIASED || rl_entries_are_used(a);
}

/* Close a shard, or pin it if somebody is in its entries. */
static enum closed close_or_pin(struct rangelock *lk, uint32_t shard,
				struct closing *c)
{
	struct rl_arbiter *a = rl_shard(lk->forest, shard);
	enum closed result = CLOSED;

	if (!take(&a->guard, lk->host, c->is_try))
		return REFUSED;
	if (rl_entry_is_easy(a)) {		/* nobody is there */
		lk->forest->nr_open--;
		rl_guard_unlock_to(&a->guard, RL_CLOSED | RL_SLOW);
		return CLOSED;
	}
	if (is_pinned(c, shard)) {
		rl_entries_unpin(a);
		c->pinned[shard / 64] &= ~(UINT64_C(1) << shard % 64);
	} else if (!rl_shard_is_closed(a) && somebody_is_in(a)) {
		result = PINNED;
		if (is_refused(c, a))
			result = REFUSED;
		else
			pin(c, a, shard);
	}
	if (result == CLOSED && !rl_shard_is_closed(a))
		close_shard(lk, a);
	rl_guard_unlock(&a->guard);
	return result;
}

static void unpin_all(struct rangelock *lk, struct closing *c)
{
	for (uint32_t s = 0; s < lk->forest->nr_shards; s++) {
		struct rl_arbiter *a = rl_shard(lk->forest, s);

		if (!is_pinned(c, s))
			continue;
		rl_guard_lock(&a->guard, lk->host);
		rl_entries_unpin(a);
		rl_guard_unlock(&a->guard);
	}
}

/* A try gives up, with the central guard held. */
static void refuse(struct rangelock *lk, struct closing *c)
{
	unpin_all(lk, c);
	rl_guard_unlock(&lk->central.guard);
}

/* No guard is held.  Pinned entries that are free stay so, and need no barrier;
 * most holds are shorter than one. */
static void wait_for_pinned(struct rangelock *lk, const struct closing *c)
{
	unsigned int looks = rl_can_spin(lk->host) ? RL_CLOSING_LOOKS : 0;

	for (uint32_t s = 0; s < lk->forest->nr_shards; s++) {
		const struct rl_arbiter *a = rl_shard(lk->forest, s);

		if (!is_pinned(c, s))
			continue;
		while (somebody_is_in(a)) {
			if (!looks--) {
				rl_barrier_heavy();
				return;
			}
			rl_relax(lk->host);
		}
	}
}

/* Let the central guard go while the pinned ones are waited for.  Meanwhile no
 * shard opens, or one who goes from shard to shard could keep us closing for ever.
 * A try keeps the guard, through the barrier: it must not wait for it. */
static void wait_between(struct rangelock *lk, const struct closing *c)
{
	struct rl_forest *f = lk->forest;

	if (c->is_try && !RL_PLANTED(TRY_WAITS)) {
		rl_barrier_heavy();
		return;
	}
	/* Relaxed, twice: who opens has the guard after us. */
	rl_add_relaxed(&f->nr_closing, 1);
	rl_guard_unlock(&lk->central.guard);
	wait_for_pinned(lk, c);
	rl_guard_lock(&lk->central.guard, lk->host);
	rl_add_relaxed(&f->nr_closing, UINT32_MAX);
}

/*
 * Close every open shard that is touched.  The central guard is held, and may be
 * let go meanwhile; nobody enters its arbiter, since others come under it.  False:
 * not all, and the central guard is free.
 */
static bool close_touched(struct rangelock *lk, struct closing *c)
{
	for (;;) {
		bool again = false;

		for (uint32_t s = 0; s < lk->forest->nr_shards; s++) {
			enum closed result = CLOSED;

			if (!rl_touches(c->touch, s))
				continue;
			if (is_pinned(c, s) ||
			    !rl_shard_is_closed(rl_shard(lk->forest, s)))
				result = close_or_pin(lk, s, c);
			if (result == REFUSED) {
				refuse(lk, c);
				return false;
			}
			again = again || result == PINNED;
			if (RL_PLANTED(FOREST_CLOSES_ONE))
				break;
		}
		if (!again)
			return true;
		wait_between(lk, c);
	}
}

/* ---- Opening: with the central guard held ---- */

/* Does anybody in an entry of the central arbiter touch it? */
static bool entries_touch(struct rangelock *lk, uint32_t shard)
{
	const struct rl_arbiter *a = &lk->central;

	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		struct rl_touch t = { .all = false };

		if (!rl_entry_is_used(a, i))
			continue;
		rl_touch_range(lk->forest, &t, a->entry_start[i],
			       rl_entry_end(a, i));
		if (rl_touches(&t, shard))
			return true;
	}
	return false;
}

static bool can_open(struct rangelock *lk, uint32_t shard)
{
	const struct rl_forest *f = lk->forest;

	if (RL_PLANTED(FOREST_OPENS_UNDER_WIDE))
		return true;
	/* Relaxed: a closer counts himself before he lets our guard go. */
	if (rl_load_relaxed(&f->nr_closing) &&
	    !RL_PLANTED(FOREST_OPENS_MEANWHILE))
		return false;
	return !f->nr_all && !rl_nr_touching(f)[shard] &&
	       !(rl_guard_flags(&lk->central.guard) & RL_OPEN) &&
	       !entries_touch(lk, shard);
}

static bool open_shard(struct rangelock *lk, uint32_t shard, bool is_try)
{
	struct rl_arbiter *a = rl_shard(lk->forest, shard);

	RL_INVARIANT(rl_shard_is_closed(a) && can_open(lk, shard));
	if (!take(&a->guard, lk->host, is_try))
		return false;
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) &
				      ~(RL_CLOSED | RL_CALM));
	lk->forest->closed_from = lk->forest->closed_to = 0;
	lk->forest->nr_open++;
	lk->forest->nr_crowded -= a->root != NULL;
	lk->central.nr_waiting -= a->nr_waiting;
	rl_arbiter_calm(a);
	rl_guard_unlock(&a->guard);
	return true;
}

/* ---- Routing ---- */

/* The central guard is held: trade it for the shard's, where nothing can close
 * or open meanwhile. */
static struct rl_arbiter *trade_for_shard(struct rangelock *lk,
					  struct rl_arbiter *a, bool is_try)
{
	if (!take(&a->guard, lk->host, is_try))
		a = NULL;
	rl_guard_unlock(&lk->central.guard);
	return a;
}

/* Is it open but for those who have passed and stay?  While it is no shard opens. */
static bool is_stuck(const struct rl_arbiter *a)
{
	uint32_t flags = rl_guard_flags(&a->guard) &
			 (RL_OPEN | RL_SLOW | RL_PINS);

	return flags == (RL_OPEN | RL_SLOW) && !RL_PLANTED(OPEN_STUCK);
}

/* Have enough narrow ones come to closed shards? */
static bool may_open(const struct rl_forest *f, const struct rl_arbiter *a)
{
	return rl_shard_is_closed(a) && f->nr_since_wide >= RL_REOPEN;
}

/* A narrow request met a closed shard.  Under the central guard it looks again:
 * if the shard is open by now, or opens, it goes there after all. */
static struct rl_arbiter *guard_closed(struct rangelock *lk,
				       struct rl_arbiter *a, bool is_try)
{
	struct rl_forest *f = lk->forest;
	uint32_t shard = (uint32_t)(a - rl_shard(f, 0));

	if (!take(&lk->central.guard, lk->host, is_try))
		return NULL;
	/* Counted no further, so that its line need not come over any more. */
	if (rl_shard_is_closed(a) && f->nr_since_wide < RL_REOPEN)
		f->nr_since_wide++;
	if (may_open(f, a) && !is_try && is_stuck(&lk->central))
		rl_entries_evict(lk, &lk->central);
	if (may_open(f, a) && can_open(lk, shard))
		open_shard(lk, shard, is_try);
	if (!rl_shard_is_closed(a) && !RL_PLANTED(FOREST_NO_RECHECK))
		return trade_for_shard(lk, a, is_try);
	return &lk->central;
}

/* The same for a range of a few chunks that lie elsewhere. */
static bool are_few_closed(const struct rl_forest *f, uint64_t start,
			   uint64_t end)
{
	uint64_t first = start >> f->geometry.chunk_bits;
	uint64_t last = (end - 1) >> f->geometry.chunk_bits;

	if (last - first > 8)
		return false;
	for (uint64_t c = first; c <= last; c++)
		if (!rl_shard_is_closed(
			    rl_shard(f, rl_shard_of_chunk(&f->geometry, c))))
			return false;
	return true;
}

/* They are all closed: say so to those who come later, if there is no gap between
 * them and the chunks of whom that is said. */
static bool extend_closed(struct rl_forest *f, uint64_t start, uint64_t end)
{
	uint64_t from = start >> f->geometry.chunk_bits;
	uint64_t to = ((end - 1) >> f->geometry.chunk_bits) + 1;

	if (from > f->closed_to || to < f->closed_from)
		return false;
	if (from < f->closed_from)
		f->closed_from = from;
	if (to > f->closed_to)
		f->closed_to = to;
	return true;
}

static void note_closed(struct rl_forest *f, uint64_t start, uint64_t end)
{
	if (extend_closed(f, start, end))
		return;
	f->closed_from = start >> f->geometry.chunk_bits;
	f->closed_to = ((end - 1) >> f->geometry.chunk_bits) + 1;
}

static struct rl_arbiter *guard_wide(struct rangelock *lk, uint64_t start,
				     uint64_t end, enum rl_mode mode,
				     bool is_try)
{
	struct rl_forest *f = lk->forest;
	struct closing c = { .start = start, .end = end, .mode = mode,
			     .is_try = is_try };
	struct rl_touch t;

	rl_touch_nothing(f, &t);
	rl_touch_range(f, &t, start, end);
	c.touch = &t;
	if (!close_touched(lk, &c))
		return NULL;
	note_closed(f, start, end);
	return &lk->central;
}

struct rl_arbiter *rl_guard_several(struct rangelock *lk,
				    const struct rl_range *leader, bool is_try)
{
	struct closing c = { .leader = leader, .is_try = is_try };
	struct rl_touch t;

	if (!take(&lk->central.guard, lk->host, is_try))
		return NULL;
	if (!lk->forest)
		return &lk->central;
	lk->forest->nr_since_wide = 0;
	t = rl_touch_of(lk->forest, leader);
	c.touch = &t;
	return close_touched(lk, &c) ? &lk->central : NULL;
}

struct rl_arbiter *rl_guard_lone_from(struct rangelock *lk,
				      struct rl_arbiter *a, uint64_t start,
				      uint64_t end, enum rl_mode mode,
				      bool is_try)
{
	struct rl_forest *f = lk->forest;

	if (!f)
		return a;
	if (a == &lk->central) {
		if (f->nr_since_wide)
			f->nr_since_wide = 0;
		if (rl_are_closed(f, start, end))
			return a;
		if (are_few_closed(f, start, end)) {
			extend_closed(f, start, end);
			return a;
		}
		return guard_wide(lk, start, end, mode, is_try);
	}
	if (!rl_shard_is_closed(a))
		return a;
	rl_guard_unlock(&a->guard);
	return guard_closed(lk, a, is_try);
}

struct rl_arbiter *rl_guard_lone(struct rangelock *lk, uint64_t start,
				 uint64_t end, enum rl_mode mode, bool is_try)
{
	struct rl_forest *f = lk->forest;
	uint32_t shard = f ? rl_shard_of(f, start, end) : RL_WIDE;
	struct rl_arbiter *a = shard == RL_WIDE ? &lk->central :
						  rl_shard(f, shard);

	if (shard != RL_WIDE && rl_shard_is_closed(a))		/* a hint */
		return guard_closed(lk, a, is_try);
	if (!take(&a->guard, lk->host, is_try))
		return NULL;
	return rl_guard_lone_from(lk, a, start, end, mode, is_try);
}

/* Which tree does it stand in?  A hint unless its guard is held, or the central
 * one, under which no range becomes another shard's: relaxed, both. */
static struct rl_arbiter *tree_of(struct rangelock *lk,
				  const struct rl_range *leader)
{
	uint64_t start = rl_load_relaxed64(&leader->node.start);
	uint64_t end = rl_load_relaxed64(&leader->node.end);
	uint32_t shard = rl_range_is_several(leader) || start >= end ? RL_WIDE :
			 rl_shard_of(lk->forest, start, end);

	return shard == RL_WIDE ? &lk->central : rl_shard(lk->forest, shard);
}

struct rl_arbiter *rl_guard_tree(struct rangelock *lk, struct rl_arbiter *tree)
{
	if (tree == &lk->central) {
		rl_guard_lock(&tree->guard, lk->host);
		return tree;
	}
	if (!rl_shard_is_closed(tree)) {	/* a hint */
		rl_guard_lock(&tree->guard, lk->host);
		if (!rl_shard_is_closed(tree))
			return tree;
		rl_guard_unlock(&tree->guard);
	}
	rl_guard_lock(&lk->central.guard, lk->host);
	if (rl_shard_is_closed(tree))
		return &lk->central;
	return trade_for_shard(lk, tree, false);
}

struct rl_arbiter *rl_forest_guard_home(struct rangelock *lk,
					const struct rl_range *leader)
{
	struct rl_arbiter *tree = tree_of(lk, leader);

	if (tree != &lk->central && !rl_shard_is_closed(tree)) {
		rl_guard_lock(&tree->guard, lk->host);
		if (!rl_shard_is_closed(tree) && tree_of(lk, leader) == tree)
			return tree;
		rl_guard_unlock(&tree->guard);
	}
	rl_guard_lock(&lk->central.guard, lk->host);
	tree = tree_of(lk, leader);
	if (tree != &lk->central && !rl_shard_is_closed(tree))
		return trade_for_shard(lk, tree, false);
	return &lk->central;
}

bool rl_guard_is_right(struct rangelock *lk, const struct rl_arbiter *a,
		       const struct rl_range *leader)
{
	struct rl_forest *f = lk->forest;
	struct rl_arbiter *tree;
	struct rl_touch t;

	if (!f)
		return true;
	tree = tree_of(lk, leader);
	if (tree != &lk->central)
		return a == (rl_shard_is_closed(tree) ? &lk->central : tree);
	t = rl_touch_of(f, leader);
	for (uint32_t s = 0; s < f->nr_shards; s++)
		if (rl_touches(&t, s) && !rl_shard_is_closed(rl_shard(f, s)))
			return false;
	return a == &lk->central;
}

void rl_pass_begin_looking(struct rl_pass *pass, struct rangelock *lk,
			   const struct rl_range *leader, unsigned int looks)
{
	struct rl_arbiter *a = rl_guard_home(lk, leader);

	while (!rl_entries_shut(a)) {
		unsigned int i = rl_entry_in_the_way(a, leader);
		bool is_kept = true;		/* the guard */

		if (i != RL_NO_ENTRY)
			is_kept = rl_entries_make_way(lk, a, i, &looks);
		else
			rl_entries_evict(lk, a);
		if (is_kept && rl_guard_is_right(lk, a, leader))
			continue;
		if (is_kept)
			rl_guard_unlock(&a->guard);
		a = rl_guard_home(lk, leader);
	}
	rl_pass_adopt(pass, lk, a);
}

void rl_pass_begin_home(struct rl_pass *pass, struct rangelock *lk,
			const struct rl_range *leader)
{
	rl_pass_begin_looking(pass, lk, leader, 0);
}

void rl_pass_begin_change(struct rl_pass *pass, struct rangelock *lk,
			  const struct rl_range *r, uint64_t start,
			  uint64_t end)
{
	struct rl_forest *f = lk->forest;
	struct rl_touch t;

	if (!f || (rl_shard_of_range(f, r) != RL_WIDE &&
		   rl_shard_of_range(f, r) == rl_shard_of(f, start, end))) {
		rl_pass_begin_home(pass, lk, r);
		return;
	}
	rl_guard_lock(&lk->central.guard, lk->host);
	t = rl_touch_of(f, r);
	rl_touch_range(f, &t, start, end);
	struct closing c = { .touch = &t };

	close_touched(lk, &c);
	while (!rl_entries_shut(&lk->central)) {
		rl_entries_evict(lk, &lk->central);
		close_touched(lk, &c);
	}
	rl_pass_adopt(pass, lk, &lk->central);
}

/* ---- For tests ---- */

void rl_forest_close(struct rangelock *lk, uint32_t shard)
{
	struct rl_touch t = { .all = false };
	struct closing c = { .touch = &t };

	t.shards[shard / 64] |= UINT64_C(1) << shard % 64;
	rl_guard_lock(&lk->central.guard, lk->host);
	close_touched(lk, &c);
	rl_guard_unlock(&lk->central.guard);
}

void rl_forest_open(struct rangelock *lk, uint32_t shard)
{
	rl_guard_lock(&lk->central.guard, lk->host);
	if (rl_shard_is_closed(rl_shard(lk->forest, shard)) &&
	    can_open(lk, shard))
		open_shard(lk, shard, false);
	rl_guard_unlock(&lk->central.guard);
}
