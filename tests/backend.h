/*
 * backend.h - one test source, two ways to run it
 *
 * With RL_TEST_CRITERION Criterion runs each test in a process of its own.
 * Otherwise tests/inproc.c runs them all in one process, so that a sanitizer or
 * valgrind sees everything: Criterion 2.4.1 does not start under
 * ThreadSanitizer, and hides what LeakSanitizer and valgrind find.
 *
 *	Test(order, later_reader_does_not_overtake_a_queued_writer)
 *	{
 *		check_eq(rl_read_trylock(&lk, &r, 0, 10), EBUSY);
 *	}
 *	Test(misuse, empty_range_aborts, .signal = SIGABRT, .timeout = 5)
 *
 * A failed check prints what it got and what was wanted and ends the test, from
 * whichever thread; it is never taken for the abort that a test asks for.
 */
#ifndef RL_TESTS_BACKEND_H
#define RL_TESTS_BACKEND_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef RL_TEST_CRITERION
#include <criterion/criterion.h>
#else

/* What may follow the name in Test(). */
struct test_options {
	int signal;	/* the test must end by this signal */
	int exit_code;	/* the test must end by exit() with this; 0: by return */
	double timeout;	/* seconds; 0: the default, 120 */
	int unused;
};

struct test_case {
	const char *suite;
	const char *name;
	void (*run)(void);
	struct test_options options;
	struct test_case *next;
};

void test_register(struct test_case *t);

#define Test(suite_, name_, ...)                                               \
	static void suite_##_##name_##_test(void);                             \
	__attribute__((constructor)) static void suite_##_##name_##_add(void)  \
	{                                                                      \
		static struct test_case this_case = {                          \
			.suite = #suite_,                                      \
			.name = #name_,                                        \
			.run = suite_##_##name_##_test,                        \
			.options = { .unused = 0, __VA_ARGS__ },               \
		};                                                             \
		test_register(&this_case);                                     \
	}                                                                      \
	static void suite_##_##name_##_test(void)

#endif

/* An integer of any type, so that -1 and UINT64_MAX stay two values. */
struct test_value {
	bool negative;
	uint64_t bits;
};

static inline struct test_value test_signed(long long v)
{
	return (struct test_value){ v < 0, (uint64_t)v };
}

static inline struct test_value test_unsigned(unsigned long long v)
{
	return (struct test_value){ false, v };
}

static inline struct test_value test_pointer(const volatile void *p)
{
	return (struct test_value){ false, (uint64_t)(uintptr_t)p };
}

/* clang-format off */
#define test_value_of(x) (_Generic((1 ? (x) : (x)),                            \
	int: test_signed, long: test_signed, long long: test_signed,           \
	unsigned: test_unsigned, unsigned long: test_unsigned,                 \
	unsigned long long: test_unsigned, default: test_pointer)(x))
/* clang-format on */

enum test_relation { TEST_EQ, TEST_NE, TEST_LT, TEST_LE };

/* Print what is wrong, fail the running test and do not return. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void test_compare(const char *file, int line, const char *expression,
		  struct test_value got, enum test_relation relation,
		  struct test_value want);
void test_compare_strings(const char *file, int line, const char *expression,
			  const char *got, const char *want);

#define check(condition)                                                       \
	((condition) ? (void)0                                                 \
		     : test_fail(__FILE__, __LINE__, "not true: %s", #condition))
#define check_msg(condition, ...)                                              \
	((condition) ? (void)0 : test_fail(__FILE__, __LINE__, __VA_ARGS__))
#define test_relate(got, relation, want)                                       \
	test_compare(__FILE__, __LINE__, #got, test_value_of(got), relation,   \
		     test_value_of(want))
#define check_eq(got, want) test_relate(got, TEST_EQ, want)
#define check_ne(got, other) test_relate(got, TEST_NE, other)
#define check_lt(got, limit) test_relate(got, TEST_LT, limit)
#define check_le(got, limit) test_relate(got, TEST_LE, limit)
#define check_str_eq(got, want)                                                \
	test_compare_strings(__FILE__, __LINE__, #got, got, want)

/* The seed of this run: RL_SEED, or a fresh one; printed either way. */
uint64_t test_seed(void);

/*
 * n rounds, or RL_TEST_PERCENT percent of them and at least one: how a slow
 * tool (valgrind, a sanitizer) runs a bounded part of a long test.
 */
uint64_t test_rounds(uint64_t n);

#endif
