/*
 * linear.h - may a sequential range lock have given these answers, in some order?
 *
 * A history is the calls that some threads made, each with a stamp before it and one after
 * it, and its answer.  It is right if each call can be given an instant between its two
 * stamps, or two of them, one for its arrival and one for what became of it, so that a
 * lock that does one thing at a time gives the same answers.  The search tries the orders that the
 * stamps allow, and comes to no state twice: Wing's and Gong's, with Lowe's memory.
 *
 * What the lock may do (G1, G3, G6, G8; brute.h has the same rules, but settles at once):
 *
 *	blockers(X)	who conflicts with X, and holds or waits and came before X
 *	X may hold	LINEAR_STRICT: X has no blockers.  LINEAR_FREE, nobody is ever
 *			too old to be passed: none that holds
 *	X may fail	EBUSY, ETIMEDOUT: it may not hold.  LINEAR_EITHER, who is old
 *			only the clock knows: it has blockers, of whatever kind
 *	X is granted	LINEAR_STRICT: as soon as it may hold, before anything else.  The
 *			others: some time later, for who sleeps is only called
 *	EDEADLK		X may not hold, and is behind its own thread, directly or through
 *			waiters; and then it is EDEADLK and does not wait
 *	a change	fails if it would meet a holder, or a waiter who is not behind it
 *			(LINEAR_FREE: a holder)
 *	rl_cancel()	0: it waited; EBUSY: it held; EINVAL: neither, or its unlock has begun
 *
 * A poll may say of a grant that is no more than a call old that it has not come yet.
 */
#ifndef RL_TESTS_MODEL_LINEAR_H
#define RL_TESTS_MODEL_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINEAR_REQUESTS	32		/* of one history */
#define LINEAR_CALLS	64
#define LINEAR_EVENTS	64		/* the instants of all calls */

/* How old a waiter must be that is not to be passed: always, never, or unknown. */
enum linear_order { LINEAR_STRICT, LINEAR_FREE, LINEAR_EITHER };

enum linear_kind {
	LINEAR_TRY,			/* 0 EBUSY */
	LINEAR_LOCK,			/* 0 ETIMEDOUT ECANCELED EDEADLK */
	LINEAR_SUBMIT,			/* 0 EINPROGRESS */
	LINEAR_WAIT,			/* 0 ETIMEDOUT ECANCELED EDEADLK */
	LINEAR_POLL,			/* 0 EINPROGRESS ECANCELED */
	LINEAR_CANCEL,			/* 0 EBUSY EINVAL */
	LINEAR_UNLOCK,			/* 0 */
	LINEAR_CHANGE,			/* 0 EBUSY: it becomes what the call says */
};

/* A bit for each place that the object has. */
struct linear_range {
	uint32_t reads, writes;
};

struct linear_call {
	enum linear_kind kind;
	uint8_t thread, request;
	bool is_unsure;			/* a try that a guard alone may have refused */
	int answer;
	struct linear_range range;	/* of TRY, LOCK, SUBMIT and CHANGE */
	uint32_t called, returned;	/* stamps, all different */
};

struct linear_history {
	enum linear_order order;
	size_t nr_calls;
	struct linear_call calls[LINEAR_CALLS];
};

enum linear_verdict {
	LINEAR_RIGHT,
	LINEAR_WRONG,
	LINEAR_UNDECIDED,		/* too long, or too many states */
};

enum linear_verdict linear_check(const struct linear_history *h);

static inline bool linear_conflict(struct linear_range a, struct linear_range b)
{
	return (a.writes & (b.reads | b.writes)) || (a.reads & b.writes);
}

/* A line for each call, in the order of their first stamps. */
void linear_print(const struct linear_history *h);

#endif
