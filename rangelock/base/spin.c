/*
 * spin.c - waiting for a guard
 *
 * A look, 8 pauses, a look, 16 pauses, and so on up to 64: who looks takes the line
 * away from those who lock and unlock there, and each gets on faster alone.  About 400
 * pauses, then naps of 50 us, doubling to 1 ms, and from then on 1 ms and an
 * eighth of what it has waited; after each nap as many looks.  If the naps did not grow
 * any more, a thousand who nap would take the CPU from the holder whom they wait for.
 * Weak spot: who naps can miss a free guard for the rest of the nap.  It naps when a
 * holder was preempted inside its critical section, or walks thousands of waiters
 * there; whoever asks again and again, in vain, gives way to it (rl_guard_give_way()).
 */
#include "rangelock/base/spin.h"

#include "rangelock/base/child.h"

#ifndef RL_GUARD_PAUSES			/* docs/BENCH.md, "Chosen by measuring" */
#define RL_GUARD_PAUSES	400u
#endif
#define TRY_PAUSES	1000u
#define FEWEST_PAUSES	8u		/* between two looks */
#define MOST_PAUSES	64u
#define NAP_NS		UINT64_C(50000)
#define NAP_LONG_NS	UINT64_C(1000000)
#define NAP_MAX_NS	UINT64_C(100000000)
#define WAY_LOOKS	500u

static uint32_t nr_napping;		/* atomic: how many nap, for any guard */

/* They are not there. */
static void forget_all(void)
{
	rl_store_relaxed(&nr_napping, 0);	/* relaxed: one thread */
}

__attribute__((constructor)) static void watch_forks(void)
{
	rl_at_child(forget_all);
}

/* Look until there were so many pauses. */
static bool take_within(uint32_t *guard, const struct rl_host *host,
			unsigned int pauses)
{
	unsigned int next = FEWEST_PAUSES;

	for (;;) {
		if (!rl_guard_is_taken(guard) && rl_guard_take(guard))
			return true;
		if (pauses < next)
			return false;
		pauses -= next;
		for (unsigned int i = 0; i < next; i++)
			rl_relax(host);
		next = next < MOST_PAUSES ? 2 * next : MOST_PAUSES;
	}
}

bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host)
{
	return rl_can_spin(host) && take_within(guard, host, TRY_PAUSES);
}

static uint64_t nap_after(uint64_t waited_ns)
{
	if (waited_ns < NAP_NS)
		return NAP_NS;
	if (waited_ns < NAP_LONG_NS)
		return waited_ns;
	waited_ns = NAP_LONG_NS + waited_ns / 8;
	return waited_ns < NAP_MAX_NS ? waited_ns : NAP_MAX_NS;
}

void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host)
{
	unsigned int pauses = rl_can_spin(host) ? RL_GUARD_PAUSES : 0;
	uint64_t since_ns, now;

	if (take_within(guard, host, pauses))
		return;
	rl_add_relaxed(&nr_napping, 1);		/* relaxed: only a hint */
	since_ns = now = rl_clock(host);
	do {
		rl_park(host, guard, rl_guard_flags(guard) | RL_GUARD_TAKEN,
			now + nap_after(now - since_ns));
		now = rl_clock(host);
	} while (!take_within(guard, host, pauses));
	rl_add_relaxed(&nr_napping, UINT32_MAX);
}

void rl_guard_give_way(const struct rl_host *host)
{
	/* Relaxed: only a hint. */
	if (!rl_load_relaxed(&nr_napping) || !rl_can_spin(host))
		return;
	for (unsigned int i = 0; i < WAY_LOOKS; i++)
		rl_relax(host);
}
