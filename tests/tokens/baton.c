/*
 * baton.c - words with a futex each
 */
#include "tests/tokens/baton.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/helgrind.h>

static uint32_t nr_of_tsan;

/* ThreadSanitizer calls it at each report. */
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
	(void)report;
	__atomic_fetch_add(&nr_of_tsan, 1, __ATOMIC_SEQ_CST);
}

/* Each report counts, also one that looks like another. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "suppress_equal_stacks=0 suppress_equal_addresses=0 exitcode=0";
}

unsigned long nr_reports(void)
{
	return __atomic_load_n(&nr_of_tsan, __ATOMIC_SEQ_CST) +
	       VALGRIND_COUNT_ERRORS;
}

void baton_hide(const void *memory, unsigned long size)
{
	VALGRIND_HG_DISABLE_CHECKING(memory, size);
}

void baton_copy(void *to, const void *from, unsigned long size)
{
	for (unsigned long i = 0; i < size; i++)
		((volatile char *)to)[i] = ((const volatile char *)from)[i];
}

static void wake(struct baton *b)
{
	syscall(SYS_futex, &b->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void baton_set(struct baton *b, uint32_t value)
{
	__atomic_store_n(&b->value, value, __ATOMIC_SEQ_CST);
	wake(b);
}

void baton_add(struct baton *b)
{
	__atomic_fetch_add(&b->value, 1, __ATOMIC_SEQ_CST);
	wake(b);
}

uint32_t baton_get(const struct baton *b)
{
	return __atomic_load_n(&b->value, __ATOMIC_SEQ_CST);
}

void baton_await(const struct baton *b, uint32_t at_least)
{
	uint32_t now;

	while ((now = baton_get(b)) < at_least)
		syscall(SYS_futex, &b->value, FUTEX_WAIT_PRIVATE, now, NULL,
			NULL, 0);
}
