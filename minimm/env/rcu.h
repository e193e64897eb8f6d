/*
 * rcu.h - read-copy-update for the model: liburcu's memb flavor, out of line
 *
 * Threads need no registration of their own: the first read lock of a thread
 * does it, and its end undoes it.  A read section must not call mm_spend() or
 * lock anything.  liburcu's synchronization is inline assembly, which
 * ThreadSanitizer does not see: the tokens in rcu.c tell it.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_RCU_H
#define MINIMM_ENV_RCU_H

void mm_rcu_read_lock(void);
void mm_rcu_read_unlock(void);

/*
 * A batch of memory to be freed after a grace period.  All calls for one batch
 * come from one thread at a time.
 */
struct mm_retired;

/* Note that p (malloc's) will be freed.  Opens *batch if it is NULL.  Readers may
 * still find p. */
void mm_rcu_retire(struct mm_retired **batch, void *p);

/*
 * Hand over what is in *batch, if it is worth a grace period: it is freed after
 * one.  Requires: whoever begins to read now cannot find any of it.
 */
void mm_rcu_hand_over(struct mm_retired **batch);

/* Free what is in *batch now.  Requires: nobody reads it any more. */
void mm_rcu_free_now(struct mm_retired **batch);

#endif
