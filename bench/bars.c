/*
 * bars.c - the figures that the lock must show, as ratios within one run
 *
 * Each bar is a quotient of two medians, or a rule over many cases, for a
 * subject: the engine it is asked of.  While that engine is not built its row
 * says n/a, counts for nothing, and shows what the compact one has today.
 */
#include <math.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/measure.h"

#define BYPASS_US	1000.0		/* the default of bypass_ns */
#define SLICE_US	4000.0		/* allowed for a woken thread to get a CPU */

enum relation {
	AT_MOST,
	AT_LEAST,
};

/* A median; peer NULL is the subject, workload NULL the number one. */
struct term {
	const char *peer, *workload, *trial;
	unsigned int threads, n;
	const char *metric;
};

typedef double bar_fn(const struct results *set, const char *subject,
		      char *note, size_t size);

struct bar {
	const char *what, *subject;
	enum relation relation;
	double bar, goal;		/* NAN: reported only */
	struct term over, under;
	bar_fn *compute;		/* instead of over / under */
};

static double value_of(const struct results *set, const struct term *t,
		       const char *subject)
{
	const struct result *r;

	if (!t->workload)
		return 1;
	r = results_find(set, t->workload, t->trial, t->threads, t->n,
			 t->peer ? t->peer : subject, t->metric);
	return r ? r->median : NAN;
}

/* The least of subject / best of these peers over all cases of ArrBench. */
static double arr_against(const struct results *set, const char *subject,
			  const char *const *rivals, const char *only_trial,
			  char *note, size_t size)
{
	double least = NAN;

	for (size_t i = 0; i < set->nr; i++) {
		const struct result *own = &set->rows[i], *r;
		double best = 0;

		if (strcmp(own->workload, "arr") || strcmp(own->metric, "mops") ||
		    strcmp(own->peer, subject) ||
		    (only_trial && strcmp(own->trial, only_trial)))
			continue;
		for (size_t k = 0; rivals[k]; k++) {
			r = results_find(set, "arr", own->trial, own->threads,
					 own->n, rivals[k], "mops");
			if (r && r->median > best)
				best = r->median;
		}
		if (best > 0 && !(own->median / best >= least)) {
			least = own->median / best;
			snprintf(note, size, "%s, %u threads, %u %% reads",
				 own->trial, own->threads, own->n);
		}
	}
	return least;
}

static double arr_range_locks(const struct results *set, const char *subject,
			      char *note, size_t size)
{
	static const char *const rivals[] = { "kara_bueso", "kogan", "segments", NULL };

	return arr_against(set, subject, rivals, NULL, note, size);
}

static double arr_whole(const struct results *set, const char *subject,
			char *note, size_t size)
{
	static const char *const rivals[] = { "pthread_rwlock", NULL };

	return arr_against(set, subject, rivals, "full", note, size);
}

/* The most over 2 to 16 threads of this, or NAN. */
static double most_of_storm(const struct results *set, const char *subject,
			    char *note, size_t size,
			    double (*quotient)(const struct results *,
					       const char *, unsigned int))
{
	double most = NAN;

	for (unsigned int threads = 2; threads <= 16; threads *= 2) {
		double q = quotient(set, subject, threads);

		if (!(q <= most) && !isnan(q)) {
			most = q;
			snprintf(note, size, "%u threads", threads);
		}
	}
	return most;
}

static double storm_value(const struct results *set, const char *peer,
			  unsigned int threads, const char *metric)
{
	const struct result *r = results_find(set, "mix", "storm", threads, 1000,
					      peer, metric);

	return r && r->median > 0 ? r->median : NAN;
}

/* Not a round's usual longest wait: the longest of all rounds. */
static double storm_max(const struct results *set, const char *peer,
			unsigned int threads, const char *metric)
{
	const struct result *r = results_find(set, "mix", "storm", threads, 1000,
					      peer, metric);

	return r ? r->max : NAN;
}

/* G3: the holds before it, bypass_ns, the longest hold of those who passed; and
 * time for the woken thread to get its CPU, if there are more than CPUs. */
static double wait_against_bound(const struct results *set, const char *subject,
				 unsigned int threads)
{
	double hold = storm_max(set, subject, threads, "hold_max");
	double bound = BYPASS_US + hold * threads + SLICE_US * threads / nr_cpus();

	return storm_max(set, subject, threads, "coarse_max") / bound;
}

static double p99_against_kogan(const struct results *set, const char *subject,
				unsigned int threads)
{
	return storm_value(set, subject, threads, "coarse_p99") /
	       storm_value(set, "kogan", threads, "coarse_p99");
}

static double storm_bound(const struct results *set, const char *subject,
			  char *note, size_t size)
{
	return most_of_storm(set, subject, note, size, wait_against_bound);
}

static double storm_p99(const struct results *set, const char *subject,
			char *note, size_t size)
{
	return most_of_storm(set, subject, note, size, p99_against_kogan);
}

#define LONE(trial)	"uncontended", trial, 1, 0, "ns"
#define HELD(trial, n)	"held", trial, 1, n, "ns"
#define TWO(trial)	"threads", trial, 2, 0, "mops"
#define ONE(trial)	"threads", trial, 1, 0, "mops"
#define SIZE(metric)	"bytes", "size", 1, 0, metric

static const struct bar bars[] = {
	{ "compact: narrow write pair / pthread_rwlock's", "compact", AT_MOST,
	  1.5, NAN, { NULL, LONE("narrow write") },
	  { "pthread_rwlock", LONE("narrow write") }, NULL },
	{ "one exchange and one store / pthread_rwlock's", "floor", AT_MOST, NAN,
	  NAN, { NULL, LONE("narrow write") },
	  { "pthread_rwlock", LONE("narrow write") }, NULL },
	{ "narrow write pair / pthread_rwlock's", "forest", AT_MOST, 0.60, 0.50,
	  { NULL, LONE("narrow write") },
	  { "pthread_rwlock", LONE("narrow write") }, NULL },
	{ "narrow write pair / pthread_mutex's", "forest", AT_MOST, 0.95, 0.80,
	  { NULL, LONE("narrow write") },
	  { "pthread_mutex", LONE("narrow write") }, NULL },
	{ "two stores and one look / pthread_rwlock's", "floor_read", AT_MOST, NAN,
	  NAN, { NULL, LONE("narrow read") },
	  { "pthread_rwlock", LONE("narrow read") }, NULL },
	{ "narrow read pair / pthread_rwlock's", "forest", AT_MOST, 0.65, 0.55,
	  { NULL, LONE("narrow read") },
	  { "pthread_rwlock", LONE("narrow read") }, NULL },
	{ "narrow read pair, biased / pthread_rwlock's", "forest_biased", AT_MOST,
	  0.35, 0.30, { NULL, LONE("narrow read") },
	  { "pthread_rwlock", LONE("narrow read") }, NULL },
	{ "coarse write pair / pthread_rwlock's", "forest", AT_MOST, 1.0, 0.7,
	  { NULL, LONE("coarse write") },
	  { "pthread_rwlock", LONE("coarse write") }, NULL },
	{ "border-crossing pair / narrow pair", "forest", AT_MOST, 2.0, 1.5,
	  { NULL, LONE("border write") }, { NULL, LONE("narrow write") }, NULL },
	{ "10,000 held in other shards / none", "forest", AT_MOST, 1.1, 1.02,
	  { NULL, HELD("other write", 10000) },
	  { NULL, HELD("other write", 0) }, NULL },
	{ "10,000 held over all shards / none", "forest", AT_MOST, 2.5, 1.5,
	  { NULL, HELD("all write", 10000) }, { NULL, HELD("all write", 0) }, NULL },
	{ "no lock, as many instructions: two threads / one", "none", AT_LEAST,
	  NAN, NAN, { NULL, TWO("two chunks") }, { NULL, ONE("two chunks") }, NULL },
	{ "two threads, disjoint shards / one", "forest", AT_LEAST, 1.9, 1.97,
	  { NULL, TWO("two chunks") }, { NULL, ONE("two chunks") }, NULL },
	{ "two threads, disjoint shards / pthread_rwlock", "forest", AT_LEAST,
	  15, 25, { NULL, TWO("two chunks") },
	  { "pthread_rwlock", TWO("two chunks") }, NULL },
	{ "two threads, disjoint shards / kogan", "forest", AT_LEAST, 15, 25,
	  { NULL, TWO("two chunks") }, { "kogan", TWO("two chunks") }, NULL },
	{ "two threads, disjoint shards / kara_bueso", "forest", AT_LEAST, 15, 25,
	  { NULL, TWO("two chunks") }, { "kara_bueso", TWO("two chunks") }, NULL },
	{ "two threads, arenas 64 MiB apart / one", "forest", AT_LEAST, 1.9, 1.97,
	  { NULL, TWO("two arenas") }, { NULL, ONE("two arenas") }, NULL },
	{ "two threads, 16 arenas each / one", "forest", AT_LEAST, 1.9, 1.97,
	  { NULL, TWO("16 arenas") }, { NULL, ONE("16 arenas") }, NULL },
	{ "two threads, one chunk / pthread_rwlock", "forest", AT_LEAST, 2, 3,
	  { NULL, TWO("one chunk") }, { "pthread_rwlock", TWO("one chunk") }, NULL },
	{ "two stores and one look, two threads / one", "floor_read", AT_LEAST,
	  NAN, NAN, { NULL, TWO("same read") }, { NULL, ONE("same read") }, NULL },
	{ "two threads read one range, biased / one", "forest_biased", AT_LEAST,
	  1.9, 1.97, { NULL, TWO("same read") }, { NULL, ONE("same read") }, NULL },
	{ "two threads read one range / pthread_rwlock", "forest", AT_LEAST, 0.9,
	  NAN, { NULL, TWO("same read") }, { "pthread_rwlock", TWO("same read") },
	  NULL },
	{ "ArrBench, every case / best range-lock peer", "forest", AT_LEAST, 1.0,
	  1.3, { 0 }, { 0 }, arr_range_locks },
	{ "ArrBench, whole range / pthread_rwlock", "forest", AT_LEAST, 1.0, NAN,
	  { 0 }, { 0 }, arr_whole },
	{ "storm: longest coarse wait / what G3 allows", "forest", AT_MOST, 1.0,
	  NAN, { 0 }, { 0 }, storm_bound },
	{ "storm: p99 of coarse waits / kogan's", "forest", AT_MOST, 1.0, NAN,
	  { 0 }, { 0 }, storm_p99 },
	{ "convoy, 1 us holds: throughput kept", "forest", AT_LEAST, 0.9, NAN,
	  { NULL, "convoy", "1 us holds", 2, 1, "kept" }, { 0 }, NULL },
	{ "convoy, empty holds: throughput kept", "forest", AT_LEAST, NAN, NAN,
	  { NULL, "convoy", "empty holds", 2, 0, "kept" }, { 0 }, NULL },
	{ "bytes: compact lock", "compact", AT_MOST, 128, 64,
	  { NULL, SIZE("lock") }, { 0 }, NULL },
	{ "bytes: forest of 64 shards", "forest", AT_MOST, 4608, 4608,
	  { NULL, SIZE("lock") }, { 0 }, NULL },
	{ "bytes: handle", "compact", AT_MOST, 128, 96,
	  { NULL, SIZE("handle") }, { 0 }, NULL },
	{ "bytes: heap for each held range", "compact", AT_MOST, 0, 0,
	  { NULL, SIZE("heap_per_held") }, { 0 }, NULL },
	{ "128 MiB ranges, two threads / kara_bueso", "forest", AT_LEAST, 1.5, 3,
	  { NULL, TWO("128 MiB") }, { "kara_bueso", TWO("128 MiB") }, NULL },
};

static double compute(const struct bar *b, const struct results *set,
		      const char *subject, char *note, size_t size)
{
	*note = 0;
	if (b->compute)
		return b->compute(set, subject, note, size);
	return value_of(set, &b->over, subject) / value_of(set, &b->under, subject);
}

static bool is_met(const struct bar *b, double value, double limit)
{
	return b->relation == AT_MOST ? value <= limit : value >= limit;
}

static void print_number(FILE *out, double v, int width)
{
	if (isnan(v))
		fprintf(out, "%*s", width, "-");
	else if (fabs(v) >= 100)
		fprintf(out, "%*.0f", width, v);
	else
		fprintf(out, "%*.2f", width, v);
}

int command_bars(const struct results *set, FILE *out)
{
	unsigned int nr_met = 0, nr_missed = 0;

	fprintf(out, "%-50s %8s    %8s %8s %8s\n", "bar (ratio of medians, one run)",
		"now", "bar", "goal", "compact");
	for (size_t i = 0; i < NR(bars); i++) {
		const struct bar *b = &bars[i];
		const struct peer *p = peer_find(b->subject);
		bool is_built = p && !peer_missing(p), met;
		char note[64], compact_note[64];
		double compact = compute(b, set, "compact", compact_note,
					 sizeof(compact_note));
		double value = is_built ? compute(b, set, b->subject, note,
						  sizeof(note)) : NAN;

		fprintf(out, "%-50s ", b->what);
		print_number(out, value, 8);
		fprintf(out, " %s", b->relation == AT_MOST ? "<=" : ">=");
		print_number(out, b->bar, 9);
		print_number(out, b->goal, 9);
		print_number(out, compact, 9);
		met = is_met(b, value, b->bar);
		if (!is_built)
			fprintf(out, "  n/a (engine not built)\n");
		else if (isnan(value))
			fprintf(out, "  n/a (not measured)\n");
		else if (isnan(b->bar))
			fprintf(out, "  reported\n");
		else if (!met)
			fprintf(out, "  missed%s%s\n", *note ? ": " : "", note);
		else
			fprintf(out, "  met%s\n", is_met(b, value, b->goal) ?
				", goal too" : "");
		if (is_built && !isnan(b->bar) && !isnan(value)) {
			nr_met += met;
			nr_missed += !met;
		}
	}
	fprintf(out, "bars: %u met, %u missed\n", nr_met, nr_missed);
	return EXIT_GOOD;
}
