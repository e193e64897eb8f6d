/*
 * special.c - equal threads, and one writer among many readers
 */
#include <errno.h>
#include <sched.h>

#include "stress/torture/torture.h"

/* Equal threads, one range: how do their shares differ?  Judged at the end of the
 * run: of one round the scheduler decides who is there at all. */
void tt_work_fair(struct tt_worker *me)
{
	struct tt_round *t = me->round;
	struct tt_request *q = &me->requests[0];
	uint32_t steps = 0;

	tt_add(&t->nr_ready, 1);
	while (tt_load(&t->nr_ready) < t->nr_workers)
		tt_wait_step(&steps);
	while (!tt_load(&t->is_over)) {
		q->n = 1;
		q->spans[0] = (struct tt_span){ 30, 34, RL_WRITE };
		tt_prepare(me, q);
		tt_require(t, rl_write_lock(&t->lk, q->r, tt_start_of(t, q),
					    tt_end_of(t, q)) == 0);
		tt_note_call(me);
		tt_enter(me, q);
		if (++me->nr_turns == t->nr_ops)
			tt_store(&t->is_over, 1);
		tt_release(me, q);
		tt_give_back(q);
		sched_yield();
	}
}

static void write_among_readers(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;

	int error;

	q->n = 1;
	q->spans[0] = (struct tt_span){ 8, 56, RL_WRITE };
	tt_prepare(me, q);
	error = rl_write_submit(&t->lk, q->r, tt_start_of(t, q),
				tt_end_of(t, q), NULL);
	tt_require(t, error == 0 || error == EINPROGRESS);
	tt_store64(&t->writer_waits, rl_now(&t->lk));
	tt_require(t, rl_wait(&t->lk, q->r) == 0);
	tt_note_call(me);
	tt_enter(me, q);
	/* In the hold: whoever reads after it sees that nobody waits. */
	tt_store64(&t->writer_waits, 0);
	tt_release(me, q);
	tt_give_back(q);
}

/*
 * A reader holds what the writer waits for.  If it was called when the writer
 * had waited for bypass_ns already, it has passed a writer that none may pass.
 */
static void enter_beside_writer(struct tt_worker *me, struct tt_request *q,
				uint64_t called_ns)
{
	struct tt_round *t = me->round;
	uint64_t since = tt_load64(&t->writer_waits);

	tt_note_call(me);
	tt_enter(me, q);
	if (since && called_ns >= since + t->bypass_ns)
		tt_fail(t, "a reader passed a writer that had waited for %llu ns, "
			"with a bypass of %llu",
			(unsigned long long)(called_ns - since),
			(unsigned long long)t->bypass_ns);
}

static bool read_some(struct tt_worker *me, struct tt_request *q, bool only_try)
{
	struct tt_round *t = me->round;
	uint64_t called_ns = rl_now(&t->lk);
	int error;

	q->n = 1;
	q->spans[0] = (struct tt_span){ 24 + tt_below(me, 8),
					33 + tt_below(me, 8), RL_READ };
	tt_prepare(me, q);
	if (only_try)
		error = rl_read_trylock(&t->lk, q->r, tt_start_of(t, q),
					tt_end_of(t, q));
	else
		error = rl_read_lock(&t->lk, q->r, tt_start_of(t, q),
				     tt_end_of(t, q));
	if (!error) {
		enter_beside_writer(me, q, called_ns);
		return true;
	}
	tt_require(t, only_try && error == EBUSY);
	tt_give_back(q);
	return false;
}

static void let_go(struct tt_worker *me, struct tt_request *q)
{
	tt_release(me, q);
	tt_give_back(q);
}

/* Each reader takes the next range before it lets this one go. */
static void read_in_turns(struct tt_worker *me)
{
	struct tt_request *q = me->requests;
	unsigned int i = 0;

	read_some(me, &q[i], false);
	while (!tt_load(&me->round->is_over)) {
		if (read_some(me, &q[i ^ 1], true)) {
			let_go(me, &q[i]);
			i ^= 1;
		} else {
			let_go(me, &q[i]);
			read_some(me, &q[i], false);
		}
		tt_dwell(me);
		sched_yield();
	}
	let_go(me, &q[i]);
}

void tt_work_writer(struct tt_worker *me)
{
	if (me->index) {
		read_in_turns(me);
		return;
	}
	for (uint32_t n = me->round->nr_ops / 10 + 3; n; n--) {
		write_among_readers(me, &me->requests[0]);
		tt_dwell(me);
	}
	tt_store(&me->round->is_over, 1);
}
