/*
 * table.c - results as Markdown: a row a peer, a column a case
 *
 * One table a workload and metric; where the columns get many, one also for each
 * number of threads.  Medians only: the CSV holds the rest.
 */
#include <math.h>
#include <string.h>

#include "bench/commands.h"

#define MAX_COLUMNS	13
#define MAX_COLUMNS_SEEN	256

struct columns {
	const struct result *of[MAX_COLUMNS_SEEN];	/* a row of each case */
	size_t nr;
	unsigned int threads;			/* 0: any */
};

static bool is_same_table(const struct result *a, const struct result *b)
{
	return !strcmp(a->workload, b->workload) && !strcmp(a->metric, b->metric);
}

static bool is_same_case(const struct result *a, const struct result *b)
{
	return !strcmp(a->trial, b->trial) && a->threads == b->threads &&
	       a->n == b->n;
}

static void collect(struct columns *c, const struct results *set,
		    const struct result *first, unsigned int threads)
{
	c->nr = 0;
	c->threads = threads;
	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];
		bool is_new = is_same_table(r, first) &&
			      (!threads || r->threads == threads);

		for (size_t k = 0; is_new && k < c->nr; k++)
			is_new = !is_same_case(c->of[k], r);
		if (is_new && c->nr < MAX_COLUMNS_SEEN)
			c->of[c->nr++] = r;
	}
}

static bool is_first(const struct results *set, size_t row, bool of_peer)
{
	for (size_t i = 0; i < row; i++)
		if (is_same_table(&set->rows[i], &set->rows[row]) &&
		    (!of_peer || !strcmp(set->rows[i].peer, set->rows[row].peer)))
			return false;
	return true;
}

static void print_head(FILE *out, const struct columns *c)
{
	const struct result *first = c->of[0];

	fprintf(out, "\n%s, %s (%s)", first->workload, first->metric, first->unit);
	if (c->threads)
		fprintf(out, ", %u thread%s", c->threads, c->threads > 1 ? "s" : "");
	fprintf(out, ":\n\n| |");
	for (size_t k = 0; k < c->nr; k++) {
		fprintf(out, " %s", c->of[k]->trial);
		if (!c->threads)
			fprintf(out, " T%u", c->of[k]->threads);
		if (c->of[k]->n)
			fprintf(out, " %u", c->of[k]->n);
		fprintf(out, " |");
	}
	fprintf(out, "\n|---|");
	for (size_t k = 0; k < c->nr; k++)
		fprintf(out, "---:|");
	fprintf(out, "\n");
}

static void print_cell(FILE *out, double v)
{
	if (fabs(v) >= 100 || v == floor(v))
		fprintf(out, " %.0f |", v);
	else
		fprintf(out, " %.3g |", v);
}

static void print_table(FILE *out, const struct results *set,
			const struct columns *c)
{
	if (!c->nr)
		return;
	print_head(out, c);
	for (size_t i = 0; i < set->nr; i++) {
		if (!is_same_table(&set->rows[i], c->of[0]) || !is_first(set, i, true))
			continue;
		fprintf(out, "| %s |", set->rows[i].peer);
		for (size_t k = 0; k < c->nr; k++) {
			const struct result *r = results_find(set,
				c->of[k]->workload, c->of[k]->trial,
				c->of[k]->threads, c->of[k]->n,
				set->rows[i].peer, c->of[k]->metric);

			if (r)
				print_cell(out, r->median);
			else
				fprintf(out, " |");
		}
		fprintf(out, "\n");
	}
}

int command_table(const struct results *set, const char *workload_names,
		  const char *metric, FILE *out)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];
		struct columns c;

		if (!is_in_list(workload_names, r->workload) ||
		    !is_in_list(metric, r->metric) || !is_first(set, i, false))
			continue;
		nr++;
		collect(&c, set, r, 0);
		if (c.nr <= MAX_COLUMNS) {
			print_table(out, set, &c);
			continue;
		}
		for (unsigned int threads = 1; threads <= MAX_THREADS; threads++) {
			collect(&c, set, r, threads);
			print_table(out, set, &c);
		}
	}
	if (!nr)
		fprintf(stderr, "rlbench: no such results in there\n");
	return nr ? EXIT_GOOD : EXIT_USAGE;
}
