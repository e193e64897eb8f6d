/*
 * grant.h - callbacks of requests that were granted
 */
#ifndef RL_ENGINE_GRANT_H
#define RL_ENGINE_GRANT_H

#include <rangelock.h>

/* Queue the callback of a request that is granted. */
void rl_append_callback(struct rl_deferred *list, struct rl_range *r);

/* Run them all, and those that they cause, unless a callback of this thread is
 * running: then that one's caller runs them after it. */
void rl_run_callbacks(struct rl_deferred *due);

#endif
