/*
 * wait_account.h - what the statistics say of a wait (docs/SEMANTICS.md)
 *
 * A wait is true if, at its start, the ranges that some blocker and the waiter
 * declared conflict; else only the locked ones do, and it is false.  It is
 * charged to the pair of sites of the waiter and of the first such blocker.
 */
#ifndef RL_ENGINE_WAIT_ACCOUNT_H
#define RL_ENGINE_WAIT_ACCOUNT_H

#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/ledger.h"

/* Both under the guard; start before the leader's nodes are inserted. */
void rl_account_wait_start(struct rl_pass *pass, struct rl_range *leader);
void rl_account_wait_end(struct rl_pass *pass, struct rl_range *leader);

/* The lock's ledger; one is claimed at the first use. */
struct rl_ledger *rl_account_ledger(struct rangelock *lk);

#endif
