/*
 * hold.c - what a worker does while it holds a range
 *
 * Changes it, asks for more, looks around, and lets it go or hands it over.  A
 * change ends one entry of the history and begins the next: what a downgrade or
 * a narrowing keeps is held all along, what an upgrade or an extension adds from
 * its return on.
 */
#include <errno.h>
#include <string.h>

#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"

#include "stress/torture/torture.h"

/* One change, between two stamps. */
struct change {
	struct tt_span was;
	uint64_t from, to;
	uint64_t grown_ns;		/* an upgrade or an extension: before it */
};

static void begin_change(struct tt_worker *me, struct change *c,
			 const struct tt_request *q, bool grows)
{
	struct tt_round *t = me->round;

	c->was = q->spans[0];
	c->grown_ns = grows && t->has_history ? rl_now(&t->lk) : 0;
	c->from = tt_stamp(t);
}

/* It is done: what q was ends, and what it is began at certain_from. */
static void end_change(struct tt_worker *me, struct tt_request *q,
		       const struct change *c, uint64_t certain_until,
		       uint64_t certain_from)
{
	struct tt_span is = q->spans[0];

	q->spans[0] = c->was;
	tt_log(me, q, TT_HELD, certain_until, c->to);
	q->spans[0] = is;
	q->possible_from = c->from;
	q->certain_from = certain_from;
	q->called_ns = q->queued_ns = q->queued_at = 0;
	q->grown_ns = c->grown_ns;
	q->was = c->was;
}

/* EBUSY: somebody was there who conflicts with what was asked for. */
static void log_refusal(struct tt_worker *me, const struct tt_request *q,
			const struct change *c, struct tt_span wanted)
{
	struct tt_entry e = {
		.possible_from = c->from,
		.possible_until = c->to,
		.span = wanted,
		.id = q->id,
		.kind = TT_REFUSED,
		.may_be_all = q->site != NULL,
	};

	me->nr_refused++;
	if (me->round->has_history)
		tt_history_add(&me->history, &e);
}

static void downgrade(struct tt_worker *me, struct tt_request *q)
{
	struct tt_span to = q->spans[0];
	struct change c;

	to.mode = RL_READ;
	tt_pages_check(me, q);
	begin_change(me, &c, q, false);
	tt_pages_shrink(me, q, to);
	c.from = tt_stamp(me->round);
	rl_write_downgrade(&me->round->lk, q->r);
	c.to = tt_stamp(me->round);
	end_change(me, q, &c, c.from, c.from);
}

static void upgrade(struct tt_worker *me, struct tt_request *q)
{
	struct tt_span to = q->spans[0];
	struct change c;
	int error;

	to.mode = RL_WRITE;
	begin_change(me, &c, q, true);
	error = rl_read_tryupgrade(&me->round->lk, q->r);
	c.to = tt_stamp(me->round);
	if (error) {
		tt_require(me->round, error == EBUSY);
		log_refusal(me, q, &c, to);
		return;
	}
	tt_pages_grow(me, q, to);
	end_change(me, q, &c, c.to, c.to);
}

static void narrow(struct tt_worker *me, struct tt_request *q)
{
	struct tt_span to = q->spans[0];
	struct change c;
	int error;

	to.first += tt_below(me, to.end - to.first);
	to.end -= tt_below(me, to.end - to.first);
	begin_change(me, &c, q, false);
	tt_pages_shrink(me, q, to);
	q->is_all = false;
	c.from = tt_stamp(me->round);
	error = rl_narrow(&me->round->lk, q->r, tt_start_of(me->round, q),
			  tt_end_of(me->round, q));
	c.to = tt_stamp(me->round);
	tt_require(me->round, error == 0);
	end_change(me, q, &c, c.from, c.from);
}

static void extend(struct tt_worker *me, struct tt_request *q)
{
	struct tt_span was = q->spans[0], to = was;
	struct change c;
	bool to_all = !q->site && tt_percent(me, 5);
	uint64_t start, end;
	int error;

	if (q->is_all)
		return;
	to.first -= tt_below(me, to_all ? 1 : to.first + 1 < 4 ? to.first + 1 : 4);
	to.end += tt_below(me, TT_PAGES - to.end + 1 < 4 ? TT_PAGES - to.end + 1 : 4);
	if (to_all) {
		to.first = 0;
		to.end = TT_PAGES;
	}
	begin_change(me, &c, q, true);
	start = to_all ? 0 : tt_address(me->round, to.first);
	end = to_all ? RL_END : tt_address(me->round, to.end);
	error = rl_tryextend(&me->round->lk, q->r, start, end);
	c.to = tt_stamp(me->round);
	if (error) {
		tt_require(me->round, error == EBUSY);
		log_refusal(me, q, &c, to);
		return;
	}
	tt_pages_grow(me, q, to);
	q->is_all = to_all;
	end_change(me, q, &c, c.to, c.to);
}

void tt_change(struct tt_worker *me, struct tt_request *q)
{
	if (q->n > 1)
		return;
	switch (tt_below(me, 3)) {
	case 0:
		if (q->spans[0].mode == RL_WRITE)
			downgrade(me, q);
		else
			upgrade(me, q);
		break;
	case 1:
		narrow(me, q);
		break;
	default:
		extend(me, q);
	}
	tt_note_call(me);
}

static void acquire_another(struct tt_worker *me)
{
	struct tt_request *q = me->depth < 3 ? tt_draw(me) : NULL;

	if (q && tt_acquire(me, q))
		tt_hold(me, q);
}

void tt_assert_held(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	const struct tt_span *s = &q->spans[tt_below(me, q->n)];
	uint64_t start = tt_address(t, s->first), end = tt_address(t, s->end);

	tt_require(t, rl_is_held(&t->lk, start, end, s->mode));
	tt_require(t, rl_is_held(&t->lk, start, end, RL_READ));
	if (s->mode == RL_WRITE)
		rl_assert_held_write(&t->lk, start, end);
	else
		rl_assert_held_read(&t->lk, start, end);
	if (q->site && q->n == 1)
		tt_require(t, rl_site_check(&t->lk, q->r, start, 1) == 0);
	tt_note_call(me);
}

static void count_bytes(void *arg, const char *text, size_t length)
{
	size_t *nr_bytes = arg;

	(void)text;
	*nr_bytes += length;
}

static void visit(void *arg, const struct rl_range *blocker, int held)
{
	size_t *nr_held = arg;

	(void)blocker;
	*nr_held += (size_t)held;
}

void tt_look(struct tt_worker *me)
{
	struct tt_round *t = me->round;
	struct rl_range unused = RL_RANGE_INIT;
	size_t n = 0;

	switch (tt_below(me, 6)) {
	case 0:
		rl_dump(&t->lk, count_bytes, &n);
		tt_require(t, n > 0);
		break;
	case 1:
		tt_require(t, rl_site_set_grain(&tt_sites[tt_below(me, TT_SITES)],
						(enum rl_grain)tt_below(me, 3)) == 0);
		break;
	case 2:
		tt_require(t, rl_write_trylock(&t->lk, &unused, 7, 7) == EINVAL);
		tt_require(t, rl_cancel(&t->lk, &unused) == EINVAL);
		break;
	case 3:
		tt_require(t, rl_visit_blockers(&t->lk, &unused, visit, &n) == 0);
		break;
	case 4:
		tt_require(t, rl_self(&t->lk) != RL_NOBODY);
		break;
	default:
		rl_is_held(&t->lk, t->base, tt_address(t, TT_PAGES), RL_READ);
	}
	tt_note_call(me);
}

static void act(struct tt_worker *me, struct tt_request *q)
{
	uint32_t dice = tt_below(me, 100);

	if (dice < 45)
		tt_change(me, q);
	else if (dice < 70)
		acquire_another(me);
	else if (dice < 80)
		tt_assert_held(me, q);
	else if (dice < 85)
		tt_cancel_somebody(me);
	else if (dice < 87)
		tt_look(me);
	else
		tt_dwell(me);
}

/* The helper lets it go.  If the lock is not told who has it now, we may be told
 * of a deadlock with it; and then it must be one of ours that owns_other() sees. */
static void hand_over(struct tt_worker *me, struct tt_request *q)
{
	struct tt_round *t = me->round;
	bool is_ours = q >= me->requests && q < me->requests + TT_REQUESTS;

	switch (tt_below(me, is_ours ? 3 : 2)) {
	case 0:
		rl_give(&t->lk, q->r, RL_NOBODY);
		break;
	case 1:
		rl_give(&t->lk, q->r, t->helper_owner);
		break;
	}
	tt_note_call(me);
	/* Release: it is the helper's. */
	tt_store_release(&q->turn, TT_GIVEN);
}

/* Queue the next before this one is let go. */
static struct tt_request *queue_another(struct tt_worker *me)
{
	struct tt_request *q = NULL;

	if (tt_percent(me, me->round->scene->percent_async / 4))
		q = tt_draw(me);
	if (q)
		tt_submit(me, q);
	return q;
}

static uint32_t nr_acts(struct tt_worker *me)
{
	if (me->round->scene->pattern == TT_OWN && tt_percent(me, 90))
		return 0;
	return tt_below(me, 4);
}

void tt_turn_biased(struct tt_worker *me)
{
	struct rangelock *lk = &me->round->lk;
	uint32_t nr = 1 + (lk->forest ? lk->forest->nr_shards : 0);

	if (me->round->is_biased)
		rl_readers_turn(lk, tt_below(me, nr));
}

void tt_hold(struct tt_worker *me, struct tt_request *q)
{
	const struct tt_scene *scene = me->round->scene;
	bool queues_early = tt_percent(me, 50);
	struct tt_request *late;

	me->depth++;
	if (tt_percent(me, 20))
		tt_turn_biased(me);
	tt_dwell(me);
	late = queues_early ? queue_another(me) : NULL;
	if (scene->has_signals && tt_percent(me, 10))
		tt_storm_window(me);
	for (uint32_t n = nr_acts(me); n; n--) {
		act(me, q);
		tt_pages_check(me, q);
	}
	if (!late)
		late = queue_another(me);
	if (tt_percent(me, scene->percent_async / 8)) {
		hand_over(me, q);
	} else {
		tt_release(me, q);
		/* G5: nobody touches it any more, or meets this. */
		memset(q->r, 0x5a, sizeof(q->r));
		tt_give_back(q);
	}
	me->depth--;
	if (late && tt_finish(me, late))
		tt_hold(me, late);
}

/* Wait for what another worker submitted: then we own it.  A poll and a cancel
 * that comes too late do not make us its owner. */
static void wait_for_another(struct tt_worker *me)
{
	struct tt_round *t = me->round;
	struct tt_worker *w = &t->workers[tt_below(me, t->nr_workers)];

	for (uint32_t i = 0; i < TT_REQUESTS; i++) {
		struct tt_request *q = &w->requests[i];

		if (!tt_take_over(q))
			continue;
		if (!tt_finish(me, q))
			return;
		if (!q->is_waited_for)
			rl_give(&t->lk, q->r, rl_self(&t->lk));
		tt_hold(me, q);
		return;
	}
}

void tt_work_mixed(struct tt_worker *me)
{
	struct tt_request *q;
	uint32_t steps = 0;

	for (uint32_t i = 0; i < me->round->nr_ops; i++) {
		uint32_t dice = tt_below(me, 100);

		if (dice < 4) {
			tt_cancel_somebody(me);
		} else if (dice < 6) {
			tt_look(me);
		} else if (dice < 16) {
			wait_for_another(me);
		} else if ((q = tt_draw(me)) == NULL) {
			tt_wait_step(&steps);	/* for the helper */
		} else {
			steps = 0;
			if (tt_acquire(me, q))
				tt_hold(me, q);
		}
		tt_dwell(me);
	}
}
