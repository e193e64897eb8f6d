/*
 * table.c - what a replay has found, for people: a row a scheme
 *
 * 160 columns at most.  What is below the table is notes.c's.
 */
#include "minimm/cmd/notes.h"
#include "minimm/cmd/results.h"

#include <inttypes.h>
#include <string.h>

#include "minimm/cmd/say.h"

static void put_count(FILE *file, int width, uint64_t n)
{
	char text[MM_TEXT_MAX];

	fprintf(file, "%*s", width, mm_count_text(n, text));
}

static void put_time(FILE *file, int width, uint64_t ns)
{
	char text[MM_TEXT_MAX];

	fprintf(file, "%*s", width, mm_time_text(ns, text));
}

static void put_latency(FILE *file, const struct mm_latency *latency)
{
	if (latency->nr == 0) {
		fprintf(file, " %7s%7s%7s", "-", "-", "-");
		return;
	}
	fputc(' ', file);
	put_time(file, 7, latency->p50_ns);
	put_time(file, 7, latency->p99_ns);
	put_time(file, 7, latency->max_ns);
}

static const struct mm_replay_result *coarse_of(const struct mm_results *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		if (all->list[i].scheme == &mm_scheme_coarse)
			return &all->list[i];
	}
	return NULL;
}

/* Tenths of a percent, towards zero: 99.95 % removed is not 100 %. */
static void put_removed(FILE *file, const struct mm_replay_result *coarse,
			const struct mm_replay_result *result)
{
	char text[MM_TEXT_MAX] = "n/a";
	uint64_t all, left = result->wait_ns[ORACLE_FALSE];

	all = coarse ? coarse->wait_ns[ORACLE_FALSE] : 0;
	if (all) {
		bool more = left > all;
		unsigned __int128 difference = more ? left - all : all - left;
		uint64_t tenths = (uint64_t)(difference * 1000 / all);

		snprintf(text, sizeof(text), "%s%" PRIu64 ".%" PRIu64 "%%",
			 more && tenths ? "-" : "", tenths / 10, tenths % 10);
	}
	fprintf(file, "%9s", text);
}

static void put_head(FILE *file)
{
	fprintf(file, "%-17s%10s %15s %15s %15s %8s %7s %7s %22s %22s %8s%9s\n",
		"", "", "true waits", "false waits", "short waits", "program",
		"", "", "fault latency", "mmap, munmap latency", "virtual",
		"false");
	fprintf(file, "%-17s%10s", "scheme", "operations");
	for (int i = 0; i < 3; i++)
		fprintf(file, " %7s%8s", "number", "time");
	fprintf(file, " %8s %7s %7s", "order", "aborts", "fallbk");
	for (int i = 0; i < 2; i++)
		fprintf(file, " %8s%7s%7s", "p50", "p99", "max");
	fprintf(file, " %8s%9s\n", "time", "removed");
}

static void put_row(FILE *file, const struct mm_results *results,
		    const struct mm_replay_result *result)
{
	fprintf(file, "%-17s", result->scheme->name);
	put_count(file, 10, result->nr_operations);
	for (int truth = 0; truth < 2; truth++) {
		put_count(file, 8, result->nr_waits[truth]);
		put_time(file, 8, result->wait_ns[truth]);
	}
	put_count(file, 8, result->nr_short);
	put_time(file, 8, result->short_ns);
	put_time(file, 9, result->ordered_ns);
	put_count(file, 8, result->nr_aborts[0] + result->nr_aborts[1]);
	put_count(file, 8, result->nr_fallbacks[0] + result->nr_fallbacks[1]);
	put_latency(file, &result->latency[MM_FAULT]);
	fputc(' ', file);
	put_latency(file, &result->map_latency);
	put_time(file, 9, result->makespan_ns);
	put_removed(file, coarse_of(results), result);
	fputc('\n', file);
}

void mm_results_table(const struct mm_results *results, FILE *file)
{
	const struct mm_args *args = results->args;
	const char *name = strrchr(args->trace, '/');

	fprintf(file, "%s: %zu threads; scale %u, %u CPUs, seed %" PRIu64
		", costs %s%s%s\n\n",
		name && name[1] ? name + 1 : args->trace,
		results->plan->rec->nr_threads * args->scale, args->scale,
		args->nr_cpus, args->seed, args->costs_name,
		args->racy ? ", racy" : "", args->cold ? ", cold" : "");
	put_head(file);
	for (size_t i = 0; i < results->nr; i++)
		put_row(file, results, &results->list[i]);
	mm_results_notes(results, file);
}
