/*
 * history.h - what happened, and is it what a range lock may do?
 *
 * Every thread writes down what it asked and got, with stamps drawn from one
 * relaxed counter: an increment that happens before another draws the smaller
 * number, so a stamp taken before a call and one taken after another call order
 * the two if the lock did.  No clock of two CPUs is compared, and nothing is
 * synchronized.
 */
#ifndef STRESS_TORTURE_HISTORY_H
#define STRESS_TORTURE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rangelock.h>

#define TT_PAGES	64u	/* of the object that all fight for */

struct tt_span {
	uint32_t first, end;		/* pages */
	enum rl_mode mode;
};

enum tt_kind {
	TT_HELD,	/* it held span from certain_from to certain_until */
	TT_WAITED,	/* it waited in vain: timeout, cancel, EDEADLK */
	TT_REFUSED,	/* EBUSY or ETIMEDOUT: somebody must have been there */
};

/*
 * One span of one request, from one change of it to the next.  The lock had it
 * at no time outside [possible_from, possible_until], and held it through all of
 * [certain_from, certain_until].
 */
struct tt_entry {
	uint64_t possible_from, certain_from, certain_until, possible_until;
	uint64_t called_ns;		/* before the call; 0: no fresh request */
	uint64_t queued_ns;		/* after it was queued; 0: unknown */
	uint64_t queued_at;		/* the stamp of that */
	uint64_t grown_ns;		/* before the upgrade or extension; 0: none */
	struct tt_span was;		/* what it held before that */
	struct tt_span span;
	uint32_t id;			/* of the request */
	enum tt_kind kind;
	bool may_be_all;		/* a site may have locked everything */
};

struct tt_history {
	struct tt_entry *entries;
	size_t nr, room;
};

void tt_history_add(struct tt_history *h, const struct tt_entry *e);
void tt_history_append(struct tt_history *h, const struct tt_history *more);
void tt_history_free(struct tt_history *h);

static inline bool tt_conflict(const struct tt_span *a, const struct tt_span *b)
{
	return a->first < b->end && b->first < a->end &&
	       (a->mode == RL_WRITE || b->mode == RL_WRITE);
}

/*
 * Against the sequential model: no two conflicting spans were certainly held at
 * one time; each refusal has somebody who conflicts and was held or waiting
 * during the call; who waited for bypass_ns is passed by nobody who came later, and
 * by no upgrade or extension of a range that it did not wait for.
 * Returns NULL, or what is wrong in text.  Sorts the entries.
 */
const char *tt_history_check(struct tt_history *h, uint64_t bypass_ns,
			     char *text, size_t size);

/* Planted histories, good and bad: is each bad one refused? */
bool tt_history_selftest(void);

#endif
