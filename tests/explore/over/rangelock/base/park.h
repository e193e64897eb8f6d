/*
 * park.h - the explorer's futex, clock and thread names
 *
 * Unless the form says otherwise nobody spins: who would look again waits for a
 * change instead.  Who spins looks once or twice (mk/explore.mk).
 */
#ifndef RL_BASE_PARK_H
#define RL_BASE_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include <rangelock.h>

#include "rangelock/base/planted.h"
#include "tests/explore/doors.h"

extern bool ex_spins;
/* Do threads run at the same time?  Then who sleeps is called, not granted. */
extern bool ex_is_parallel;

#define rl_park(host, word, expected, deadline_ns)			\
	((void)(host),							\
	 ex_park((word), (expected), (deadline_ns), EX_SITE(EX_KERNEL)))
#define rl_wake(host, word)						\
	((void)(host), (void)ex_wake((word), RL_PLANTED(WAKE_ONE) ? 1 :	\
				     UINT32_MAX, EX_SITE(EX_KERNEL)))
#define rl_clock(host)	((void)(host), ex_clock(EX_SITE(EX_RELAXED)))
#define rl_owner(host)	((void)(host), (uint64_t)ex_self() + 1)
#define rl_can_spin(host)	((void)(host), (bool)ex_spins)
#define rl_is_parallel(host)	((void)(host), (bool)ex_is_parallel)
#define rl_relax(host)		((void)(host))

#endif
