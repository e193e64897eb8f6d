/*
 * arbitration.h - requests put through an arbiter by hand, for its unit tests
 *
 * Under the guard for the whole test: enter, leave and change are the arbiter's
 * own calls, and what a pass granted is looked at before anybody is let in.
 */
#ifndef RL_TESTS_ARBITRATION_H
#define RL_TESTS_ARBITRATION_H

#include "tests/backend.h"

#include <errno.h>

#include "rangelock/base/park.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"

#define NR_HANDS	6

struct hand {
	struct rangelock lk;
	struct rl_pass pass;
	struct rl_range r[NR_HANDS];
};

static inline void hand_begin(struct hand *h, uint64_t bypass_ns)
{
	static const struct hand fresh;

	*h = fresh;
	h->lk.bypass_bias_ns = bypass_ns - RL_BYPASS_NS;
	rl_guard_lock(&h->lk.central.guard, NULL);
	rl_pass_adopt(&h->pass, &h->lk, &h->lk.central);
}

static inline int hand_enter(struct hand *h, unsigned int i, enum rl_mode mode,
			     uint64_t start, uint64_t end)
{
	struct rl_range *r = &h->r[i];

	r->node.start = r->declared_start = start;
	r->node.end = r->declared_end = end;
	r->mode = (uint8_t)mode;
	r->flags = RL_FINE;
	r->owner = i + 1;
	return rl_arbiter_enter(&h->pass, r, RL_SUBMIT);
}

/* What the waiter counts: blockers, and how many of them hold. */
static inline void hand_counts(const struct hand *h, unsigned int i,
			       uint32_t nr, uint32_t nr_held)
{
	check(h->r[i].flags & RL_F_WAITING);
	check_eq(h->r[i].nr_blockers, nr);
	check_eq(h->r[i].nr_held_blockers, nr_held);
}

static inline bool hand_holds(const struct hand *h, unsigned int i)
{
	return h->r[i].flags & RL_F_HELD;
}

/* Everybody leaves, the last first; the pass ends, and the ledger goes back. */
static inline void hand_end(struct hand *h)
{
	for (unsigned int i = NR_HANDS; i--;)
		if (h->r[i].flags & (RL_F_HELD | RL_F_WAITING))
			rl_arbiter_leave(&h->pass, &h->r[i]);
	check_eq(h->lk.central.nr_waiting, 0);
	rl_pass_end(&h->pass);
	check_eq(rl_destroy(&h->lk), 0);
}

#endif
