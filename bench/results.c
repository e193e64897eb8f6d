/*
 * results.c - the set of results: as a table, as CSV, as JSON, and back
 *
 * CSV is the form that compare and plot read.  Its first lines, which begin
 * with #, describe host and seed; the header line names the columns.  No field
 * holds a comma: all names are our own.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/measure.h"

#define HEADER \
	"workload,case,threads,n,peer,metric,unit,better,median,q1,q3,min,max,rounds,ratio"

static struct result *new_row(struct results *set)
{
	if (set->nr == set->room) {
		size_t room = set->room ? 2 * set->room : 256;
		struct result *rows = realloc(set->rows, room * sizeof(*rows));

		if (!rows) {
			fprintf(stderr, "rlbench: no memory for the results\n");
			exit(EXIT_TROUBLE);
		}
		set->rows = rows;
		set->room = room;
	}
	memset(&set->rows[set->nr], 0, sizeof(*set->rows));
	return &set->rows[set->nr++];
}

/* Cuts off what does not fit. */
static void copy(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = 0;
}

void results_add(struct results *set, const struct cell *c)
{
	for (size_t m = 0; m < c->workload->nr_metrics; m++) {
		const struct metric *metric = &c->workload->metrics[m];
		struct result *r = new_row(set);
		double *v = c->samples[m];
		size_t n = c->nr_samples;

		sort_samples(v, n);
		copy(r->workload, sizeof(r->workload), c->workload->name);
		copy(r->trial, sizeof(r->trial), c->trial->name);
		copy(r->peer, sizeof(r->peer), c->peer->name);
		copy(r->metric, sizeof(r->metric), metric->name);
		copy(r->unit, sizeof(r->unit), metric->unit);
		r->threads = c->trial->threads;
		r->n = c->trial->n;
		r->rounds = c->nr_samples;
		r->better = metric->better;
		r->median = quantile(v, n, 0.5);
		r->q1 = quantile(v, n, 0.25);
		r->q3 = quantile(v, n, 0.75);
		r->min = v[0];
		r->max = v[n - 1];
		r->ratio = NAN;
	}
}

const struct result *results_find(const struct results *set, const char *workload,
				  const char *trial, unsigned int threads,
				  unsigned int n, const char *peer,
				  const char *metric)
{
	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];

		if (r->threads == threads && r->n == n &&
		    !strcmp(r->workload, workload) && !strcmp(r->trial, trial) &&
		    !strcmp(r->peer, peer) && !strcmp(r->metric, metric))
			return r;
	}
	return NULL;
}

void results_set_ratios(struct results *set, const char *baseline)
{
	copy(set->baseline, sizeof(set->baseline), baseline);
	for (size_t i = 0; i < set->nr; i++) {
		struct result *r = &set->rows[i];
		const struct result *base = results_find(set, r->workload,
			r->trial, r->threads, r->n, baseline, r->metric);

		r->ratio = base && base->median > 0 ? r->median / base->median : NAN;
	}
}

static bool same_trial(const struct result *a, const struct result *b)
{
	return !strcmp(a->workload, b->workload) && !strcmp(a->trial, b->trial) &&
	       a->threads == b->threads && a->n == b->n;
}

void results_print(const struct results *set, FILE *out)
{
	const struct result *last = NULL;

	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];

		if (!last || !same_trial(last, r)) {
			fprintf(out, "\n%s %s, %u thread%s", r->workload,
				r->trial, r->threads, r->threads == 1 ? "" : "s");
			if (r->n)
				fprintf(out, ", n = %u", r->n);
			fprintf(out, "\n%-16s %-12s %10s %9s %10s %10s %8s\n",
				"", "", "median", "spread", "min", "max",
				"ratio");
		}
		fprintf(out, "%-16s %-12s %10.4g %9.3g %10.4g %10.4g",
			last && same_trial(last, r) && !strcmp(last->peer, r->peer) ?
			"" : r->peer, r->metric, r->median, r->q3 - r->q1,
			r->min, r->max);
		if (isnan(r->ratio))
			fprintf(out, " %8s  %s\n", "-", r->unit);
		else
			fprintf(out, " %8.3g  %s\n", r->ratio, r->unit);
		last = r;
	}
	fprintf(out, "\nspread: third quartile less first; ratio: to %s's median\n",
		set->baseline);
}

void results_write_csv(const struct results *set, FILE *out)
{
	host_describe(out, "# ");
	fprintf(out, "# baseline: %s\n%s\n", set->baseline, HEADER);
	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];

		fprintf(out, "%s,%s,%u,%u,%s,%s,%s,%s,%.6g,%.6g,%.6g,%.6g,%.6g,%u,",
			r->workload, r->trial, r->threads, r->n, r->peer,
			r->metric, r->unit, r->better > 0 ? "more" : "less",
			r->median, r->q1, r->q3, r->min, r->max, r->rounds);
		if (isnan(r->ratio))
			fprintf(out, "\n");
		else
			fprintf(out, "%.6g\n", r->ratio);
	}
}

void results_write_json(const struct results *set, FILE *out)
{
	fprintf(out, "{\"host\": ");
	host_describe_json(out);
	fprintf(out, ",\n \"baseline\": \"%s\",\n \"results\": [", set->baseline);
	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];

		fprintf(out, "%s\n  {\"workload\": \"%s\", \"case\": \"%s\", "
			"\"threads\": %u, \"n\": %u, \"peer\": \"%s\", "
			"\"metric\": \"%s\", \"unit\": \"%s\", \"better\": \"%s\", "
			"\"median\": %.6g, \"q1\": %.6g, \"q3\": %.6g, "
			"\"min\": %.6g, \"max\": %.6g, \"rounds\": %u, ",
			i ? "," : "", r->workload, r->trial, r->threads, r->n,
			r->peer, r->metric, r->unit,
			r->better > 0 ? "more" : "less", r->median, r->q1, r->q3,
			r->min, r->max, r->rounds);
		if (isnan(r->ratio))
			fprintf(out, "\"ratio\": null}");
		else
			fprintf(out, "\"ratio\": %.6g}", r->ratio);
	}
	fprintf(out, "\n ]}\n");
}

/* The next field, cut off at its comma; NULL: there is none. */
static char *next_field(char **rest)
{
	return strsep(rest, ",");
}

static bool read_number(char *field, double *v)
{
	char *end;

	if (!field || !*field)
		return false;
	*v = strtod(field, &end);
	return !*end;
}

static bool read_text(char *field, char *to, size_t size)
{
	if (!field || !*field || strlen(field) >= size)
		return false;
	copy(to, size, field);
	return true;
}

static bool read_count(char *field, unsigned int *n)
{
	double v;

	if (!read_number(field, &v) || v < 0 || v > 1e9)
		return false;
	*n = (unsigned int)v;
	return true;
}

static bool read_row(struct results *set, char *line)
{
	struct result *r = new_row(set);
	double *values[] = { &r->median, &r->q1, &r->q3, &r->min, &r->max };
	char better[8], *field;

	if (!read_text(next_field(&line), r->workload, sizeof(r->workload)) ||
	    !read_text(next_field(&line), r->trial, sizeof(r->trial)) ||
	    !read_count(next_field(&line), &r->threads) ||
	    !read_count(next_field(&line), &r->n) ||
	    !read_text(next_field(&line), r->peer, sizeof(r->peer)) ||
	    !read_text(next_field(&line), r->metric, sizeof(r->metric)) ||
	    !read_text(next_field(&line), r->unit, sizeof(r->unit)) ||
	    !read_text(next_field(&line), better, sizeof(better)))
		return false;
	if (strcmp(better, "more") && strcmp(better, "less"))
		return false;
	r->better = !strcmp(better, "more") ? 1 : -1;
	for (size_t i = 0; i < NR(values); i++)
		if (!read_number(next_field(&line), values[i]))
			return false;
	if (!read_count(next_field(&line), &r->rounds))
		return false;
	r->ratio = NAN;
	field = next_field(&line);
	return field && !line && (!*field || read_number(field, &r->ratio));
}

int results_read_csv(struct results *set, const char *path)
{
	FILE *in = fopen(path, "r");
	bool has_header = false;
	int code = EXIT_GOOD;
	unsigned int number = 0;
	char line[512];

	if (!in) {
		fprintf(stderr, "rlbench: %s: %s\n", path, strerror(errno));
		return EXIT_TROUBLE;
	}
	while (code == EXIT_GOOD && fgets(line, sizeof(line), in)) {
		number++;
		line[strcspn(line, "\r\n")] = 0;
		if (!strncmp(line, "# baseline: ", 12))
			copy(set->baseline, sizeof(set->baseline), line + 12);
		if (!*line || *line == '#')
			continue;
		if (!has_header)
			has_header = !strcmp(line, HEADER);
		else if (read_row(set, line))
			continue;
		else
			has_header = false;
		if (!has_header) {
			fprintf(stderr, "rlbench: %s:%u: not a line that rlbench "
				"run --csv writes\n", path, number);
			code = EXIT_TROUBLE;
		}
	}
	if (code == EXIT_GOOD && (!has_header || !set->nr)) {
		fprintf(stderr, "rlbench: %s: holds no results\n", path);
		code = EXIT_TROUBLE;
	}
	fclose(in);
	return code;
}

void results_free(struct results *set)
{
	free(set->rows);
	memset(set, 0, sizeof(*set));
}
