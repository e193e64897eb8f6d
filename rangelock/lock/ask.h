/*
 * ask.h - what every lock call of the interface comes down to
 */
#ifndef RL_LOCK_ASK_H
#define RL_LOCK_ASK_H

#include <errno.h>

#include <rangelock.h>
#include <rangelock/site.h>

#include "rangelock/base/park.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/entries.h"
#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"
#include "rangelock/lock/lock_order.h"

/* One request: what its caller declares, how it is locked, how long it waits. */
struct rl_ask {
	uint64_t start, end;		/* declared */
	enum rl_mode mode;
	enum rl_grain grain;
	bool at_site;			/* the grain is a site's */
	uint8_t site;			/* its number; 0: it has none */
	enum rl_patience patience;
	uint64_t deadline_ns;		/* RL_BLOCK */
	rl_granted_fn *granted;		/* RL_SUBMIT */
};

#define RL_ASK(start_, end_, mode_, patience_)				\
	((struct rl_ask){						\
		.start = (start_), .end = (end_), .mode = (mode_),	\
		.grain = RL_FINE, .patience = (patience_),		\
		.deadline_ns = RL_NO_DEADLINE,				\
	})

/* A handle that nobody uses: fresh, let go, or cancelled. */
static inline bool rl_range_is_free(const struct rl_range *r)
{
	/* Relaxed: the caller owns it, or ordered itself after who did. */
	uint32_t state = rl_load_relaxed(&r->state);

	return state == RL_IDLE || state == RL_CANCELED;
}

/* The part of a handle that one store writes. */
static RL_ALWAYS_INLINE void rl_fill_flags(struct rl_range *r,
					   const struct rl_ask *ask,
					   uint16_t bare)
{
	r->flags = (uint16_t)((unsigned int)ask->grain |
			      (ask->at_site ? RL_F_AT_SITE : 0) |
			      (ask->patience == RL_SUBMIT ? RL_F_SUBMITTED : 0));
	r->site = ask->site;
	r->blocker_site = 0;
	r->group = 0;
	r->mode = (uint8_t)ask->mode;
	r->bare = bare;
}

/* All that a request in a tree needs. */
static inline void rl_fill_range(struct rangelock *lk, struct rl_range *r,
				 const struct rl_ask *ask)
{
	r->node.start = ask->grain == RL_FINE ? ask->start : 0;
	r->node.end = ask->grain == RL_FINE ? ask->end : RL_END;
	r->declared_start = ask->start;
	r->declared_end = ask->end;
	r->owner = rl_owner(lk->host);
	r->granted = ask->granted;
	r->lock_tag = rl_lock_tag(lk);
	rl_fill_flags(r, ask, ask->granted ? RL_BARE_CALLBACK : 0);
}

/* All but the common case.  a: NULL, or its guard is held. */
int rl_ask_slowly(struct rangelock *lk, struct rl_arbiter *a,
		  struct rl_range *r, const struct rl_ask *ask);

/* A filled leader that may be of several. */
int rl_ask_filled(struct rangelock *lk, struct rl_range *leader,
		  enum rl_patience patience, uint64_t deadline_ns);

/* The arbiter of a lone range as long as its shard is open, or its shards closed. */
static RL_ALWAYS_INLINE struct rl_arbiter *
rl_ask_whom(struct rangelock *lk, const struct rl_forest *f, uint64_t start,
	    uint64_t end)
{
	uint64_t chunk;

	if (!f)
		return &lk->central;
	/* Not the forest's: one load less before the guard. */
	chunk = start >> lk->geometry.chunk_bits;
	return chunk == (end - 1) >> lk->geometry.chunk_bits ?
		       rl_shard(f, rl_shard_of_chunk(&lk->geometry, chunk)) :
		       &lk->central;
}

/* Under its guard: a wide range finds its shards closed, and nobody in their
 * trees.  (A narrow one finds its shard closed by the flag.) */
static RL_ALWAYS_INLINE bool rl_ask_is_home(struct rangelock *lk,
					    struct rl_forest *f,
					    const struct rl_arbiter *a,
					    uint64_t start, uint64_t end)
{
	if (!f || a != &lk->central)
		return true;
	if (f->nr_crowded || !rl_are_closed(f, start, end))
		return false;
	if (f->nr_since_wide)
		f->nr_since_wide = 0;
	return true;
}

/* A reader finds its arbiter biased, a hint that it may publish itself; or closed.
 * One who tries does not: who publishes in vain must take the guard. */
static RL_ALWAYS_INLINE bool rl_ask_biased(struct rangelock *lk,
					   struct rl_arbiter *a,
					   struct rl_range *r,
					   const struct rl_ask *ask)
{
	if (__builtin_expect(!rl_range_is_free(r) || lk->host ||
			     (ask->patience == RL_TRY && !RL_PLANTED(TRY_WAITS)) ||
			     rl_guard_flags(&a->guard) != RL_BIASED, 0))
		return false;
	r->node.start = ask->grain == RL_FINE ? ask->start : 0;
	r->node.end = ask->grain == RL_FINE ? ask->end : RL_END;
	r->owner = rl_owner(NULL);
	rl_fill_flags(r, ask, ask->at_site ? 0 : RL_BARE_DECLARED);
	if (ask->at_site) {
		r->declared_start = ask->start;
		r->declared_end = ask->end;
	}
	if (!rl_reader_publish(lk, a, r))
		return false;
	rl_order_hold(lk, r);
	return true;
}

/* Stand in entry i, of an arbiter without flags, and let the guard go: of the handle
 * only what an inline holder needs is written. */
static RL_ALWAYS_INLINE void rl_ask_enter(struct rangelock *lk,
					  struct rl_arbiter *a, unsigned int i,
					  struct rl_range *r, uint64_t start,
					  uint32_t length,
					  const struct rl_ask *ask)
{
	r->owner = rl_owner(NULL);
	rl_fill_flags(r, ask, ask->at_site ? RL_BARE_NODE :
			      RL_BARE_NODE | RL_BARE_DECLARED);
	if (ask->at_site) {
		r->declared_start = ask->start;
		r->declared_end = ask->end;
	}
	rl_entry_fill(a, i, r, start, length, ask->mode);
	rl_count_easily(lk, a, ask->mode, ask->grain != RL_FINE);
	/* Q7.  (W3) release: who cancels it in vain knows its entry. */
	rl_store_release(&r->state, RL_INLINE);
	rl_guard_unlock_to(&a->guard, 0);
	rl_order_hold(lk, r);
}

enum rl_asked {
	RL_ASKED_HOLDS,
	RL_ASKED_SLOW,		/* *whom is NULL, or its guard is taken */
	RL_ASKED_ASIDE,		/* *whom is biased or closed: rl_ask_biased() */
};

/*
 * The common case is to find nobody there: one read-modify-write on the guard,
 * ten stores, of which the last lets the guard go.
 */
static RL_ALWAYS_INLINE enum rl_asked
rl_ask_quickly(struct rangelock *lk, struct rl_range *r,
	       const struct rl_ask *ask, struct rl_arbiter **whom)
{
	uint64_t start = ask->grain == RL_FINE ? ask->start : 0;
	uint64_t end = ask->grain == RL_FINE ? ask->end : RL_END;
	struct rl_forest *f = lk->forest;
	struct rl_arbiter *a = rl_ask_whom(lk, f, start, end);
	uint32_t length;

	if (ask->patience == RL_BLOCK)
		rl_order_ask(lk);
	*whom = a;
	/* (A writer who looks would fetch the line twice.) */
	if (ask->mode == RL_READ &&
	    __builtin_expect(rl_guard_flags(&a->guard) &
			     (RL_BIASED | RL_CLOSED), 0))
		return RL_ASKED_ASIDE;
	if (__builtin_expect(!rl_range_is_free(r) || lk->host ||
			     !rl_guard_take(&a->guard), 0)) {
		*whom = NULL;
		return RL_ASKED_SLOW;
	}
	if (__builtin_expect(!rl_entry_is_easy(a) ||
			     !rl_count_is_easy(lk, a, ask->mode,
					       ask->grain != RL_FINE) ||
			     !rl_entry_measure(start, end, &length) ||
			     !rl_ask_is_home(lk, f, a, start, end), 0))
		return RL_ASKED_SLOW;
	rl_ask_enter(lk, a, 0, r, start, length, ask);
	return RL_ASKED_HOLDS;
}

/* Check the arguments, go through the arbiter, and wait. */
static inline int rl_ask(struct rangelock *lk, struct rl_range *r,
			 const struct rl_ask *ask)
{
	if (!lk || !r || ask->start >= ask->end)
		return EINVAL;
	return rl_ask_slowly(lk, NULL, r, ask);
}

/* Is an arbiter, of one who says INLINE or PUBLISHED, of this lock? */
static inline bool rl_entry_is_of(const struct rangelock *lk,
				  const struct rl_arbiter *a)
{
	const struct rl_forest *f = lk->forest;

	return a == &lk->central ||
	       (f && (uintptr_t)a - (uintptr_t)rl_shard(f, 0) <=
			     lk->geometry.shard_mask * sizeof(*a));
}

/* Is r, that is held or queued, of this lock? */
static inline bool rl_range_is_of(const struct rangelock *lk,
				  const struct rl_range *r)
{
	/* Relaxed: the caller has ordered itself after who says INLINE. */
	if (__builtin_expect(rl_state_is_inline(rl_load_relaxed(&r->state)), 1))
		return rl_entry_is_of(lk, rl_range_arbiter(r));
	return r->lock_tag == rl_lock_tag(lk);
}

/* Relaxed: who changes what is held knows that it is held. */
static inline bool rl_says_held(const struct rl_range *r)
{
	uint32_t state = rl_load_relaxed(&r->state);

	return state == RL_HELD || rl_state_is_inline(state);
}

/* Abort unless r, of lk, is held and one alone. */
static inline void rl_require_held(const struct rangelock *lk,
				   const struct rl_range *r)
{
	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	RL_REQUIRE(rl_says_held(r));
	RL_REQUIRE(rl_range_is_of(lk, r));
	RL_REQUIRE(!rl_range_is_several(r));
}

#endif
