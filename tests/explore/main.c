/*
 * main.c - the command: build/explore/explorer
 *
 * See usage below.  Ends with `explored N schedules of M scenarios, K exhausted,
 * F failures`; exit 1 if there was a failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/explore/litmus.h"
#include "tests/explore/scenario.h"
#include "tests/explore/weaken.h"

static const char usage[] =
"usage: explorer litmus [PART]           the memory model against its outcomes\n"
"       explorer list SET                names of scenarios\n"
"       explorer run SET [PART] [OPTION...]    those whose names contain PART\n"
"       explorer replay SET NAME SCHEDULE      one execution, step by step\n"
"       explorer quick                   what `make explore` runs\n"
"       explorer weaken [PART]           relax each ordered access: is it noticed?\n"
"       explorer deep                    what `make explore-deep` runs\n"
"SET: pairs, special, twice, triples, minimm\n"
"OPTION: --bound N (preemptions; none without it)  --random  --pct DEPTH\n"
"	--max N (executions of each scenario)  --seed N  --no-sleep-sets\n"
"	--every N --from I (each N-th scenario)  --seconds N (begin no more)\n";

static const char *const set_names[] = {
	"pairs", "special", "twice", "triples", "minimm"
};

static struct totals {
	unsigned long nr_scenarios, nr_exhausted, nr_failures, nr_shown;
	uint64_t nr_executions, nr_pruned, nr_steps, nr_saturated;
	double seconds;
} totals;

static struct plan {
	struct ex_options options;
	const char *part;
	unsigned long every, from, at;
	double until;			/* seconds; 0: no limit */
	bool is_verbose, is_cut;
} plan;

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void show_failure(const struct scenario *s,
			 const struct ex_program *program,
			 const struct ex_options *options,
			 struct ex_result *result)
{
	static struct ex_result again;

	printf("FAIL %s after %lu executions: %s\n", s->name,
	       (unsigned long)result->nr_executions, result->failure);
	if (totals.nr_shown++ >= 2)
		return;
	ex_shrink(program, options, result);
	printf("schedule %s\n", *result->schedule ? result->schedule : "0");
	ex_replay(program, options, result->schedule, true, &again);
	printf("%s: %s\n\n", again.has_failed ? "failed" : "NOT AGAIN",
	       again.failure);
}

static void add_up(const struct ex_result *r)
{
	totals.nr_scenarios++;
	totals.nr_exhausted += r->is_exhausted;
	totals.nr_failures += r->has_failed;
	totals.nr_executions += r->nr_executions;
	totals.nr_pruned += r->nr_pruned;
	totals.nr_steps += r->nr_steps;
	totals.nr_saturated += r->nr_saturated;
	totals.seconds += r->seconds;
}

static bool is_wanted(const struct scenario *s)
{
	if (plan.part && !strstr(s->name, plan.part))
		return false;
	return plan.at++ % plan.every == plan.from;
}

static bool run_scenario(const struct scenario *s)
{
	static struct ex_result result;
	struct ex_options options = plan.options;
	const struct ex_program *program;

	if (plan.until > 0 && seconds_now() > plan.until) {
		plan.is_cut = true;
		return false;
	}
	if (!is_wanted(s))
		return true;
	program = scenario_begin(s, &options);
	ex_search(program, &options, &result);
	add_up(&result);
	if (result.has_failed)
		show_failure(s, program, &options, &result);
	else if (plan.is_verbose)
		printf("%-60s %9lu schedules, %lu pruned%s, %.0f/s\n", s->name,
		       (unsigned long)result.nr_executions,
		       (unsigned long)result.nr_pruned,
		       result.is_exhausted ? ", exhausted" : "",
		       (double)result.nr_executions / result.seconds);
	scenario_end();
	fflush(stdout);
	return true;
}

static int conclude(void)
{
	if (totals.nr_saturated)
		printf("no room for a store in the past: %lu times\n",
		       (unsigned long)totals.nr_saturated);
	if (totals.seconds > 0)
		printf("%.0f executions per second, %.1f steps each, %.0f%% pruned\n",
		       (double)totals.nr_executions / totals.seconds,
		       (double)totals.nr_steps / (double)totals.nr_executions,
		       100.0 * (double)totals.nr_pruned /
		       (double)totals.nr_executions);
	printf("explored %lu schedules of %lu scenarios, %lu exhausted, "
	       "%lu failures\n", (unsigned long)totals.nr_executions,
	       totals.nr_scenarios, totals.nr_exhausted, totals.nr_failures);
	return totals.nr_failures || !totals.nr_scenarios;
}

static int wrong_usage(void)
{
	fputs(usage, stderr);
	return 2;
}

static int set_named(const char *name)
{
	for (int i = 0; name && i < 5; i++)
		if (!strcmp(name, set_names[i]))
			return i;
	return -1;
}

static bool list_scenario(const struct scenario *s)
{
	printf("%s\n", s->name);
	return true;
}

/* ---- Replay ---- */

static const char *replayed_name, *replayed_schedule;
static bool replay_found;

static bool replay_scenario(const struct scenario *s)
{
	static struct ex_result result;
	struct ex_options options = ex_defaults;
	const struct ex_program *program;

	if (strcmp(s->name, replayed_name))
		return true;
	replay_found = true;
	program = scenario_begin(s, &options);
	ex_replay(program, &options, replayed_schedule, true, &result);
	printf("%s\n", result.has_failed ? result.failure : "no failure");
	totals.nr_failures += result.has_failed;
	scenario_end();
	return false;
}

static int replay(int argc, char **argv)
{
	int set = argc == 5 ? set_named(argv[2]) : -1;

	if (set < 0)
		return wrong_usage();
	replayed_name = argv[3];
	replayed_schedule = argv[4];
	each_scenario((enum set)set, replay_scenario);
	if (!replay_found) {
		fprintf(stderr, "explorer: no scenario %s\n", replayed_name);
		return 2;
	}
	return totals.nr_failures != 0;
}

/* Options from argv[i] on; false if one is none. */
static bool parse_options(int argc, char **argv, int i)
{
	struct ex_options *o = &plan.options;

	for (; i < argc; i++) {
		const char *option = argv[i];
		unsigned long n;

		if (!strcmp(option, "--random")) {
			o->search = EX_RANDOM;
			continue;
		}
		if (!strcmp(option, "--no-sleep-sets")) {
			o->has_sleep_sets = false;
			continue;
		}
		if (++i == argc)
			return false;
		n = strtoul(argv[i], NULL, 10);
		if (!strcmp(option, "--bound"))
			o->bound = (int)n;
		else if (!strcmp(option, "--max"))
			o->max_executions = n;
		else if (!strcmp(option, "--seed"))
			o->seed = n;
		else if (!strcmp(option, "--every") && n)
			plan.every = n;
		else if (!strcmp(option, "--from"))
			plan.from = n;
		else if (!strcmp(option, "--seconds"))
			plan.until = seconds_now() + (double)n;
		else if (!strcmp(option, "--pct") && n && n < 16) {
			o->search = EX_PCT;
			o->depth = (int)n;
		} else {
			return false;
		}
	}
	return true;
}

static int run(int argc, char **argv)
{
	int set = argc > 2 ? set_named(argv[2]) : -1, i = 3;

	if (set < 0)
		return wrong_usage();
	if (i < argc && argv[i][0] != '-')
		plan.part = argv[i++];
	plan.is_verbose = true;
	if (!parse_options(argc, argv, i))
		return wrong_usage();
	each_scenario((enum set)set, run_scenario);
	return conclude();
}

/* ---- What `make explore` and `make explore-deep` run ---- */

struct campaign {
	enum set set;
	enum ex_search search;
	int bound;			/* preemptions; -1: any */
	unsigned long every, from;	/* each n-th scenario */
	uint64_t max;			/* executions of each */
};

static const struct campaign quick[] = {
	{ SET_SPECIAL, EX_EXHAUST, -1, 1, 0, 5000 },
	{ SET_SPECIAL, EX_RANDOM, -1, 1, 0, 2000 },
	{ SET_PAIRS, EX_EXHAUST, -1, 67, 3, 5000 },
	{ SET_PAIRS, EX_EXHAUST, 1, 131, 0, 5000 },
	{ SET_TWICE, EX_EXHAUST, -1, 997, 0, 5000 },
	{ SET_TWICE, EX_RANDOM, -1, 197, 5, 500 },
	{ SET_TRIPLES, EX_RANDOM, -1, 2003, 7, 500 },
	{ SET_TWICE, EX_PCT, -1, 397, 11, 200 },
	{ SET_TRIPLES, EX_PCT, -1, 4007, 13, 200 },
	{ SET_MINIMM, EX_RANDOM, -1, 1, 0, 150 },
	{ SET_MINIMM, EX_EXHAUST, -1, 7, 0, 2000 },
};

static const struct campaign deep[] = {
	{ SET_PAIRS, EX_EXHAUST, 2, 1, 0, UINT64_MAX },
	{ SET_SPECIAL, EX_EXHAUST, 2, 1, 0, UINT64_MAX },
	{ SET_MINIMM, EX_EXHAUST, 2, 1, 0, UINT64_MAX },
	{ SET_TWICE, EX_RANDOM, -1, 1, 0, 1000 },
	{ SET_TWICE, EX_PCT, -1, 1, 0, 1000 },
	{ SET_TRIPLES, EX_RANDOM, -1, 1, 0, 100 },
	{ SET_TRIPLES, EX_PCT, -1, 1, 0, 100 },
	{ SET_PAIRS, EX_EXHAUST, -1, 1, 0, UINT64_MAX },
	{ SET_SPECIAL, EX_EXHAUST, -1, 1, 0, UINT64_MAX },
	{ SET_MINIMM, EX_EXHAUST, -1, 1, 0, UINT64_MAX },
	{ SET_TWICE, EX_EXHAUST, -1, 1, 0, UINT64_MAX },
	{ SET_TRIPLES, EX_EXHAUST, 3, 1, 0, UINT64_MAX },
};

static void describe(const struct campaign *c, const struct totals *before)
{
	static const char *const searches[] = { "exhaustive", "random", "PCT", "" };
	char bound[32] = "";

	if (c->bound >= 0)
		snprintf(bound, sizeof(bound), ", bound %d", c->bound);
	printf("%-8s %s%s: %lu scenarios, %lu schedules, %lu exhausted\n",
	       set_names[c->set], searches[c->search], bound,
	       totals.nr_scenarios - before->nr_scenarios,
	       (unsigned long)(totals.nr_executions - before->nr_executions),
	       totals.nr_exhausted - before->nr_exhausted);
	fflush(stdout);
}

static void set_campaign(const struct campaign *c)
{
	plan.options = ex_defaults;
	plan.options.search = c->search;
	plan.options.bound = c->bound;
	/* Under a bound a sleep set may hide what the bound lets through only
	 * elsewhere. */
	plan.options.has_sleep_sets = c->bound < 0;
	plan.options.max_executions = c->max;
	plan.every = c->every;
	plan.from = c->from;
	plan.at = 0;
}

static int run_campaigns(const struct campaign *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct campaign *c = &list[i];
		struct totals before = totals;

		set_campaign(c);
		each_scenario(c->set, run_scenario);
		describe(c, &before);
	}
	return conclude();
}

#define RUN_CAMPAIGNS(list)	run_campaigns((list), sizeof(list) / sizeof((list)[0]))

/* ---- Weakened orders ---- */

static bool find_failure(const struct scenario *s)
{
	static struct ex_result result;
	struct ex_options options = plan.options;
	const struct ex_program *program;

	if (!is_wanted(s))
		return true;
	program = scenario_begin(s, &options);
	ex_search(program, &options, &result);
	totals.nr_failures += result.has_failed;
	scenario_end();
	return !result.has_failed;
}

/* Does any of these scenarios fail now? */
static bool is_noticed(void)
{
	static const struct campaign list[] = {
		{ SET_SPECIAL, EX_RANDOM, -1, 1, 0, 5000 },
		{ SET_TWICE, EX_RANDOM, -1, 37, 0, 100 },
		{ SET_SPECIAL, EX_EXHAUST, -1, 1, 0, 20000 },
		{ SET_PAIRS, EX_EXHAUST, -1, 37, 0, 3000 },
		{ SET_MINIMM, EX_RANDOM, -1, 1, 0, 300 },
	};

	totals.nr_failures = 0;
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		set_campaign(&list[i]);
		each_scenario(list[i].set, find_failure);
		if (totals.nr_failures)
			return true;
	}
	return false;
}

static int litmus(const char *part)
{
	unsigned int passed = 0, failed = 0;

	run_litmus(part, &passed, &failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

int main(int argc, char **argv)
{
	plan.options = ex_defaults;
	plan.every = 1;
	if (argc < 2)
		return wrong_usage();
	if (!strcmp(argv[1], "litmus"))
		return litmus(argc > 2 ? argv[2] : NULL);
	if (!strcmp(argv[1], "run"))
		return run(argc, argv);
	if (!strcmp(argv[1], "replay"))
		return replay(argc, argv);
	if (!strcmp(argv[1], "weaken")) {
		weaken_each(argc > 2 ? argv[2] : NULL, is_noticed);
		return 0;
	}
	if (!strcmp(argv[1], "quick") && argc == 2)
		return RUN_CAMPAIGNS(quick);
	if (!strcmp(argv[1], "deep") && argc == 2)
		return RUN_CAMPAIGNS(deep);
	if (!strcmp(argv[1], "list") && argc == 3 && set_named(argv[2]) >= 0) {
		each_scenario((enum set)set_named(argv[2]), list_scenario);
		return 0;
	}
	return wrong_usage();
}
