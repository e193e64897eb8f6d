/*
 * stats.h - what a lock has counted
 *
 * Counted always, timed only on slow paths: a clock read costs more than a lock.
 * Uncontended locks are never timed, and holds are not timed at all.
 *
 * A lock that rl_init() made with a name, RL_READER_BIAS, a deadlock_report or
 * another deadlock_ns than RL_DEADLOCK_NS has its own ledger.  Any other takes one
 * of RL_LEDGERS from a static store at its first wait and gives it back in
 * rl_destroy(); when the store is empty such locks share the last one (shared is
 * then 1, and all figures but nr_locked and the two of now are the sum over all
 * who share it).
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef RANGELOCK_STATS_H
#define RANGELOCK_STATS_H

#include <rangelock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RL_LEDGERS	32

/*
 * Log-linear: values below 4 have a bucket each; above, four buckets for each
 * power of two.  So a bucket's width is at most a quarter of its lower bound.
 */
#define RL_HIST_BUCKETS	168		/* up to 2^43 ns: over two hours */

struct rl_stats {
	const char *name;		/* or "(unnamed)" */
	int shared;
	uint64_t nr_locked[2][2];	/* by mode; fine, coarse */
	uint64_t nr_contended[2][2];	/* of requests that had to wait */
	uint64_t nr_waits[2];		/* true, false: site.h */
	uint64_t wait_ns[2];		/* of waits that have ended */
	uint64_t wait_ns_min, wait_ns_max;	/* 0 if nobody waited */
	uint64_t nr_bypasses;		/* G3: grants that passed a waiter */
	uint64_t nr_cancels, nr_timeouts;
	uint64_t nr_deadlocks;		/* EDEADLK said */
	uint64_t nr_cycles;		/* found among threads: said or reported */
	uint64_t wait_hist[RL_HIST_BUCKETS];
	uint32_t nr_held_now, nr_waiting_now;
};

/*
 * Copy the figures, or zero all but the two of now.  In a shared ledger a reset
 * zeroes the sum, for all who share it.
 * Returns: 0; EINVAL.
 */
RL_API int rl_stats_read(struct rangelock *lk, struct rl_stats *stats);
RL_API int rl_stats_reset(struct rangelock *lk);

/* The smallest value of a bucket, and the value below which a share (0 to 1000
 * thousandths) of all waits lies: the upper end of its bucket. */
RL_API uint64_t rl_hist_low(unsigned int bucket);
RL_API uint64_t rl_hist_quantile(const uint64_t hist[RL_HIST_BUCKETS],
				 unsigned int thousandths);

enum rl_format {
	RL_TEXT,	/* the columns of /proc/lock_stat, and ours after them */
	RL_JSON,	/* 64-bit integers exact */
};

RL_API int rl_stats_print(struct rangelock *lk, enum rl_format format,
			  rl_write_fn *write, void *arg);

/* The report on sites and pairs: which site to convert next, in which order to
 * go on and what has ended by then, and what no conversion can remove. */
RL_API int rl_sites_print(enum rl_format format, rl_write_fn *write, void *arg);

#ifdef __cplusplus
}
#endif

#endif
