/*
 * rwlock.h - the handles behind rl_rwlock_..., for rl_fork_child()
 */
#ifndef RL_LOCK_RWLOCK_H
#define RL_LOCK_RWLOCK_H

#include <rangelock.h>

/* The calling thread's handles of lk are zeroed: lk was emptied whole. */
void rl_rwlock_forget(const struct rangelock *lk);

#endif
