/*
 * forest.c - which arbiter: routing, closing and opening shards
 *
 * A narrow request in an open shard costs one guard on one line.  A wide one
 * costs the central guard, and for each open shard that it touches that shard's
 * guard and a move of whoever is in it.  Closed shards stay closed until REOPEN
 * narrow requests have come to closed shards with no wide one between: an
 * all-coarse program closes everything once.
 *
 * Weak spots: closing moves all requests of a shard under its guard and the
 * central one; a range across a chunk border is wide.
 */
#include "rangelock/engine/forest.h"

#include <string.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/tree/itree.h"

#define REOPEN	16u

static uint8_t log2_of(uint64_t power)
{
	return (uint8_t)__builtin_ctzll(power);
}

size_t rl_forest_size(uint32_t nr_shards)
{
	size_t size = nr_shards * sizeof(struct rl_shard) +
		      sizeof(struct rl_forest) + nr_shards * sizeof(uint32_t);

	return (size + 63) & ~(size_t)63;
}

struct rl_forest *rl_forest_init(void *memory, uint64_t chunk_size,
				 uint32_t nr_shards)
{
	struct rl_shard *shards = memory;
	struct rl_forest *f = (struct rl_forest *)(void *)(shards + nr_shards);

	memset(memory, 0, rl_forest_size(nr_shards));
	f->shards = shards;
	f->nr_touching = (uint32_t *)(f + 1);
	f->nr_shards = f->nr_open = nr_shards;
	f->shard_bits = log2_of(nr_shards);
	f->chunk_bits = log2_of(chunk_size);
	return f;
}

void rl_forest_empty(struct rl_forest *f)
{
	f->nr_all = f->nr_since_wide = 0;
	f->nr_open = f->nr_shards;
	for (uint32_t s = 0; s < f->nr_shards; s++) {
		f->nr_touching[s] = 0;
		f->shards[s].is_closed = 0;
	}
}

struct rl_arbiter *rl_lock_arbiter(struct rangelock *lk, uint32_t i)
{
	if (i == 0)
		return &lk->central;
	if (!lk->forest || i > lk->forest->nr_shards)
		return NULL;
	return &lk->forest->shards[i - 1].arbiter;
}

/* ---- Which shards a wide request touches ---- */

struct touch {
	bool all;
	uint64_t shards[RL_SHARDS_MAX / 64];	/* a bit each */
};

static void touch_range(const struct rl_forest *f, struct touch *t,
			uint64_t start, uint64_t end)
{
	uint64_t first = start >> f->chunk_bits;
	uint64_t last = (end - 1) >> f->chunk_bits;

	/* So long a run contains an aligned one of nr_shards chunks. */
	if (last - first >= 2 * (uint64_t)f->nr_shards - 2) {
		t->all = true;
		return;
	}
	for (uint64_t c = first; c <= last; c++) {
		uint32_t s = rl_shard_of_chunk(f, c);

		t->shards[s / 64] |= UINT64_C(1) << s % 64;
	}
}

static struct touch touch_of(const struct rl_forest *f,
			     const struct rl_range *leader)
{
	struct touch t;

	memset(&t, 0, sizeof(t));
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++)
		touch_range(f, &t, leader[i].node.start, leader[i].node.end);
	return t;
}

static bool touches(const struct touch *t, uint32_t shard)
{
	return t->all || t->shards[shard / 64] >> shard % 64 & 1;
}

void rl_forest_note(struct rangelock *lk, const struct rl_range *leader,
		    int32_t change)
{
	struct rl_forest *f = lk->forest;
	struct touch t;

	if (rl_shard_of_range(f, leader) != RL_WIDE)
		return;
	t = touch_of(f, leader);
	f->nr_since_wide = 0;
	if (t.all) {
		f->nr_all += (uint32_t)change;
		return;
	}
	for (uint32_t s = 0; s < f->nr_shards; s++)
		if (touches(&t, s))
			f->nr_touching[s] += (uint32_t)change;
}

/* ---- Moving, with both guards held ---- */

/* Arrived at its new home: the next arrival there. */
static void settle_in(struct rl_range *r, struct rl_arbiter *to, uint16_t home)
{
	r->seq = ++to->next_seq;
	r->home = home;
	rl_itree_insert(&to->root, &r->node);
}

/* Does a central request go back to this shard when it opens? */
static bool belongs(const struct rl_forest *f, const struct rl_range *r,
		    uint32_t shard)
{
	return !rl_range_is_several(r) && rl_shard_of_range(f, r) == shard;
}

/*
 * Move the shard's requests from one arbiter to the other.  All requests that
 * they can conflict with move too, so nobody's blockers change; the waiters
 * keep their order among each other.  A holder's next is not touched: it may be
 * on the list of who granted it.
 */
static void move_requests(struct rl_forest *f, uint32_t shard,
			  struct rl_arbiter *from, struct rl_arbiter *to,
			  uint16_t home)
{
	struct rl_range *waiters = NULL, *r;
	struct rl_node *n, *next;

	for (n = rl_itree_first_overlap(from->root, 0, RL_END); n; n = next) {
		next = rl_itree_next_overlap(n, 0, RL_END);
		r = rl_range_of(n);
		if (!belongs(f, r, shard))
			continue;
		rl_itree_erase(&from->root, n);
		if (r->flags & RL_F_WAITING) {
			r->next = waiters;
			waiters = r;
		} else {
			settle_in(r, to, home);
		}
	}
	if (!RL_PLANTED(FOREST_MOVES_UNSORTED))
		waiters = rl_sort_by_arrival(waiters);
	for (r = waiters; r; r = r->next) {
		settle_in(r, to, home);
		from->nr_waiting--;
		to->nr_waiting++;
	}
}

static bool take(uint32_t *guard, const struct rl_host *host, bool is_try)
{
	if (is_try)
		return rl_guard_trylock(guard, host);
	rl_guard_lock(guard, host);
	return true;
}

/* The central guard is held. */
static bool close_shard(struct rangelock *lk, uint32_t shard, bool is_try)
{
	struct rl_shard *s = &lk->forest->shards[shard];

	if (s->is_closed)
		return true;
	if (!take(&s->arbiter.guard, lk->host, is_try))
		return false;
	s->is_closed = 1;
	lk->forest->nr_open--;
	if (s->arbiter.root)
		move_requests(lk->forest, shard, &s->arbiter, &lk->central, 0);
	rl_guard_unlock(&s->arbiter.guard);
	return true;
}

static bool can_open(const struct rl_forest *f, uint32_t shard)
{
	return RL_PLANTED(FOREST_OPENS_UNDER_WIDE) ||
	       (!f->nr_all && !f->nr_touching[shard]);
}

static bool open_shard(struct rangelock *lk, uint32_t shard, bool is_try)
{
	struct rl_shard *s = &lk->forest->shards[shard];

	RL_INVARIANT(s->is_closed && can_open(lk->forest, shard));
	if (!take(&s->arbiter.guard, lk->host, is_try))
		return false;
	s->is_closed = 0;
	lk->forest->nr_open++;
	if (lk->central.root)
		move_requests(lk->forest, shard, &lk->central, &s->arbiter,
			      (uint16_t)(shard + 1));
	rl_guard_unlock(&s->arbiter.guard);
	return true;
}

static bool close_touched(struct rangelock *lk, const struct touch *t,
			  bool is_try)
{
	for (uint32_t s = 0; s < lk->forest->nr_shards && lk->forest->nr_open; s++)
		if (touches(t, s)) {
			if (!close_shard(lk, s, is_try))
				return false;
			if (RL_PLANTED(FOREST_CLOSES_ONE))
				break;
		}
	return true;
}

/* ---- Routing ---- */

/* The central guard is held: trade it for the shard's, where nothing can close
 * or open meanwhile. */
static struct rl_arbiter *trade_for_shard(struct rangelock *lk, uint32_t shard,
					  bool is_try)
{
	struct rl_arbiter *a = &lk->forest->shards[shard].arbiter;

	if (!take(&a->guard, lk->host, is_try))
		a = NULL;
	rl_guard_unlock(&lk->central.guard);
	return a;
}

/* A narrow request met a closed shard.  Under the central guard it looks again:
 * if the shard is open by now, or opens, it goes there after all. */
static struct rl_arbiter *guard_closed(struct rangelock *lk,
				       struct rl_range *leader, uint32_t shard,
				       bool is_try)
{
	struct rl_forest *f = lk->forest;

	if (!take(&lk->central.guard, lk->host, is_try))
		return NULL;
	if (f->shards[shard].is_closed && can_open(f, shard) &&
	    ++f->nr_since_wide >= REOPEN)
		open_shard(lk, shard, is_try);
	if (!f->shards[shard].is_closed && !RL_PLANTED(FOREST_NO_RECHECK))
		return trade_for_shard(lk, shard, is_try);
	leader->home = 0;
	return &lk->central;
}

static struct rl_arbiter *guard_wide(struct rangelock *lk,
				     struct rl_range *leader, bool is_try)
{
	struct touch t;

	if (!take(&lk->central.guard, lk->host, is_try))
		return NULL;
	leader->home = 0;
	if (!lk->forest->nr_open)
		return &lk->central;
	t = touch_of(lk->forest, leader);
	if (close_touched(lk, &t, is_try))
		return &lk->central;
	rl_guard_unlock(&lk->central.guard);	/* what is closed may stay so */
	return NULL;
}

struct rl_arbiter *rl_forest_guard_entry(struct rangelock *lk,
					 struct rl_range *leader, bool is_try)
{
	struct rl_forest *f = lk->forest;
	uint32_t shard = rl_shard_of_range(f, leader);
	struct rl_shard *s;

	if (shard == RL_WIDE)
		return guard_wide(lk, leader, is_try);
	s = &f->shards[shard];
	leader->home = (uint16_t)(shard + 1);
	if (!take(&s->arbiter.guard, lk->host, is_try))
		return NULL;
	if (!s->is_closed)
		return &s->arbiter;
	rl_guard_unlock(&s->arbiter.guard);
	return guard_closed(lk, leader, shard, is_try);
}

struct rl_arbiter *rl_forest_guard_home(struct rangelock *lk,
					const struct rl_range *leader)
{
	struct rl_forest *f = lk->forest;
	/* Relaxed, both: a hint; its home decides, under a guard. */
	uint64_t start = rl_load_relaxed64(&leader->node.start);
	uint64_t end = rl_load_relaxed64(&leader->node.end);
	uint32_t shard = rl_range_is_several(leader) ? RL_WIDE :
			 rl_shard_of(f, start, end);

	if (shard != RL_WIDE) {
		struct rl_arbiter *a = &f->shards[shard].arbiter;

		rl_guard_lock(&a->guard, lk->host);
		if (leader->home == shard + 1)
			return a;
		rl_guard_unlock(&a->guard);
	}
	rl_guard_lock(&lk->central.guard, lk->host);
	if (!rl_range_is_several(leader) && leader->home)
		return trade_for_shard(lk, leader->home - 1u, false);
	return &lk->central;
}

void rl_pass_begin_home(struct rl_pass *pass, struct rangelock *lk,
			const struct rl_range *leader)
{
	rl_pass_adopt(pass, lk, rl_guard_home(lk, leader));
}

void rl_pass_begin_change(struct rl_pass *pass, struct rangelock *lk,
			  const struct rl_range *r, uint64_t start,
			  uint64_t end)
{
	struct rl_forest *f = lk->forest;
	struct touch t;

	if (!f || (rl_shard_of_range(f, r) != RL_WIDE &&
		   rl_shard_of_range(f, r) == rl_shard_of(f, start, end))) {
		rl_pass_begin_home(pass, lk, r);
		return;
	}
	rl_guard_lock(&lk->central.guard, lk->host);
	t = touch_of(f, r);
	touch_range(f, &t, start, end);
	close_touched(lk, &t, false);
	rl_pass_adopt(pass, lk, &lk->central);
}

/* ---- For tests ---- */

void rl_forest_close(struct rangelock *lk, uint32_t shard)
{
	rl_guard_lock(&lk->central.guard, lk->host);
	close_shard(lk, shard, false);
	rl_guard_unlock(&lk->central.guard);
}

void rl_forest_open(struct rangelock *lk, uint32_t shard)
{
	rl_guard_lock(&lk->central.guard, lk->host);
	if (lk->forest->shards[shard].is_closed && can_open(lk->forest, shard))
		open_shard(lk, shard, false);
	rl_guard_unlock(&lk->central.guard);
}

/* What is in the central arbiter: nothing that touches an open shard (F3), and
 * as many wide ones as are counted. */
static bool central_is_valid(struct rangelock *lk)
{
	struct rl_forest *f = lk->forest;
	uint32_t nr_all = 0, nr_open = 0;
	struct rl_node *n;

	n = rl_itree_first_overlap(lk->central.root, 0, RL_END);
	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *leader = rl_range_leader(rl_range_of(n));
		struct touch t = touch_of(f, leader);

		for (uint32_t s = 0; s < f->nr_shards; s++)
			if (touches(&t, s) && !f->shards[s].is_closed)
				return false;
		nr_all += leader == rl_range_of(n) && t.all &&
			  rl_shard_of_range(f, leader) == RL_WIDE;
	}
	for (uint32_t s = 0; s < f->nr_shards; s++)
		nr_open += !f->shards[s].is_closed;
	return nr_all == f->nr_all && nr_open == f->nr_open;
}

static bool shard_is_valid(struct rl_forest *f, uint32_t shard)
{
	struct rl_shard *s = &f->shards[shard];
	struct rl_node *n = rl_itree_first_overlap(s->arbiter.root, 0, RL_END);

	if (s->is_closed && n)
		return false;
	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *r = rl_range_of(n);

		if (!belongs(f, r, shard) || r->home != shard + 1)
			return false;
	}
	return true;
}

bool rl_forest_is_valid(struct rangelock *lk)
{
	struct rl_forest *f = lk->forest;
	bool is_valid;

	rl_guard_lock(&lk->central.guard, lk->host);
	is_valid = central_is_valid(lk);
	for (uint32_t s = 0; s < f->nr_shards; s++) {
		struct rl_arbiter *a = &f->shards[s].arbiter;

		rl_guard_lock(&a->guard, lk->host);
		is_valid = is_valid && shard_is_valid(f, s) &&
			   rl_arbiter_is_valid(a);
		rl_guard_unlock(&a->guard);
	}
	rl_guard_unlock(&lk->central.guard);
	return is_valid;
}
