/*
 * convoy.c - workload 7: a holder, a waiting wide writer, disjoint arrivals
 *
 * Somebody holds one page; a wide writer waits for it; two workers lock pages
 * of their own elsewhere, with no hold or one of a microsecond.  How much of
 * their throughput is left while the writer waits?  Measured in episodes that
 * stay within the default bypass bound of 1 ms: the writer calls, 100 us later
 * the counters are read, 600 us later again, then the holder lets go.  An
 * episode that took longer than the bound is thrown away.
 */
#include <stdlib.h>

#include "bench/measure.h"

#define SETTLE_NS	UINT64_C(100000)
#define WINDOW_NS	UINT64_C(600000)
#define BOUND_NS	UINT64_C(950000)
#define PATIENCE_NS	UINT64_C(1000000000)	/* no episode within the bound */
#define HOLD_NS		UINT64_C(1000)

struct writer {
	struct cell *cell;
	uint32_t go, done;		/* episodes: the writer may call; it is through */
	uint32_t stop;
	uint64_t called_ns;
};

static const struct metric metrics[] = {
	{ "kept", "share", +1 },
	{ "mops", "M/s", +1 },
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	trial_add(trials, max, &nr, "empty holds", 2, 0)->bars = true;
	trial_add(trials, max, &nr, "1 us holds", 2, 1)->bars = true;
	return nr;
}

static bool fits(const struct trial *t, const struct peer *p)
{
	(void)t;
	return p->traits & RANGES;
}

static void work(struct worker *w)
{
	const struct peer *p = w->cell->peer;
	bool holds = w->cell->trial->n;
	uint64_t start = (40 + 7 * (uint64_t)w->index) * CHUNK;
	struct handle h;

	while (!is_stopped(w)) {
		p->lock[WRITE](w->cell->lock, &h, start, start + PAGE);
		if (holds) {
			uint64_t until = now_ns() + HOLD_NS;

			while (now_ns() < until)
				pause_cpu();
		}
		p->unlock[WRITE](w->cell->lock, &h);
		advance(w, 1);
	}
}

/* The wide writer: a call an episode, of chunks 0 to 127. */
static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct handle h;

	thread_index = HOLDER - 1;
	for (uint32_t episode = 1; ; episode++) {
		while (load_acquire(&w->go) != episode)
			sleep_ns(20000);
		if (load_relaxed(&w->stop))
			return NULL;
		store_relaxed(&w->called_ns, now_ns());
		w->cell->peer->lock[WRITE](w->cell->lock, &h, 0, 128 * CHUNK);
		w->cell->peer->unlock[WRITE](w->cell->lock, &h);
		store_release(&w->done, episode);
	}
}

static uint64_t sum_ops(const struct crew *c)
{
	return load_relaxed(&c->workers[0].nr_ops) +
	       load_relaxed(&c->workers[1].nr_ops);
}

/* Operations a second in one window; -1: it went over the bound. */
static double window(struct crew *c, struct writer *w, uint32_t episode)
{
	uint64_t ops, begin, end;

	if (episode) {
		store_relaxed(&w->called_ns, 0);
		store_release(&w->go, episode);
		while (!load_relaxed(&w->called_ns))
			sleep_ns(10000);
	}
	sleep_ns(SETTLE_NS);
	begin = now_ns();
	ops = sum_ops(c);
	sleep_ns(WINDOW_NS);
	end = now_ns();
	ops = sum_ops(c) - ops;
	if (episode && end - load_relaxed(&w->called_ns) > BOUND_NS)
		return -1;
	return (double)ops / (double)(end - begin) * 1e9;
}

static void run_episodes(struct crew *crew, struct writer *w, double seconds,
			 double *values)
{
	const struct cell *c = w->cell;
	uint64_t until = now_ns() + (uint64_t)(seconds * 4e9);
	double with = 0, without = 0, rate;
	unsigned int nr_with = 0, nr_without = 0;
	struct handle h;

	for (uint32_t episode = 1; now_ns() < until || !nr_with; episode++) {
		without += window(crew, w, 0);
		nr_without++;
		thread_index = HOLDER;
		c->peer->lock[WRITE](c->lock, &h, PAGE, 2 * PAGE);
		rate = window(crew, w, episode);
		c->peer->unlock[WRITE](c->lock, &h);
		thread_index = 0;
		if (rate >= 0 || now_ns() > until + PATIENCE_NS) {
			with += rate > 0 ? rate : 0;
			nr_with++;
		}
		while (load_acquire(&w->done) != episode)
			sleep_ns(10000);
	}
	values[1] = with / nr_with / 1e6;
	values[0] = with / nr_with / (without / nr_without);
}

static void measure(struct cell *c, double seconds, double *values)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_t thread;
	struct crew crew;

	if (!w || crew_init(&crew, c, 2, work))
		exit(EXIT_TROUBLE);
	w->cell = c;
	if (pthread_create(&thread, NULL, writer_main, w) || crew_start(&crew))
		exit(EXIT_TROUBLE);
	run_episodes(&crew, w, seconds, values);
	store_relaxed(&w->stop, 1);
	store_release(&w->go, w->done + 1);
	pthread_join(thread, NULL);
	crew_stop(&crew);
	crew_destroy(&crew);
	free(w);
}

const struct workload workload_convoy = {
	.name = "convoy",
	.what = "7: disjoint lockers while a wide writer waits; n us a hold",
	.metrics = metrics,
	.nr_metrics = NR(metrics),
	.list = list,
	.fits = fits,
	.measure = measure,
};
