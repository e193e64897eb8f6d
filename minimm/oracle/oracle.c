/*
 * oracle.c - judge waits, aborts and fallbacks; catch conflicts that were missed
 *
 * A wait is judged when it begins, by the blockers that stand then, and its
 * time is added when it ends.  Of several blockers the pair is charged to one:
 * a conflicting one before others, a holder before a waiter, the earliest
 * before later ones.  The choice never depends on an address.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/oracle/oracle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/oracle/watch.h"

#define NR_CAUSES	64u
#define NR_REPORTS	20u

struct oracle {
	struct oracle_options options;
	struct mm_observer observer;
	struct watch_set watched;
	struct oracle_result result;
	struct hist latency[MM_NR_KINDS];
	struct oracle_pair pairs[MM_NR_KINDS][MM_NR_KINDS];
	struct oracle_cause causes[NR_CAUSES];
	unsigned int nr_causes;
	unsigned int nr_reported;
};

static uint64_t now_of(const struct oracle *o)
{
	const struct rl_host *host = o->options.host;

	return host && host->now ? host->now(host->ctx) : 0;
}

static void report(struct oracle *o, const char *text)
{
	unsigned int limit = o->options.nr_reports ? o->options.nr_reports
						   : NR_REPORTS;

	if (!o->options.report || o->nr_reported >= limit)
		return;
	o->nr_reported++;
	o->options.report(o->options.report_arg, text);
}

/* "munmap [0x1000, 0x3000)" */
static const char *op_text(const struct mm_op *op, char *text, size_t size)
{
	uint64_t start = op->target ? op->target : op->addr;
	uint64_t length = op->len ? op->len : 1;

	snprintf(text, size, "%s [0x%" PRIx64 ", 0x%" PRIx64 ")",
		 mm_kind_name(op->kind), start, start + length);
	return text;
}

/* ---- Waits ---- */

struct judgement {
	const struct mm_op *op;
	const struct rl_range *mine;
	const struct mm_op *chosen;
	unsigned int rank;		/* of the chosen one */
	uint64_t seq;
	bool is_true;
	bool some_held;
	bool some_declared;		/* a holder whose declared range meets */
};

/* Who declares everything has not said what he needs: that is grain too. */
static bool declares_all(const struct rl_range *r)
{
	return !r->declared_start && r->declared_end == RL_END;
}

static bool declared_ranges_meet(const struct rl_range *a,
				 const struct rl_range *b)
{
	return !declares_all(a) && !declares_all(b) &&
	       (a->mode == RL_WRITE || b->mode == RL_WRITE) &&
	       mm_overlap(a->declared_start, a->declared_end,
			  b->declared_start, b->declared_end);
}

static void weigh(void *arg, const struct rl_range *blocker, int held)
{
	struct judgement *j = arg;
	const struct mm_op *by = mm_lock_op(blocker);
	bool conflict = mm_footprints_conflict(&j->op->footprint,
					       &by->footprint);
	unsigned int rank = 1u + (held ? 1u : 0u) + (conflict ? 2u : 0u);

	j->is_true |= conflict;
	if (held) {
		j->some_held = true;
		j->some_declared |= declared_ranges_meet(j->mine, blocker);
	}
	if (rank > j->rank || (rank == j->rank && blocker->seq < j->seq)) {
		j->rank = rank;
		j->seq = blocker->seq;
		j->chosen = by;
	}
}

static void on_queued(void *ctx, struct mm_op *op, struct rangelock *lk,
		      struct rl_range *r, enum mm_wait_class class)
{
	struct oracle *o = ctx;
	struct watch *w = watch_find(&o->watched, op);
	struct judgement j = { .op = op, .mine = r };

	if (!w)
		return;
	w->waits = true;
	w->wait_since_ns = now_of(o);
	w->wait_is_short = class == MM_WAIT_SHORT;
	if (w->wait_is_short)
		return;
	rl_visit_blockers(lk, r, weigh, &j);
	w->truth = j.is_true ? ORACLE_TRUE : ORACLE_FALSE;
	w->reason = !j.some_held ? ORACLE_ORDER
		    : j.some_declared ? ORACLE_WINDOW : ORACLE_GRAIN;
	w->blocker_kind = (uint8_t)(j.chosen ? j.chosen->kind : op->kind);
}

static void on_granted(void *ctx, struct mm_op *op, enum mm_wait_class class)
{
	struct oracle *o = ctx;
	struct watch *w = watch_find(&o->watched, op);
	struct oracle_pair *pair;
	uint64_t ns;

	(void)class;
	if (!w || !w->waits)
		return;
	w->waits = false;
	ns = now_of(o) - w->wait_since_ns;
	if (w->wait_is_short) {
		o->result.nr_short++;
		o->result.short_ns += ns;
		return;
	}
	pair = &o->pairs[op->kind][w->blocker_kind];
	pair->nr_waits[w->truth]++;
	pair->wait_ns[w->truth] += ns;
	o->result.nr_waits[w->truth]++;
	o->result.wait_ns[w->truth] += ns;
	if (w->truth == ORACLE_FALSE) {
		pair->false_ns[w->reason] += ns;
		o->result.false_ns[w->reason] += ns;
	}
}

/* ---- Aborts and fallbacks ---- */

static struct oracle_cause *cause_of(struct oracle *o, const char *why,
				     enum mm_kind kind)
{
	unsigned int i;

	for (i = 0; i < o->nr_causes; i++)
		if (o->causes[i].kind == kind && !strcmp(o->causes[i].why, why))
			return &o->causes[i];
	if (o->nr_causes == NR_CAUSES)
		return NULL;
	o->nr_causes++;
	o->causes[i] = (struct oracle_cause){ .why = why, .kind = kind };
	return &o->causes[i];
}

static enum oracle_truth truth_of_abort(struct oracle *o, struct mm_op *op)
{
	struct watch *w = watch_find(&o->watched, op);
	enum mm_kind kind;

	return w && watch_find_cause(&o->watched, w, &kind) ? ORACLE_TRUE
							    : ORACLE_FALSE;
}

static void on_aborted(void *ctx, struct mm_op *op, const char *why)
{
	struct oracle *o = ctx;
	enum oracle_truth truth = truth_of_abort(o, op);
	struct oracle_cause *cause = cause_of(o, why, op->kind);

	o->result.nr_aborts[truth]++;
	if (cause)
		cause->nr_aborts[truth]++;
}

static void on_fell_back(void *ctx, struct mm_op *op, const char *why)
{
	struct oracle *o = ctx;
	enum oracle_truth truth = truth_of_abort(o, op);
	struct oracle_cause *cause = cause_of(o, why, op->kind);

	o->result.nr_fallbacks[truth]++;
	if (cause)
		cause->nr_fallbacks[truth]++;
}

/* ---- Sections ---- */

static void on_enter(void *ctx, struct mm_op *op)
{
	struct oracle *o = ctx;
	struct watch *w = watch_find(&o->watched, op);
	char one[80], other[80], text[240];

	if (!w)
		return;
	for (struct watch *y = o->watched.inside; y; y = y->next_inside) {
		if (y == w || y->mm != w->mm ||
		    !mm_structure_conflict(&op->footprint, &y->op->footprint))
			continue;
		o->result.nr_missed++;
		snprintf(text, sizeof(text), "missed conflict at %" PRIu64
			 " ns: %s runs together with %s", now_of(o),
			 op_text(op, one, sizeof(one)),
			 op_text(y->op, other, sizeof(other)));
		report(o, text);
	}
	watch_enter(&o->watched, w);
}

static void on_leave(void *ctx, struct mm_op *op)
{
	struct oracle *o = ctx;
	struct watch *w = watch_find(&o->watched, op);

	if (w)
		watch_leave(&o->watched, w);
}

static void on_violation(void *ctx, struct mm_op *op, const char *text)
{
	struct oracle *o = ctx;
	char who[80], line[400];

	if (!op) {
		oracle_violation(o, text);
		return;
	}
	snprintf(line, sizeof(line), "%s (%s, at %" PRIu64 " ns)", text,
		 op_text(op, who, sizeof(who)), now_of(o));
	oracle_violation(o, line);
}

void oracle_violation(struct oracle *o, const char *text)
{
	o->result.nr_violations++;
	report(o, text);
}

/* ---- Life ---- */

struct oracle *oracle_create(const struct oracle_options *options)
{
	struct oracle *o = calloc(1, sizeof(*o));

	if (!o || !watch_init(&o->watched)) {
		free(o);
		return NULL;
	}
	o->options = *options;
	o->result.latency = o->latency;
	o->observer = (struct mm_observer){
		.queued = on_queued, .granted = on_granted,
		.enter = on_enter, .leave = on_leave,
		.aborted = on_aborted, .fell_back = on_fell_back,
		.violation = on_violation, .ctx = o,
	};
	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		for (unsigned int k = 0; k < MM_NR_KINDS; k++) {
			o->pairs[i][k].waiter = (enum mm_kind)i;
			o->pairs[i][k].blocker = (enum mm_kind)k;
		}
	return o;
}

void oracle_destroy(struct oracle *o)
{
	watch_fini(&o->watched);
	free(o);
}

const struct mm_observer *oracle_observer(struct oracle *o)
{
	return &o->observer;
}

void oracle_begin(struct oracle *o, struct mm *mm, struct mm_op *op)
{
	mm_op_footprint(op);
	if (!watch_add(&o->watched, mm, op, now_of(o)))
		oracle_violation(o, "the oracle cannot watch an operation: "
				 "it is under way already");
}

void oracle_end(struct oracle *o, struct mm_op *op)
{
	struct watch *w = watch_find(&o->watched, op);
	uint64_t now = now_of(o);

	if (!w)
		return;
	o->result.nr_operations++;
	hist_add(&o->latency[op->kind], now - w->begin_ns);
	watch_remove(&o->watched, w, now);
}

void oracle_run(struct oracle *o, struct mm *mm, struct mm_op *op)
{
	oracle_begin(o, mm, op);
	mm_run(mm, op);
	oracle_end(o, op);
}

/* ---- Results ---- */

void oracle_read(const struct oracle *o, struct oracle_result *result)
{
	*result = o->result;
}

static int by_false_waiting(const void *a, const void *b)
{
	const struct oracle_pair *x = a, *y = b;

	if (x->wait_ns[ORACLE_FALSE] != y->wait_ns[ORACLE_FALSE])
		return x->wait_ns[ORACLE_FALSE] < y->wait_ns[ORACLE_FALSE] ? 1 : -1;
	if (x->wait_ns[ORACLE_TRUE] != y->wait_ns[ORACLE_TRUE])
		return x->wait_ns[ORACLE_TRUE] < y->wait_ns[ORACLE_TRUE] ? 1 : -1;
	if (x->waiter != y->waiter)
		return x->waiter < y->waiter ? -1 : 1;
	return x->blocker < y->blocker ? -1 : 1;
}

size_t oracle_pairs(const struct oracle *o, struct oracle_pair *pairs, size_t n)
{
	struct oracle_pair all[MM_NR_KINDS * MM_NR_KINDS];
	size_t nr = 0;

	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		for (unsigned int k = 0; k < MM_NR_KINDS; k++) {
			const struct oracle_pair *p = &o->pairs[i][k];

			if (p->nr_waits[ORACLE_TRUE] + p->nr_waits[ORACLE_FALSE])
				all[nr++] = *p;
		}
	qsort(all, nr, sizeof(all[0]), by_false_waiting);
	if (nr && n)
		memcpy(pairs, all, (nr < n ? nr : n) * sizeof(all[0]));
	return nr;
}

static uint64_t cause_weight(const struct oracle_cause *c)
{
	return c->nr_aborts[ORACLE_TRUE] + c->nr_aborts[ORACLE_FALSE] +
	       c->nr_fallbacks[ORACLE_TRUE] + c->nr_fallbacks[ORACLE_FALSE];
}

static int by_number(const void *a, const void *b)
{
	const struct oracle_cause *x = a, *y = b;

	if (cause_weight(x) != cause_weight(y))
		return cause_weight(x) < cause_weight(y) ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->why, y->why);
}

size_t oracle_causes(const struct oracle *o, struct oracle_cause *causes,
		     size_t n)
{
	struct oracle_cause all[NR_CAUSES];

	memcpy(all, o->causes, sizeof(all));
	qsort(all, o->nr_causes, sizeof(all[0]), by_number);
	memcpy(causes, all,
	       (o->nr_causes < n ? o->nr_causes : n) * sizeof(all[0]));
	return o->nr_causes;
}

const char *oracle_reason_name(enum oracle_reason reason)
{
	static const char *const names[ORACLE_NR_REASONS] = {
		[ORACLE_GRAIN] = "grain",
		[ORACLE_WINDOW] = "window",
		[ORACLE_ORDER] = "order",
	};

	return names[reason];
}
