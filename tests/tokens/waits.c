/*
 * waits.c - requests that wait, that fail, and that go from one thread to another
 *
 * The steps are as in scenes.c.
 */
#include <errno.h>
#include <stdio.h>

#include "tests/tokens/client.h"

/* ---- Not held ---- */

static void holds_a_page(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	put(s->cells);
	pass();
	turn(2);
	rl_unlock(s->lk, &r);
}

static void tries_in_vain_and_writes(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	want(rl_write_trylock(s->lk, &r, 0, PAGE) == EBUSY);
	put(s->cells);
	pass();
}

static void is_late_and_writes(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	want(rl_write_lock_until(s->lk, &r, 0, PAGE, 1) == ETIMEDOUT);
	put(s->cells);
	pass();
}

static void submits_and_writes(struct stage *s)
{
	struct rl_range *r = s->tickets->range;

	want(rl_write_submit(s->lk, r, 0, PAGE, NULL) == EINPROGRESS);
	want(rl_poll(s->lk, r) == EINPROGRESS);
	put(s->cells);
	pass();
	HELD(rl_wait(s->lk, r));
	rl_unlock(s->lk, r);
}

static void withdraws_and_writes(struct stage *s)
{
	struct rl_range *r = s->tickets->range;

	want(rl_write_submit(s->lk, r, 0, PAGE, NULL) == EINPROGRESS);
	HELD(rl_cancel(s->lk, r));
	want(rl_poll(s->lk, r) == ECANCELED);
	put(s->cells);
	pass();
}

static void withdraws_and_locks_again(struct stage *s)
{
	struct rl_range *r = s->tickets->range;

	want(rl_write_submit(s->lk, r, 0, PAGE, NULL) == EINPROGRESS);
	HELD(rl_cancel(s->lk, r));
	want(rl_write_submit(s->lk, r, 0, PAGE, NULL) == EINPROGRESS);
	pass();
	HELD(rl_wait(s->lk, r));
	put(s->cells);
	rl_unlock(s->lk, r);
}

/* ---- Handles that change hands ---- */

static void submits_and_withdraws_late(struct stage *s)
{
	struct rl_range *r = s->tickets->range;

	want(rl_write_submit(s->lk, r, 0, PAGE, NULL) == EINPROGRESS);
	pass();
	turn(3);
	want(rl_cancel(s->lk, r) == EBUSY);
	put(s->cells);
	rl_unlock(s->lk, r);
}

static void holds_a_page_and_passes(struct stage *s)
{
	holds_a_page(s);
	pass();
}

/* Its waiter learns what the canceller wrote before. */
static void cancels_the_other(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	pass();
	until_waiting(s->lk, 1);
	s->tickets->note = 1;
	HELD(rl_cancel(s->lk, s->tickets->range));
	rl_unlock(s->lk, &r);
}

static void is_cancelled(struct stage *s)
{
	want(rl_write_lock(s->lk, s->tickets->range, 0, PAGE) == ECANCELED);
	want(s->tickets->note == 1);
}

static void is_cancelled_and_writes(struct stage *s)
{
	want(rl_write_lock(s->lk, s->tickets->range, 0, PAGE) == ECANCELED);
	put(s->cells);
}

static void cancels_the_other_and_writes(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	pass();
	until_waiting(s->lk, 1);
	HELD(rl_cancel(s->lk, s->tickets->range));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

/* Each waits for what the other holds, until the lock tells one of them. */
static void cross(struct stage *s, uint64_t mine, uint64_t other)
{
	struct rl_range r = RL_RANGE_INIT, second = RL_RANGE_INIT;
	int error;

	HELD(rl_write_lock(s->lk, &r, mine, mine + PAGE));
	put(s->cells + mine / PAGE);
	pass();
	turn(2);
	error = rl_write_lock(s->lk, &second, other, other + PAGE);
	want(error == 0 || error == EDEADLK);
	if (!error) {
		put(s->cells + other / PAGE);
		rl_unlock(s->lk, &second);
	}
	rl_unlock(s->lk, &r);
}

static void crosses(struct stage *s)
{
	cross(s, 0, PAGE);
}

static void crosses_back(struct stage *s)
{
	cross(s, PAGE, 0);
}

/* ---- Callbacks ---- */

static void fill_ticket(struct stage *s, struct ticket *t)
{
	t->lk = s->lk;
	t->cell = s->cells;
	t->note = 1;
}

static void writes_and_unlocks(struct rl_range *r)
{
	struct ticket *t = (struct ticket *)(void *)r;

	want(t->note == 1);
	put(t->cell);
	rl_unlock(t->lk, r);
}

/* Its request waits for the second's range, and it writes after it has queued. */
static void submits_under_its_lock(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	pass();
	turn(2);
	fill_ticket(s, s->tickets);
	want(rl_write_submit(s->lk, s->tickets->range, 0, 2 * PAGE,
			     writes_and_unlocks) == EINPROGRESS);
	put(s->cells);
	rl_unlock(s->lk, &r);
	pass();
}

static void lets_the_callback_run(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, PAGE, 2 * PAGE));
	pass();
	turn(3);
	rl_unlock(s->lk, &r);
}

static void runs_the_callback_later(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;
	struct rl_deferred d = { NULL, NULL };

	HELD(rl_write_lock(s->lk, &r, PAGE, 2 * PAGE));
	pass();
	turn(3);
	rl_unlock_deferred(s->lk, &r, &d);
	rl_run_deferred(&d);
}

/* The callback holds one page, and writes what belongs to the other. */
static void submits_for_the_wrong_page(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	pass();
	turn(2);
	fill_ticket(s, s->tickets);
	want(rl_write_submit(s->lk, s->tickets->range, PAGE, 2 * PAGE,
			     writes_and_unlocks) == EINPROGRESS);
	put(s->cells);
	rl_unlock(s->lk, &r);
	pass();
}

static struct rl_site fine = RL_SITE_INIT("waits, fine", RL_FINE);

static int submit_as(struct stage *s, struct rl_range *r, uint64_t kind)
{
	struct rl_span spans[] = { { 0, PAGE, RL_WRITE },
				   { PAGE, 2 * PAGE, RL_READ } };

	switch (kind) {
	case 0:
		return rl_read_submit(s->lk, r, 0, PAGE, NULL);
	case 1:
		return rl_write_submit(s->lk, r, 0, PAGE, NULL);
	case 2:
		return rl_read_submit_coarse(s->lk, r, NULL);
	case 3:
		return rl_write_submit_coarse(s->lk, r, NULL);
	case 4:
		return rl_read_submit_at(s->lk, r, &fine, 0, PAGE, NULL);
	case 5:
		return rl_write_submit_at(s->lk, r, &fine, 0, PAGE, NULL);
	case 6:
		return rl_submit_many(s->lk, r, 2, spans);
	default:
		return rl_submit_many_at(s->lk, r, &fine, 2, spans);
	}
}
#define NR_SUBMITS	8
#define HAS_TWO(kind)	((kind) >= 6)

/* It is held at once; the other one is to find out, and unlocks it. */
static void submits_for_the_other(struct stage *s)
{
	s->tickets->note = 1;
	HELD(submit_as(s, s->tickets->range, s->script[0]));
}

static void polls_and_unlocks(struct stage *s)
{
	HELD(rl_poll(s->lk, s->tickets->range));
	want(s->tickets->note == 1);
	if (HAS_TWO(s->script[0]))
		rl_unlock_many(s->lk, s->tickets->range, 2);
	else
		rl_unlock(s->lk, s->tickets->range);
}

static void waits_and_unlocks(struct stage *s)
{
	HELD(rl_wait(s->lk, s->tickets->range));
	want(s->tickets->note == 1);
	if (HAS_TWO(s->script[0]))
		rl_unlock_many(s->lk, s->tickets->range, 2);
	else
		rl_unlock(s->lk, s->tickets->range);
}

static const struct scene all[] = {
	SCENE(holds_a_page, tries_in_vain_and_writes, RACES),
	SCENE(holds_a_page, is_late_and_writes, RACES),
	SCENE(holds_a_page, submits_and_writes, RACES),
	SCENE(holds_a_page, withdraws_and_writes, RACES),
	SCENE(holds_a_page, withdraws_and_locks_again, !RACES),
	SCENE(holds_a_page_and_passes, submits_and_withdraws_late, !RACES),
	SCENE(cancels_the_other, is_cancelled, !RACES),
	SCENE(cancels_the_other_and_writes, is_cancelled_and_writes, RACES),
	SCENE(crosses, crosses_back, !RACES),
	SCENE(submits_under_its_lock, lets_the_callback_run, !RACES),
	SCENE(submits_under_its_lock, runs_the_callback_later, !RACES),
	SCENE(submits_for_the_wrong_page, lets_the_callback_run, RACES),
	SCENE(submits_for_the_wrong_page, runs_the_callback_later, RACES),
};

void play_waits(void)
{
	char name[64];

	play_all(all, sizeof(all) / sizeof(*all));
	for (uint64_t kind = 0; kind < NR_SUBMITS; kind++) {
		snprintf(name, sizeof(name), "submitted for another, %u",
			 (unsigned int)kind);
		play(name, COMPACT, submits_for_the_other, polls_and_unlocks,
		     &kind, sizeof(kind), false);
		play(name, FOREST, submits_for_the_other, waits_and_unlocks,
		     &kind, sizeof(kind), false);
	}
}
