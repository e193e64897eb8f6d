/*
 * spin.c - waiting for a guard
 *
 * About 100 looks, then naps of 50 us, doubling to 1 ms, and from then on an eighth
 * longer each: about an eighth of what it has waited.  If they did not grow any
 * more, a thousand who nap would take the CPU from the holder whom they wait for.  Weak
 * spot: who naps can miss a free guard for the rest of the nap; it happens only when a
 * holder was preempted inside its critical section, or walks thousands of waiters there.
 */
#include "rangelock/base/spin.h"

#define LOOKS		100u
#define TRY_LOOKS	1000u
#define NAP_NS		UINT64_C(50000)
#define NAP_LONG_NS	UINT64_C(1000000)
#define NAP_MAX_NS	UINT64_C(100000000)

static bool take_within(uint32_t *guard, const struct rl_host *host,
			unsigned int looks)
{
	for (unsigned int i = 0; i < looks; i++) {
		if (!rl_guard_is_taken(guard) && rl_guard_take(guard))
			return true;
		rl_relax(host);
	}
	return false;
}

bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host)
{
	return rl_can_spin(host) && take_within(guard, host, TRY_LOOKS);
}

void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host)
{
	uint64_t nap_ns = NAP_NS;

	if (rl_can_spin(host) && take_within(guard, host, LOOKS))
		return;
	while (!rl_guard_take(guard)) {
		rl_park(host, guard, rl_guard_flags(guard) | RL_GUARD_TAKEN,
			rl_clock(host) + nap_ns);
		if (nap_ns < NAP_MAX_NS)
			nap_ns += nap_ns < NAP_LONG_NS ? nap_ns : nap_ns / 8;
	}
}
