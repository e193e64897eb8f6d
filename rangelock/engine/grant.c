/*
 * grant.c - a pass: from taking the guard to letting in whom it granted
 *
 * Under the guard a granted request only changes its stance and goes to the
 * pass's list.  After the guard is let go each one on the list is let in:
 * read what is needed of it, then set its state to HELD, which is the last touch
 * (its owner may return and reuse the stack from then on), then wake by the
 * address alone.  Nobody frees a handle that is on a list: its state still says
 * QUEUED, and a cancel or deadline that finds it granted waits or gives way.
 */
#include "rangelock/engine/grant.h"

#include "rangelock/base/annotate.h"
#include "rangelock/base/park.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"

/* The callbacks that this thread is about to run; NULL outside of a run. */
static _Thread_local struct rl_deferred *running;

void rl_pass_adopt(struct rl_pass *pass, struct rangelock *lk,
		   struct rl_arbiter *arbiter)
{
	pass->lk = lk;
	pass->arbiter = arbiter;
	pass->granted = NULL;
	pass->granted_tail = &pass->granted;
	pass->candidates = NULL;
	pass->now_ns = 0;
	pass->nr_called = 0;
	pass->front = NULL;
}

uint64_t rl_pass_now(struct rl_pass *pass)
{
	if (!pass->now_ns)
		pass->now_ns = rl_clock(pass->lk->host);
	return pass->now_ns;
}

void rl_append_callback(struct rl_deferred *list, struct rl_range *r)
{
	r->next = NULL;
	if (list->tail)
		list->tail->next = r;
	else
		list->head = r;
	list->tail = r;
}

static struct rl_range *take_first(struct rl_deferred *list)
{
	struct rl_range *r = list->head;

	list->head = r->next;
	if (!list->head)
		list->tail = NULL;
	return r;
}

static void let_in(const struct rl_host *host, struct rl_range *r)
{
	uint32_t was;

	if (RL_PLANTED(GRANT_RELAXED))
		was = rl_swap_relaxed(&r->state, RL_HELD);
	else
		/* Q2.  (W1) release: publishes the grant, and what the last
		 * holders wrote, to the waiter. */
		was = rl_swap_release(&r->state, RL_HELD);
	if (was == RL_PARKED && !RL_PLANTED(DROP_WAKE))
		rl_wake(host, &r->state);
}

void rl_run_callbacks(struct rl_deferred *due)
{
	struct rl_deferred mine = *due;

	due->head = due->tail = NULL;
	if (!mine.head)
		return;
	if (running && !RL_PLANTED(CALLBACK_RECURSES)) {
		while (mine.head)
			rl_append_callback(running, take_first(&mine));
		return;
	}
	running = &mine;
	while (mine.head) {
		struct rl_range *r = take_first(&mine);

		/* Q2.  Relaxed: this thread itself goes on with r. */
		rl_store_relaxed(&r->state, RL_HELD);
		rl_annotate_called(r);
		r->granted(r);
	}
	running = NULL;
}

void rl_pass_end_deferred(struct rl_pass *pass, struct rl_deferred *deferred)
{
	const struct rl_host *host = pass->lk->host;
	struct rl_range *r = pass->granted, *next;

	if (!RL_PLANTED(LET_IN_UNDER_GUARD))
		rl_guard_unlock(&pass->arbiter->guard);
	for (unsigned int i = 0; i < pass->nr_called &&
				 !RL_PLANTED(CALLED_NO_WAKE); i++)
		rl_wake(host, pass->called[i]);
	for (; r; r = next) {
		next = r->next;
		if (r->granted)
			rl_append_callback(deferred, r);
		else
			let_in(host, r);
		if (RL_PLANTED(NEXT_AFTER_LET_IN))
			next = r->next;
	}
	if (RL_PLANTED(LET_IN_UNDER_GUARD))
		rl_guard_unlock(&pass->arbiter->guard);
}

void rl_pass_end(struct rl_pass *pass)
{
	struct rl_deferred due = { NULL, NULL };

	if (!pass->granted && !pass->nr_called) {
		rl_guard_unlock(&pass->arbiter->guard);
		return;
	}
	rl_pass_end_deferred(pass, &due);
	rl_run_callbacks(&due);
}
