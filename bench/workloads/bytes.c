/*
 * bytes.c - workload 9: what a lock, a handle and a held range weigh
 *
 * The lock counts its object and what its init took from the heap; a held range
 * counts the heap that a thousand of them took.  Whole-object locks hold one.
 */
#include <malloc.h>
#include <stdlib.h>

#include "bench/measure.h"

#define HELD	1000

static const struct metric metrics[] = {
	{ "lock", "bytes", -1 },
	{ "lock_object", "bytes", -1 },
	{ "handle", "bytes", -1 },
	{ "heap_per_held", "bytes", -1 },
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	trial_add(trials, max, &nr, "size", 1, 0)->bars = true;
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	(void)p;
	return true;
}

static double heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)(m.uordblks + m.hblkhd);
}

static void measure(struct cell *c, double seconds, double *values)
{
	struct handle *handles = aligned_alloc(LINE, HELD * sizeof(*handles));
	const struct peer *p = c->peer;
	size_t nr = p->traits & EXACT ? HELD : 1;
	double empty, made, held;
	void *lock;

	(void)seconds;
	if (!handles)
		exit(EXIT_TROUBLE);
	lock = peer_room(p);
	if (!lock)
		exit(EXIT_TROUBLE);
	empty = heap();
	if (p->init && p->init(lock))
		exit(EXIT_TROUBLE);
	made = heap();
	thread_index = HOLDER;
	for (uint64_t i = 0; i < nr; i++)
		p->lock[WRITE](lock, &handles[i], 2 * i * PAGE, (2 * i + 1) * PAGE);
	held = heap();
	for (size_t i = 0; i < nr; i++)
		p->unlock[WRITE](lock, &handles[i]);
	thread_index = 0;
	peer_delete(p, lock);
	free(handles);
	values[0] = (double)p->lock_bytes + made - empty;
	values[1] = (double)p->lock_bytes;
	values[2] = (double)p->handle_bytes;
	values[3] = (held - made) / (double)nr;
}

const struct workload workload_bytes = {
	.name = "bytes",
	.what = "9: bytes of a lock, of a handle, of heap for a held range",
	.metrics = metrics,
	.nr_metrics = NR(metrics),
	.list = list,
	.fits = fits,
	.measure = measure,
};
