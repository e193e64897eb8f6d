/*
 * brute.h - the lock's promises, read literally: an array of requests
 *
 * No tree, no counters, no differences: every question is answered by looking
 * at all pairs.  D1: blockers(X), of a waiting X, are the pairs of a node of X
 * and a node of somebody else that conflicts with it and is held or arrived
 * before.  A request is granted when it has none, or (G3) when none of them is
 * held and each has waited less than bypass_ns.
 *
 * Whatever happens, settle() grants: first those without blockers, then, in
 * order of arrival, those who lost a blocker by it and may pass; but nobody
 * passes whose owner sleeps for another request of his under the same guard.
 *
 * Under whose guard a waiter is is no promise: the player tells it.
 */
#ifndef RL_TESTS_MODEL_BRUTE_H
#define RL_TESTS_MODEL_BRUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rangelock.h>
#include <rangelock/site.h>
#include <rangelock/stats.h>

#define BRUTE_MAX	14		/* requests */
#define BRUTE_SPANS	3		/* ranges of one request */

enum brute_as {
	BRUTE_IDLE,
	BRUTE_WAITS,
	BRUTE_HOLDS,
	BRUTE_CANCELED,			/* free, and says so to who asks */
};

/* Half-open, as everywhere. */
struct brute_span {
	uint64_t start, end;
	enum rl_mode mode;
};

struct brute_request {
	enum brute_as as;
	unsigned int nr_spans;
	struct brute_span declared[BRUTE_SPANS];
	struct brute_span locked[BRUTE_SPANS];
	unsigned int nr_locked;		/* 1, unless all spans are locked */
	bool has_site;
	enum rl_grain grain;
	uint64_t seq, owner, since_ns;
	bool is_true;			/* its wait */
	bool is_awaited;		/* its owner sleeps until it ends */
	const void *arbiter;		/* told of a waiter in a forest */
};

struct brute {
	struct brute_request requests[BRUTE_MAX];
	uint64_t seq, now_ns, bypass_ns;
	struct rl_stats stats;		/* all but name, shared and hist */
	unsigned int granted[BRUTE_MAX];	/* by settle(), in order */
	unsigned int nr_granted;
	size_t before[BRUTE_MAX];	/* blockers, before what happens */
};

enum brute_patience { BRUTE_TRY, BRUTE_SUBMIT, BRUTE_BLOCK };

/* What the request declares is set; say what it locks under this grain. */
void brute_lock_by_grain(struct brute_request *r, enum rl_grain grain);

/* A request whose spans, site and owner are set arrives.
 * Returns: 0, EINPROGRESS, EBUSY or EDEADLK. */
int brute_enter(struct brute *b, unsigned int i, enum brute_patience patience);

/* Would it get that answer?  Nothing changes. */
int brute_foresee(const struct brute *b, unsigned int i,
		  enum brute_patience patience);

/* Somebody comes to wait for a submitted request.  Returns: EDEADLK (G8), or
 * EINPROGRESS, and he is its owner. */
int brute_await(struct brute *b, unsigned int i, uint64_t owner);

void brute_unlock(struct brute *b, unsigned int i);
int brute_cancel(struct brute *b, unsigned int i);
void brute_expire(struct brute *b, unsigned int i);

void brute_downgrade(struct brute *b, unsigned int i);
int brute_tryupgrade(struct brute *b, unsigned int i);
int brute_narrow(struct brute *b, unsigned int i, uint64_t start, uint64_t end);
int brute_tryextend(struct brute *b, unsigned int i, uint64_t start,
		    uint64_t end);

bool brute_is_held(const struct brute *b, uint64_t owner, uint64_t start,
		   uint64_t end, enum rl_mode mode);

/* Returns: how many blockers a waiter has; *nr_held of them hold. */
size_t brute_blockers(const struct brute *b, unsigned int i, size_t *nr_held);

/* G1, by looking at all pairs of holders. */
bool brute_is_exclusive(const struct brute *b);

#endif
