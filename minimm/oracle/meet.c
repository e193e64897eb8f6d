/*
 * meet.c - missed conflicts on real threads: who is in a section with whom
 *
 * A slot for each operation inside; a free one has no operation.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/oracle/meet.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NR_REPORTS	20u

struct slot {
	const struct mm_op *op;
	enum mm_kind kind;
	uint64_t addr;
	struct mm_footprint footprint;
};

struct meet {
	pthread_mutex_t lock;		/* of all below */
	struct meet_options options;
	struct mm_observer observer;
	uint64_t nr_missed, nr_violations;
	unsigned int nr_reported;
	struct slot slots[];
};

static void report(struct meet *m, const char *text)
{
	unsigned int limit = m->options.nr_reports ? m->options.nr_reports
						   : NR_REPORTS;

	if (m->options.report && m->nr_reported++ < limit)
		m->options.report(m->options.report_arg, text);
}

/* op NULL: a free one.  Returns: NULL if there is none. */
static struct slot *slot_of(struct meet *m, const struct mm_op *op)
{
	for (unsigned int i = 0; i < m->options.nr_threads; i++)
		if (m->slots[i].op == op)
			return &m->slots[i];
	return NULL;
}

static void compare(struct meet *m, const struct mm_op *op)
{
	char text[200];

	for (unsigned int i = 0; i < m->options.nr_threads; i++) {
		const struct slot *other = &m->slots[i];

		if (!other->op || !mm_structure_conflict(&op->footprint,
							 &other->footprint))
			continue;
		m->nr_missed++;
		snprintf(text, sizeof(text), "missed conflict: %s %" PRIx64
			 " runs together with %s %" PRIx64,
			 mm_kind_name(op->kind), op->addr,
			 mm_kind_name(other->kind), other->addr);
		report(m, text);
	}
}

static void on_enter(void *ctx, struct mm_op *op)
{
	struct meet *m = ctx;
	struct slot *slot;

	pthread_mutex_lock(&m->lock);
	compare(m, op);
	slot = slot_of(m, NULL);
	if (slot) {
		*slot = (struct slot){ .op = op, .kind = op->kind,
				       .addr = op->addr,
				       .footprint = op->footprint };
	} else {
		m->nr_violations++;
		report(m, "more operations at once than threads");
	}
	pthread_mutex_unlock(&m->lock);
}

static void on_downgraded(void *ctx, struct mm_op *op)
{
	struct meet *m = ctx;
	struct slot *slot;

	pthread_mutex_lock(&m->lock);
	slot = slot_of(m, op);
	if (slot)
		slot->footprint = op->footprint;
	pthread_mutex_unlock(&m->lock);
}

static void on_leave(void *ctx, struct mm_op *op)
{
	struct meet *m = ctx;
	struct slot *slot;

	pthread_mutex_lock(&m->lock);
	slot = slot_of(m, op);
	if (slot)
		slot->op = NULL;
	pthread_mutex_unlock(&m->lock);
}

static void on_violation(void *ctx, struct mm_op *op, const char *text)
{
	char line[300];

	if (op)
		snprintf(line, sizeof(line), "%s (%s %" PRIx64 ")", text,
			 mm_kind_name(op->kind), op->addr);
	meet_violation(ctx, op ? line : text);
}

void meet_violation(struct meet *m, const char *text)
{
	pthread_mutex_lock(&m->lock);
	m->nr_violations++;
	report(m, text);
	pthread_mutex_unlock(&m->lock);
}

struct meet *meet_create(const struct meet_options *options)
{
	struct meet *m = calloc(1, sizeof(*m) + options->nr_threads *
					 sizeof(struct slot));

	if (!m)
		return NULL;
	pthread_mutex_init(&m->lock, NULL);
	m->options = *options;
	m->observer = (struct mm_observer){ .violation = on_violation,
					    .ctx = m };
	if (options->watches_sections) {
		m->observer.enter = on_enter;
		m->observer.downgraded = on_downgraded;
		m->observer.leave = on_leave;
	}
	return m;
}

void meet_destroy(struct meet *m)
{
	if (!m)
		return;
	pthread_mutex_destroy(&m->lock);
	free(m);
}

const struct mm_observer *meet_observer(struct meet *m)
{
	return &m->observer;
}

uint64_t meet_nr_missed(const struct meet *m)
{
	return m->nr_missed;
}

uint64_t meet_nr_violations(const struct meet *m)
{
	return m->nr_violations;
}
