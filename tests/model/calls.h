/*
 * calls.h - the lock calls that a request of the model stands for
 */
#ifndef RL_TESTS_MODEL_CALLS_H
#define RL_TESTS_MODEL_CALLS_H

#include "tests/model/compare.h"

/* Request i of the play, in its mode and grain, at the site if it has one. */
int call_submit(unsigned int i, struct rl_site *site, rl_granted_fn *granted);
int call_trylock(unsigned int i, struct rl_site *site);
int call_lock_until(unsigned int i, struct rl_site *site);
int call_lock(unsigned int i, struct rl_site *site);

#endif
