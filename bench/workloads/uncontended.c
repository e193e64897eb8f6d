/*
 * uncontended.c - workload 1: one thread, nothing held, every shape of a range
 */
#include <errno.h>

#include "bench/workloads/pairs.h"

static const struct shape {
	const char *name;
	uint64_t start, length;
	enum mode mode;
	bool coarse, bars;
} shapes[] = {
	{ "narrow write", PAGE, PAGE, WRITE, false, true },
	{ "narrow read", PAGE, PAGE, READ, false, true },
	{ "border write", CHUNK - PAGE, 2 * PAGE, WRITE, false, true },
	{ "border read", CHUNK - PAGE, 2 * PAGE, READ, false, false },
	{ "wide write", 0, 64 * CHUNK, WRITE, false, false },
	{ "wide read", 0, 64 * CHUNK, READ, false, false },
	{ "coarse write", 0, WHOLE_END, WRITE, true, true },
	{ "coarse read", 0, WHOLE_END, READ, true, false },
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR(shapes); i++) {
		struct trial *t = trial_add(trials, max, &nr, shapes[i].name, 1, 0);

		t->kind = (unsigned int)i;
		t->bars = shapes[i].bars;
	}
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	(void)p;
	return true;
}

static int setup(struct cell *c)
{
	const struct shape *s = &shapes[c->trial->kind];
	struct pairs *p = pairs_new(c, s->mode, s->coarse);

	if (!p)
		return ENOMEM;
	if (!s->coarse)
		ring_fill(p->rings[0], s->start, s->length);
	return 0;
}

const struct workload workload_uncontended = {
	.name = "uncontended",
	.what = "1: a lone pair: narrow, across a chunk border, wide, coarse",
	.metrics = pairs_metrics,
	.nr_metrics = 1,		/* ns */
	.list = list,
	.fits = fits,
	.setup = setup,
	.measure = pairs_measure,
	.teardown = pairs_free,
};
