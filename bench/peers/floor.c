/*
 * floor.c - the physical floor: one exchange to lock, one store to unlock
 *
 * A test-and-set word excludes with the least that can exclude at all: no ranges,
 * no readers, no order, nobody sleeps.  What a lock costs beyond it is what it
 * does for that.  It spins, so no more threads than CPUs.
 */
#include "bench/atomics.h"
#include "bench/bench.h"

static void lock(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	uint32_t *word = lock;

	(void)h;
	(void)start;
	(void)end;
	while (swap_acquire(word, 1))
		while (load_relaxed(word))
			pause_cpu();
}

static void unlock(void *lock, struct handle *h)
{
	uint32_t *word = lock;

	(void)h;
	store_release(word, 0);
}

const struct peer peer_floor = {
	.name = "floor",
	.what = "one exchange and one store, the whole object",
	.traits = SPINS,
	.lock_bytes = LINE,
	.lock = { lock, lock },
	.unlock = { unlock, unlock },
};
