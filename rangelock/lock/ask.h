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
#include "rangelock/engine/forest.h"

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

/* What is constant in a caller's ask shall be constant here: that is half of
 * the cost of an uncontended pair. */
#define RL_INLINE	__attribute__((always_inline)) inline

/* A handle that nobody uses: fresh, let go, or cancelled. */
static inline bool rl_range_is_free(const struct rl_range *r)
{
	/* Relaxed: the caller owns it, or ordered itself after who did. */
	uint32_t state = rl_load_relaxed(&r->state);

	return state == RL_IDLE || state == RL_CANCELED;
}

static RL_INLINE void rl_fill_range(struct rangelock *lk, struct rl_range *r,
				    const struct rl_ask *ask)
{
	RL_REQUIRE(rl_range_is_free(r));

	r->node.start = ask->grain == RL_FINE ? ask->start : 0;
	r->node.end = ask->grain == RL_FINE ? ask->end : RL_END;
	r->declared_start = ask->start;
	r->declared_end = ask->end;
	r->owner = rl_owner(lk->host);
	r->granted = ask->granted;
	r->lock_tag = rl_lock_tag(lk);
	r->site = ask->site;
	r->flags = (uint16_t)((unsigned int)ask->grain |
			      (ask->at_site ? RL_F_AT_SITE : 0) |
			      (ask->patience == RL_SUBMIT ? RL_F_SUBMITTED : 0));
	r->group = 0;
	r->mode = (uint8_t)ask->mode;
}

/* The guard is held, and the leader is filled: go through the arbiter, let the
 * guard go, and wait. */
int rl_ask_guarded(struct rangelock *lk, struct rl_arbiter *a,
		   struct rl_range *leader, enum rl_patience patience, uint64_t deadline_ns);

/*
 * A filled leader takes the guard and goes through the arbiter.  Inline, for
 * the common case is to find nobody there: one swap, a few stores, one store
 * that lets the guard go.
 */
static RL_INLINE int rl_ask_filled(struct rangelock *lk,
				   struct rl_range *leader,
				   enum rl_patience patience,
				   uint64_t deadline_ns)
{
	struct rl_arbiter *a = rl_guard_entry(lk, leader, patience == RL_TRY);

	if (!a)
		return EBUSY;
	if ((lk->forest && a == &lk->central) ||
	    !rl_arbiter_enter_empty(a, leader))
		return rl_ask_guarded(lk, a, leader, patience, deadline_ns);
	/* (W3) release: who cancels it in vain finds its arbiter. */
	rl_store_release(&leader->state, RL_HELD);
	rl_guard_unlock(&a->guard);
	return 0;
}

/* Check the arguments, fill the handle, go through the arbiter, and wait. */
static RL_INLINE int rl_ask(struct rangelock *lk, struct rl_range *r,
			    const struct rl_ask *ask)
{
	if (__builtin_expect(!lk || !r || ask->start >= ask->end, 0))
		return EINVAL;
	rl_fill_range(lk, r, ask);
	return rl_ask_filled(lk, r, ask->patience, ask->deadline_ns);
}

/* Abort unless r, of lk, is held and one alone. */
static inline void rl_require_held(const struct rangelock *lk,
				   const struct rl_range *r)
{
	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	/* Relaxed: who changes what is held knows that it is held. */
	RL_REQUIRE(rl_load_relaxed(&r->state) == RL_HELD);
	RL_REQUIRE(r->lock_tag == rl_lock_tag(lk));
	RL_REQUIRE(!rl_range_is_several(r));
}

#endif
