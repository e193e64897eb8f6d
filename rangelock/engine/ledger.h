/*
 * ledger.h - what the slow paths of one lock have counted
 *
 * Counted with relaxed atomics, under whichever guard.  Every access goes
 * through a function below.
 */
#ifndef RL_ENGINE_LEDGER_H
#define RL_ENGINE_LEDGER_H

#include <stdbool.h>

#include <rangelock/stats.h>

#include "rangelock/base/atomic.h"

struct rl_ledger {
	uint32_t nr_users;	/* atomic; of the store's: locks that have it */
	/* Options, all 0 in the store's. */
	bool reader_bias;
	uint64_t deadlock_bias_ns;	/* deadlock_ns - RL_DEADLOCK_NS */
	rl_write_fn *deadlock_report;
	void *deadlock_arg;
	uint64_t nr_contended[2][2];	/* by mode; fine, coarse */
	uint64_t nr_waits[2];		/* true, false */
	uint64_t wait_ns[2];
	uint64_t wait_ns_max;
	uint64_t wait_ns_min_gap;	/* UINT64_MAX - min: it only rises too */
	uint64_t nr_bypasses, nr_cancels, nr_timeouts;
	uint64_t nr_deadlocks, nr_cycles;
	uint64_t wait_hist[RL_HIST_BUCKETS];
};

static inline uint64_t rl_ledger_deadlock_ns(const struct rl_ledger *l)
{
	return l->deadlock_bias_ns + RL_DEADLOCK_NS;
}

/* NULL: none yet.  Relaxed: its counters are atomic, its options older than the
 * lock. */
static inline struct rl_ledger *rl_lock_ledger(const struct rangelock *lk)
{
	return (struct rl_ledger *)(uintptr_t)rl_load_relaxed64(&lk->ledger);
}

/* For memory of the caller's own. */
void rl_ledger_init(struct rl_ledger *l);

/* One of the store, empty; the shared one when there is none left. */
struct rl_ledger *rl_ledger_claim(void);

/* Requires: nobody counts in it for this lock any more.  Returns: true if the
 * store took it back, false if it is memory of the caller's own. */
bool rl_ledger_release(struct rl_ledger *l);

/* Add n to a counter of l: rl_ledger_add(l, nr_bypasses, 1). */
#define rl_ledger_add(l, field, n)					\
	do {								\
		struct rl_ledger *ledger_ = (l);			\
		rl_ledger_bump(&ledger_->field, n);			\
	} while (0)
void rl_ledger_bump(uint64_t *counter, uint64_t n);

/* A wait has ended, however it ended. */
void rl_ledger_note_wait(struct rl_ledger *l, bool is_true, uint64_t wait_ns);

/* Fill the ledger's part of stats: all but the name, nr_locked and ..._now.
 * l may be NULL: nothing was counted. */
void rl_ledger_read(const struct rl_ledger *l, struct rl_stats *stats);
void rl_ledger_reset(struct rl_ledger *l);

#endif
