/*
 * mix.c - workload 6: one coarse writer among fine ones, and who waits how long
 *
 * All threads write-lock random single pages of 64 MiB; every n-th operation of
 * thread 0 takes everything instead.  Waits are timed from the call to its
 * return, holds from there to the unlock: with more threads than CPUs a holder
 * is preempted for whole time slices, and a wait is to be read against the
 * longest hold of the same run.  A round without a coarse call says 0.
 */
#include <stdlib.h>

#include "bench/measure.h"

#define PAGES		(UINT64_C(64) * 512)

enum { FINE, COARSE, HOLD };

static const unsigned int periods[] = { 1000, 100, 10 };
static const unsigned int thread_counts[] = { 1, 2, 4, 8, 16 };
static const struct metric metrics[] = {
	{ "mops", "M/s", +1 },
	{ "coarse_p50", "us", -1 },
	{ "coarse_p99", "us", -1 },
	{ "coarse_max", "us", -1 },
	{ "fine_p99", "us", -1 },
	{ "fine_max", "us", -1 },
	{ "hold_max", "us", -1 },
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < NR(thread_counts); i++)
		for (size_t k = 0; k < NR(periods); k++) {
			struct trial *t = trial_add(trials, max, &nr, "storm",
						    thread_counts[i], periods[k]);

			t->group = (unsigned int)i;
			t->bars = periods[k] == 1000 && thread_counts[i] > 1;
		}
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
	lock_fn *coarse_lock = peer_lock_fn(p, WRITE, true);
	unsigned int left = w->index ? 0 : w->cell->trial->n;
	struct handle h;

	while (!is_stopped(w)) {
		uint64_t page = next_random(&w->random) % PAGES * PAGE;
		bool coarse = left && !--left;
		uint64_t begin = now_ns(), held, end;

		if (coarse) {
			left = w->cell->trial->n;
			coarse_lock(w->cell->lock, &h, 0, WHOLE_END);
		} else {
			p->lock[WRITE](w->cell->lock, &h, page, page + PAGE);
		}
		held = now_ns();
		p->unlock[WRITE](w->cell->lock, &h);
		if (load_relaxed(&w->crew->measuring)) {
			end = now_ns();
			hist_add(w->hists[coarse ? COARSE : FINE], held - begin);
			hist_add(w->hists[HOLD], end - held);
		}
		advance(w, 1);
	}
}

static void measure(struct cell *c, double seconds, double *values)
{
	struct hist *h = calloc(3 * (c->trial->threads + 1), sizeof(*h));
	struct hist *sums = h + 3 * c->trial->threads;
	struct crew crew;

	if (!h || crew_init(&crew, c, c->trial->threads, work))
		exit(EXIT_TROUBLE);
	for (unsigned int i = 0; i < 3 * crew.nr; i++)
		crew.workers[i / 3].hists[i % 3] = &h[i];
	/* Rare events need longer than a rate does. */
	crew_run(&crew, seconds * 8);
	for (unsigned int i = 0; i < 3 * crew.nr; i++)
		hist_merge(&sums[i % 3], &h[i]);
	values[0] = (double)crew.nr_ops / crew.seconds / 1e6;
	values[1] = hist_quantile_us(&sums[COARSE], 0.5);
	values[2] = hist_quantile_us(&sums[COARSE], 0.99);
	values[3] = (double)sums[COARSE].max_ns / 1e3;
	values[4] = hist_quantile_us(&sums[FINE], 0.99);
	values[5] = (double)sums[FINE].max_ns / 1e3;
	values[6] = (double)sums[HOLD].max_ns / 1e3;
	crew_destroy(&crew);
	free(h);
}

const struct workload workload_mix = {
	.name = "mix",
	.what = "6: every n-th operation of one thread is coarse, all others fine",
	.metrics = metrics,
	.nr_metrics = NR(metrics),
	.list = list,
	.fits = fits,
	.measure = measure,
};
