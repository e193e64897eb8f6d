/*
 * rates.c - what `minimm run' has measured, as a table and as JSON
 *
 * A median, and the lowest and highest beside it: with a handful of repetitions
 * quartiles would say less.
 */
#include "minimm/cmd/rates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/cmd/json.h"
#include "minimm/cmd/say.h"

/* ---- Numbers ---- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct mm_spread mm_spread_of(double *numbers, size_t n)
{
	qsort(numbers, n, sizeof(*numbers), by_size);
	return (struct mm_spread){
		.median = (numbers[(n - 1) / 2] + numbers[n / 2]) / 2,
		.low = numbers[0],
		.high = numbers[n - 1],
	};
}

static struct mm_spread spread_of_rates(const struct mm_rates_cell *cell)
{
	double sorted[MM_REPS_MAX];

	memcpy(sorted, cell->rates, cell->nr_rates * sizeof(*sorted));
	return mm_spread_of(sorted, cell->nr_rates);
}

static const struct mm_rates_cell *coarse_of(const struct mm_rates *rates,
					     unsigned int nr_threads)
{
	for (size_t i = 0; i < rates->nr_cells; i++)
		if (rates->cells[i].scheme == &mm_scheme_coarse &&
		    rates->cells[i].nr_threads == nr_threads)
			return &rates->cells[i];
	return NULL;
}

bool mm_rates_to_coarse(const struct mm_rates *rates,
			const struct mm_rates_cell *cell,
			struct mm_spread *spread)
{
	const struct mm_rates_cell *coarse = coarse_of(rates, cell->nr_threads);
	double ratios[MM_REPS_MAX];
	size_t n = 0;

	for (size_t i = 0; coarse && i < coarse->nr_rates && i < cell->nr_rates;
	     i++)
		if (coarse->rates[i] > 0)
			ratios[n++] = cell->rates[i] / coarse->rates[i];
	if (n > 0)
		*spread = mm_spread_of(ratios, n);
	return n > 0;
}

size_t mm_rates_nr_rows(const struct mm_rates *rates)
{
	size_t nr = 0;

	for (size_t i = 0; i < rates->nr_cells; i++)
		nr += rates->cells[i].nr_rates > 0;
	return nr;
}

/* ---- The table ---- */

static void put_head(const struct mm_rates *rates, FILE *file)
{
	const struct mm_args *args = rates->args;

	fprintf(file, "%s: an operation is %s; mappings of %" PRIu64 " pages",
		rates->load->name, rates->load->operation, rates->sizes.pages);
	if (rates->load->has_vmas)
		fprintf(file, ", %" PRIu64 " a thread", rates->sizes.vmas);
	fprintf(file, "; %u CPUs; %" PRIu64 " repetitions of ", load_nr_cpus(),
		args->nr_reps);
	if (args->nr_turns)
		fprintf(file, "%" PRIu64 " turns\n\n", args->nr_turns);
	else
		fprintf(file, "%g s\n\n", (double)args->run_ns / 1e9);
	fprintf(file, "%7s  %-17s%26s  %22s\n", "", "",
		"operations a second", "times coarse");
	fprintf(file, "%7s  %-17s", "threads", "scheme");
	fprintf(file, "%10s%8s%8s  %8s%7s%7s %8s %8s %7s %7s\n", "median",
		"low", "high", "median", "low", "high", "aborts", "fallbk",
		"missed", "broken");
}

static void put_rate(FILE *file, int width, double rate)
{
	char text[MM_TEXT_MAX];

	fprintf(file, "%*s", width, mm_count_text((uint64_t)(rate + 0.5), text));
}

static void put_row(const struct mm_rates *rates,
		    const struct mm_rates_cell *cell, FILE *file)
{
	struct mm_spread spread = spread_of_rates(cell);

	fprintf(file, "%7u  %-17s", cell->nr_threads, cell->scheme->name);
	put_rate(file, 10, spread.median);
	put_rate(file, 8, spread.low);
	put_rate(file, 8, spread.high);
	if (mm_rates_to_coarse(rates, cell, &spread))
		fprintf(file, "  %8.2f%7.2f%7.2f", spread.median, spread.low,
			spread.high);
	else
		fprintf(file, "  %8s%7s%7s", "n/a", "n/a", "n/a");
	fprintf(file, " %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n",
		cell->counts.nr_aborts, cell->counts.nr_fallbacks,
		cell->nr_missed, cell->nr_violations);
}

void mm_rates_table(const struct mm_rates *rates, FILE *file)
{
	const struct mm_rates_cell *before = NULL;

	put_head(rates, file);
	for (size_t i = 0; i < rates->nr_cells; i++) {
		const struct mm_rates_cell *cell = &rates->cells[i];

		if (cell->nr_rates == 0)
			continue;
		if (before && before->nr_threads != cell->nr_threads)
			fputc('\n', file);
		put_row(rates, cell, file);
		before = cell;
	}
}

/* ---- JSON ---- */

static void json_spread(struct mm_json *json, const char *key,
			struct mm_spread spread)
{
	mm_json_open(json, key, '{');
	mm_json_real(json, "median", spread.median);
	mm_json_real(json, "low", spread.low);
	mm_json_real(json, "high", spread.high);
	mm_json_close(json, '}');
}

static void json_cell(struct mm_json *json, const struct mm_rates *rates,
		      const struct mm_rates_cell *cell)
{
	const struct load_counts *counts = &cell->counts;
	struct mm_spread ratio;

	mm_json_open(json, NULL, '{');
	mm_json_string(json, "scheme", cell->scheme->name);
	mm_json_number(json, "threads", cell->nr_threads);
	json_spread(json, "rate", spread_of_rates(cell));
	if (mm_rates_to_coarse(rates, cell, &ratio))
		json_spread(json, "times_coarse", ratio);
	mm_json_open(json, "rates", '[');
	for (size_t i = 0; i < cell->nr_rates; i++)
		mm_json_real(json, NULL, cell->rates[i]);
	mm_json_close(json, ']');
	mm_json_number(json, "turns", cell->nr_turns);
	mm_json_number(json, "operations", counts->nr_operations);
	mm_json_open(json, "calls", '{');
	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		if (counts->nr_calls[i])
			mm_json_number(json, mm_kind_name((enum mm_kind)i),
				       counts->nr_calls[i]);
	mm_json_close(json, '}');
	mm_json_number(json, "pages_installed", counts->nr_installed);
	mm_json_number(json, "pages_cleared", counts->nr_cleared);
	mm_json_number(json, "aborts", counts->nr_aborts);
	mm_json_number(json, "fallbacks", counts->nr_fallbacks);
	mm_json_number(json, "missed_conflicts", cell->nr_missed);
	mm_json_number(json, "violations", cell->nr_violations);
	mm_json_close(json, '}');
}

static void json_failed(struct mm_json *json, const struct mm_rates *rates)
{
	bool any = false;

	for (size_t i = 0; i < rates->nr_cells; i++) {
		const struct mm_rates_cell *cell = &rates->cells[i];

		if (!cell->error)
			continue;
		if (!any)
			mm_json_open(json, "failed", '[');
		any = true;
		mm_json_failure(json, cell->scheme->name, cell->nr_threads,
				strerror(cell->error));
	}
	if (any)
		mm_json_close(json, ']');
}

void mm_rates_json(const struct mm_rates *rates, FILE *file)
{
	const struct mm_args *args = rates->args;
	struct mm_json json = { file, false };

	mm_json_open(&json, NULL, '{');
	mm_json_number(&json, "schema", 1);
	mm_json_string(&json, "workload", rates->load->name);
	mm_json_string(&json, "operation", rates->load->operation);
	mm_json_number(&json, "pages", rates->sizes.pages);
	mm_json_number(&json, "vmas", rates->sizes.vmas);
	mm_json_number(&json, "cpus", load_nr_cpus());
	mm_json_number(&json, "repetitions", args->nr_reps);
	if (args->nr_turns)
		mm_json_number(&json, "turns", args->nr_turns);
	else
		mm_json_number(&json, "run_ns", args->run_ns);
	mm_json_open(&json, "results", '[');
	for (size_t i = 0; i < rates->nr_cells; i++)
		if (rates->cells[i].nr_rates > 0)
			json_cell(&json, rates, &rates->cells[i]);
	mm_json_close(&json, ']');
	json_failed(&json, rates);
	mm_json_close(&json, '}');
	fputc('\n', file);
}
