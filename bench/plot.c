/*
 * plot.c - results as a picture: a script that is piped into gnuplot
 *
 * One metric of one workload.  Cases that differ by n, or else by the number of
 * threads, become lines over it, a line a peer, with the quartiles as error
 * bars; otherwise cases become groups of boxes, a colour a peer.
 */
#include <math.h>
#include <string.h>

#include "bench/commands.h"

enum axis {
	BOXES,
	OVER_N,
	OVER_THREADS,
};

static bool matches(const struct plot *p, const struct result *r)
{
	return !strcmp(r->workload, p->workload) &&
	       !strcmp(r->metric, p->metric) &&
	       (!p->trial || !strcmp(r->trial, p->trial));
}

static const struct result *first_match(const struct plot *p,
					const struct results *set)
{
	for (size_t i = 0; i < set->nr; i++)
		if (matches(p, &set->rows[i]))
			return &set->rows[i];
	return NULL;
}

/* Lines need one case by name, and at least two points. */
static enum axis choose_axis(const struct plot *p, const struct results *set)
{
	const struct result *first = first_match(p, set);
	bool n = false, threads = false;

	for (size_t i = 0; i < set->nr; i++) {
		const struct result *r = &set->rows[i];

		if (!matches(p, r))
			continue;
		if (strcmp(r->trial, first->trial))
			return BOXES;
		n |= r->n != first->n;
		threads |= r->threads != first->threads;
	}
	if (n == threads)
		return BOXES;
	return n ? OVER_N : OVER_THREADS;
}

static bool is_first_of_peer(const struct plot *p, const struct results *set,
			     size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (matches(p, &set->rows[i]) &&
		    !strcmp(set->rows[i].peer, set->rows[row].peer))
			return false;
	return true;
}

/* A data block a peer, named by the row that it comes first in. */
static void write_data(FILE *out, const struct plot *p, const struct results *set,
		       enum axis axis)
{
	for (size_t k = 0; k < set->nr; k++) {
		if (!matches(p, &set->rows[k]) || !is_first_of_peer(p, set, k))
			continue;
		fprintf(out, "$d%zu << EOD\n", k);
		for (size_t i = k; i < set->nr; i++) {
			const struct result *r = &set->rows[i];

			if (!matches(p, r) || strcmp(r->peer, set->rows[k].peer))
				continue;
			if (axis == BOXES)
				fprintf(out, "\"%s/%u/%u\"", r->trial,
					r->threads, r->n);
			else
				fprintf(out, "%u", axis == OVER_N ? r->n : r->threads);
			fprintf(out, " %g %g %g\n", r->median, r->q1, r->q3);
		}
		fprintf(out, "EOD\n");
	}
}

static void write_plot(FILE *out, const struct plot *p, const struct results *set,
		       enum axis axis)
{
	const char *separator = "plot ";

	for (size_t k = 0; k < set->nr; k++) {
		if (!matches(p, &set->rows[k]) || !is_first_of_peer(p, set, k))
			continue;
		if (axis == BOXES)
			fprintf(out, "%s$d%zu using 2:xtic(1) title '%s' noenhanced",
				separator, k, set->rows[k].peer);
		else
			fprintf(out, "%s$d%zu using ($1 + 1):2:3:4 with "
				"yerrorlines title '%s' noenhanced", separator, k,
				set->rows[k].peer);
		separator = ", \\\n     ";
	}
	fprintf(out, "\n");
}

static void write_script(FILE *out, const struct plot *p, const struct results *set)
{
	const struct result *first = first_match(p, set);
	enum axis axis = choose_axis(p, set);

	if (!strcmp(p->terminal, "dumb"))
		fprintf(out, "set terminal dumb size 100, 30\n");
	else
		fprintf(out, "set terminal %s size 1000, 600 noenhanced\n",
			p->terminal);
	if (p->output)
		fprintf(out, "set output '%s'\n", p->output);
	fprintf(out, "set title '%s%s%s' noenhanced\n", p->workload,
		p->trial ? ": " : "", p->trial ? p->trial : "");
	fprintf(out, "set ylabel '%s (%s)' noenhanced\nset key outside right\n"
		"set grid\nset logscale y\n", first->metric, first->unit);
	if (axis == BOXES)
		fprintf(out, "set style data histograms\n"
			"set style fill solid 0.7\nset xtics rotate by -45 noenhanced\n");
	else
		fprintf(out, "set xlabel '%s + 1'\nset logscale x\n",
			axis == OVER_N ? "n" : "threads");
	write_data(out, p, set, axis);
	write_plot(out, p, set, axis);
}

int command_plot(const struct plot *p, const struct results *set)
{
	FILE *pipe;

	if (!first_match(p, set)) {
		fprintf(stderr, "rlbench: no %s of workload %s%s%s in there\n",
			p->metric, p->workload, p->trial ? ", case " : "",
			p->trial ? p->trial : "");
		return EXIT_USAGE;
	}
	if (p->output && strchr(p->output, '\'')) {
		fprintf(stderr, "rlbench: no quotes in the name of the output\n");
		return EXIT_USAGE;
	}
	fflush(stdout);
	pipe = popen("gnuplot", "w");
	if (!pipe) {
		perror("rlbench: gnuplot");
		return EXIT_TROUBLE;
	}
	write_script(pipe, p, set);
	if (pclose(pipe)) {
		fprintf(stderr, "rlbench: gnuplot failed (Debian: gnuplot-nox)\n");
		return EXIT_TROUBLE;
	}
	return EXIT_GOOD;
}
