/*
 * held.c - workload 2: a pair while H disjoint ranges are held
 *
 * "all": the held pages are the even ones of 1,024 chunks, the pair takes odd
 * pages of any of them.  "other": the pair stays in one chunk, and nothing is
 * held in a chunk of the same one of 64 shards.  Write among
 * writes, read among reads.  What is held belongs to another owner.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/workloads/pairs.h"
#include "rangelock/engine/forest.h"

#define CHUNKS		1024
#define OWN_CHUNK	CHUNKS		/* "other": behind all the held ones */

static const struct layout {
	const char *name;
	enum mode mode;
	bool spares_own_shard, bars;
} layouts[] = {
	{ "other write", WRITE, true, true },
	{ "all write", WRITE, false, true },
	{ "all read", READ, false, false },
};

static const unsigned int counts[] = { 0, 1, 10, 100, 1000, 10000 };

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR(layouts); i++)
		for (size_t k = 0; k < NR(counts); k++) {
			struct trial *t = trial_add(trials, max, &nr,
						    layouts[i].name, 1, counts[k]);

			t->kind = (unsigned int)i;
			t->bars = layouts[i].bars &&
				  (!counts[k] || counts[k] == 10000);
		}
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	return p->traits & EXACT;
}

/* As a forest of 64 shards scatters them. */
static uint32_t shard_of(uint64_t chunk)
{
	static const struct rl_geometry geometry = {
		.shard_mask = 63, .shard_bits = 6, .turn_shift = 58,
	};

	return rl_shard_of_chunk(&geometry, chunk);
}

/* The held pages: chunk by chunk, then the next even page of each. */
static void place_held(const struct layout *l, struct span *spans, size_t nr)
{
	uint64_t chunk = 0, page = 0;

	for (size_t i = 0; i < nr; chunk++) {
		if (chunk == CHUNKS) {
			chunk = 0;
			page += 2;
		}
		if (l->spares_own_shard && shard_of(chunk) == shard_of(OWN_CHUNK))
			continue;
		spans[i].start = chunk * CHUNK + page * PAGE;
		spans[i].end = spans[i].start + PAGE;
		i++;
	}
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->start < y->start) - (x->start > y->start);
}

/* From the last to the first: the sorted lists insert at their heads. */
static int hold_all(struct cell *c, struct handle *handles, struct span *spans)
{
	const struct layout *l = &layouts[c->trial->kind];
	lock_fn *lock = c->peer->lock[l->mode];
	size_t nr = c->trial->n;

	place_held(l, spans, nr);
	qsort(spans, nr, sizeof(*spans), compare_spans);
	thread_index = HOLDER;
	for (size_t i = 0; i < nr; i++)
		lock(c->lock, &handles[i], spans[i].start, spans[i].end);
	thread_index = 0;
	return 0;
}

static int setup(struct cell *c)
{
	const struct layout *l = &layouts[c->trial->kind];
	struct pairs *p = pairs_new(c, l->mode, false);
	uint64_t random = settings.seed;
	struct span *spans;

	if (!p)
		return ENOMEM;
	for (size_t i = 0; i < RING; i++) {
		uint64_t x = next_random(&random);
		uint64_t chunk = l->spares_own_shard ? OWN_CHUNK : x % CHUNKS;
		uint64_t page = 2 * ((x >> 32) % 10) + 1;

		p->rings[0][i].start = chunk * CHUNK + page * PAGE;
		p->rings[0][i].end = p->rings[0][i].start + PAGE;
	}
	if (!c->trial->n)
		return 0;
	p->held = aligned_alloc(LINE, c->trial->n * sizeof(struct handle));
	spans = malloc(c->trial->n * sizeof(*spans));
	if (!p->held || !spans)
		return ENOMEM;
	hold_all(c, p->held, spans);
	free(spans);
	return 0;
}

static void teardown(struct cell *c)
{
	struct pairs *p = c->state;
	struct handle *handles = p->held;

	thread_index = HOLDER;
	for (size_t i = 0; handles && i < c->trial->n; i++)
		c->peer->unlock[p->mode](c->lock, &handles[i]);
	thread_index = 0;
	free(handles);
	pairs_free(c);
}

const struct workload workload_held = {
	.name = "held",
	.what = "2: a pair with n disjoint ranges held by somebody else",
	.metrics = pairs_metrics,
	.nr_metrics = 1,		/* ns */
	.list = list,
	.fits = fits,
	.setup = setup,
	.measure = pairs_measure,
	.teardown = teardown,
};
