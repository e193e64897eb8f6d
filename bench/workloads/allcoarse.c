/*
 * allcoarse.c - workload 8: every call is coarse, as on the first day of a
 * program's conversion; n is the percentage of reads
 */
#include <stdlib.h>

#include "bench/measure.h"

static const struct metric metrics[] = {
	{ "ns", "ns/pair", -1 },
	{ "mops", "M/s", +1 },
};

static size_t list(struct trial *trials, size_t max)
{
	static const unsigned int thread_counts[] = { 1, 2, 4, 8 };
	static const unsigned int read_percents[] = { 0, 80, 100 };
	size_t nr = 0;

	for (size_t i = 0; i < NR(thread_counts); i++)
		for (size_t k = 0; k < NR(read_percents); k++)
			trial_add(trials, max, &nr, "coarse", thread_counts[i],
				  read_percents[k]);
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	(void)p;
	return true;
}

static void work(struct worker *w)
{
	const struct peer *p = w->cell->peer;
	unsigned int read_percent = w->cell->trial->n;
	lock_fn *locks[] = { peer_lock_fn(p, READ, true),
			     peer_lock_fn(p, WRITE, true) };
	struct handle h;

	while (!is_stopped(w)) {
		uint64_t x = next_random(&w->random);
		enum mode mode = x % 100 < read_percent ? READ : WRITE;

		locks[mode](w->cell->lock, &h, 0, WHOLE_END);
		p->unlock[mode](w->cell->lock, &h);
		advance(w, 1);
	}
}

static void measure(struct cell *c, double seconds, double *values)
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

const struct workload workload_allcoarse = {
	.name = "allcoarse",
	.what = "8: a program whose every call is coarse; n % of them reads",
	.metrics = metrics,
	.nr_metrics = NR(metrics),
	.list = list,
	.fits = fits,
	.measure = measure,
};
