/*
 * special.h - for scenarios in which threads need each other
 */
#ifndef RL_TESTS_EXPLORE_SPECIAL_H
#define RL_TESTS_EXPLORE_SPECIAL_H

#include "tests/explore/scenario.h"

#define MINE	(thread * STEPS_MAX)

static inline struct rl_range *handle(unsigned int number)
{
	return scene->handles[number];
}

static inline void hold_and_unlock(unsigned int number, enum rl_mode mode,
			    uint64_t start, uint64_t end)
{
	note_hold(number, mode, start, end);
	note_let_go(number);
	rl_unlock(&scene->lk, handle(number));
}

static inline void lock_and_unlock(unsigned int number, enum rl_mode mode,
			    uint64_t start, uint64_t end)
{
	int error = mode == RL_READ ?
		rl_read_lock(&scene->lk, handle(number), start, end) :
		rl_write_lock(&scene->lk, handle(number), start, end);

	ex_require(error == 0);
	hold_and_unlock(number, mode, start, end);
	bury(number);
}

/* Somebody cancels, in vain, a holder whom he knows by the handle alone. */
static inline void cancel_holder(unsigned int number)
{
	int error = rl_cancel(&scene->lk, handle(number));

	ex_require(error == EINVAL || error == EBUSY);
	set_flag(number);
}

#endif
