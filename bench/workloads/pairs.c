/*
 * pairs.c - lock and unlock, nothing else: the loop of several workloads
 *
 * Each worker takes the ranges of its own ring in turn.  The calls go through
 * function pointers, the same for all peers: about 2 ns a pair that is in every
 * figure.  One worker is timed by its own CPU time, so that a second program on
 * the machine costs less than its share; several by the clock.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/workloads/pairs.h"

#define BATCH_NS	50000

const struct metric pairs_metrics[2] = {
	{ "ns", "ns/pair", -1 },
	{ "mops", "M/s", +1 },
};

void ring_fill(struct span *ring, uint64_t start, uint64_t length)
{
	for (size_t i = 0; i < RING; i++)
		ring[i] = (struct span){ start, start + length };
}

struct pairs *pairs_new(struct cell *c, enum mode mode, bool coarse)
{
	struct pairs *p = calloc(1, sizeof(*p));

	c->state = p;
	if (!p)
		return NULL;
	p->mode = mode;
	p->coarse = coarse;
	for (size_t i = 0; i < MAX_THREADS; i++)
		ring_fill(p->rings[i], coarse ? 0 : PAGE,
			  coarse ? WHOLE_END : PAGE);
	return p;
}

void pairs_free(struct cell *c)
{
	free(c->state);
}

/* Slow peers publish their counts more often. */
static void set_batch(struct worker *w, lock_fn *lock, unlock_fn *unlock)
{
	uint64_t begin = now_ns(), pair_ns;
	struct handle h;

	for (unsigned int i = 0; i < 16; i++) {
		lock(w->cell->lock, &h, w->spans[i].start, w->spans[i].end);
		unlock(w->cell->lock, &h);
	}
	pair_ns = (now_ns() - begin) / 16 + 1;
	w->batch = 64;
	if (pair_ns * 64 > BATCH_NS)
		w->batch = (unsigned int)(BATCH_NS / pair_ns) + 1;
}

static void work(struct worker *w)
{
	const struct pairs *p = w->cell->state;
	lock_fn *lock = peer_lock_fn(w->cell->peer, p->mode, p->coarse);
	unlock_fn *unlock = w->cell->peer->unlock[p->mode];
	void *lk = w->cell->lock;
	struct handle h;
	uint64_t n = 0;

	w->spans = p->rings[w->index];
	w->span_mask = RING - 1;
	set_batch(w, lock, unlock);
	while (!is_stopped(w)) {
		for (unsigned int i = 0; i < w->batch; i++) {
			const struct span *s = &w->spans[n++ & w->span_mask];

			lock(lk, &h, s->start, s->end);
			unlock(lk, &h);
		}
		advance(w, w->batch);
	}
}

void pairs_measure(struct cell *c, double seconds, double *values)
{
	unsigned int threads = c->trial->threads;
	struct crew crew;
	double ops;

	if (crew_init(&crew, c, threads, work) || !crew_run(&crew, seconds))
		exit(EXIT_TROUBLE);
	ops = crew.nr_ops ? (double)crew.nr_ops : 1;
	values[0] = threads == 1 && crew.cpu_ns > 0 ? crew.cpu_ns / ops :
		    crew.seconds * 1e9 * threads / ops;
	values[1] = threads == 1 ? 1e3 / values[0] : ops / crew.seconds / 1e6;
	crew_destroy(&crew);
}
