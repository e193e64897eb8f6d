/*
 * play.c - one operation at a time, on the lock and on the model side by side
 */
#include "tests/model/play.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/model/calls.h"
#include "tests/model/compare.h"
#include "tests/model/forest_side.h"

#define DEPTH_MAX	3u		/* of sleepers on one stack */
#define OWNERS_MAX	16u

struct play the_play;
static struct play *const p = &the_play;

static struct rl_site sites[2] = {
	RL_SITE_INIT("differential_a", RL_FINE),
	RL_SITE_INIT("differential_b", RL_COARSE),
};

/* ---- A request arrives ---- */

static void fill_request(struct brute_request *x, const struct op *op,
			 unsigned int nr_spans)
{
	enum rl_grain grain = RL_FINE;
	uint64_t start = op->start;
	uint64_t writes = (op->flags & OP_WRITE) | (op->keep >> 8 & ~1u);

	x->nr_spans = nr_spans;
	for (unsigned int i = 0; i < nr_spans; i++) {
		uint64_t room = p->scene->space - start;
		uint64_t length = 1 + (op->length >> (8 * i)) % room;

		if (i + 1 < nr_spans && length > room - (nr_spans - i - 1))
			length = 1;
		x->declared[i].start = start;
		x->declared[i].end = start + length;
		x->declared[i].mode = writes & 1 ? RL_WRITE : RL_READ;
		writes >>= 1;
		start += length;
	}
	x->has_site = op->flags & OP_SITE;
	x->owner = p->self;
	if (x->has_site) {
		grain = rl_site_grain(&sites[op->pick & 1]);
	} else if (op->flags & OP_COARSE && nr_spans == 1) {
		grain = RL_COARSE;
		x->declared[0].start = 0;
		x->declared[0].end = RL_END;
	}
	brute_lock_by_grain(x, grain);
}

static void prepare(unsigned int i, const struct op *op, unsigned int nr_spans)
{
	struct slot *s = &p->slots[i];

	fill_request(&p->model.requests[i], op, nr_spans);
	if (op->flags & OP_ZERO)
		memset(s->r, 0, sizeof(s->r));
	s->has_callback = s->unlocks = s->is_submitted = s->is_asleep = false;
	s->nr_wakes = 0;
}

/* A call that may wait is made: what happens while it does. */
static void begin_wait(unsigned int i, const struct op *op, const char *what)
{
	struct slot *s = &p->slots[i];

	s->is_spurious = op->flags & OP_SPURIOUS;
	s->nr_wakes = 0;
	s->nested = p->depth < DEPTH_MAX ? op->nested : 0;
	s->deadline_ns = p->model.now_ns + op->wait_ns / 2;
	p->late = op->keep >> 20 & 3 ? NULL : s;
	note(i, what);
	p->depth++;
}

static void do_submit(unsigned int i, const struct op *op)
{
	struct slot *s = &p->slots[i];
	int want, got;

	prepare(i, op, 1);
	s->has_callback = op->flags & OP_CALLBACK;
	s->unlocks = s->has_callback && op->flags & OP_UNLOCKS;
	s->is_submitted = !s->has_callback;
	want = brute_enter(&p->model, i, BRUTE_SUBMIT);
	got = call_submit(i, &sites[op->pick & 1],
			  s->has_callback ? play_granted : NULL);
	expect(i, "submit", got, want);
	settle_up();
}

static void do_trylock(unsigned int i, const struct op *op)
{
	int want;

	prepare(i, op, 1);
	want = brute_enter(&p->model, i, BRUTE_TRY);
	expect(i, "trylock", call_trylock(i, &sites[op->pick & 1]), want);
}

/* What a wait must have come to, and what that does in the model. */
static int end_of_wait(unsigned int i)
{
	struct brute_request *x = &p->model.requests[i];

	if (x->as == BRUTE_HOLDS)
		return 0;
	if (x->as == BRUTE_CANCELED) {
		if (!p->slots[i].is_submitted)
			x->as = BRUTE_IDLE;	/* nobody will ask */
		return ECANCELED;
	}
	brute_expire(&p->model, i);
	return ETIMEDOUT;
}

static void finish_wait(unsigned int i, const char *what, int got, int want)
{
	if (want == EINPROGRESS)
		want = end_of_wait(i);
	p->slots[i].is_asleep = false;
	p->late = NULL;
	p->depth--;
	expect(i, what, got, want);
	settle_up();
}

static void do_lock(unsigned int i, const struct op *op)
{
	struct rl_site *site = &sites[op->pick & 1];
	int want, got;

	prepare(i, op, 1);
	if (op->flags & OP_CALLBACK &&
	    brute_foresee(&p->model, i, BRUTE_BLOCK) != EINPROGRESS) {
		want = brute_enter(&p->model, i, BRUTE_BLOCK);
		expect(i, "lock", call_lock(i, site), want);
		return;
	}
	begin_wait(i, op, "lock_until ...");
	want = brute_enter(&p->model, i, BRUTE_BLOCK);
	got = call_lock_until(i, site);
	finish_wait(i, "... lock_until", got, want);
}

static void fill_spans(unsigned int i, struct rl_span *spans)
{
	const struct brute_request *x = &p->model.requests[i];

	for (unsigned int k = 0; k < x->nr_spans; k++) {
		spans[k].start = x->declared[k].start;
		spans[k].end = x->declared[k].end;
		spans[k].mode = x->declared[k].mode;
	}
}

static void submit_many(unsigned int i, const struct op *op,
			const struct rl_span *spans)
{
	struct brute_request *x = &p->model.requests[i];
	struct rl_range *r = p->slots[i].r;
	int want, got;

	if (!x->has_site)
		brute_lock_by_grain(x, RL_FINE);
	p->slots[i].is_submitted = true;
	want = brute_enter(&p->model, i, BRUTE_SUBMIT);
	if (x->has_site)
		got = rl_submit_many_at(&p->lk, r, &sites[op->pick & 1],
					x->nr_spans, spans);
	else
		got = rl_submit_many(&p->lk, r, x->nr_spans, spans);
	expect(i, "submit_many", got, want);
}

static void do_many(unsigned int i, const struct op *op)
{
	struct brute_request *x = &p->model.requests[i];
	struct rl_range *r = p->slots[i].r;
	struct rl_span spans[BRUTE_SPANS];
	unsigned int n = 1 + op->pick % BRUTE_SPANS;
	int want, got;

	prepare(i, op, p->scene->space - op->start >= n ? n : 1);
	fill_spans(i, spans);
	if (op->flags & OP_SPURIOUS && op->flags & OP_COARSE) {
		submit_many(i, op, spans);
		return;
	}
	if (op->flags & OP_CALLBACK) {
		x->has_site = false;
		brute_lock_by_grain(x, RL_FINE);
		want = brute_enter(&p->model, i, BRUTE_TRY);
		got = rl_trylock_many(&p->lk, r, x->nr_spans, spans);
		expect(i, "trylock_many", got, want);
		return;
	}
	if (x->has_site) {
		if (brute_foresee(&p->model, i, BRUTE_BLOCK) == EINPROGRESS)
			return;
		want = brute_enter(&p->model, i, BRUTE_BLOCK);
		got = rl_lock_many_at(&p->lk, r, &sites[op->pick & 1],
				      x->nr_spans, spans);
		expect(i, "lock_many_at", got, want);
		return;
	}
	brute_lock_by_grain(x, RL_FINE);
	begin_wait(i, op, "lock_many_until ...");
	want = brute_enter(&p->model, i, BRUTE_BLOCK);
	got = rl_lock_many_until(&p->lk, r, x->nr_spans, spans,
				 p->slots[i].deadline_ns);
	finish_wait(i, "... lock_many_until", got, want);
}

static void do_idle(unsigned int i, const struct op *op)
{
	struct rl_range *r = p->slots[i].r;

	switch (op->pick % 32) {
	case 0:
		expect(i, "empty", rl_read_submit(&p->lk, r, op->start,
						  op->start, NULL), EINVAL);
		break;
	case 1:
		memset(r, 0, sizeof(p->slots[i].r));
		expect(i, "cancel", rl_cancel(&p->lk, r), EINVAL);
		break;
	case 2:
		rl_site_set_grain(&sites[op->keep & 1],
				  (enum rl_grain)(op->length % 3));
		break;
	case 3: case 4: case 5: case 6: case 7:
		do_trylock(i, op);
		break;
	case 8: case 9: case 10: case 11:
		do_many(i, op);
		break;
	case 12: case 13: case 14: case 15: case 16: case 17:
		do_lock(i, op);
		break;
	default:
		do_submit(i, op);
		break;
	}
}

/* ---- Something happens to who waits ---- */

static void do_wait(unsigned int i, const struct op *op)
{
	struct slot *s = &p->slots[i];
	struct brute_request *x = &p->model.requests[i];
	int want = brute_await(&p->model, i, p->self), got;

	begin_wait(i, op, "wait_until ...");
	if (want == EDEADLK || x->as == BRUTE_HOLDS)
		got = rl_wait(&p->lk, s->r);
	else
		got = rl_wait_until(&p->lk, s->r, s->deadline_ns);
	finish_wait(i, "... wait_until", got, want);
}

static void do_poll(unsigned int i)
{
	const struct brute_request *x = &p->model.requests[i];
	int want = x->as == BRUTE_HOLDS ? 0 :
		   x->as == BRUTE_WAITS ? EINPROGRESS : ECANCELED;

	expect(i, "poll", rl_poll(&p->lk, p->slots[i].r), want);
}

static void do_cancel(unsigned int i)
{
	struct slot *s = &p->slots[i];
	struct brute_request *x = &p->model.requests[i];
	int want = brute_cancel(&p->model, i);

	if (!want && !s->is_submitted && !s->is_asleep)
		x->as = BRUTE_IDLE;		/* nobody will ask */
	expect(i, "cancel", rl_cancel(&p->lk, s->r), want);
	settle_up();
}

static void do_waiting(unsigned int i, const struct op *op)
{
	bool may_wait = p->slots[i].is_submitted && !p->slots[i].is_asleep;

	if (op->pick % 4 == 0)
		do_cancel(i);
	else if (op->pick % 4 == 1 && may_wait)
		do_wait(i, op);
	else if (may_wait)
		do_poll(i);
}

/* ---- Something happens to who holds ---- */

static void do_unlock(unsigned int i, const struct op *op)
{
	const struct brute_request *x = &p->model.requests[i];
	unsigned int n = x->nr_spans;

	brute_unlock(&p->model, i);
	if (n > 1 || op->keep % 8 == 0)
		rl_unlock_many(&p->lk, p->slots[i].r, n);
	else
		rl_unlock(&p->lk, p->slots[i].r);
	note(i, "unlock");
	settle_up();
}

static void do_unlock_deferred(unsigned int i)
{
	brute_unlock(&p->model, i);
	collect_grants(&p->due);
	rl_unlock_deferred(&p->lk, p->slots[i].r, &p->deferred);
	note(i, "unlock_deferred");
	if (p->nr_called)
		differ("a deferred callback ran");
}

static void run_deferred(unsigned int i)
{
	note(i, "run_deferred");
	rl_run_deferred(&p->deferred);
	expect_callbacks(&p->due);
}

static void do_mode(unsigned int i)
{
	const struct brute_request *x = &p->model.requests[i];
	struct rl_range *r = p->slots[i].r;

	if (x->locked[0].mode == RL_WRITE) {
		brute_downgrade(&p->model, i);
		rl_write_downgrade(&p->lk, r);
		note(i, "downgrade");
		settle_up();
		return;
	}
	expect(i, "tryupgrade", rl_read_tryupgrade(&p->lk, r),
	       brute_tryupgrade(&p->model, i));
}

/* How far a request may be extended: an op that keeps to its chunk does not
 * reach into others. */
static void keep_to_chunk(const struct op *op, const struct brute_span *d,
			  uint64_t *start, uint64_t *end)
{
	uint64_t chunk = op->is_narrow ? p->scene->chunk_size : 0;

	if (!chunk || d->end > RL_END - chunk)
		return;
	if (*start < d->start - d->start % chunk)
		*start = d->start - d->start % chunk;
	if (*end > d->end + (chunk - 1) - (d->end - 1) % chunk)
		*end = d->end + (chunk - 1) - (d->end - 1) % chunk;
}

static void do_range(unsigned int i, const struct op *op, bool narrows)
{
	const struct brute_span *d = &p->model.requests[i].declared[0];
	uint64_t length = d->end - d->start, start, end;
	int want, got;

	if (narrows) {
		start = d->start + op->length % length;
		end = d->end - op->keep % (d->end - start);
		if ((op->pick >> 4) % 16 == 0)
			end = start;		/* at times empty */
		want = brute_narrow(&p->model, i, start, end);
		got = rl_narrow(&p->lk, p->slots[i].r, start, end);
	} else {
		start = d->start - (op->length % 5 > d->start ? 0 :
				    op->length % 5);
		end = d->end > RL_END - 8 ? d->end : d->end + op->keep % 6;
		keep_to_chunk(op, d, &start, &end);
		if ((op->pick >> 4) % 16 == 0)
			start++;		/* at times no part of it */
		want = brute_tryextend(&p->model, i, start, end);
		got = rl_tryextend(&p->lk, p->slots[i].r, start, end);
	}
	expect(i, narrows ? "narrow" : "tryextend", got, want);
	settle_up();
}

static void do_give(unsigned int i, const struct op *op)
{
	uint64_t owner = op->keep % (p->scene->nr_owners + 1);

	p->model.requests[i].owner = owner;
	rl_give(&p->lk, p->slots[i].r, owner);
	note(i, "give");
}

static void do_holding(unsigned int i, const struct op *op)
{
	bool is_lone = p->model.requests[i].nr_spans == 1;
	unsigned int pick = op->pick % 16;

	if (p->slots[i].is_due) {
		if (pick < 8)
			run_deferred(i);
		else
			do_cancel(i);
	} else if (pick < 7 || (!is_lone && pick < 13)) {
		do_unlock(i, op);
	} else if (pick == 13) {
		do_give(i, op);
	} else if (pick == 14) {
		do_cancel(i);
	} else if (pick == 15 && p->slots[i].is_submitted) {
		do_wait(i, op);
	} else if (is_lone && pick < 9) {
		do_mode(i);
	} else if (is_lone && pick < 12) {
		do_range(i, op, pick & 1);
	} else if (is_lone) {
		do_unlock_deferred(i);
	}
}

static void do_canceled(unsigned int i, const struct op *op)
{
	switch (op->pick % 8) {
	case 0:
		do_wait(i, op);
		break;
	case 1: case 2:
		do_poll(i);
		break;
	default:
		p->model.requests[i].as = BRUTE_IDLE;
		do_idle(i, op);
		break;
	}
}

/* An owner who is not asleep: sleepers do nothing. */
static uint64_t choose_self(const struct op *op)
{
	uint64_t self = 1 + op->owner;

	for (unsigned int i = 0; i < BRUTE_MAX; i++) {
		if (p->slots[i].is_asleep &&
		    p->slots[i].sleeper == self) {
			self += OWNERS_MAX;
			i = (unsigned int)-1;
		}
	}
	return self;
}

void play_next(void)
{
	const struct op *op = &p->ops[p->at];
	unsigned int i = op->slot;

	forest_shake(op);
	*p->reached = p->at++;
	p->self = choose_self(op);
	p->model.now_ns += op->wait_ns & 1 ? 0 : op->wait_ns / 2;
	switch (p->model.requests[i].as) {
	case BRUTE_IDLE:
		do_idle(i, op);
		break;
	case BRUTE_WAITS:
		do_waiting(i, op);
		break;
	case BRUTE_HOLDS:
		if (!p->slots[i].is_asleep)
			do_holding(i, op);
		break;
	case BRUTE_CANCELED:
		if (!p->slots[i].is_asleep)
			do_canceled(i, op);
		break;
	}
	compare(op);
	forest_look();
}

/* Let everything go, so that the lock can be destroyed. */
static void end_play(void)
{
	struct op op = { .slot = 0 };

	p->self = 1;
	run_deferred(0);
	for (unsigned int i = 0; i < BRUTE_MAX; i++) {
		if (p->model.requests[i].as == BRUTE_WAITS)
			do_cancel(i);
		else if (p->model.requests[i].as == BRUTE_HOLDS)
			do_unlock(i, &op);
		compare(&op);
	}
	compare_stats();
	for (unsigned int i = 0; i < BRUTE_MAX; i++)
		if (p->model.requests[i].as == BRUTE_HOLDS)
			do_unlock(i, &op);
	expect(0, "destroy", rl_destroy(&p->lk), 0);
}

void play(const struct scene *s, const struct op *ops, size_t nr_ops,
	  engine_init_fn *init, bool trace, volatile size_t *reached)
{
	struct rl_options options = RL_OPTIONS_INIT;

	memset(p, 0, sizeof(*p));
	p->scene = s;
	p->ops = ops;
	p->nr_ops = nr_ops;
	p->trace = trace;
	p->reached = reached;
	p->model.bypass_ns = options.bypass_ns = s->bypass_ns;
	p->model.now_ns = 1000;
	options.host = &play_host;
	options.deadlock_ns = 0;	/* of several locks the model knows nothing */
	options.name = "differential";
	expect(0, "init", init(&p->lk, &options), 0);
	rl_site_set_grain(&sites[0], RL_FINE);
	rl_site_set_grain(&sites[1], RL_COARSE);
	while (p->at < nr_ops)
		play_next();
	end_play();
}
