/*
 * racy.c - minimm racy: a made-up program whose threads race for pages
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/commands.h"
#include "minimm/cmd/json.h"
#include "minimm/cmd/out.h"
#include "minimm/cmd/say.h"
#include "minimm/oracle/racy.h"

#define RACY_OPTIONS	"scStnFjh"

struct row {
	const struct mm_scheme *scheme;
	struct oracle_result result;
	uint64_t makespan_ns;
};

/* All zero is empty. */
struct rows {
	struct row list[MM_ARGS_SCHEMES];
	size_t nr;
	int error;			/* of the next one, if it failed */
};

static void racy_help(void)
{
	printf("Usage: minimm racy [OPTION ...]\n"
	       "\n"
	       "Threads fault, map, unmap and protect the same few pages, and "
	       "nobody keeps any\norder: only the scheme's locks, second looks "
	       "and retries decide.  Here waits are\ntrue, and a scheme that "
	       "does not lock shows missed conflicts (--scheme none).\n"
	       "\n");
	mm_args_help(RACY_OPTIONS);
}

static void report_violation(void *arg, const char *text)
{
	(void)arg;
	mm_say("%s", text);
}

static void put_head(void)
{
	printf("%-17s %10s %8s %8s %8s %8s %8s %8s %7s %7s %7s %8s %9s\n",
	       "scheme", "operations", "true", "time", "false", "time", "short",
	       "time", "aborts", "fallbk", "missed", "broken", "time");
}

static void put_row(const struct row *row)
{
	const struct oracle_result *r = &row->result;
	char a[MM_TEXT_MAX], b[MM_TEXT_MAX], c[MM_TEXT_MAX], d[MM_TEXT_MAX];

	printf("%-17s %10" PRIu64 " %8" PRIu64 " %8s %8" PRIu64 " %8s %8" PRIu64
	       " %8s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %8" PRIu64 " %9s\n",
	       row->scheme->name, r->nr_operations, r->nr_waits[ORACLE_TRUE],
	       mm_time_text(r->wait_ns[ORACLE_TRUE], a),
	       r->nr_waits[ORACLE_FALSE],
	       mm_time_text(r->wait_ns[ORACLE_FALSE], b), r->nr_short,
	       mm_time_text(r->short_ns, c), r->nr_aborts[0] + r->nr_aborts[1],
	       r->nr_fallbacks[0] + r->nr_fallbacks[1], r->nr_missed,
	       r->nr_violations, mm_time_text(row->makespan_ns, d));
}

static void put_json_row(struct mm_json *json, const struct row *row)
{
	const struct oracle_result *r = &row->result;

	mm_json_open(json, NULL, '{');
	mm_json_string(json, "scheme", row->scheme->name);
	mm_json_number(json, "operations", r->nr_operations);
	mm_json_open(json, "waits", '{');
	mm_json_number(json, "true", r->nr_waits[ORACLE_TRUE]);
	mm_json_number(json, "false", r->nr_waits[ORACLE_FALSE]);
	mm_json_close(json, '}');
	mm_json_open(json, "wait_ns", '{');
	mm_json_number(json, "true", r->wait_ns[ORACLE_TRUE]);
	mm_json_number(json, "false", r->wait_ns[ORACLE_FALSE]);
	mm_json_close(json, '}');
	mm_json_open(json, "short", '{');
	mm_json_number(json, "waits", r->nr_short);
	mm_json_number(json, "wait_ns", r->short_ns);
	mm_json_close(json, '}');
	mm_json_number(json, "aborts", r->nr_aborts[0] + r->nr_aborts[1]);
	mm_json_number(json, "fallbacks",
		       r->nr_fallbacks[0] + r->nr_fallbacks[1]);
	mm_json_number(json, "missed_conflicts", r->nr_missed);
	mm_json_number(json, "violations", r->nr_violations);
	mm_json_number(json, "makespan_ns", row->makespan_ns);
	mm_json_close(json, '}');
}

static void put_json(FILE *file, const struct mm_args *args,
		     const struct rows *rows)
{
	struct mm_json json = { file, false };

	mm_json_open(&json, NULL, '{');
	mm_json_number(&json, "schema", 1);
	mm_json_string(&json, "workload", "racy");
	mm_json_number(&json, "seed", args->seed);
	mm_json_open(&json, "results", '[');
	for (size_t i = 0; i < rows->nr; i++)
		put_json_row(&json, &rows->list[i]);
	mm_json_close(&json, ']');
	if (rows->error) {
		mm_json_open(&json, "failed", '[');
		mm_json_failure(&json, args->schemes[rows->nr]->name, 0,
				strerror(rows->error));
		mm_json_close(&json, ']');
	}
	mm_json_close(&json, '}');
	fputc('\n', file);
}

/* As in a replay: after a scheme that failed the others are not run. */
static int run_rows(const struct mm_args *args, struct rows *rows)
{
	int status = MM_STATUS_OK;

	for (size_t i = 0; i < args->nr_schemes; i++) {
		const struct racy_options options = {
			.scheme = args->schemes[i],
			.costs = &args->costs,
			.seed = args->seed,
			.nr_threads = (unsigned int)args->nr_threads,
			.nr_cpus = args->nr_cpus,
			.nr_operations = (unsigned int)args->nr_operations,
			.report = report_violation,
		};
		struct row *row = &rows->list[i];

		row->scheme = args->schemes[i];
		rows->error = racy_run(&options, &row->result,
				       &row->makespan_ns);
		if (row->result.nr_missed || row->result.nr_violations)
			status = MM_STATUS_VIOLATION;
		if (rows->error) {
			mm_say("%s: %s", row->scheme->name,
			       strerror(rows->error));
			mm_args_say_rest(args, i + 1);
			return mm_status_of_both(status, MM_STATUS_MISSING);
		}
		rows->nr++;
	}
	return status;
}

static int put_all(const struct mm_args *args, const struct rows *rows,
		   struct mm_out *out)
{
	if (mm_out_takes(out, rows->nr))
		put_json(mm_out_begin(out), args, rows);
	if (!out->is_stdout && rows->nr) {
		put_head();
		for (size_t i = 0; i < rows->nr; i++)
			put_row(&rows->list[i]);
	}
	mm_say_unknown_sites();
	return mm_out_close(out);
}

static int run_and_put(const struct mm_args *args)
{
	struct rows rows;
	struct mm_out out;
	int status = mm_out_open(&out, args->json);

	if (status)
		return status;
	memset(&rows, 0, sizeof(rows));
	status = run_rows(args, &rows);
	return mm_status_of_both(status, put_all(args, &rows, &out));
}

int mm_cmd_racy(int argc, char **argv)
{
	struct mm_args args;
	int status = mm_args_read(&args, argc, argv, RACY_OPTIONS);

	if (status)
		return status;
	if (args.wants_help) {
		racy_help();
		return MM_STATUS_OK;
	}
	if (args.trace)
		return mm_say_usage(argv[0], "\"%s\" is one argument too many",
				    args.trace);
	if (args.costs_from_trace)
		return mm_say_usage(argv[0], "--costs trace: there is no trace");
	return run_and_put(&args);
}
