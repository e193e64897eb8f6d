/*
 * operations.c - each thing that a thread can do with a range
 *
 * Each begins with a handle of its own and ends with nothing held and the handle
 * buried.  What a call may return is checked here; that what is held is held
 * rightly is scenario.c's business.
 */
#include <errno.h>

#include "tests/explore/scenario.h"

static struct rl_range *handle_of(const struct turn *t)
{
	return scene->handles[t->number];
}

static uint64_t middle(const struct turn *t)
{
	return t->end == RL_END ? CHUNK : (t->start + t->end) / 2;
}

static int lock(const struct turn *t, uint64_t start, uint64_t end)
{
	return t->mode == RL_READ ?
	       rl_read_lock(&scene->lk, handle_of(t), start, end) :
	       rl_write_lock(&scene->lk, handle_of(t), start, end);
}

static void hold(const struct turn *t)
{
	note_hold(t->number, t->mode, t->start, t->end);
}

static void let_go(const struct turn *t)
{
	note_let_go(t->number);
	rl_unlock(&scene->lk, handle_of(t));
	bury(t->number);
}

static void hold_and_let_go(const struct turn *t)
{
	hold(t);
	let_go(t);
}

static void perform_lock(const struct turn *t)
{
	ex_require(lock(t, t->start, t->end) == 0);
	hold_and_let_go(t);
}

static void perform_trylock(const struct turn *t)
{
	int error = t->mode == RL_READ ?
		rl_read_trylock(&scene->lk, handle_of(t), t->start, t->end) :
		rl_write_trylock(&scene->lk, handle_of(t), t->start, t->end);

	ex_require(error == 0 || error == EBUSY);
	if (error)
		bury(t->number);
	else
		hold_and_let_go(t);
}

static void perform_until(const struct turn *t)
{
	int error = t->mode == RL_READ ?
		rl_read_lock_until(&scene->lk, handle_of(t), t->start, t->end,
				   DEADLINE_NS) :
		rl_write_lock_until(&scene->lk, handle_of(t), t->start, t->end,
				    DEADLINE_NS);

	ex_require(error == 0 || error == ETIMEDOUT);
	if (error)
		bury(t->number);
	else
		hold_and_let_go(t);
}

static void perform_coarse(const struct turn *t)
{
	int error = t->mode == RL_READ ?
		rl_read_lock_coarse(&scene->lk, handle_of(t)) :
		rl_write_lock_coarse(&scene->lk, handle_of(t));

	ex_require(error == 0);
	note_hold(t->number, t->mode, 0, RL_END);
	let_go(t);
}

static int submit(const struct turn *t, rl_granted_fn *granted)
{
	int error = t->mode == RL_READ ?
		rl_read_submit(&scene->lk, handle_of(t), t->start, t->end,
			       granted) :
		rl_write_submit(&scene->lk, handle_of(t), t->start, t->end,
				granted);

	ex_require(error == 0 || error == EINPROGRESS);
	return error;
}

static void perform_submit(const struct turn *t)
{
	if (submit(t, NULL)) {
		int error = rl_poll(&scene->lk, handle_of(t));

		ex_require(error == 0 || error == EINPROGRESS);
		ex_require(rl_wait(&scene->lk, handle_of(t)) == 0);
	}
	hold_and_let_go(t);
}

static const struct turn *submitted[HANDLES];

/* Runs in the thread that let it in, and lets it go there. */
static void granted(struct rl_range *r)
{
	unsigned int number = (unsigned int)((r - scene->handles[0]) / MEMBERS);

	hold_and_let_go(submitted[number]);
	set_flag(number);
}

static void perform_callback(const struct turn *t)
{
	submitted[t->number] = t;
	if (submit(t, granted))
		await_flag(t->number);
	else
		hold_and_let_go(t);
}

static void perform_cancel(const struct turn *t)
{
	int error = submit(t, NULL);

	if (error) {
		error = rl_cancel(&scene->lk, handle_of(t));
		ex_require(error == 0 || error == EBUSY);
		if (!error) {
			bury(t->number);
			return;
		}
	}
	hold_and_let_go(t);
}

static void perform_downgrade(const struct turn *t)
{
	ex_require(lock(t, t->start, t->end) == 0);
	hold(t);
	note_let_go(t->number);
	note_hold(t->number, RL_READ, t->start, t->end);
	rl_write_downgrade(&scene->lk, handle_of(t));
	note_hold(t->number, RL_READ, t->start, t->end);
	let_go(t);
}

static void perform_upgrade(const struct turn *t)
{
	int error;

	ex_require(lock(t, t->start, t->end) == 0);
	hold(t);
	error = rl_read_tryupgrade(&scene->lk, handle_of(t));
	ex_require(error == 0 || error == EBUSY);
	if (!error)
		note_hold(t->number, RL_WRITE, t->start, t->end);
	let_go(t);
}

static void perform_narrow(const struct turn *t)
{
	ex_require(lock(t, t->start, t->end) == 0);
	hold(t);
	note_hold(t->number, t->mode, t->start, middle(t));
	ex_require(rl_narrow(&scene->lk, handle_of(t), t->start,
			     middle(t)) == 0);
	note_hold(t->number, t->mode, t->start, middle(t));
	let_go(t);
}

static void perform_extend(const struct turn *t)
{
	int error;

	ex_require(lock(t, t->start, middle(t)) == 0);
	note_hold(t->number, t->mode, t->start, middle(t));
	error = rl_tryextend(&scene->lk, handle_of(t), t->start, t->end);
	ex_require(error == 0 || error == EBUSY);
	if (!error)
		hold(t);
	let_go(t);
}

static void perform_many(const struct turn *t)
{
	struct rl_span spans[2] = {
		{ t->start, t->start + 1, t->mode },
		{ t->end == RL_END ? 2 * CHUNK - 1 : t->end - 1, t->end, t->mode },
	};

	ex_require(rl_lock_many(&scene->lk, handle_of(t), 2, spans) == 0);
	note_hold(t->number, t->mode, spans[0].start, spans[0].end);
	note_hold(t->number + HANDLES, t->mode, spans[1].start, spans[1].end);
	note_let_go(t->number + HANDLES);
	note_let_go(t->number);
	rl_unlock_many(&scene->lk, handle_of(t), 2);
	bury(t->number);
}

static void perform_deferred(const struct turn *t)
{
	struct rl_deferred due = { NULL, NULL };

	ex_require(lock(t, t->start, t->end) == 0);
	hold(t);
	note_let_go(t->number);
	rl_unlock_deferred(&scene->lk, handle_of(t), &due);
	bury(t->number);
	rl_run_deferred(&due);
}

const struct operation operations[] = {
	{ "lock", perform_lock, true, true, false },
	{ "trylock", perform_trylock, true, true, false },
	{ "until", perform_until, true, true, true },
	{ "coarse", perform_coarse, true, true, false },
	{ "submit", perform_submit, true, true, false },
	{ "callback", perform_callback, true, true, false },
	{ "cancel", perform_cancel, true, true, false },
	{ "downgrade", perform_downgrade, false, true, false },
	{ "upgrade", perform_upgrade, true, false, false },
	{ "narrow", perform_narrow, true, true, false },
	{ "extend", perform_extend, true, true, false },
	{ "many", perform_many, true, true, false },
	{ "deferred", perform_deferred, true, true, false },
};
const unsigned int nr_operations = sizeof(operations) / sizeof(operations[0]);
