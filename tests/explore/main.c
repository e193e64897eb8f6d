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
"usage: explorer litmus [PART]           the memory model against its outcomes, and\n"
"					the reductions against random walks\n"
"       explorer programs [--seed N] [--from N] [--count N] [--max N]\n"
"					random programs, with reductions and without\n"
"       explorer list SET                names of scenarios\n"
"       explorer run SET [PART] [OPTION...]    those whose names contain PART\n"
"       explorer replay SET NAME SCHEDULE      one execution, step by step\n"
"       explorer quick                   what `make explore` runs\n"
"       explorer weaken [PART]           relax each ordered access: is it noticed?\n"
"       explorer deep [--form FORM] [--set SET] [--part I/N] [--from NAME]\n"
"		[--max N] [--seconds N]  what `make explore-deep` runs, or a part of it\n"
"SET: pairs, special, twice, triples, minimm     FORM: the first part of a name\n"
"OPTION: --bound N (preemptions; none without it)  --random  --pct DEPTH\n"
"	--max N (executions of each scenario)  --seed N  --no-sleep-sets\n"
"	--every N --from I (each N-th scenario)  --seconds N (begin no more)\n"
"	--weaken PLACE (relax FILE:LINE, as weaken does one after the other)\n";

static const char *const set_names[] = {
	"pairs", "special", "twice", "triples", "minimm"
};

static struct totals {
	unsigned long nr_scenarios, nr_exhausted, nr_bounded, nr_failures, nr_shown;
	uint64_t nr_executions, nr_pruned, nr_steps, nr_saturated;
	double seconds;
} totals;

static struct plan {
	struct ex_options options;
	const char *part;
	const struct form *form;	/* NULL: all */
	const char *begin;		/* the first scenario; NULL: has begun */
	unsigned long every, from, at;
	double until;			/* seconds; 0: no limit */
	bool is_verbose, is_cut;
	int second_bound;		/* what is not exhausted is bounded; 0: not */
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
	if ((plan.part && !strstr(s->name, plan.part)) ||
	    (plan.form && s->form != plan.form))
		return false;
	if (plan.at++ % plan.every != plan.from)
		return false;
	if (plan.begin && strcmp(plan.begin, s->name))
		return false;
	plan.begin = NULL;
	return true;
}

/* It was too much: at least all with a few preemptions? */
static void search_bounded(const struct ex_program *program,
			   struct ex_options options, struct ex_result *result)
{
	struct ex_result *without = malloc(sizeof(*without));

	if (!without)
		return;
	*without = *result;
	options.bound = plan.second_bound;
	options.has_sleep_sets = false;
	ex_search(program, &options, result);
	totals.nr_bounded += result->is_exhausted;
	result->is_exhausted = false;
	result->nr_executions += without->nr_executions;
	result->nr_steps += without->nr_steps;
	result->nr_pruned += without->nr_pruned;
	result->seconds += without->seconds;
	free(without);
}

static bool run_scenario(const struct scenario *s)
{
	static struct ex_result result;
	struct ex_options options = plan.options;
	const struct ex_program *program;

	if (!is_wanted(s))
		return true;
	if (plan.until > 0 && seconds_now() > plan.until) {
		printf("cut before --from %s\n", s->name);
		plan.is_cut = true;
		return false;
	}
	program = scenario_begin(s, &options);
	ex_search(program, &options, &result);
	if (plan.second_bound && !result.is_exhausted && !result.has_failed)
		search_bounded(program, options, &result);
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
		else if (!strcmp(option, "--weaken") && weaken_place(argv[i]))
			continue;
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
	{ SET_SPECIAL, EX_EXHAUST, -1, 1, 0, 20000 },
	{ SET_SPECIAL, EX_RANDOM, -1, 1, 0, 500 },
	{ SET_SPECIAL, EX_PCT, -1, 1, 0, 500 },
	{ SET_PAIRS, EX_EXHAUST, -1, 67, 3, 40000 },
	{ SET_PAIRS, EX_EXHAUST, 1, 131, 0, 5000 },
	{ SET_TWICE, EX_EXHAUST, -1, 997, 0, 40000 },
	{ SET_TWICE, EX_RANDOM, -1, 197, 5, 500 },
	{ SET_TRIPLES, EX_EXHAUST, -1, 7001, 0, 40000 },
	{ SET_TRIPLES, EX_RANDOM, -1, 2003, 7, 500 },
	{ SET_TWICE, EX_PCT, -1, 397, 11, 200 },
	{ SET_TRIPLES, EX_PCT, -1, 4007, 13, 200 },
	{ SET_MINIMM, EX_RANDOM, -1, 1, 0, 150 },
	{ SET_MINIMM, EX_EXHAUST, -1, 7, 0, 2000 },
};

/* Executions per second of CPU time. */
static double rate_since(const struct totals *before)
{
	double seconds = totals.seconds - before->seconds;

	return seconds > 0 ? (double)(totals.nr_executions -
				      before->nr_executions) / seconds : 0;
}

static void describe(const struct campaign *c, const struct totals *before)
{
	static const char *const searches[] = { "exhaustive", "random", "PCT", "" };
	char bound[32] = "";

	if (c->bound >= 0)
		snprintf(bound, sizeof(bound), ", bound %d", c->bound);
	printf("%-8s %s%s: %lu scenarios, %lu schedules, %lu exhausted, %.0f/s\n",
	       set_names[c->set], searches[c->search], bound,
	       totals.nr_scenarios - before->nr_scenarios,
	       (unsigned long)(totals.nr_executions - before->nr_executions),
	       totals.nr_exhausted - before->nr_exhausted,
	       rate_since(before));
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

/* ---- Every scenario, to its end ---- */

/* A scenario with more executions is searched with a bound instead, and if that
 * is too much as well it is left. */
#define DEEP_MAX	UINT64_C(20000000)
#define DEEP_BOUND	3

static void describe_deep(enum set set, const struct totals *before)
{
	unsigned long nr = totals.nr_scenarios - before->nr_scenarios;
	unsigned long nr_exhausted = totals.nr_exhausted - before->nr_exhausted;
	unsigned long nr_bounded = totals.nr_bounded - before->nr_bounded;
	unsigned long nr_failures = totals.nr_failures - before->nr_failures;

	printf("%-8s %-8s %6lu scenarios, %lu exhausted, %lu at bound %d, %lu cut, "
	       "%lu failures: %lu schedules, %.0f s, %.0f/s\n", plan.form->name,
	       set_names[set], nr, nr_exhausted, nr_bounded, plan.second_bound,
	       nr - nr_exhausted - nr_bounded - nr_failures, nr_failures,
	       (unsigned long)(totals.nr_executions - before->nr_executions),
	       totals.seconds - before->seconds, rate_since(before));
	fflush(stdout);
}

static int run_deep(const struct form *form, int only_set)
{
	static const enum set sets[] = {
		SET_PAIRS, SET_SPECIAL, SET_TWICE, SET_TRIPLES
	};

	for (unsigned int f = 0; f < nr_forms; f++) {
		for (size_t i = 0; i < 4 && !plan.is_cut; i++) {
			struct totals before = totals;

			if ((form && form != &forms[f]) ||
			    (only_set >= 0 && only_set != (int)sets[i]))
				continue;
			plan.form = &forms[f];
			plan.at = 0;
			each_scenario(sets[i], run_scenario);
			if (totals.nr_scenarios > before.nr_scenarios)
				describe_deep(sets[i], &before);
		}
	}
	return conclude();
}

static const struct form *form_named(const char *name)
{
	for (unsigned int f = 0; f < nr_forms; f++)
		if (!strcmp(forms[f].name, name))
			return &forms[f];
	return NULL;
}

static int deep(int argc, char **argv)
{
	const struct form *form = NULL;
	int set = -1;

	plan.options.max_executions = DEEP_MAX;
	plan.second_bound = DEEP_BOUND;
	for (int i = 2; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		char *rest;
		unsigned long n = strtoul(value, &rest, 10);

		if (!strcmp(argv[i], "--form") && form_named(value)) {
			form = form_named(value);
		} else if (!strcmp(argv[i], "--set") && set_named(value) >= 0) {
			set = set_named(value);
		} else if (!strcmp(argv[i], "--from") && *value) {
			plan.begin = value;
		} else if (!strcmp(argv[i], "--max") && n) {
			plan.options.max_executions = n;
		} else if (!strcmp(argv[i], "--seconds") && n) {
			plan.until = seconds_now() + (double)n;
		} else if (!strcmp(argv[i], "--part") && n && *rest == '/') {
			plan.from = n - 1;
			plan.every = strtoul(rest + 1, NULL, 10);
			if (plan.from >= plan.every)
				return wrong_usage();
		} else {
			return wrong_usage();
		}
	}
	return run_deep(form, set);
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
		{ SET_SPECIAL, EX_PCT, -1, 1, 0, 2000 },
		{ SET_SPECIAL, EX_RANDOM, -1, 1, 0, 3000 },
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
	run_reduction(part, &passed, &failed);
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

/* Random programs, with reductions and without. */
static int programs(int argc, char **argv)
{
	struct programs p = {
		.seed = 1, .count = 12000, .literal_max = 3000,
	};
	unsigned int passed = 0, failed = 0;

	for (int i = 2; i < argc; i += 2) {
		uint64_t n = i + 1 < argc ? strtoul(argv[i + 1], NULL, 10) : 0;

		if (!strcmp(argv[i], "--seed"))
			p.seed = n;
		else if (!strcmp(argv[i], "--from"))
			p.from = n;
		else if (!strcmp(argv[i], "--count") && n)
			p.count = n;
		else if (!strcmp(argv[i], "--max") && n)
			p.literal_max = n;
		else
			return wrong_usage();
	}
	p.has_shapes = !p.from;
	run_programs(&p, &passed, &failed);
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
	if (!strcmp(argv[1], "programs"))
		return programs(argc, argv);
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
	if (!strcmp(argv[1], "deep"))
		return deep(argc, argv);
	if (!strcmp(argv[1], "list") && argc == 3 && set_named(argv[2]) >= 0) {
		each_scenario((enum set)set_named(argv[2]), list_scenario);
		return 0;
	}
	return wrong_usage();
}
