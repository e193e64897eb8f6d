/*
 * threads.c - workloads 3 and 4: two threads that do not conflict
 *
 * Each has its own ranges: in chunks apart, in one chunk, in an arena 64 MiB
 * from the other's (in sixteen such arenas in turn), of 128 MiB and more; or
 * both read one range.  The case with one thread is what scaling is held
 * against.
 */
#include <errno.h>

#include "bench/workloads/pairs.h"

#define ARENA	(UINT64_C(64) << 20)
#define WIDE	(UINT64_C(128) << 20)

enum kind {
	CHUNKS,
	ONE_CHUNK,
	ARENAS,
	ARENAS_16,
	WIDE_RANGES,
	SAME_READ,
};

static const char *const names[] = {
	[CHUNKS] = "two chunks",
	[ONE_CHUNK] = "one chunk",
	[ARENAS] = "two arenas",
	[ARENAS_16] = "16 arenas",
	[WIDE_RANGES] = "128 MiB",
	[SAME_READ] = "same read",
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	for (unsigned int kind = 0; kind < NR(names); kind++)
		for (unsigned int threads = 1; threads <= 2; threads++) {
			struct trial *t = trial_add(trials, max, &nr, names[kind],
						    threads, 0);

			t->kind = kind;
			t->bars = true;
		}
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	(void)p;
	return true;
}

/* Chunk 16 of an arena, not 0: the fold of 64 MiB steps is no special case. */
static uint64_t start_of(enum kind kind, uint64_t thread, uint64_t i)
{
	switch (kind) {
	case CHUNKS:
		return (thread + 1) * 7 * CHUNK;
	case ONE_CHUNK:
		return (thread + 1) * 32 * PAGE;
	case ARENAS:
		return (thread + 1) * ARENA + 3 * PAGE;
	case ARENAS_16:
		return (2 * (i % 16) + thread + 1) * ARENA + 3 * PAGE;
	case WIDE_RANGES:
		return (thread + 1) * WIDE;
	case SAME_READ:
		break;
	}
	return 7 * CHUNK;
}

static int setup(struct cell *c)
{
	enum kind kind = (enum kind)c->trial->kind;
	struct pairs *p = pairs_new(c, kind == SAME_READ ? READ : WRITE, false);
	uint64_t length = kind == WIDE_RANGES ? WIDE : PAGE;

	if (!p)
		return ENOMEM;
	for (uint64_t thread = 0; thread < c->trial->threads; thread++)
		for (uint64_t i = 0; i < RING; i++) {
			struct span *s = &p->rings[thread][i];

			s->start = start_of(kind, thread, i);
			s->end = s->start + length;
		}
	return 0;
}

const struct workload workload_threads = {
	.name = "threads",
	.what = "3, 4: two threads on disjoint ranges, or reading the same one",
	.metrics = pairs_metrics,
	.nr_metrics = NR(pairs_metrics),
	.list = list,
	.fits = fits,
	.setup = setup,
	.measure = pairs_measure,
	.teardown = pairs_free,
};
