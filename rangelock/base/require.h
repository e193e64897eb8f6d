/*
 * require.h - assertions: the caller's duties and our own invariants
 *
 * RL_REQUIRE is always compiled; RL_INVARIANT is off with RL_NDEBUG.  Both print
 * file, line and the broken condition, then abort.
 */
#ifndef RL_BASE_REQUIRE_H
#define RL_BASE_REQUIRE_H

#include <stdint.h>

_Noreturn void rl_fail(const char *file, int line, const char *what);

/* The same for a place and a range that the caller names. */
_Noreturn void rl_fail_range(const char *file, int line, const char *what,
			     uint64_t start, uint64_t end);

#define RL_REQUIRE(condition)						\
	do {								\
		if (__builtin_expect(!(condition), 0))			\
			rl_fail(__FILE__, __LINE__, #condition);	\
	} while (0)

#ifdef RL_NDEBUG
#define RL_INVARIANT(condition)	((void)sizeof(!(condition)))
#else
#define RL_INVARIANT(condition)	RL_REQUIRE(condition)
#endif

#endif
