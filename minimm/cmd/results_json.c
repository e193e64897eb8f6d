/*
 * results_json.c - what a replay has found, as JSON
 */
#include "minimm/cmd/json.h"
#include "minimm/cmd/results.h"

static void by_truth(struct mm_json *json, const char *key,
		     const uint64_t numbers[2])
{
	mm_json_open(json, key, '{');
	mm_json_number(json, "true", numbers[ORACLE_TRUE]);
	mm_json_number(json, "false", numbers[ORACLE_FALSE]);
	mm_json_close(json, '}');
}

static void one_reason(void *arg, const char *reason, uint64_t number)
{
	mm_json_number(arg, reason, number);
}

static void latencies(struct mm_json *json,
		      const struct mm_replay_result *result)
{
	mm_json_open(json, "latency_ns", '{');
	for (int kind = 0; kind < MM_NR_KINDS; kind++) {
		const struct mm_latency *latency = &result->latency[kind];

		if (latency->nr == 0 && kind != MM_FAULT)
			continue;
		mm_json_open(json, mm_kind_name((enum mm_kind)kind), '{');
		mm_json_number(json, "p50", latency->p50_ns);
		mm_json_number(json, "p99", latency->p99_ns);
		mm_json_number(json, "max", latency->max_ns);
		mm_json_close(json, '}');
	}
	mm_json_close(json, '}');
}

static void one_result(struct mm_json *json, const struct mm_results *results,
		       size_t i)
{
	const struct mm_replay_result *result = &results->list[i];

	mm_json_open(json, NULL, '{');
	mm_json_string(json, "scheme", result->scheme->name);
	mm_json_number(json, "operations", result->nr_operations);
	by_truth(json, "waits", result->nr_waits);
	by_truth(json, "wait_ns", result->wait_ns);
	mm_json_open(json, "short", '{');
	mm_json_number(json, "waits", result->nr_short);
	mm_json_number(json, "wait_ns", result->short_ns);
	mm_json_close(json, '}');
	mm_json_number(json, "program_order_ns", result->ordered_ns);
	mm_json_open(json, "skipped", '{');
	mm_results_skipped(results, i, one_reason, json);
	mm_json_close(json, '}');
	mm_json_number(json, "aborts",
		       result->nr_aborts[0] + result->nr_aborts[1]);
	mm_json_number(json, "fallbacks",
		       result->nr_fallbacks[0] + result->nr_fallbacks[1]);
	mm_json_number(json, "missed_conflicts", result->nr_missed);
	mm_json_number(json, "makespan_ns", result->makespan_ns);
	latencies(json, result);
	mm_json_close(json, '}');
}

void mm_results_json(const struct mm_results *results, FILE *file)
{
	struct mm_json json = { file, false };
	const struct mm_args *args = results->args;

	mm_json_open(&json, NULL, '{');
	mm_json_number(&json, "schema", 1);
	mm_json_string(&json, "trace", args->trace);
	mm_json_number(&json, "scale", args->scale);
	mm_json_number(&json, "cpus", args->nr_cpus);
	mm_json_number(&json, "seed", args->seed);
	mm_json_open(&json, "results", '[');
	for (size_t i = 0; i < results->nr; i++)
		one_result(&json, results, i);
	mm_json_close(&json, ']');
	if (results->failed) {
		mm_json_open(&json, "failed", '[');
		mm_json_failure(&json, results->failed->name, 0, results->why);
		mm_json_close(&json, ']');
	}
	mm_json_close(&json, '}');
	fputc('\n', file);
}
