/*
 * none.c - no lock: arithmetic, about as many instructions as our pair has
 *
 * Excludes nobody and shares nothing.  What two threads of it do in the time of one is
 * what the machine has to give: two CPUs that share a core's units, as the CPUs of
 * a virtual machine may without saying so, do less than twice as much.
 */
#include "bench/bench.h"
#include "bench/speed.h"

#define LAPS	10u

static void no_lock(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)lock;
	(void)h;
	(void)start;
	(void)end;
	add_densely(LAPS);
}

static void no_unlock(void *lock, struct handle *h)
{
	(void)lock;
	(void)h;
	add_densely(LAPS);
}

const struct peer peer_none = {
	.name = "none",
	.what = "no lock, arithmetic only: what two CPUs have to give",
	.lock_bytes = 1,
	.bars_cases = { "two chunks" },
	.lock = { no_lock, no_lock },
	.unlock = { no_unlock, no_unlock },
};
