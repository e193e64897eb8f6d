/*
 * compare.c - is one set of results worse than another, or than the baseline?
 *
 * With two sets each row's ratio to its own run's baseline is compared, never
 * the times themselves: machines and days differ.  With one set the ratio is
 * looked at as it is.  Either way the quotient says how many times as good the
 * new one is, over 1 better, whatever the metric's sense.
 */
#include <math.h>
#include <string.h>

#include "bench/commands.h"

static const struct result *same_row(const struct results *set,
				     const struct result *r)
{
	return results_find(set, r->workload, r->trial, r->threads, r->n, r->peer,
			    r->metric);
}

/* The ratio, or the value itself where the baseline has none. */
static double measure_of(const struct result *r, const struct result *other)
{
	return isnan(r->ratio) || (other && isnan(other->ratio)) ? r->median :
	       r->ratio;
}

static double goodness(const struct result *old, const struct result *new)
{
	double was = 1, is = new->ratio;

	if (old) {
		was = measure_of(old, new);
		is = measure_of(new, old);
	}
	if (was == is)
		return 1;
	return new->better > 0 ? is / was : was / is;
}

int command_compare(const struct comparison *c, const struct results *old,
		    const struct results *new, FILE *out)
{
	unsigned int nr = 0, nr_below = 0;

	fprintf(out, "%-36s %7s %6s %-16s %-12s %8s\n", "case", "threads", "n",
		"peer", "metric", "times");
	for (size_t i = 0; i < new->nr; i++) {
		const struct result *r = &new->rows[i], *before = NULL;
		char name[80];
		double times;

		if (!is_in_list(c->contestants, r->peer) ||
		    !is_in_list(c->workloads, r->workload) ||
		    (c->trials && !strstr(r->trial, c->trials)))
			continue;
		if (old && !(before = same_row(old, r)))
			continue;
		times = goodness(before, r);
		if (isnan(times))
			continue;
		nr++;
		nr_below += times < c->threshold;
		snprintf(name, sizeof(name), "%s %s", r->workload, r->trial);
		fprintf(out, "%-36s %7u %6u %-16s %-12s %8.3f%s\n", name,
			r->threads, r->n, r->peer, r->metric, times,
			times < c->threshold ? "  below" : "");
	}
	if (!nr) {
		fprintf(stderr, "rlbench: nothing to compare\n");
		return EXIT_USAGE;
	}
	fprintf(out, "%u compared, %u below %g\n", nr, nr_below, c->threshold);
	return nr_below ? EXIT_MISSED : EXIT_GOOD;
}
