/*
 * replay.c - minimm replay, minimm sites: a recorded program under schemes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rangelock/stats.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/commands.h"
#include "minimm/cmd/out.h"
#include "minimm/cmd/results.h"
#include "minimm/cmd/say.h"
#include "minimm/replay/layout.h"
#include "minimm/replay/plan.h"
#include "minimm/trace/lines.h"

#define REPLAY_OPTIONS	"skcSCrfojih"
#define SITES_OPTIONS	"skcSCrfojh"

/* What a replay works on; all zero is empty. */
struct session {
	struct mm_args args;
	struct mm_recording rec;
	struct mm_plan plan;
	struct mm_layout layout;
	struct mm_results results;
	struct mm_out out;
};

static void replay_help(void)
{
	printf("Usage: minimm replay TRACE [OPTION ...]\n"
	       "\n"
	       "Replay the address-space activity of a recorded program (perf "
	       "script's text, gzip\nor plain; `-': standard input) under each "
	       "scheme, and print a row a scheme: which\nwaits were needed "
	       "(true) and which were not (false).\n"
	       "\n");
	mm_args_help(REPLAY_OPTIONS);
	printf("\nFor example:\n\n"
	       "  minimm replay minimm/data/javac.perf.gz --scheme "
	       "coarse,range-full --scale 16\n"
	       "  RANGELOCK_SITES=munmap=fine minimm replay "
	       "minimm/data/javac.perf.gz --scheme coarse\n");
}

static void sites_help(void)
{
	printf("Usage: minimm sites TRACE [OPTION ...]\n"
	       "\n"
	       "Replay as `minimm replay' does, under one scheme (default: "
	       "coarse), and report the\ncall sites: which of them to convert "
	       "from coarse to fine next, what that removes,\nand what no "
	       "conversion can remove.\n"
	       "\n");
	mm_args_help(SITES_OPTIONS);
	printf("\nFor example:\n\n"
	       "  minimm sites minimm/data/javac.perf.gz --scale 16\n"
	       "  RANGELOCK_SITES=fault=fine minimm sites "
	       "minimm/data/javac.perf.gz --scale 16\n");
}

static void report_violation(void *arg, const char *text)
{
	(void)arg;
	mm_say("%s", text);
}

static void report_progress(void *arg, uint64_t done, uint64_t all)
{
	mm_progress(arg, done, all);
}

static void write_out(void *arg, const char *text, size_t length)
{
	fwrite(text, 1, length, arg);
}

/* Read the trace and prepare it; remarks on it go to stderr. */
static int prepare(struct session *s)
{
	const struct mm_inferred *inferred = &s->plan.inferred;
	char why[MM_WHY_MAX];

	if (mm_recording_read(&s->rec, s->args.trace, why) ||
	    mm_plan_make(&s->plan, &s->rec, why) ||
	    mm_layout_make(&s->layout, &s->plan, s->args.scale, s->args.seed,
			   why)) {
		mm_say("%s", why);
		return MM_STATUS_USAGE;
	}
	for (size_t i = 0; i < inferred->nr_remarks && i < MM_REMARKS_MAX; i++)
		mm_say("%s:%u: %s", s->args.trace, inferred->remarks[i].line,
		       inferred->remarks[i].text);
	if (inferred->nr_remarks > MM_REMARKS_MAX)
		mm_say("%s: %zu more lines that cannot be as they stand",
		       s->args.trace, inferred->nr_remarks - MM_REMARKS_MAX);
	s->results.list = calloc(s->args.nr_schemes + 1,
				 sizeof(*s->results.list));
	s->results.args = &s->args;
	s->results.plan = &s->plan;
	if (s->results.list)
		return MM_STATUS_OK;
	mm_say("%s: out of memory", s->args.trace);
	return MM_STATUS_MISSING;
}

static void close_session(struct session *s)
{
	mm_out_close(&s->out);
	free(s->results.list);
	mm_layout_free(&s->layout);
	mm_plan_free(&s->plan);
	mm_recording_free(&s->rec);
}

static int run_scheme(struct session *s, const struct mm_scheme *scheme)
{
	const struct mm_replay replay = {
		.plan = &s->plan,
		.layout = &s->layout,
		.costs = &s->args.costs,
		.nr_cpus = s->args.nr_cpus,
		.seed = s->args.seed,
		.files = s->args.files,
		.costs_from_trace = s->args.costs_from_trace,
		.racy = s->args.racy,
		.cold = s->args.cold,
		.report = report_violation,
		.progress = report_progress,
		.progress_arg = (void *)(uintptr_t)scheme->name,
	};

	if (mm_replay_run(&replay, scheme, &s->results.list[s->results.nr],
			  s->results.why)) {
		mm_say("%s", s->results.why);
		s->results.failed = scheme;
		return MM_STATUS_MISSING;
	}
	mm_progress_erase();
	s->results.nr++;
	return MM_STATUS_OK;
}

/* The order of conflicting operations is kept, so results cannot depend on the
 * scheme. */
static bool results_agree(const struct mm_results *results)
{
	for (size_t i = 1; i < results->nr; i++) {
		if (memcmp(results->list[i].nr_mismatches,
			   results->list[0].nr_mismatches,
			   sizeof(results->list[0].nr_mismatches)) != 0)
			return false;
	}
	return true;
}

static int verdict(const struct session *s)
{
	int status = MM_STATUS_OK;

	for (size_t i = 0; i < s->results.nr; i++) {
		const struct mm_replay_result *result = &s->results.list[i];

		if (!result->nr_missed && !result->nr_violations)
			continue;
		mm_say("%s: %llu conflicts missed, %llu invariants broken",
		       result->scheme->name,
		       (unsigned long long)result->nr_missed,
		       (unsigned long long)result->nr_violations);
		status = MM_STATUS_VIOLATION;
	}
	if (!s->args.racy && !results_agree(&s->results)) {
		mm_say("the results of operations depend on the scheme");
		status = MM_STATUS_VIOLATION;
	}
	if (s->plan.inferred.nr_remarks)
		status = MM_STATUS_VIOLATION;
	return status;
}

static int read_args(struct session *s, int argc, char **argv,
		     const char *allowed)
{
	int status = mm_args_read(&s->args, argc, argv, allowed);

	if (status || s->args.wants_help)
		return status;
	if (!s->args.trace)
		return mm_say_usage(argv[0], "which trace?");
	if (s->args.nr_cpus == 0)
		s->args.nr_cpus = 2 * s->args.scale;
	return MM_STATUS_OK;
}

/* After a scheme that failed the others are not run: what it was in the middle of
 * may stand in the library's lists. */
static int run_schemes(struct session *s)
{
	for (size_t i = 0; i < s->args.nr_schemes; i++) {
		int status = run_scheme(s, s->args.schemes[i]);

		if (status) {
			mm_args_say_rest(&s->args, i + 1);
			return status;
		}
		if (!s->args.sites || s->out.is_stdout)
			continue;
		printf("%s: call sites\n\n", s->args.schemes[i]->name);
		rl_sites_print(RL_TEXT, write_out, stdout);
		printf("\n");
	}
	return MM_STATUS_OK;
}

static int replay(struct session *s)
{
	int status = run_schemes(s);

	if (mm_out_takes(&s->out, s->results.nr))
		mm_results_json(&s->results, mm_out_begin(&s->out));
	if (!s->out.is_stdout && s->results.nr)
		mm_results_table(&s->results, stdout);
	mm_say_unknown_sites();
	status = mm_status_of_both(status, verdict(s));
	return mm_status_of_both(status, mm_out_close(&s->out));
}

static bool files_are_fine(const struct session *s,
			   const struct mm_scheme *scheme)
{
	return s->args.files == MM_FILES_FINE ||
	       (s->args.files == MM_FILES_AS_SCHEME && scheme->files_are_fine);
}

static int sites(struct session *s)
{
	const struct mm_scheme *scheme = mm_args_one_scheme(&s->args, "sites");
	int status;

	if (!scheme)
		return MM_STATUS_USAGE;
	status = run_scheme(s, scheme);
	if (status)
		return status;
	if (s->out.json)
		rl_sites_print(RL_JSON, write_out, mm_out_begin(&s->out));
	if (s->out.is_stdout)
		return verdict(s);
	status = mm_out_close(&s->out);
	rl_sites_print(RL_TEXT, write_out, stdout);
	if (!files_are_fine(s, scheme))
		printf("\nThe drivers of files are not converted, so operations "
		       "on files declare everything,\nand waits for them count "
		       "as true.  --files fine shows the sites with them "
		       "converted.\n");
	return mm_status_of_both(verdict(s), status);
}

static int run_session(int argc, char **argv, const char *allowed,
		       void (*help)(void), int (*run)(struct session *s))
{
	struct session s;
	int status;

	memset(&s, 0, sizeof(s));
	status = read_args(&s, argc, argv, allowed);
	if (!status && s.args.wants_help)
		help();
	if (!status && !s.args.wants_help) {
		status = prepare(&s);
		if (!status)
			status = mm_out_open(&s.out, s.args.json);
		if (!status)
			status = run(&s);
	}
	close_session(&s);
	return status;
}

int mm_cmd_replay(int argc, char **argv)
{
	return run_session(argc, argv, REPLAY_OPTIONS, replay_help, replay);
}

int mm_cmd_sites(int argc, char **argv)
{
	return run_session(argc, argv, SITES_OPTIONS, sites_help, sites);
}
