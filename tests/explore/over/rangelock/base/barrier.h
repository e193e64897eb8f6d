/*
 * barrier.h - the light side costs and does nothing; the heavy one forces fences
 */
#ifndef RL_BASE_BARRIER_H
#define RL_BASE_BARRIER_H

#include <stdbool.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/planted.h"

/* Does this execution have membarrier(2)? */
extern bool ex_barrier_is_usable;

#define rl_barrier_is_usable()	((bool)ex_barrier_is_usable)
#define rl_barrier_light()	((void)0)
#define rl_barrier_heavy()						\
	(RL_PLANTED(NO_BARRIER) ? (void)0 : ex_heavy(EX_SITE(EX_SC)))

#endif
