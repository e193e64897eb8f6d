/*
 * litmus.c - small programs and all their outcomes
 *
 * Every outcome that RC11 allows must be produced and no other.  A program is a
 * text: x, y and z are atomic and 0 at first, d is plain, a to f are registers.
 *
 *	x=1  x=1!           relaxed store, release store
 *	a=x  a=x?           relaxed load, acquire load
 *	a=x+1  a=x:2        fetch-and-add, swap (? acquire, ! release, & both)
 *	a=x@0>1             compare-and-swap, a: did it succeed
 *	fence  fence?  fence!    sequentially consistent, acquire, release
 *	light  heavy        the two sides of membarrier
 *	wait x 0  wake x    futex; wake1 x wakes one only
 *	... if a            only if register a is not 0
 *
 * The outcome is what is observed at the end, registers and final values (X, Y,
 * Z) in the order given; or "race", or "deadlock".
 */
#include "tests/explore/litmus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/engine.h"

#define THREADS	4
#define OPS	8

struct litmus {
	const char *name;
	const char *threads[THREADS];
	const char *observed, *outcomes;
	bool is_c20;			/* release sequences as C++20 has them */
};

static const struct litmus tests[] = {
	{ "SB", { "x=1; a=y", "y=1; b=x" }, "ab", "00 01 10 11", 0 },
	{ "SB release acquire", { "x=1!; a=y?", "y=1!; b=x?" }, "ab",
	  "00 01 10 11", 0 },
	{ "SB fences", { "x=1; fence; a=y", "y=1; fence; b=x" }, "ab",
	  "01 10 11", 0 },
	{ "SB one fence", { "x=1; fence; a=y", "y=1; b=x" }, "ab",
	  "00 01 10 11", 0 },
	{ "SB acquire-release fences",
	  { "x=1; fence!; fence?; a=y", "y=1; fence!; fence?; b=x" }, "ab",
	  "00 01 10 11", 0 },
	{ "SB light heavy", { "x=1; light; a=y", "y=1; heavy; b=x" }, "ab",
	  "01 10 11", 0 },
	{ "SB light light", { "x=1; light; a=y", "y=1; light; b=x" }, "ab",
	  "00 01 10 11", 0 },
	{ "SB heavy for two", { "x=1; light; a=z", "y=1; light; b=z",
	  "z=1; heavy; c=x; d=y" }, "abcd", "0011 0110 0111 "
	  "1001 1011 1100 1101 1110 1111", 0 },
	{ "SB two light behind a heavy", { "x=1; light; a=y", "y=1; light; b=x",
	  "heavy" }, "ab", "00 01 10 11", 0 },
	{ "R", { "x=1; y=1", "y=2; a=x" }, "aY", "01 02 11 12", 0 },
	{ "R fences", { "x=1; fence; y=1", "y=2; fence; a=x" }, "aY",
	  "01 11 12", 0 },
	{ "S", { "x=2; y=1!", "a=y?; x=1" }, "aX", "01 02 11", 0 },
	{ "MP", { "x=1; y=1", "a=y; b=x" }, "ab", "00 01 10 11", 0 },
	{ "MP release acquire", { "x=1; y=1!", "a=y?; b=x" }, "ab",
	  "00 01 11", 0 },
	{ "MP release only", { "x=1; y=1!", "a=y; b=x" }, "ab",
	  "00 01 10 11", 0 },
	{ "MP acquire only", { "x=1; y=1", "a=y?; b=x" }, "ab",
	  "00 01 10 11", 0 },
	{ "MP fences", { "x=1; fence!; y=1", "a=y; fence?; b=x" }, "ab",
	  "00 01 11", 0 },
	{ "MP heavy writer", { "x=1; heavy; y=1", "a=y; light; b=x" }, "ab",
	  "00 01 11", 0 },
	{ "MP heavy reader", { "x=1; light; y=1", "a=y; heavy; b=x" }, "ab",
	  "00 01 11", 0 },
	{ "LB", { "a=y; x=1", "b=x; y=1" }, "ab", "00 01 10", 0 },
	{ "CoRR", { "x=1; x=2", "a=x; b=x" }, "ab", "00 01 02 11 12 22", 0 },
	{ "CoRR of two writers", { "x=1", "x=2", "a=x; b=x", "c=x; d=x" },
	  "abcd", NULL, 0 },
	{ "CoWW", { "x=1; x=2" }, "X", "2", 0 },
	{ "CoWR", { "x=1; a=x", "x=2" }, "aX", "11 12 22", 0 },
	{ "CoRW", { "a=x; x=1", "x=2" }, "aX", "01 02 21", 0 },
	{ "2+2W", { "x=1; y=2", "y=1; x=2" }, "XY", "11 12 21 22", 0 },
	{ "2+2W release", { "x=1!; y=2!", "y=1!; x=2!" }, "XY",
	  "11 12 21 22", 0 },
	{ "2+2W fences", { "x=1; fence; y=2", "y=1; fence; x=2" }, "XY",
	  "12 21 22", 0 },
	{ "IRIW", { "x=1!", "y=1!", "a=x?; b=y?", "c=y?; d=x?" }, "abcd",
	  "0000 0001 0010 0011 0100 0101 0110 0111 "
	  "1000 1001 1010 1011 1100 1101 1110 1111", 0 },
	{ "IRIW fences", { "x=1", "y=1", "a=x; fence; b=y", "c=y; fence; d=x" },
	  "abcd", "0000 0001 0010 0011 0100 0101 0110 0111 "
	  "1000 1001 1011 1100 1101 1110 1111", 0 },
	{ "WRC", { "x=1", "a=x; y=1", "b=y; c=x" }, "abc",
	  "000 001 010 011 100 101 110 111", 0 },
	{ "WRC release acquire", { "x=1", "a=x; y=1!", "b=y?; c=x" }, "abc",
	  "000 001 010 011 100 101 111", 0 },
	{ "ISA2", { "x=1; y=1!", "a=y?; z=1!", "b=z?; c=x" }, "abc",
	  "000 001 010 011 100 101 111", 0 },
	{ "ISA2 one relaxed", { "x=1; y=1!", "a=y; z=1!", "b=z?; c=x" }, "abc",
	  "000 001 010 011 100 101 110 111", 0 },
	{ "release sequence, others' RMW", { "x=1; y=1!", "a=y+1", "b=y?; c=x" },
	  "abc", "000 001 010 011 100 101 111 121", 0 },
	{ "release sequence, own store", { "x=1; y=1!; y=2", "a=y?; b=x" }, "ab",
	  "00 01 11 21", 0 },
	{ "release sequence, own store, C++20", { "x=1; y=1!; y=2", "a=y?; b=x" },
	  "ab", "00 01 11 20 21", 1 },
	{ "release sequence, others' store", { "x=1; y=1!", "y=2", "a=y?; b=x" },
	  "ab", "00 01 11 20 21", 0 },
	{ "RMW atomicity", { "a=x+1", "b=x+1", "c=x+1" }, "abc",
	  "012 021 102 120 201 210", 0 },
	{ "RMW in the past", { "x=1; a=y:2", "y=1; b=x:2" }, "abXY",
	  "0011 0121 1012 1122", 0 },
	{ "RMW acquires", { "x=1; y=1!", "a=y:2?; b=x" }, "ab", "00 01 11", 0 },
	{ "RMW releases", { "x=1; a=y:1!", "b=y?; c=x" }, "bc", "00 01 11", 0 },
	{ "CAS", { "a=x@0>1", "b=x@0>2" }, "abX", "101 012", 0 },
	{ "CAS reads an old value", { "x=1; y=1", "a=y; b=x@1>2" }, "ab",
	  "00 01 10 11", 0 },
	{ "plain, release acquire", { "d=1; x=1!", "a=x?; b=d if a" }, "ab",
	  "00 11", 0 },
	{ "plain, relaxed", { "d=1; x=1", "a=x?; b=d if a" }, "ab", "race", 0 },
	{ "plain, fences", { "d=1; fence!; x=1", "a=x; fence?; b=d if a" }, "ab",
	  "00 11", 0 },
	{ "plain, fences do not synchronize alone",
	  { "d=1; fence; x=1", "y=1; fence; b=d" }, "b", "race", 0 },
	{ "futex", { "x=1; wake x", "wait x 0" }, "X", "1", 0 },
	{ "futex, no wake", { "x=1", "wait x 0" }, "X", "deadlock", 0 },
	{ "futex, wake before the store", { "wake x; x=1", "wait x 0" }, "X",
	  "deadlock", 0 },
	{ "futex, one wake for two", { "x=1; wake1 x", "wait x 0", "wait x 0" },
	  "X", "deadlock", 0 },
	{ "futex, lost wake", { "x=1; a=y; wake x if a", "y=1; wait x 0" }, "a",
	  "deadlock", 0 },
	{ "futex, wake behind a fence",
	  { "x=1; fence; a=y; wake x if a", "y=1; wait x 0" }, "a", "0 1", 0 },
	{ "futex, wake behind light, sleep behind heavy",
	  { "x=1; light; a=y; wake x if a", "y=1; heavy; wait x 0" }, "a",
	  "0 1", 0 },
};

enum what { LOAD, STORE, MODIFY, CAS, FENCE, HEAVY, LIGHT, WAIT, WAKE, PLAIN_READ,
	    PLAIN_WRITE };

struct op {
	enum what what;
	enum ex_rmw how;
	int location, into, condition;
	uint64_t expected, value;
	struct ex_site site;
};

static struct op program[THREADS][OPS];
static unsigned int lengths[THREADS];
static const struct litmus *test;
static char seen[64][16];
static unsigned int nr_seen;
static uint64_t registers[6];

/* x, y, z and d, each on a line of its own. */
static uint32_t *word(int location)
{
	return (uint32_t *)(void *)(ex_arena + 64 * location);
}

static int location_named(char c)
{
	return c == 'd' ? 3 : c - 'x';
}

static uint8_t order_marked(const char *text)
{
	bool acquires = strchr(text, '?') || strchr(text, '&');
	bool releases = strchr(text, '!') || strchr(text, '&');

	return acquires ? releases ? EX_ACQ_REL : EX_ACQUIRE :
	       releases ? EX_RELEASE : EX_RELAXED;
}

/* a=x..., where text begins behind the = */
static void parse_into(struct op *op, const char *text)
{
	op->location = location_named(text[0]);
	switch (text[1]) {
	case '+':
	case ':':
		op->what = MODIFY;
		op->how = text[1] == '+' ? EX_ADD : EX_SWAP;
		op->value = (uint64_t)atoi(text + 2);
		break;
	case '@':
		op->what = CAS;
		op->expected = (uint64_t)(text[2] - '0');
		op->value = (uint64_t)(text[4] - '0');
		break;
	default:
		op->what = text[0] == 'd' ? PLAIN_READ : LOAD;
	}
}

static void parse(struct op *op, const char *text)
{
	const char *condition = strstr(text, " if ");

	memset(op, 0, sizeof(*op));
	op->site = (struct ex_site){ "litmus", test->name, 0,
				     order_marked(text), 0, { 0, 0 } };
	op->condition = condition ? condition[4] - 'a' : -1;
	if (!strncmp(text, "fence", 5)) {
		op->what = FENCE;
		if (op->site.order == EX_RELAXED)
			op->site.order = EX_SC;
	} else if (!strcmp(text, "heavy")) {
		op->what = HEAVY;
	} else if (!strcmp(text, "light")) {
		op->what = LIGHT;
	} else if (!strncmp(text, "wait ", 5)) {
		op->what = WAIT;
		op->location = location_named(text[5]);
		op->expected = (uint64_t)(text[7] - '0');
	} else if (!strncmp(text, "wake", 4)) {
		op->what = WAKE;
		op->value = text[4] == '1' ? 1 : UINT32_MAX;
		op->location = location_named(text[text[4] == '1' ? 6 : 5]);
	} else if (text[0] >= 'x' || (text[0] == 'd' && text[2] == '1')) {
		op->what = text[0] == 'd' ? PLAIN_WRITE : STORE;
		op->location = location_named(text[0]);
		op->value = (uint64_t)atoi(text + 2);
	} else {
		op->into = text[0] - 'a';
		parse_into(op, text + 2);
	}
}

static unsigned int parse_test(void)
{
	unsigned int n = 0;

	for (; n < THREADS && test->threads[n]; n++) {
		char text[128], *rest = text, *part;

		snprintf(text, sizeof(text), "%s", test->threads[n]);
		lengths[n] = 0;
		while ((part = strsep(&rest, ";")))
			parse(&program[n][lengths[n]++],
			      part + strspn(part, " "));
	}
	return n;
}

static void reset(void)
{
	memset(ex_arena, 0, 256);
	memset(registers, 0, sizeof(registers));
}

static void perform(struct op *op)
{
	uint32_t *at = word(op->location);
	uint64_t *into = &registers[op->into];

	switch (op->what) {
	case LOAD:
		*into = ex_load(at, 4, &op->site);
		break;
	case STORE:
		ex_store(at, 4, op->value, &op->site);
		break;
	case MODIFY:
		*into = ex_modify(at, 4, op->how, op->value, &op->site);
		break;
	case CAS:
		*into = ex_cas(at, 4, op->expected, op->value, &op->site);
		break;
	case FENCE:
		ex_fence(&op->site);
		break;
	case HEAVY:
		ex_heavy(&op->site);
		break;
	case LIGHT:
		break;
	case WAIT:
		ex_park(at, (uint32_t)op->expected, UINT64_MAX, &op->site);
		break;
	case WAKE:
		ex_wake(at, (unsigned int)op->value, &op->site);
		break;
	case PLAIN_READ:
		ex_plain(at, false, NULL);
		*into = *at;
		break;
	case PLAIN_WRITE:
		ex_plain(at, true, NULL);
		*at = (uint32_t)op->value;
		break;
	}
}

static void body(unsigned int thread)
{
	for (unsigned int i = 0; i < lengths[thread]; i++) {
		struct op *op = &program[thread][i];

		if (op->condition < 0 || registers[op->condition])
			perform(op);
	}
}

static void finish(void)
{
	char outcome[16];
	unsigned int n = 0;

	for (const char *c = test->observed; *c; c++)
		outcome[n++] = (char)('0' + (*c >= 'a' ? registers[*c - 'a'] :
					     *word(*c - 'X')));
	outcome[n] = '\0';
	for (unsigned int i = 0; i < nr_seen; i++)
		if (!strcmp(seen[i], outcome))
			return;
	if (nr_seen < sizeof(seen) / sizeof(seen[0]))
		memcpy(seen[nr_seen++], outcome, sizeof(outcome));
}

static const char *name(const void *at)
{
	static const char *const names[] = { "x", "y", "z", "d" };

	return names[((const char *)at - ex_arena) / 64 % 4];
}

/* Both readers see two stores in one order, whichever. */
static bool is_coherent(const char *o)
{
	return !(o[0] != o[1] && o[2] != o[3] && o[0] == o[3] && o[1] == o[2]);
}

static bool is_expected(const struct ex_result *r)
{
	unsigned int nr_expected = 0;

	if (r->has_failed)
		return !strcmp(test->outcomes, !strncmp(r->failure, "every", 5) ?
			       "deadlock" : "race");
	if (!r->is_exhausted)
		return false;
	for (unsigned int i = 0; i < nr_seen; i++)
		if (test->outcomes ? !strstr(test->outcomes, seen[i]) :
				     !is_coherent(seen[i]))
			return false;
	for (const char *c = test->outcomes; c && *c; c++)
		nr_expected += (c == test->outcomes || c[-1] == ' ') && *c != ' ';
	return !nr_expected || nr_seen == nr_expected;
}

static bool run_one(bool is_reduced)
{
	static const struct ex_region state[] = {
		{ ex_arena, 256 }, { registers, sizeof(registers) }, { NULL, 0 },
	};
	struct ex_program p = { .reset = reset, .body = body, .finish = finish,
				.name = name, .state = state };
	struct ex_options options = ex_defaults;
	static struct ex_result r;

	p.nr_threads = parse_test();
	options.is_rc11 = !test->is_c20;
	options.has_sleep_sets = options.is_lean = is_reduced;
	nr_seen = 0;
	ex_search(&p, &options, &r);
	if (is_expected(&r))
		return true;
	printf("FAIL litmus %s: wanted %s, got %s", test->name,
	       test->outcomes ? test->outcomes : "coherence", r.failure);
	for (unsigned int i = 0; i < nr_seen; i++)
		printf(" %s", seen[i]);
	printf(" (%lu executions)\n", (unsigned long)r.nr_executions);
	return false;
}

void run_litmus(const char *part, unsigned int *passed, unsigned int *failed)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		test = &tests[i];
		if (part && !strstr(test->name, part))
			continue;
		if (run_one(true) && run_one(false)) {
			++*passed;
			printf("ok   litmus %s\n", test->name);
		} else {
			++*failed;
		}
	}
}
