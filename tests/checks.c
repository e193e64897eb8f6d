/*
 * checks.c - what a check prints, the seed and the number of rounds
 *
 * Shared by both backends.  A failed check ends the process with status 1 and
 * not by abort(), so that a test which wants an abort cannot take it for one;
 * test_failed() gives the in-process runner the last word.
 */
#include "tests/backend.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/runner.h"

void test_fail(const char *file, int line, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
	fflush(stderr);
	test_failed();
	_exit(1);
}

static bool holds(struct test_value a, enum test_relation relation,
		  struct test_value b)
{
	bool equal = a.negative == b.negative && a.bits == b.bits;
	bool less = a.negative != b.negative ? a.negative : a.bits < b.bits;

	switch (relation) {
	case TEST_EQ:
		return equal;
	case TEST_NE:
		return !equal;
	case TEST_LT:
		return less;
	case TEST_LE:
		return less || equal;
	}
	return false;
}

static const char *print_value(char *text, size_t size, struct test_value v)
{
	if (v.negative)
		snprintf(text, size, "%" PRId64, (int64_t)v.bits);
	else if (v.bits < 1 << 16)
		snprintf(text, size, "%" PRIu64, v.bits);
	else
		snprintf(text, size, "%" PRIu64 " (0x%" PRIx64 ")", v.bits,
			 v.bits);
	return text;
}

void test_compare(const char *file, int line, const char *expression,
		  struct test_value got, enum test_relation relation,
		  struct test_value want)
{
	static const char *const names[] = {
		[TEST_EQ] = "",
		[TEST_NE] = "something other than ",
		[TEST_LT] = "less than ",
		[TEST_LE] = "at most ",
	};
	char a[64], b[64];

	if (holds(got, relation, want))
		return;
	test_fail(file, line, "%s: got %s, want %s%s", expression,
		  print_value(a, sizeof(a), got), names[relation],
		  print_value(b, sizeof(b), want));
}

void test_compare_strings(const char *file, int line, const char *expression,
			  const char *got, const char *want)
{
	if (got && want && strcmp(got, want) == 0)
		return;
	test_fail(file, line, "%s: got \"%s\", want \"%s\"", expression,
		  got ? got : "(null)", want ? want : "(null)");
}

uint64_t test_seed(void)
{
	const char *given = getenv("RL_SEED");
	struct timespec now;
	uint64_t seed;

	if (given && *given) {
		seed = strtoull(given, NULL, 0);
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_sec * 1000000007u ^
		       (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 32;
		seed = seed * 0x9e3779b97f4a7c15u >> 16;
	}
	printf("seed %" PRIu64 " (rerun with RL_SEED=%" PRIu64 ")\n", seed,
	       seed);
	fflush(stdout);
	return seed;
}

uint64_t test_rounds(uint64_t n)
{
	const char *percent = getenv("RL_TEST_PERCENT");
	uint64_t part = n;

	if (percent && *percent)
		part = n / 100 * strtoull(percent, NULL, 10) +
		       n % 100 * strtoull(percent, NULL, 10) / 100;
	return part ? part : 1;
}
