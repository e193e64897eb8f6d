/*
 * arr.c - workload 5: the shape of ArrBench (Kogan and others, EuroSys 2020)
 *
 * An array of 256 padded slots; an operation locks a range of it and walks the
 * range, reading or adding.  "full": all of it; "own": this thread's part;
 * "random": between two random slots; "few": one to eight slots anywhere.  A
 * slot stands for 256 KiB of the object, eight to a chunk.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/measure.h"

#define SLOTS		256
#define SLOT_BYTES	(CHUNK / 8)

struct array {
	struct {
		_Alignas(LINE) uint64_t value;
	} slots[SLOTS];
};

enum kind {
	FULL,
	OWN,
	RANDOM,
	FEW,
};

static const char *const names[] = { "full", "own", "random", "few" };
static const unsigned int read_percents[] = { 100, 80, 60 };
static const unsigned int thread_counts[] = { 1, 2, 4, 8, 16 };
static const struct metric metrics[] = {
	{ "mops", "M/s", +1 },
	{ "evenness", "least/most", +1 },
};

static size_t list(struct trial *trials, size_t max)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < NR(thread_counts); i++)
		for (unsigned int kind = 0; kind < NR(names); kind++)
			for (size_t k = 0; k < NR(read_percents); k++) {
				struct trial *t = trial_add(trials, max, &nr,
					names[kind], thread_counts[i],
					read_percents[k]);

				t->kind = kind;
				t->group = i;
				t->bars = kind != FEW;
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
	c->state = aligned_alloc(LINE, sizeof(struct array));
	if (!c->state)
		return ENOMEM;
	for (size_t i = 0; i < SLOTS; i++)
		((struct array *)c->state)->slots[i].value = 0;
	return 0;
}

static void teardown(struct cell *c)
{
	free(c->state);
}

/* Slots [start, end) for one operation. */
static struct span choose(const struct worker *w, uint64_t x)
{
	uint64_t a, b, threads = w->crew->nr;

	switch ((enum kind)w->cell->trial->kind) {
	case FULL:
		break;
	case OWN:
		return (struct span){ SLOTS * w->index / threads,
				      SLOTS * (w->index + UINT64_C(1)) / threads };
	case RANDOM:
		a = x % SLOTS;
		b = (x >> 16) % SLOTS;
		return a < b ? (struct span){ a, b + 1 } : (struct span){ b, a + 1 };
	case FEW:
		a = x % (SLOTS - 8);
		return (struct span){ a, a + 1 + (x >> 16) % 8 };
	}
	return (struct span){ 0, SLOTS };
}

static void walk(struct array *array, struct span s, enum mode mode)
{
	uint64_t sum = 0;

	if (mode == WRITE) {
		for (uint64_t i = s.start; i < s.end; i++)
			++*(volatile uint64_t *)&array->slots[i].value;
		return;
	}
	for (uint64_t i = s.start; i < s.end; i++)
		sum += *(volatile uint64_t *)&array->slots[i].value;
	__asm__ volatile("" : : "r"(sum));
}

static void work(struct worker *w)
{
	const struct peer *p = w->cell->peer;
	unsigned int read_percent = w->cell->trial->n;
	struct handle h;

	while (!is_stopped(w)) {
		uint64_t x = next_random(&w->random);
		enum mode mode = (x >> 40) % 100 < read_percent ? READ : WRITE;
		struct span s = choose(w, x);

		p->lock[mode](w->cell->lock, &h, s.start * SLOT_BYTES,
			      s.end * SLOT_BYTES);
		walk(w->cell->state, s, mode);
		p->unlock[mode](w->cell->lock, &h);
		advance(w, 1);
	}
}

static void measure(struct cell *c, double seconds, double *values)
{
	struct crew crew;

	if (crew_init(&crew, c, c->trial->threads, work) ||
	    !crew_run(&crew, seconds))
		exit(EXIT_TROUBLE);
	values[0] = (double)crew.nr_ops / crew.seconds / 1e6;
	if (c->trial->threads == 1 && crew.cpu_ns > 0)
		values[0] = (double)crew.nr_ops * 1e3 / crew.cpu_ns;
	values[1] = crew.most_ops ?
		    (double)crew.least_ops / (double)crew.most_ops : 0;
	crew_destroy(&crew);
}

const struct workload workload_arr = {
	.name = "arr",
	.what = "5: ArrBench; n is the percentage of reads",
	.metrics = metrics,
	.nr_metrics = NR(metrics),
	.list = list,
	.fits = fits,
	.setup = setup,
	.measure = measure,
	.teardown = teardown,
};
