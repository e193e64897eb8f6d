/*
 * special_cycle.c - threads that wait for each other, over two locks
 *
 * Each thread holds something from the beginning and wants more.  Who is told EDEADLK
 * lets go of what it has, and so all end.  When somebody is told, or a circle is
 * reported, each other one of the circle must be waiting: what it wants is not let go
 * before.
 */
#include <errno.h>
#include <string.h>

#include "tests/explore/special.h"

/* A range of the lock, or of the second one. */
struct part {
	bool is_seconds;
	uint64_t start, end;
};

/* Thread i has has[i] and wants[i], which is the next one's. */
struct ring {
	unsigned int nr;
	struct part has[3], wants[3];
};

static const struct ring two_locks = {
	2, { { false, 2, 6 }, { true, 24, 28 } }, { { true, 26, 30 }, { false, 4, 8 } }
};
static const struct ring one_lock = {
	2, { { false, 2, 6 }, { false, 20, 22 } },
	{ { false, 20, 24 }, { false, 4, 8 } }
};
static const struct ring three_locks = {
	3, { { false, 2, 6 }, { true, 24, 28 }, { false, 20, 22 } },
	{ { true, 26, 30 }, { false, 20, 24 }, { false, 4, 8 } }
};
static const struct ring *ring;

#define CIRCLE	(&scene->extras.circle)
#define WANTED	(MINE + 1)		/* the handle */

static struct rangelock *lock_of(const struct part *p)
{
	return p->is_seconds ? &scene->extras.second : &scene->lk;
}

static void take_first(const struct ring *r)
{
	ring = r;
	for (unsigned int thread = 0; thread < r->nr; thread++) {
		const struct part *p = &r->has[thread];

		ex_prepares_as = (int)thread;
		if (rl_write_lock(lock_of(p), handle(MINE), p->start, p->end))
			ex_fail("nobody has anything");
	}
	ex_prepares_as = -1;
}

static void take_two_locks(void)
{
	take_first(&two_locks);
}

static void take_one_lock(void)
{
	take_first(&one_lock);
}

static void take_three_locks(void)
{
	take_first(&three_locks);
}

static void let_go(const struct part *p, unsigned int number)
{
	note_let_go(number);
	rl_unlock(lock_of(p), handle(number));
}

static void hold_more(unsigned int thread)
{
	const struct part *p = &ring->wants[thread];

	note_hold(WANTED, RL_WRITE, p->start, p->end);
	let_go(p, WANTED);
}

static void has(unsigned int thread)
{
	const struct part *p = &ring->has[thread];

	note_hold(MINE, RL_WRITE, p->start, p->end);
}

static int want(unsigned int thread, uint64_t deadline_ns)
{
	const struct part *p = &ring->wants[thread];

	CIRCLE->wants[thread] = true;
	if (deadline_ns)
		return rl_write_lock_until(lock_of(p), handle(WANTED), p->start,
					   p->end, deadline_ns);
	return rl_write_lock(lock_of(p), handle(WANTED), p->start, p->end);
}

static void leave(unsigned int thread)
{
	let_go(&ring->has[thread], MINE);
	bury(MINE);
}

/* This thread says that all wait, and nobody has let go of anything. */
static void check_circle(unsigned int thread)
{
	uint64_t since_ns = handle(WANTED)->since_ns;

	for (unsigned int t = 0; t < ring->nr; t++) {
		if (t == thread)
			continue;
		ex_require(lock_is_waiting(t * STEPS_MAX + 1));
		ex_require(handle(t * STEPS_MAX + 1)->since_ns <= since_ns);
	}
}

static void note_told(void)
{
	ex_require(++CIRCLE->nr_told == 1);
}

/* Everybody wants the next one's. */
static void all_want(unsigned int thread)
{
	int error;

	has(thread);
	error = want(thread, 0);
	ex_require(error == 0 || error == EDEADLK);
	if (error) {
		note_told();
		check_circle(thread);
	} else {
		hold_more(thread);
	}
	bury(WANTED);
	leave(thread);
}

/* ... and T1 gives up at some time. */
static void one_gives_up(unsigned int thread)
{
	int error;

	if (thread == 0) {
		has(0);
		error = want(0, 0);
		ex_require(error == 0 || error == EDEADLK);
		if (error)
			note_told();
		else
			hold_more(0);
	} else {
		has(1);
		error = want(1, DEADLINE_NS);
		ex_require(error == 0 || error == EDEADLK || error == ETIMEDOUT);
		if (error == EDEADLK) {
			note_told();
			check_circle(1);
		} else if (!error) {
			hold_more(1);
		}
	}
	bury(WANTED);
	leave(thread);
}

/* T2 cancels what T1 wants: T1 is told that, if and only if the cancel says so. */
static void one_is_cancelled(unsigned int thread)
{
	const unsigned int wanted = STEPS_MAX + 1;
	int error;

	if (thread == 2) {
		error = rl_cancel(lock_of(&ring->wants[1]), handle(wanted));
		ex_require(error == 0 || error == EINVAL || error == EBUSY);
		CIRCLE->is_let_go = error == 0;
		set_flag(wanted);
		return;
	}
	has(thread);
	error = want(thread, 0);
	ex_require(error == 0 || error == EDEADLK ||
		   (error == ECANCELED && thread == 1));
	if (error == EDEADLK)
		note_told();
	else if (!error)
		hold_more(thread);
	if (thread == 1) {
		await_flag(wanted);
		ex_require((error == ECANCELED) == CIRCLE->is_let_go);
	}
	bury(WANTED);
	leave(thread);
}

/* T2 lets go for T1, before T1 is in any circle or later. */
static void another_lets_go(unsigned int thread)
{
	int error;

	if (thread == 2) {
		note_hold(STEPS_MAX, RL_WRITE, ring->has[1].start,
			  ring->has[1].end);
		let_go(&ring->has[1], STEPS_MAX);
		if (!CIRCLE->wants[0] || !CIRCLE->wants[1])
			CIRCLE->is_let_go = true;	/* too early for one */
		bury(STEPS_MAX);
		return;
	}
	if (thread == 0)
		has(0);
	error = want(thread, 0);
	ex_require(error == 0 || error == EDEADLK);
	if (error) {
		note_told();
		ex_require(!CIRCLE->is_let_go);
	} else {
		hold_more(thread);
	}
	bury(WANTED);
	if (thread == 0)
		leave(0);
}

/* T1 lets go of what T0 wants before it wants T0's: no circle. */
static void one_after_the_other(unsigned int thread)
{
	has(thread);
	if (thread == 1)
		leave(1);
	ex_require(want(thread, 0) == 0);
	hold_more(thread);
	bury(WANTED);
	if (thread == 0)
		leave(0);
}

/* ---- Reports ---- */

#define SAID	(2 * STEPS_MAX)		/* flags: there is a report, or none */
#define DONE	(2 * STEPS_MAX + 1)

static void report(void *arg, const char *text, size_t length)
{
	(void)arg;
	if (length < 8 || strncmp(text, "deadlock", 8))
		return;
	ex_require(++CIRCLE->nr_reports == 1);
	check_circle((unsigned int)ex.self);
	set_flag(SAID);
}

/* Nobody is told: T2 reads the report and cancels what T1 wants. */
static void one_reads_the_report(unsigned int thread)
{
	int error;

	if (thread == 2) {
		await_flag(SAID);
		if (CIRCLE->nr_reports)
			ex_require(!rl_cancel(lock_of(&ring->wants[1]),
					      handle(STEPS_MAX + 1)));
		set_flag(DONE);
		return;
	}
	has(thread);
	error = want(thread, 0);
	ex_require(error == 0 ||
		   (error == ECANCELED && thread == 1 && CIRCLE->nr_reports));
	if (!error)
		hold_more(thread);
	if (!CIRCLE->nr_reports)
		set_flag(SAID);
	if (thread == 1)
		await_flag(DONE);
	bury(WANTED);
	leave(thread);
}

const struct special cycle_specials[] = {
	{ "circle-of-two-locks", 2, all_want, take_two_locks,
	  0, 2, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-in-one-lock", 2, all_want, take_one_lock,
	  0, 2, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-while-time-jumps", 2, all_want, take_two_locks,
	  0, 0, 1, RL_BYPASS_NS, true, NULL },
	{ "circle-of-three", 3, all_want, take_three_locks,
	  0, 1, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-meets-deadline", 2, one_gives_up, take_two_locks,
	  0, 3, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-meets-cancel", 3, one_is_cancelled, take_two_locks,
	  0, 3, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-meets-unlock", 3, another_lets_go, take_two_locks,
	  0, 3, 0, RL_BYPASS_NS, true, NULL },
	{ "circle-is-reported", 3, one_reads_the_report, take_two_locks,
	  0, 1, 0, RL_BYPASS_NS, true, report },
	{ "no-circle", 2, one_after_the_other, take_two_locks,
	  0, 2, 0, RL_BYPASS_NS, true, NULL },
	{ 0 },
};
