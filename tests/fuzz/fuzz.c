/*
 * fuzz.c - what the fuzz targets share
 */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --wrap=_exit brings the calls of our own helpers here. */
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	fuzz_fail("a helper ended with status %d", status);
}

void fuzz_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		fuzz_fail("no file in memory");
	return path;
}

const char *fuzz_text(const uint8_t *data, size_t size)
{
	static char *text;

	/* Just as long as it must be, so that reading on is noticed. */
	free(text);
	text = malloc(size + 1);
	if (!text)
		fuzz_fail("out of memory");
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}
