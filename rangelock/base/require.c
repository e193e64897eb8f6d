/*
 * require.c - the last words of a broken program
 *
 * Plain write-out through stdio's unbuffered stderr, then abort(): the core file
 * shows the rest.
 */
#include "rangelock/base/require.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void rl_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "rangelock: %s:%d: broken: %s\n", file, line, what);
	abort();
}

_Noreturn void rl_fail_range(const char *file, int line, const char *what,
			     uint64_t start, uint64_t end)
{
	fprintf(stderr, "rangelock: %s:%d: broken: %s [%#" PRIx64 ", %#" PRIx64 ")\n",
		file, line, what, start, end);
	abort();
}
