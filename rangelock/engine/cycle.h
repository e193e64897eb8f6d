/*
 * cycle.h - deadlocks among threads, over all locks of the process
 *
 * A thread that has waited for its lock's deadlock_ns lists itself, and searches
 * for a cycle of threads that each wait for what the next one holds:
 *
 *	           C1 deadlock_ns have passed
 *	  UNLISTED ---------------------------> LISTED --. C2 searches, now and
 *	      ^                                   |  ^---' at longer and longer times
 *	      '-----------------------------------'
 *	        C3 it stops sleeping, or was told EDEADLK
 *
 * K1  Who is listed does nothing but sleep and search: it unlocks nothing, and
 *     runs no callback.
 * K2  Whoever is told EDEADLK is told so under a guard that it has not let go since
 *     an instant at which each of the cycle waited firmly for the next (arbiter.h).
 * K3  Of each cycle the youngest alone is told.
 *
 * The list is the process's, one word guards it; a wait that is shorter than
 * deadlock_ns never sees it.  docs/ENGINE.md argues the three.
 */
#ifndef RL_ENGINE_CYCLE_H
#define RL_ENGINE_CYCLE_H

#include <stdbool.h>

#include <rangelock.h>

#include "rangelock/base/park.h"

#define RL_CYCLE_MAX	32u		/* threads in one */

/* A waiting thread, on its stack. */
struct rl_watch {
	struct rangelock *lk;
	struct rl_range *leader;
	uint64_t due_ns;		/* the next search; RL_NO_DEADLINE: none */
	bool is_listed;			/* the owner's; of the rest: */
	bool is_reported;		/* the owner's */
	/* Guarded by the list's guard, and fixed while it is listed. */
	uint32_t forks;			/* since when it is in the list */
	uint64_t period_ns;
	uint64_t owner, since_ns, ticket;
	struct rl_watch *next, **link;	/* of the owners with this hash */
	/* Of whoever searches, under the list's guard. */
	uint64_t found_by;		/* the search's number */
	struct rl_watch *found_next, *waits;	/* who waits for its thread */
};

/* One link of a cycle that was found, for a report. */
struct rl_link {
	char name[32];
	uint64_t owner, start, end;
	enum rl_mode mode;
};

void rl_watch_begin(struct rl_watch *w, struct rangelock *lk,
		    struct rl_range *leader);

/* C3, if it is listed. */
void rl_watch_end(struct rl_watch *w);

/* C3 for a while: it is due again at once. */
void rl_watch_pause(struct rl_watch *w);

/*
 * Search.  True: the thread is told EDEADLK, and its request has left, or if it was
 * submitted is queued as if nobody waited for it.  Runs callbacks.
 */
bool rl_watch_search(struct rl_watch *w);

static inline bool rl_watch_is_due(const struct rl_watch *w)
{
	return w->due_ns != RL_NO_DEADLINE &&
	       rl_clock(w->lk->host) >= w->due_ns;
}

/* Until when it may sleep. */
static inline uint64_t rl_watch_until(const struct rl_watch *w,
				      uint64_t deadline_ns)
{
	return w->due_ns < deadline_ns ? w->due_ns : deadline_ns;
}

/* Write a cycle of n, the first of which is the youngest. */
void rl_cycle_write(const struct rl_link *links, unsigned int n,
		    rl_write_fn *write, void *arg);

/* For tests: how many are listed. */
uint32_t rl_nr_listed(void);

#endif
