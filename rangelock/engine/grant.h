/*
 * grant.h - callbacks of requests that were granted
 */
#ifndef RL_ENGINE_GRANT_H
#define RL_ENGINE_GRANT_H

#include <rangelock.h>

/* Run them all, and those that they cause, unless a callback of this thread is
 * running: then that one's caller runs them after it. */
void rl_run_callbacks(struct rl_deferred *due);

#endif
