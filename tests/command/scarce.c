/*
 * scarce.c - memory that is short once; preloaded by test_memory.py
 *
 * FAIL_AT=N lets the N-th allocation fail, counted from 1.  FAIL_COUNT=FILE writes
 * there, at the end, how many there were.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What is behind: glibc's own. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t nr, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static long nr, fail_at;		/* nr is atomic */

static int fails(void)
{
	if (__atomic_add_fetch(&nr, 1, __ATOMIC_RELAXED) != fail_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAIL_AT");

	__atomic_store_n(&nr, 0, __ATOMIC_RELAXED);
	fail_at = text ? strtol(text, NULL, 10) : -1;
}

__attribute__((destructor)) static void end(void)
{
	const char *name = getenv("FAIL_COUNT");
	long number = nr;
	FILE *f = name ? fopen(name, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%ld\n", number);
	fclose(f);
}
