/*
 * reduction.c - does the exhaustive search leave out too much?
 *
 * A way is what each thread of an execution did, source line by source line.  The
 * random search knows of no steps that commute; so each way that it takes the
 * exhaustive search must have taken.
 */
#include <stdio.h>
#include <string.h>

#include "tests/explore/litmus.h"
#include "tests/explore/scenario.h"

#define RANDOM_WALKS	3000u

static const char *const names[] = {
	"compact/crossing/lock-w,lock-w",
	"compact/crossing/until-w,until-w",
	"compact/nested/until-r,cancel-w",
	"compact/whole/upgrade-r,downgrade-w",
	"fast/crossing/lock-w,lock-w",
	"fast/crossing/trylock-r,callback-w",
	"forest2/border/lock-r,coarse-w",
	"fast2/whole/lock-w,coarse-r",
	"biased/crossing/lock-w,lock-r",
	"serial/crossing/lock-r,until-w",
	"compact/cancelled-one-goes",
	"fast/cancel-meets-change",
};

static struct ex_ways known;
static const char *part;
static unsigned int nr_passed, nr_failed;

/* How many ways are taken at random that are not known? */
static unsigned int walk(const struct ex_program *program,
			 struct ex_options options)
{
	static struct ex_result result;
	unsigned int before = known.n;

	options.search = EX_RANDOM;
	options.max_executions = RANDOM_WALKS;
	ex_search(program, &options, &result);
	return result.has_failed ? 1 : known.n - before;
}

static bool is_listed(const struct scenario *s)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(s->name, names[i]))
			return !part || strstr(s->name, part);
	return false;
}

static bool compare(const struct scenario *s)
{
	static struct ex_result result;
	struct ex_options options = ex_defaults;
	const struct ex_program *program;
	unsigned int nr_ways, nr_new = 0;

	if (!is_listed(s))
		return true;
	memset(&known, 0, sizeof(known));
	program = scenario_begin(s, &options);
	options.ways = &known;
	ex_search(program, &options, &result);
	nr_ways = known.n;
	if (result.is_exhausted)
		nr_new = walk(program, options);
	scenario_end();
	if (result.is_exhausted && !nr_new) {
		nr_passed++;
		printf("ok   reduction %s: %u ways\n", s->name, nr_ways);
	} else {
		nr_failed++;
		printf("FAIL reduction %s: %u ways, %u more at random%s\n", s->name,
		       nr_ways, nr_new, result.is_exhausted ? "" :
		       ", not exhausted");
	}
	return true;
}

void run_reduction(const char *only, unsigned int *passed, unsigned int *failed)
{
	part = only;
	nr_passed = nr_failed = 0;
	each_scenario(SET_PAIRS, compare);
	each_scenario(SET_SPECIAL, compare);
	*passed += nr_passed;
	*failed += nr_failed;
}
