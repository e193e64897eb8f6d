/*
 * rcu.c - read-copy-update as the explorer has it
 *
 * What is retired is freed when every reader of that moment has left, and not a
 * step later; or never, since a grace period may as well be longer than the
 * execution.  A scenario says which.  The first finds who uses what is gone, the
 * second who relies on the fences that a grace period makes.
 *
 * A grace period begins with a fence forced on each thread.  Who has left a read
 * section has accessed what it found there before the memory is freed; who
 * accesses it outside of a section has not, and that is a race.
 */
#include "minimm/env/rcu.h"

#include <string.h>

#include "tests/explore/engine.h"
#include "tests/explore/minimm/memory.h"

#define RETIRED		126u
#define WAITING		128u

struct mm_retired {
	unsigned int nr;
	void *pointers[RETIRED];
};

/* Freed when none of readers is left. */
static struct waiting {
	void *p;
	unsigned int readers;		/* a bit a thread */
	int16_t clocks[EX_CLOCKS];	/* what happened before the end so far */
} waiting[WAITING];
static unsigned int nr_waiting;

static unsigned int depth[EX_THREADS];
static int16_t left_at[EX_THREADS][EX_CLOCKS];
static bool ends_soon;

void ex_rcu_reset(bool soon)
{
	ends_soon = soon;
	nr_waiting = 0;
	memset(depth, 0, sizeof(depth));
	memset(left_at, 0, sizeof(left_at));
}

static void join(int16_t *a, const int16_t *b)
{
	for (unsigned int i = 0; i < EX_CLOCKS; i++)
		if (a[i] < b[i])
			a[i] = b[i];
}

/* The thread that happens to run is who frees, and has seen what w says. */
static void free_it(const struct waiting *w)
{
	int16_t *now = ex.threads[ex.self].now.at, own[EX_CLOCKS];

	memcpy(own, now, sizeof(own));
	memcpy(now, w->clocks, sizeof(own));
	now[ex.self] = own[ex.self];
	ex_block_free(w->p);
	memcpy(now, own, sizeof(own));
}

void mm_rcu_read_lock(void)
{
	if (ex_is_running())
		depth[ex.self]++;
}

void mm_rcu_read_unlock(void)
{
	unsigned int self = (unsigned int)ex.self, kept = 0;

	if (!ex_is_running() || --depth[self])
		return;
	memcpy(left_at[self], ex.threads[self].now.at, sizeof(left_at[self]));
	ex.threads[self].now.at[self]++;
	for (unsigned int i = 0; i < nr_waiting; i++) {
		struct waiting w = waiting[i];

		if (w.readers >> self & 1)
			join(w.clocks, left_at[self]);
		w.readers &= ~(1u << self);
		if (w.readers)
			waiting[kept++] = w;
		else
			free_it(&w);
	}
	nr_waiting = kept;
}

void mm_rcu_retire(struct mm_retired **batch, void *p)
{
	if (!*batch) {
		*batch = ex_block(sizeof(**batch));
		(*batch)->nr = 0;
	}
	if ((*batch)->nr == RETIRED)
		ex_fail("more is retired than an execution may have");
	(*batch)->pointers[(*batch)->nr++] = p;
}

static void fence_all(void)
{
	ex_visible((struct ex_op){ .kind = EX_HEAVY, .location = -1 });
	ex_sc_fence(&ex.threads[ex.self], (unsigned int)ex.self);
	for (unsigned int t = 0; t < ex.nr_threads; t++)
		ex_sc_fence(&ex.threads[t], t);
	ex_trace("   a grace period begins");
}

void mm_rcu_hand_over(struct mm_retired **batch)
{
	struct waiting w = { .readers = 0 };

	if (!*batch || !ex_is_running() || !ends_soon)
		return;
	fence_all();
	memcpy(w.clocks, ex.threads[ex.self].now.at, sizeof(w.clocks));
	for (unsigned int t = 0; t < ex.nr_threads; t++) {
		if (depth[t])
			w.readers |= 1u << t;
		else
			join(w.clocks, left_at[t]);
	}
	for (unsigned int i = 0; i < (*batch)->nr; i++) {
		w.p = (*batch)->pointers[i];
		if (!w.readers)
			free_it(&w);
		else if (nr_waiting < WAITING)
			waiting[nr_waiting++] = w;
	}
	*batch = NULL;
}

void mm_rcu_free_now(struct mm_retired **batch)
{
	for (unsigned int i = 0; *batch && i < (*batch)->nr; i++)
		ex_block_free((*batch)->pointers[i]);
	*batch = NULL;
}
