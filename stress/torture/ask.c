/*
 * ask.c - every way to ask for a range, and what its answer may be
 *
 * What can be judged at once is: ETIMEDOUT is not early, ECANCELED comes if and
 * only if a cancel returned 0, EDEADLK only to who owns something else.  The
 * rest goes into the history.
 */
#include <errno.h>
#include <string.h>

#include "stress/torture/torture.h"

#define NS_PER_HOUR	UINT64_C(3600000000000)

/* The namesakes for reading and for writing. */
#define BY_MODE(q, name, ...)						\
	((q)->spans[0].mode == RL_WRITE ? rl_write_##name(__VA_ARGS__) : \
					  rl_read_##name(__VA_ARGS__))

void tt_note_call(struct tt_worker *me)
{
	/* One writer; not an increment, which would be a locked instruction. */
	tt_store64(&me->nr_calls, me->nr_calls + 1);
}

static void spans_of(const struct tt_round *round, const struct tt_request *q,
		     struct rl_span *spans)
{
	for (uint32_t i = 0; i < q->n; i++)
		spans[i] = (struct rl_span){
			tt_address(round, q->spans[i].first),
			tt_address(round, q->spans[i].end), q->spans[i].mode
		};
}

static int lock(struct tt_round *t, struct tt_request *q)
{
	uint64_t start = tt_start_of(t, q), end = tt_end_of(t, q);
	struct rl_span spans[TT_MANY];

	spans_of(t, q, spans);
	if (q->n > 1)
		return q->site ? rl_lock_many_at(&t->lk, q->r, q->site, q->n, spans) :
				 rl_lock_many(&t->lk, q->r, q->n, spans);
	if (q->is_all)
		return BY_MODE(q, lock_coarse, &t->lk, q->r);
	if (q->site)
		return BY_MODE(q, lock_at, &t->lk, q->r, q->site, start, end);
	return BY_MODE(q, lock, &t->lk, q->r, start, end);
}

static int trylock(struct tt_round *t, struct tt_request *q)
{
	uint64_t start = tt_start_of(t, q), end = tt_end_of(t, q);
	struct rl_span spans[TT_MANY];

	spans_of(t, q, spans);
	if (q->n > 1)
		return rl_trylock_many(&t->lk, q->r, q->n, spans);
	if (q->is_all)
		return BY_MODE(q, trylock_coarse, &t->lk, q->r);
	if (q->site)
		return BY_MODE(q, trylock_at, &t->lk, q->r, q->site, start, end);
	return BY_MODE(q, trylock, &t->lk, q->r, start, end);
}

static int lock_until(struct tt_round *t, struct tt_request *q, uint64_t deadline)
{
	uint64_t start = tt_start_of(t, q), end = tt_end_of(t, q);
	struct rl_span spans[TT_MANY];

	spans_of(t, q, spans);
	if (q->n > 1)
		return rl_lock_many_until(&t->lk, q->r, q->n, spans, deadline);
	if (q->is_all)
		return BY_MODE(q, lock_coarse_until, &t->lk, q->r, deadline);
	if (q->site)
		return BY_MODE(q, lock_at_until, &t->lk, q->r, q->site, start,
			       end, deadline);
	return BY_MODE(q, lock_until, &t->lk, q->r, start, end, deadline);
}

static int submit(struct tt_round *t, struct tt_request *q, rl_granted_fn *granted)
{
	uint64_t start = tt_start_of(t, q), end = tt_end_of(t, q);
	struct rl_span spans[TT_MANY];

	spans_of(t, q, spans);
	if (q->n > 1)
		return q->site ? rl_submit_many_at(&t->lk, q->r, q->site, q->n, spans) :
				 rl_submit_many(&t->lk, q->r, q->n, spans);
	if (q->is_all)
		return BY_MODE(q, submit_coarse, &t->lk, q->r, granted);
	if (q->site)
		return BY_MODE(q, submit_at, &t->lk, q->r, q->site, start, end,
			       granted);
	return BY_MODE(q, submit, &t->lk, q->r, start, end, granted);
}

/* ---- The door ---- */

static void open_door(const struct tt_round *t, struct tt_request *q)
{
	if (!t->cancels)
		return;
	q->nr_cancelled_before = q->nr_cancelled;
	q->is_cancellable = true;
	/* Release: the handle is ready for whoever cancels it. */
	tt_store_release(&q->door, TT_OPEN);
}

/* Nobody cancels it any more: how many cancels returned 0? */
static uint32_t close_door(struct tt_request *q)
{
	uint32_t steps = 0;

	if (!q->is_cancellable)
		return 0;
	while (!tt_cas(&q->door, TT_OPEN, TT_CLOSED))
		tt_wait_step(&steps);
	/* Acquire, of what the swap above read: the canceller is done with it. */
	tt_load_acquire(&q->door);
	q->is_cancellable = false;
	return q->nr_cancelled - q->nr_cancelled_before;
}

void tt_cancel_somebody(struct tt_worker *me)
{
	struct tt_round *t = me->round;
	struct tt_worker *victim = &t->workers[tt_below(me, t->nr_workers)];
	struct tt_request *q = &victim->requests[tt_below(me, TT_REQUESTS)];
	int error;

	if (tt_load(&q->door) != TT_OPEN || !tt_cas(&q->door, TT_OPEN, TT_PINNED))
		return;
	/* Acquire, of what the swap above read: the handle is ready. */
	tt_load_acquire(&q->door);
	error = rl_cancel(&t->lk, q->r);
	tt_require(t, error == 0 || error == EBUSY || error == EINVAL);
	q->nr_cancelled += error == 0;
	/* Release: we are done with it. */
	tt_store_release(&q->door, TT_OPEN);
	tt_note_call(me);
}

/* ---- Before, and after ---- */

/* Only near deadlines: see torture.h. */
static bool is_bounded(const struct tt_worker *me)
{
	return me->depth > 0 && me->index != 0;
}

/* Does the worker own anything but q, or something that is on its way? */
static bool owns_other(const struct tt_worker *me, const struct tt_request *q)
{
	for (uint32_t i = 0; i < TT_REQUESTS && !me->depth; i++)
		if (&me->requests[i] != q &&
		    tt_load(&me->requests[i].turn) != TT_FREE)
			return true;
	return me->depth > 0;
}

void tt_prepare(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;

	for (uint32_t i = 0; i < q->n; i++)
		rl_range_init(&q->r[i]);
	q->id = (me->index + 1) << 24 | (++me->next_id & 0xffffff);
	q->owns_other = owns_other(me, q);
	q->is_waited_for = false;
	q->queued_at = q->queued_ns = q->called_ns = 0;
	q->grown_ns = q->certain_from = 0;
	if (t->has_history)
		q->called_ns = rl_now(&t->lk);
	q->possible_from = tt_stamp(t);
	tt_store(&q->turn, TT_MINE);
}

void tt_log(struct tt_worker *me, const struct tt_request *q,
	    enum tt_kind kind, uint64_t certain_until, uint64_t possible_until)
{
	struct tt_entry e = {
		.possible_from = q->possible_from,
		.certain_from = q->certain_from,
		.certain_until = certain_until,
		.possible_until = possible_until,
		.called_ns = q->called_ns,
		.queued_ns = q->queued_ns,
		.queued_at = q->queued_at,
		.grown_ns = q->grown_ns,
		.was = q->was,
		.id = q->id,
		.kind = kind,
		.may_be_all = q->site != NULL,
	};

	if (!me->round->has_history)
		return;
	for (uint32_t i = 0; i < q->n; i++) {
		e.span = q->spans[i];
		/* Of several the first that conflicts refuses all. */
		if (kind == TT_REFUSED && q->n > 1)
			return;
		tt_history_add(&me->history, &e);
	}
}

void tt_give_back(struct tt_request *q)
{
	/* Release: its worker may use it again. */
	tt_store_release(&q->turn, TT_FREE);
}

static bool is_over(struct tt_request *q)
{
	tt_give_back(q);
	return false;
}

void tt_enter(struct tt_worker *me, struct tt_request *q)
{
	q->certain_from = tt_stamp(me->round);
	me->nr_acquired++;
	tt_pages_enter(me, q);
}

void tt_release(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	uint64_t until;

	tt_pages_leave(me, q);
	until = tt_stamp(t);
	if (q->n > 1) {
		rl_unlock_many(&t->lk, q->r, q->n);
		tt_log(me, q, TT_HELD, until, tt_stamp(t));
	} else if (tt_percent(me, 10)) {
		struct rl_deferred due = { NULL, NULL };

		rl_unlock_deferred(&t->lk, q->r, &due);
		tt_log(me, q, TT_HELD, until, tt_stamp(t));
		tt_dwell(me);
		rl_run_deferred(&due);
	} else {
		rl_unlock(&t->lk, q->r);
		tt_log(me, q, TT_HELD, until, tt_stamp(t));
	}
	tt_note_call(me);
	me->nr_released++;
}

/* A guard that stayed taken is a reason that no history shows. */
static bool may_have_spun(const struct tt_worker *me, uint64_t nr_relaxed)
{
	return me->round->doors != TT_PERTURBED || me->nr_relaxed != nr_relaxed;
}

/* What became of a request that is neither held nor queued any more. */
static bool judge_failure(struct tt_worker *me, struct tt_request *q, int error,
			  uint64_t deadline, uint32_t nr_cancelled)
{
	struct tt_round *t = me->round;

	switch (error) {
	case ETIMEDOUT:
		tt_require(t, rl_now(&t->lk) >= deadline);
		tt_require(t, nr_cancelled == 0);
		me->nr_late++;
		tt_log(me, q, TT_REFUSED, 0, tt_stamp(t));
		break;
	case ECANCELED:
		tt_require(t, nr_cancelled == 1);
		me->nr_cancelled++;
		break;
	case EDEADLK:
		tt_require(t, q->owns_other);
		tt_require(t, nr_cancelled == 0);
		me->nr_deadlocks++;
		break;
	default:
		tt_fail(t, "error %d of request %u.%u", error, q->id >> 24,
			q->id & 0xffffff);
	}
	tt_log(me, q, TT_WAITED, 0, tt_stamp(t));
	return is_over(q);
}

static bool judge(struct tt_worker *me, struct tt_request *q, int error,
		  uint64_t deadline)
{
	uint32_t nr_cancelled = close_door(q);

	tt_note_call(me);
	if (error)
		return judge_failure(me, q, error, deadline, nr_cancelled);
	tt_require(me->round, nr_cancelled == 0);
	tt_enter(me, q);
	return true;
}

static bool acquire_by_try(struct tt_worker *me, struct tt_request *q)
{
	uint64_t nr_relaxed = me->nr_relaxed;
	int error = trylock(me->round, q);

	tt_note_call(me);
	if (!error) {
		tt_enter(me, q);
		return true;
	}
	tt_require(me->round, error == EBUSY);
	me->nr_refused++;
	if (may_have_spun(me, nr_relaxed))
		me->nr_spun++;
	else
		tt_log(me, q, TT_REFUSED, 0, tt_stamp(me->round));
	return is_over(q);
}

/* bounded: one that comes soon. */
static uint64_t random_deadline(struct tt_worker *me, bool bounded)
{
	uint64_t now = rl_now(&me->round->lk);

	switch (tt_below(me, bounded ? 4 : 6)) {
	case 0:
		return 0;
	case 1:
		return now;
	case 2:
		return now + tt_below(me, 50000);
	case 3:
		return now + tt_below(me, 1000000);
	case 4:
		return now + NS_PER_HOUR;
	default:
		return RL_NO_DEADLINE - tt_below(me, 2);
	}
}

static void granted(struct rl_range *r)
{
	struct tt_request *q = (struct tt_request *)(void *)r;
	struct tt_worker *me = tt_me;

	tt_require(me->round, !me->in_callback);
	me->in_callback = true;
	tt_enter(me, q);
	if (q->callback_unlocks) {
		tt_release(me, q);
		tt_give_back(q);
	} else {
		/* Release: the helper lets it go. */
		tt_store_release(&q->turn, TT_GIVEN);
	}
	me->in_callback = false;
}

/* Its callback ends it, in whichever thread, unless we take it back first. */
static bool acquire_by_callback(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	uint64_t from = q->possible_from;
	int error;

	q->callback_unlocks = tt_percent(me, 50);
	tt_store(&q->turn, TT_AWAY);
	error = submit(t, q, granted);
	tt_note_call(me);
	if (!error) {
		tt_store(&q->turn, TT_MINE);
		tt_enter(me, q);
		return true;
	}
	tt_require(t, error == EINPROGRESS);
	if (!tt_percent(me, 20))
		return false;
	tt_dwell(me);
	error = rl_cancel(&t->lk, q->r);
	tt_note_call(me);
	tt_require(t, error == 0 || error == EBUSY || error == EINVAL);
	if (error)
		return false;
	tt_require(t, q->possible_from == from);
	me->nr_cancelled++;
	tt_log(me, q, TT_WAITED, 0, tt_stamp(t));
	return is_over(q);
}

void tt_submit(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	int error;

	tt_prepare(me, q);
	open_door(me->round, q);
	error = submit(t, q, NULL);
	tt_note_call(me);
	tt_require(t, error == 0 || error == EINPROGRESS);
	if (error && t->has_history) {
		q->queued_at = tt_stamp(t);
		q->queued_ns = rl_now(&t->lk);
	}
}

int tt_poll(struct tt_worker *me, struct tt_request *q)
{
	int error = rl_poll(&me->round->lk, q->r);

	if (error != EINPROGRESS)
		judge(me, q, error, 0);
	return error;
}

/* Take back a queued request, unless it is held by now. */
static bool withdraw(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	int error = rl_cancel(&t->lk, q->r);

	tt_note_call(me);
	if (!error) {
		tt_require(t, close_door(q) == 0);
		me->nr_cancelled++;
		tt_log(me, q, TT_WAITED, 0, tt_stamp(t));
		return is_over(q);
	}
	tt_require(t, error == EBUSY || error == EINVAL);
	return judge(me, q, error == EBUSY ? 0 : ECANCELED, 0);
}

bool tt_finish(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	bool bounded = is_bounded(me);
	uint64_t deadline = 0;
	int error;

	for (uint32_t looks = tt_below(me, 8), steps = 0; looks; looks--) {
		error = tt_poll(me, q);
		if (error != EINPROGRESS)
			return error == 0;
		tt_wait_step(&steps);
	}
	if (tt_percent(me, 20))
		return withdraw(me, q);
	q->owns_other = owns_other(me, q);
	if (bounded || tt_percent(me, 40)) {
		deadline = random_deadline(me, bounded);
		error = rl_wait_until(&t->lk, q->r, deadline);
	} else {
		error = rl_wait(&t->lk, q->r);
	}
	if (error == EDEADLK) {
		tt_require(t, q->owns_other);
		me->nr_deadlocks++;
		return withdraw(me, q);
	}
	q->is_waited_for = true;
	return judge(me, q, error, deadline);
}

bool tt_take_over(struct tt_request *q)
{
	if (!tt_cas(&q->turn, TT_POLL, TT_MINE))
		return false;
	/* Acquire, of what the swap above read: who submitted it is done. */
	tt_load_acquire(&q->turn);
	return true;
}

/* The helper polls it, or another worker waits for it; then it is theirs. */
static bool acquire_by_others(struct tt_worker *me, struct tt_request *q)
{
	tt_submit(me, q);
	/* Release: it is theirs. */
	tt_store_release(&q->turn, TT_POLL);
	return false;
}

static bool acquire_by_submit(struct tt_worker *me, struct tt_request *q)
{
	/* A sprinter leaves nothing to others, who would take their time. */
	switch (me->round->scene->is_sprint ? 4 : tt_below(me, 5)) {
	case 0:
		return acquire_by_others(me, q);
	case 1:
	case 2:
		if (q->n == 1) {
			tt_prepare(me, q);
			return acquire_by_callback(me, q);
		}
		break;
	}
	tt_submit(me, q);
	return tt_finish(me, q);
}

bool tt_acquire(struct tt_worker *me, struct tt_request *q)
{
	uint32_t dice = tt_below(me, 100);
	uint64_t deadline;

	if (dice < me->round->scene->percent_async)
		return acquire_by_submit(me, q);
	tt_prepare(me, q);
	if (dice % 4 == 0)
		return acquire_by_try(me, q);
	open_door(me->round, q);
	if (!is_bounded(me) && dice % 4 != 1)
		return judge(me, q, lock(me->round, q), 0);
	deadline = random_deadline(me, is_bounded(me));
	return judge(me, q, lock_until(me->round, q, deadline), deadline);
}
