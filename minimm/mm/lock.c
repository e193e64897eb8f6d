/*
 * lock.c - locking as schemes do it, watched; costs; violations
 *
 * Every request is submitted and then waited for, so that the observer can look
 * at its blockers in between.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "minimm/env/atomic.h"
#include "minimm/mm/mm.h"
#include "minimm/mm/space.h"

static void wait_for(struct mm *mm, struct mm_op *op, struct rangelock *lk,
		     struct rl_range *r, enum mm_wait_class class)
{
	const struct mm_observer *o = mm->observer;
	int error;

	if (o && o->queued)
		o->queued(o->ctx, op, lk, r, class);
	error = rl_wait(lk, r);
	if (error) {
		/* Only a scheme that is wrong comes here. */
		fprintf(stderr, "minimm: %s waits for itself (error %d)\n",
			mm_kind_name(op->kind), error);
		abort();
	}
	if (o && o->granted)
		o->granted(o->ctx, op, class);
}

/* What a handle has of its range is the library's business: not always all. */
static bool locks_all(const struct rl_site *site, uint64_t start, uint64_t end)
{
	return (start == 0 && end == RL_END) ||
	       (site && rl_site_grain(site) != RL_FINE);
}

void mm_lock_other(struct mm *mm, struct mm_op *op, struct rangelock *lk,
		   struct mm_lock *l, struct rl_site *site, enum rl_mode mode,
		   uint64_t start, uint64_t end)
{
	int error;

	l->op = op;
	l->is_all = locks_all(site, start, end);
	if (op->short_depth > 0)
		mm_violation(mm, op, "I13 waits for a range, holding vma_lock");
	if (site && mode == RL_READ)
		error = rl_read_submit_at(lk, &l->range, site, start, end, NULL);
	else if (site)
		error = rl_write_submit_at(lk, &l->range, site, start, end, NULL);
	else if (mode == RL_READ)
		error = rl_read_submit(lk, &l->range, start, end, NULL);
	else
		error = rl_write_submit(lk, &l->range, start, end, NULL);
	if (error == EINPROGRESS)
		wait_for(mm, op, lk, &l->range, MM_WAIT_LONG);
	else if (error)
		abort();
	l->held = true;
}

void mm_lock(struct mm *mm, struct mm_op *op, unsigned int which,
	     enum mm_site site, enum rl_mode mode, uint64_t start, uint64_t end)
{
	mm_lock_other(mm, op, &mm->lock, &op->locks[which], mm_site_of(site),
		      mode, start, end);
}

void mm_lock_two(struct mm *mm, struct mm_op *op, enum mm_site site,
		 uint64_t a_start, uint64_t a_end,
		 uint64_t b_start, uint64_t b_end)
{
	const struct rl_span spans[2] = {
		{ a_start, a_end, RL_WRITE },
		{ b_start, b_end, RL_WRITE },
	};
	struct mm_lock_pair *p = &op->pair;
	int error;

	p->op = op;
	p->is_all = locks_all(mm_site_of(site), a_start, a_end);
	if (op->short_depth > 0)
		mm_violation(mm, op, "I13 waits for a range, holding vma_lock");
	error = rl_submit_many_at(&mm->lock, p->ranges, mm_site_of(site), 2,
				  spans);
	if (error == EINPROGRESS)
		wait_for(mm, op, &mm->lock, p->ranges, MM_WAIT_LONG);
	else if (error)
		abort();
	p->held = true;
}

void mm_unlock(struct mm *mm, struct mm_op *op, unsigned int which)
{
	struct mm_lock *l = &op->locks[which];

	if (!l->held)
		return;
	l->held = false;
	rl_unlock(&mm->lock, &l->range);
}

void mm_downgrade(struct mm *mm, struct mm_op *op, unsigned int which)
{
	const struct mm_observer *o = mm->observer;
	struct mm_footprint *f = &op->footprint;

	for (unsigned int i = 0; i < f->nr; i++)
		if (f->extents[i].aspect != MM_ENTRIES &&
		    f->extents[i].touch == MM_CHANGES)
			f->extents[i].touch = MM_READS;
	if (o && o->downgraded)
		o->downgraded(o->ctx, op);
	rl_write_downgrade(&mm->lock, &op->locks[which].range);
}

void mm_unlock_all(struct mm *mm, struct mm_op *op)
{
	for (unsigned int i = 0; i < MM_NR_LOCKS; i++)
		mm_unlock(mm, op, i);
	if (!op->pair.held)
		return;
	op->pair.held = false;
	rl_unlock_many(&mm->lock, op->pair.ranges, 2);
}

void mm_short_lock(struct mm *mm, struct mm_op *op)
{
	struct mm_lock *l = &op->short_lock;

	l->op = op;
	if (rl_write_submit_coarse(&mm->vma_lock, &l->range, NULL) ==
	    EINPROGRESS)
		wait_for(mm, op, &mm->vma_lock, &l->range, MM_WAIT_SHORT);
	op->short_depth++;
}

void mm_short_unlock(struct mm *mm, struct mm_op *op)
{
	op->short_depth--;
	rl_unlock(&mm->vma_lock, &op->short_lock.range);
}

bool mm_holds_all(const struct mm_op *op)
{
	if (op->pair.held)
		return op->pair.is_all;
	return op->locks[0].held && op->locks[0].is_all;
}

void mm_expect_driver(struct mm *mm, struct mm_op *op, bool fine)
{
	if (!fine && (op->locks[0].held || op->pair.held) && !mm_holds_all(op))
		mm_violation(mm, op, "R7 a driver that wants everything locked");
}

/* ---- Sections ---- */

void mm_enter(struct mm *mm, struct mm_op *op)
{
	const struct mm_observer *o = mm->observer;

	if (op->in_section)
		return;
	op->in_section = true;
	if (o && o->enter)
		o->enter(o->ctx, op);
}

void mm_leave(struct mm *mm, struct mm_op *op)
{
	const struct mm_observer *o = mm->observer;

	if (!op->in_section)
		return;
	op->in_section = false;
	if (o && o->leave)
		o->leave(o->ctx, op);
}

void mm_begin(struct mm *mm, struct mm_op *op)
{
	if (mm->scheme->begin[op->kind])
		mm->scheme->begin[op->kind](mm, op);
	mm_op_footprint(op);
	mm_enter(mm, op);
}

void mm_end(struct mm *mm, struct mm_op *op)
{
	mm_leave(mm, op);
	if (op->is_marked)
		mm_unpick(mm, op);
	if (mm->scheme->end[op->kind])
		mm->scheme->end[op->kind](mm, op);
}

/* ---- Telling ---- */

void mm_aborted(struct mm *mm, struct mm_op *op, const char *why)
{
	const struct mm_observer *o = mm->observer;

	op->nr_aborts++;
	if (o && o->aborted)
		o->aborted(o->ctx, op, why);
}

void mm_fell_back(struct mm *mm, struct mm_op *op, const char *why)
{
	const struct mm_observer *o = mm->observer;

	op->nr_fallbacks++;
	if (o && o->fell_back)
		o->fell_back(o->ctx, op, why);
}

void mm_violation(struct mm *mm, struct mm_op *op, const char *format, ...)
{
	const struct mm_observer *o = mm->observer;
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	mm_add_relaxed(&mm->nr_violations, 1);
	if (o && o->violation) {
		o->violation(o->ctx, op, text);
		return;
	}
	fprintf(stderr, "minimm: %s: violation of %s\n",
		op ? mm_kind_name(op->kind) : "check", text);
	abort();
}

/* ---- Costs ---- */

/* What must not be done with the short lock held. */
static bool is_long(enum mm_cost what)
{
	switch (what) {
	case MM_COST_ZERO_PAGE:
	case MM_COST_COPY_PAGE:
	case MM_COST_WALK_PAGE:
	case MM_COST_MOVE_PAGE:
	case MM_COST_ZAP_PAGE:
	case MM_COST_FORK_PAGE:
	case MM_COST_MAPS_LINE:
	case MM_COST_ARGS_PAGE:
	case MM_COST_IO_PAGE:
		return true;
	default:
		return false;
	}
}

void mm_spend(struct mm *mm, struct mm_op *op, enum mm_cost what,
	      uint64_t count)
{
	if (op->short_depth > 0 && is_long(what))
		mm_violation(mm, op, "I16 cost %d under vma_lock", (int)what);
	if (mm->env && mm->env->spend && count > 0)
		mm->env->spend(mm->env->ctx, what, count);
}

void mm_io(struct mm *mm, struct mm_op *op, uint64_t pages)
{
	if (op->short_depth > 0)
		mm_violation(mm, op, "I16 I/O under vma_lock");
	if (mm->env && mm->env->io)
		mm->env->io(mm->env->ctx, pages);
}
