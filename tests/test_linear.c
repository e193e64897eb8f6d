/*
 * Goal: the search for an order (tests/model/linear.h) calls right what the brute-force
 * model says, one call after the other, and wrong what it does not say.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "tests/model/brute.h"
#include "tests/model/linear.h"

#define PLACES	8u
#define CALLS	20u
#define ROUNDS	3000u

#define READS(bits)	{ .reads = (bits) }
#define WRITES(bits)	{ .writes = (bits) }

static enum linear_verdict judge(enum linear_order order, size_t nr,
				 const struct linear_call *calls)
{
	struct linear_history h = { .order = order, .nr_calls = nr };

	memcpy(h.calls, calls, nr * sizeof(*calls));
	return linear_check(&h);
}

/* thread, request, kind, range, answer, before, after */
#define CALL(t, x, k, range_, answer_, from, to)			\
	{ .thread = (t), .request = (x), .kind = LINEAR_##k, .range = range_, \
	  .answer = (answer_), .called = (from), .returned = (to) }
#define NR(calls)	(sizeof(calls) / sizeof((calls)[0]))

Test(linear, two_writers_of_one_place_hold_one_after_the_other)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), 0, 1, 2),
		CALL(1, 1, LOCK, WRITES(1), 0, 3, 6),
		CALL(0, 0, UNLOCK, READS(0), 0, 5, 7),
		CALL(1, 1, UNLOCK, READS(0), 0, 8, 9),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
	calls[1].returned = 4;		/* before the first lets go */
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	check_eq(judge(LINEAR_EITHER, NR(calls), calls), LINEAR_WRONG);
	calls[1].range = (struct linear_range)WRITES(2);
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
}

Test(linear, two_refusals_do_not_explain_each_other)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), EBUSY, 1, 3),
		CALL(1, 1, TRY, WRITES(1), EBUSY, 2, 4),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	calls[0].is_unsure = true;	/* perhaps by a guard: the other still has no reason */
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	calls[1].is_unsure = true;
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
}

/* Each of the two refusals has a holder that explains it; but not both at once. */
Test(linear, one_moment_of_a_holder_explains_what_it_can)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), 0, 1, 2),
		CALL(1, 1, TRY, WRITES(1), EBUSY, 3, 8),
		CALL(0, 0, UNLOCK, READS(0), 0, 4, 5),
		CALL(2, 2, TRY, WRITES(1), EBUSY, 6, 7),
	};

	check_eq(judge(LINEAR_STRICT, 3, calls), LINEAR_RIGHT);
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
}

Test(linear, who_waits_refuses_others_in_strict_order_only)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, READS(1), 0, 1, 2),
		CALL(1, 1, SUBMIT, WRITES(1), EINPROGRESS, 3, 4),
		CALL(2, 2, TRY, READS(1), EBUSY, 5, 6),
		CALL(1, 1, CANCEL, READS(0), 0, 7, 8),
		CALL(0, 0, UNLOCK, READS(0), 0, 9, 10),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
	check_eq(judge(LINEAR_EITHER, NR(calls), calls), LINEAR_RIGHT);
	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_WRONG);
}

Test(linear, of_two_who_wait_the_earlier_goes_first)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), 0, 1, 2),
		CALL(1, 1, SUBMIT, WRITES(1), EINPROGRESS, 3, 4),
		CALL(2, 2, LOCK, WRITES(1), 0, 5, 8),
		CALL(0, 0, UNLOCK, READS(0), 0, 6, 7),
		CALL(2, 2, UNLOCK, READS(0), 0, 9, 10),
		CALL(1, 1, WAIT, READS(0), 0, 11, 12),
		CALL(1, 1, UNLOCK, READS(0), 0, 13, 14),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_RIGHT);
	calls[1].called = 2;		/* now nobody knows which of the two came first */
	calls[1].returned = 6;
	calls[3].called = 7;
	calls[3].returned = 8;
	calls[2].returned = 9;
	calls[2].called = 3;
	calls[4].called = 10;
	calls[4].returned = 11;
	calls[5].called = 12;
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
}

Test(linear, a_deadline_is_missed_behind_somebody)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), 0, 1, 2),
		CALL(0, 0, UNLOCK, READS(0), 0, 3, 5),
		CALL(1, 1, LOCK, WRITES(1), ETIMEDOUT, 4, 6),
	};

	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_RIGHT);
	calls[1].returned = 4;
	calls[2].called = 5;
	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_WRONG);
}

Test(linear, a_cancel_and_the_call_that_it_ends_agree)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, WRITES(1), 0, 1, 2),
		CALL(1, 1, LOCK, WRITES(1), ECANCELED, 3, 6),
		CALL(2, 1, CANCEL, READS(0), 0, 4, 5),
		CALL(0, 0, UNLOCK, READS(0), 0, 7, 8),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
	calls[2].answer = EBUSY;
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	calls[2].answer = 0;
	calls[1].answer = ETIMEDOUT;
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
}

Test(linear, who_would_wait_for_itself_is_told)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, READS(1), 0, 1, 2),
		CALL(1, 1, SUBMIT, WRITES(3), EINPROGRESS, 3, 4),
		CALL(0, 2, LOCK, WRITES(2), EDEADLK, 5, 6),
		CALL(0, 0, UNLOCK, READS(0), 0, 7, 8),
		CALL(1, 1, WAIT, READS(0), 0, 9, 10),
		CALL(1, 1, UNLOCK, READS(0), 0, 11, 12),
	};

	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_RIGHT);
	calls[2].answer = ETIMEDOUT;
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
	calls[2].answer = EDEADLK;
	calls[2].range = (struct linear_range)WRITES(4);
	check_eq(judge(LINEAR_STRICT, NR(calls), calls), LINEAR_WRONG);
}

Test(linear, a_change_meets_nobody)
{
	struct linear_call calls[] = {
		CALL(0, 0, TRY, READS(1), 0, 1, 2),
		CALL(1, 1, TRY, READS(1), 0, 3, 4),
		CALL(0, 0, CHANGE, WRITES(1), EBUSY, 5, 6),
		CALL(1, 1, UNLOCK, READS(0), 0, 7, 8),
		CALL(0, 0, UNLOCK, READS(0), 0, 9, 10),
	};

	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_RIGHT);
	calls[2].answer = 0;
	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_WRONG);
	calls[3].called = 5;		/* now it may have left before */
	calls[3].returned = 7;
	calls[2].called = 6;
	calls[2].returned = 8;
	check_eq(judge(LINEAR_FREE, NR(calls), calls), LINEAR_RIGHT);
}

/* ---- Against the model: one call after the other ---- */

static uint64_t state;

static uint32_t below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((state >> 32) * n >> 32);
}

static struct linear_range range_of(const struct brute_request *x)
{
	uint32_t bits = (1u << x->locked[0].end) - (1u << x->locked[0].start);

	return x->locked[0].mode == RL_WRITE ? (struct linear_range)WRITES(bits) :
					       (struct linear_range)READS(bits);
}

static int enter(struct brute *b, unsigned int i, enum brute_patience patience)
{
	struct brute_request *x = &b->requests[i];

	x->nr_spans = 1;
	x->declared[0].start = below(PLACES);
	x->declared[0].end = x->declared[0].start + 1 +
			     below(PLACES - (uint32_t)x->declared[0].start);
	x->declared[0].mode = below(2) ? RL_WRITE : RL_READ;
	x->owner = i;			/* each is somebody else's: nobody waits for itself */
	brute_lock_by_grain(x, RL_FINE);
	return brute_enter(b, i, patience);
}

/* What somebody does who holds. */
static int use(struct brute *b, unsigned int i, struct linear_call *c)
{
	struct brute_request *x = &b->requests[i];
	uint64_t start = x->locked[0].start, end = x->locked[0].end;
	int error = 0;

	c->kind = LINEAR_CHANGE;
	switch (below(5)) {
	case 0:
		if (x->locked[0].mode == RL_WRITE) {
			brute_downgrade(b, i);
			c->range = range_of(x);
		} else {
			error = brute_tryupgrade(b, i);
			c->range = (struct linear_range)WRITES((1u << end) - (1u << start));
		}
		return error;
	case 1:
		start -= below((uint32_t)start + 1);
		error = brute_tryextend(b, i, start, end);
		c->range = range_of(x);
		c->range.reads = c->range.reads ? (1u << end) - (1u << start) : 0;
		c->range.writes = c->range.writes ? (1u << end) - (1u << start) : 0;
		return error;
	case 2:
		start += below((uint32_t)(end - start));
		brute_narrow(b, i, start, end);
		c->range = range_of(x);
		return 0;
	}
	c->kind = LINEAR_UNLOCK;
	brute_unlock(b, i);
	return 0;
}

static void play_one(struct brute *b, unsigned int i, struct linear_call *c)
{
	struct brute_request *x = &b->requests[i];

	switch (x->as) {
	case BRUTE_IDLE:
		c->kind = below(2) ? LINEAR_TRY : LINEAR_SUBMIT;
		c->answer = enter(b, i, c->kind == LINEAR_TRY ? BRUTE_TRY : BRUTE_SUBMIT);
		c->range = range_of(x);
		break;
	case BRUTE_HOLDS:
		c->answer = use(b, i, c);
		break;
	default:
		c->kind = below(2) ? LINEAR_POLL : LINEAR_CANCEL;
		c->answer = EINPROGRESS;
		if (c->kind == LINEAR_CANCEL)
			c->answer = brute_cancel(b, i);
	}
}

/* A history of the model, which ends with nobody there. */
static void make_history(struct linear_history *h)
{
	struct brute b = { .bypass_ns = h->order == LINEAR_STRICT ? 0 : UINT64_C(1) << 62 };
	unsigned int used[BRUTE_MAX] = { 0 };

	h->nr_calls = 0;
	while (h->nr_calls < CALLS) {
		unsigned int i = below(BRUTE_MAX);
		struct linear_call *c = &h->calls[h->nr_calls];

		if (used[i] && (b.requests[i].as == BRUTE_IDLE ||
				b.requests[i].as == BRUTE_CANCELED))
			continue;	/* a request is used once */
		used[i] = 1;
		*c = (struct linear_call){ .thread = (uint8_t)i, .request = (uint8_t)i };
		play_one(&b, i, c);
		c->called = (uint32_t)(2 * h->nr_calls + 1);
		c->returned = c->called + 1;
		h->nr_calls++;
		if (h->nr_calls >= CALLS - 2 && b.seq == BRUTE_MAX)
			break;
	}
}

Test(linear, what_the_model_says_one_by_one_is_right)
{
	struct linear_history h;

	state = 1;
	for (unsigned int n = 0; n < ROUNDS; n++) {
		h.order = n % 2 ? LINEAR_STRICT : LINEAR_FREE;
		make_history(&h);
		if (linear_check(&h) != LINEAR_RIGHT)
			linear_print(&h);
		check_eq(linear_check(&h), LINEAR_RIGHT);
		h.order = LINEAR_EITHER;
		check_eq(linear_check(&h), LINEAR_RIGHT);
	}
}

/* The last answer is another one.  In strict order: in the other ones who waits may still
 * wait a while though he could be let in, so more than one answer is right. */
Test(linear, what_the_model_does_not_say_is_wrong)
{
	struct linear_history h;
	unsigned int nr_tried = 0;

	state = 2;
	for (unsigned int n = 0; n < ROUNDS; n++) {
		struct linear_call *last;

		h.order = LINEAR_STRICT;
		make_history(&h);
		h.nr_calls = 1 + below((uint32_t)h.nr_calls);
		last = &h.calls[h.nr_calls - 1];
		/* What became smaller could not have failed. */
		if (last->kind != LINEAR_TRY &&
		    (last->kind != LINEAR_CHANGE || !last->answer))
			continue;
		last->answer = last->answer ? 0 : EBUSY;
		nr_tried++;
		if (linear_check(&h) != LINEAR_WRONG)
			linear_print(&h);
		check_eq(linear_check(&h), LINEAR_WRONG);
	}
	check(nr_tried > ROUNDS / 4);
}
