/*
 * ask.h - what every lock call of the interface comes down to
 */
#ifndef RL_LOCK_ASK_H
#define RL_LOCK_ASK_H

#include <rangelock.h>
#include <rangelock/site.h>

#include "rangelock/engine/arbiter.h"

/* One request: what its caller declares, how it is locked, how long it waits. */
struct rl_ask {
	uint64_t start, end;		/* declared */
	enum rl_mode mode;
	enum rl_grain grain;
	uint16_t site;
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

/* Check the arguments, fill the handle, go through the arbiter, and wait. */
int rl_ask(struct rangelock *lk, struct rl_range *r, const struct rl_ask *ask);

/* Fill a handle that is in nobody's hands: everything but group and flags'
 * leader bit. */
void rl_fill_range(struct rangelock *lk, struct rl_range *r,
		   const struct rl_ask *ask);

/* A leader that is filled goes through the arbiter, and waits. */
int rl_ask_filled(struct rangelock *lk, struct rl_range *leader,
		  enum rl_patience patience, uint64_t deadline_ns);

/* Abort unless r, of lk, is held and one alone. */
void rl_require_held(const struct rangelock *lk, const struct rl_range *r);

#endif
