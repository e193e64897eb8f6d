/*
 * table.c - what a replay has found, for people
 *
 * A row a scheme, 160 columns at most; below it, for each scheme, what false
 * waiting is left and why, and what made it start over; at last what of the
 * trace was not replayed as it stands.
 */
#include "minimm/cmd/results.h"

#include <inttypes.h>
#include <string.h>

#include "minimm/cmd/say.h"

#define NR_LEFT		3	/* pairs in a line on false waiting */

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

/* "coarse: 1.2s of false waiting: 800ms fault behind munmap, ..." */
static void put_left(FILE *file, const struct mm_replay_result *result)
{
	static const char *const why[ORACLE_NR_REASONS] = {
		[ORACLE_GRAIN] = "locks of everything",
		[ORACLE_WINDOW] = "ranges wider than the operation",
		[ORACLE_ORDER] = "queued behind one that waits",
	};
	uint64_t rest = result->wait_ns[ORACLE_FALSE];
	char text[MM_TEXT_MAX];
	const char *between = "";

	fprintf(file, "  %-17s", result->scheme->name);
	if (rest == 0) {
		fprintf(file, "none\n");
		return;
	}
	for (size_t i = 0; i < result->nr_pairs && i < NR_LEFT; i++) {
		const struct oracle_pair *pair = &result->pairs[i];

		if (pair->wait_ns[ORACLE_FALSE] == 0)
			break;
		fprintf(file, "%s%s %s behind %s", between,
			mm_time_text(pair->wait_ns[ORACLE_FALSE], text),
			mm_kind_name(pair->waiter),
			mm_kind_name(pair->blocker));
		rest -= pair->wait_ns[ORACLE_FALSE];
		between = ", ";
	}
	if (rest)
		fprintf(file, "%s%s other", between, mm_time_text(rest, text));
	between = "; because of ";
	for (int i = 0; i < ORACLE_NR_REASONS; i++) {
		if (!result->false_ns[i])
			continue;
		fprintf(file, "%s%s (%s)", between, why[i],
			mm_time_text(result->false_ns[i], text));
		between = ", ";
	}
	fputc('\n', file);
}

static void put_causes(FILE *file, const struct mm_replay_result *result)
{
	for (size_t i = 0; i < result->nr_causes; i++) {
		const struct oracle_cause *cause = &result->causes[i];
		uint64_t nr_aborts = cause->nr_aborts[0] + cause->nr_aborts[1];
		uint64_t nr_fallbacks =
			cause->nr_fallbacks[0] + cause->nr_fallbacks[1];
		uint64_t nr_true = cause->nr_aborts[ORACLE_TRUE] +
				   cause->nr_fallbacks[ORACLE_TRUE];

		fprintf(file, "  %-17s%s: %s (", result->scheme->name,
			mm_kind_name(cause->kind), cause->why);
		if (nr_aborts)
			fprintf(file, "%" PRIu64 " aborts, ", nr_aborts);
		if (nr_fallbacks)
			fprintf(file, "%" PRIu64 " fallbacks, ", nr_fallbacks);
		fprintf(file, "%" PRIu64 " with a true conflict)\n", nr_true);
	}
}

struct skip_line {
	FILE *file;
	const char *between;
};

static void put_skipped(void *arg, const char *reason, uint64_t number)
{
	struct skip_line *line = arg;

	if (number == 0)
		return;
	fprintf(line->file, "%s%" PRIu64 " %s", line->between, number, reason);
	line->between = ", ";
}

static uint64_t sum(const uint64_t *numbers, size_t n)
{
	uint64_t all = 0;

	while (n--)
		all += numbers[n];
	return all;
}

static void put_notes(FILE *file, const struct mm_results *results)
{
	bool any = false;

	fprintf(file, "\nFalse waiting that is left, and why:\n");
	for (size_t i = 0; i < results->nr; i++)
		put_left(file, &results->list[i]);
	for (size_t i = 0; i < results->nr; i++)
		any |= results->list[i].nr_causes > 0;
	if (any)
		fprintf(file, "\nStarted over (aborts) or locked more "
			      "(fallbacks):\n");
	for (size_t i = 0; i < results->nr; i++)
		put_causes(file, &results->list[i]);
	fprintf(file, "\nNot replayed as recorded:\n");
	for (size_t i = 0; i < results->nr; i++) {
		struct skip_line line = { file, "" };

		fprintf(file, "  %-17s", results->list[i].scheme->name);
		mm_results_skipped(results, i, put_skipped, &line);
		fprintf(file, "%s\n", *line.between ? "" : "nothing");
	}
	for (size_t i = 0; i < results->nr; i++) {
		const struct mm_replay_result *result = &results->list[i];

		if (result->nr_missed || result->nr_violations)
			fprintf(file,
				"\n%s: %" PRIu64 " conflicts missed, %" PRIu64
				" invariants broken\n", result->scheme->name,
				result->nr_missed, result->nr_violations);
		if (sum(result->nr_mismatches, MM_NR_KINDS) == 0)
			continue;
		fprintf(file, "\n%s: results that differ:",
			result->scheme->name);
		for (int kind = 0; kind < MM_NR_KINDS; kind++) {
			if (result->nr_mismatches[kind])
				fprintf(file, " %" PRIu64 " %s",
					result->nr_mismatches[kind],
					mm_kind_name((enum mm_kind)kind));
		}
		fputc('\n', file);
	}
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
	put_notes(file, results);
}
