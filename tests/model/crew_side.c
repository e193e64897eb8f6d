/*
 * crew_side.c - one thread's side of a play: its ops, and what it was told
 */
#include "tests/model/crew_side.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "rangelock/base/atomic.h"

#define MEET_LOOKS	40u		/* then it goes on without the others */

static struct crew *const c = &the_crew;

/* ---- What is written down ---- */

static uint32_t stamp(void)
{
	return rl_add_relaxed(&c->stamp, 1);
}

static struct linear_range range_of(const struct crew_request *q)
{
	struct linear_range range = { 0, 0 };

	for (uint32_t i = 0; i < q->nr_spans; i++) {
		uint64_t end = q->spans[i].end;
		/* One bit stands for all beyond the places. */
		uint32_t bits = (UINT32_C(1) << (end > CREW_PLACES ? CREW_PLACES + 1 : end)) -
				(UINT32_C(1) << q->spans[i].start);

		if (q->spans[i].mode == RL_WRITE)
			range.writes |= bits;
		else
			range.reads |= bits;
	}
	return range;
}

static struct linear_call *begin_call(struct crew_member *me, enum linear_kind kind,
				      size_t request)
{
	struct linear_call *call = &me->calls[me->nr_calls++];

	if (me->nr_calls > CREW_CALLS)
		crew_fail("a thread makes more calls than there is room for");
	*call = (struct linear_call){
		.kind = kind,
		.thread = (uint8_t)me->index,
		.request = (uint8_t)request,
	};
	if (kind <= LINEAR_SUBMIT || kind == LINEAR_CHANGE)
		call->range = range_of(&c->requests[request]);
	me->nr_relaxed = 0;
	call->called = stamp();
	return call;
}

static int end_call(struct linear_call *call, int answer)
{
	call->returned = stamp();
	call->answer = answer;
	return answer;
}

/* ---- A request ---- */

static void fill_request(struct crew_request *q, const struct op *op)
{
	uint64_t start = op->start % CREW_PLACES, room = CREW_PLACES - start;
	bool is_long = op->length >> 56;
	uint64_t length = 1 + (is_long ? op->length : op->length & 3) % room;
	enum rl_mode mode = op->flags & OP_WRITE ? RL_WRITE : RL_READ;

	q->nr_spans = 1;
	q->spans[0] = (struct rl_span){ start, start + length, mode };
	if (op->flags & OP_COARSE)
		q->spans[0] = (struct rl_span){ 0, RL_END, mode };
	else if (op->flags & OP_SITE && start + length < CREW_PLACES) {
		q->nr_spans = 2;	/* behind the first, or touching it */
		start += length;
		start += (op->keep & 3) % (CREW_PLACES - start);
		q->spans[1] = (struct rl_span){ start, start + 1,
						op->keep & 4 ? RL_WRITE : RL_READ };
	}
}

/* The namesakes for reading and for writing. */
#define BY_MODE(q, name, ...)						\
	((q)->spans[0].mode == RL_WRITE ? rl_write_##name(__VA_ARGS__) : \
					  rl_read_##name(__VA_ARGS__))

static int call_try(struct crew_request *q)
{
	const struct rl_span *s = q->spans;

	if (q->nr_spans > 1)
		return rl_trylock_many(&c->lk, q->r, q->nr_spans, s);
	if (s->end == RL_END)
		return BY_MODE(q, trylock_coarse, &c->lk, q->r);
	return BY_MODE(q, trylock, &c->lk, q->r, s->start, s->end);
}

static int call_lock(struct crew_request *q)
{
	const struct rl_span *s = q->spans;

	if (q->nr_spans > 1)
		return rl_lock_many(&c->lk, q->r, q->nr_spans, s);
	if (s->end == RL_END)
		return BY_MODE(q, lock_coarse, &c->lk, q->r);
	return BY_MODE(q, lock, &c->lk, q->r, s->start, s->end);
}

static int call_lock_until(struct crew_request *q, uint64_t deadline)
{
	const struct rl_span *s = q->spans;

	if (q->nr_spans > 1)
		return rl_lock_many_until(&c->lk, q->r, q->nr_spans, s, deadline);
	if (s->end == RL_END)
		return BY_MODE(q, lock_coarse_until, &c->lk, q->r, deadline);
	return BY_MODE(q, lock_until, &c->lk, q->r, s->start, s->end, deadline);
}

static int call_submit(struct crew_request *q)
{
	const struct rl_span *s = q->spans;

	if (q->nr_spans > 1)
		return rl_submit_many(&c->lk, q->r, q->nr_spans, s);
	if (s->end == RL_END)
		return BY_MODE(q, submit_coarse, &c->lk, q->r, NULL);
	return BY_MODE(q, submit, &c->lk, q->r, s->start, s->end, NULL);
}

static uint64_t deadline_of(const struct op *op)
{
	return op->keep >> 40 & 3 ? rl_now(&c->lk) + (op->wait_ns & 0xffff) : 0;
}

/* ---- What becomes of a slot ---- */

static void hold(struct crew_member *me, unsigned int slot)
{
	me->as[slot] = CREW_HELD;
	crew_places_enter(me, &c->requests[me->request[slot]]);
}

static void let_go(struct crew_member *me, unsigned int slot)
{
	size_t x = me->request[slot];
	struct crew_request *q = &c->requests[x];
	struct linear_call *call;

	crew_places_leave(me, q);
	call = begin_call(me, LINEAR_UNLOCK, x);
	if (q->nr_spans > 1)
		rl_unlock_many(&c->lk, q->r, q->nr_spans);
	else
		rl_unlock(&c->lk, q->r);
	end_call(call, 0);
	me->as[slot] = CREW_IDLE;
}

static void must_be(bool condition, const char *what, int answer)
{
	if (!condition)
		crew_fail("%s: %d", what, answer);
}

/* The end of a call that may have waited. */
static void end_wait(struct crew_member *me, unsigned int slot, int error)
{
	if (!error)
		hold(me, slot);
	else if (error != EDEADLK || me->as[slot] != CREW_QUEUED)
		me->as[slot] = CREW_IDLE;
}

/* Does this thread have something beside this slot? */
static bool has_other(const struct crew_member *me, unsigned int slot)
{
	return me->as[slot ^ 1] != CREW_IDLE;
}

static void ask(struct crew_member *me, unsigned int slot, const struct op *op)
{
	size_t x = (size_t)(op - c->ops);
	struct crew_request *q = &c->requests[x];
	struct linear_call *call;
	unsigned int how = op->pick % 8;
	int error;

	fill_request(q, op);
	me->request[slot] = (uint8_t)x;
	/* Relaxed: the handle was ready before the play began. */
	rl_store_relaxed(&me->current, (uint32_t)x + 1);
	if (how < 3) {
		call = begin_call(me, LINEAR_TRY, x);
		error = end_call(call, call_try(q));
		/* A guard that stays taken is a reason that no history shows. */
		call->is_unsure = error && (!c->setup.dawdles || me->nr_relaxed);
		must_be(!error || error == EBUSY, "a try", error);
	} else if (how < 5) {
		call = begin_call(me, LINEAR_SUBMIT, x);
		error = end_call(call, call_submit(q));
		must_be(!error || error == EINPROGRESS, "a submit", error);
		if (error)
			me->as[slot] = CREW_QUEUED;
	} else {
		uint64_t deadline = deadline_of(op);

		call = begin_call(me, LINEAR_LOCK, x);
		error = end_call(call, has_other(me, slot) || how == 7 ?
				       call_lock_until(q, deadline) : call_lock(q));
		must_be(!error || error == ETIMEDOUT || error == ECANCELED ||
			error == EDEADLK, "a lock", error);
	}
	if (!error)
		hold(me, slot);
}

static void cancel(struct crew_member *me, size_t x, int *error)
{
	struct linear_call *call = begin_call(me, LINEAR_CANCEL, x);

	*error = end_call(call, rl_cancel(&c->lk, c->requests[x].r));
	must_be(!*error || *error == EBUSY || *error == EINVAL, "a cancel", *error);
}

/* Take back what is queued; or hold it, if that is too late. */
static void withdraw(struct crew_member *me, unsigned int slot)
{
	int error;

	cancel(me, me->request[slot], &error);
	if (error == EBUSY)
		hold(me, slot);
	else
		me->as[slot] = CREW_IDLE;
}

static void go_on_waiting(struct crew_member *me, unsigned int slot, const struct op *op)
{
	size_t x = me->request[slot];
	struct crew_request *q = &c->requests[x];
	struct linear_call *call;
	uint64_t deadline;
	int error;

	switch (op->pick % 4) {
	case 0:
	case 1:
		call = begin_call(me, LINEAR_POLL, x);
		error = end_call(call, rl_poll(&c->lk, q->r));
		must_be(!error || error == EINPROGRESS || error == ECANCELED, "a poll", error);
		if (error != EINPROGRESS)
			end_wait(me, slot, error);
		break;
	case 2:
		withdraw(me, slot);
		break;
	default:
		deadline = deadline_of(op);
		call = begin_call(me, LINEAR_WAIT, x);
		error = end_call(call, has_other(me, slot) ?
				       rl_wait_until(&c->lk, q->r, deadline) :
				       rl_wait(&c->lk, q->r));
		must_be(!error || error == ETIMEDOUT || error == ECANCELED ||
			error == EDEADLK, "a wait", error);
		end_wait(me, slot, error);
	}
}

/* A change to what op says; the places follow. */
static void change(struct crew_member *me, unsigned int slot, const struct op *op)
{
	size_t x = me->request[slot];
	struct crew_request *q = &c->requests[x];
	struct rl_span was = q->spans[0], *s = q->spans;
	struct linear_call *call;
	bool grows = false;
	int error = 0;

	switch (op->pick % 3) {
	case 0:
		grows = s->mode == RL_READ;
		s->mode = grows ? RL_WRITE : RL_READ;
		break;
	case 1:
		s->start += op->keep % ((s->end < CREW_PLACES ? s->end : CREW_PLACES) - s->start);
		if (s->end > CREW_PLACES)
			s->end = CREW_PLACES;
		s->end -= (op->keep >> 8) % (s->end - s->start);
		break;
	default:
		grows = true;
		s->start -= op->keep % (s->start + 1);
		if (s->end < CREW_PLACES)
			s->end += (op->keep >> 8) % (CREW_PLACES - s->end + 1);
	}
	if (!grows) {
		struct rl_span to = *s;

		*s = was;
		crew_places_leave(me, q);
		*s = to;
		crew_places_enter(me, q);
	}
	call = begin_call(me, LINEAR_CHANGE, x);
	if (op->pick % 3 == 0 && !grows)
		rl_write_downgrade(&c->lk, q->r);
	else if (op->pick % 3 == 0)
		error = rl_read_tryupgrade(&c->lk, q->r);
	else if (op->pick % 3 == 1)
		error = rl_narrow(&c->lk, q->r, s->start, s->end);
	else
		error = rl_tryextend(&c->lk, q->r, s->start, s->end);
	end_call(call, error);
	must_be(!error || (grows && error == EBUSY), "a change", error);
	if (error) {
		*s = was;
	} else if (grows) {
		struct rl_span to = *s;

		*s = was;
		crew_places_leave(me, q);
		*s = to;
		crew_places_enter(me, q);
	}
}

static void cancel_somebody(struct crew_member *me, const struct op *op)
{
	const struct crew_member *other =
		&c->members[(me->index + 1 + op->pick % (c->setup.nr_threads - 1)) %
			    c->setup.nr_threads];
	uint32_t x = rl_load_relaxed(&other->current);
	int error;

	if (x)
		cancel(me, x - 1, &error);
}

static void play_op(struct crew_member *me, const struct op *op)
{
	unsigned int slot = op->slot % CREW_SLOTS;

	if (op->flags & OP_SPURIOUS && op->pick & 8) {
		cancel_somebody(me, op);
		return;
	}
	switch (me->as[slot]) {
	case CREW_IDLE:
		ask(me, slot, op);
		break;
	case CREW_QUEUED:
		go_on_waiting(me, slot, op);
		break;
	case CREW_HELD:
		crew_places_check(me, &c->requests[me->request[slot]]);
		if (op->pick & 16 || c->requests[me->request[slot]].nr_spans > 1)
			let_go(me, slot);
		else
			change(me, slot, op);
	}
}

/* All who are not through have begun as many ops, or it has looked long enough: they may
 * wait for this thread. */
static void meet(struct crew_member *me)
{
	for (uint32_t i = 0; i < c->setup.nr_threads; i++)
		for (unsigned int looks = 0; looks < MEET_LOOKS &&
		     rl_load_relaxed(&c->members[i].nr_steps) < me->nr_steps; looks++)
			sched_yield();
}

static void end_side(struct crew_member *me)
{
	/* Nobody waits for it to meet him. */
	rl_store_relaxed(&me->nr_steps, UINT32_MAX);
	for (unsigned int slot = 0; slot < CREW_SLOTS; slot++) {
		if (me->as[slot] == CREW_QUEUED)
			withdraw(me, slot);
		if (me->as[slot] == CREW_HELD)
			let_go(me, slot);
	}
}

void crew_play_side(struct crew_member *me)
{
	for (size_t i = 0; i < c->nr_ops; i++) {
		const struct op *op = &c->ops[i];

		if (op->owner % c->setup.nr_threads != me->index)
			continue;
		rl_store_relaxed(&me->nr_steps, me->nr_steps + 1);
		if (c->setup.meets)
			meet(me);
		for (unsigned int n = op->nested * 16u; n; n--)
			rl_compiler_fence();
		play_op(me, op);
	}
	end_side(me);
}
