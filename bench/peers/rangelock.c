/*
 * rangelock.c - the library itself: the compact engine, and the forest
 *
 * The handle lies on the stack and is made new for each lock, as a caller would
 * do it.  A compact lock is all zeroes, as RANGELOCK_INIT makes it.  The forest
 * counts as missing where rl_init() builds none for a chunk size; an engine option
 * that comes later is one more struct peer here, one more line in the table of
 * peers.c, and the subject of its bars in bars.c.
 */
#include <rangelock.h>

#include "bench/bench.h"

static int init_forest(void *lock)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.chunk_size = CHUNK;
	return rl_init(lock, &options);
}

static const char *missing_forest(void)
{
	struct rangelock probe = RANGELOCK_INIT;
	bool built = !init_forest(&probe) && probe.forest;

	rl_destroy(&probe);
	return built ? NULL : "engine not built";
}

static void destroy(void *lock)
{
	rl_destroy(lock);
}

static void read_lock(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct rl_range *r = (struct rl_range *)h;

	rl_range_init(r);
	rl_read_lock(lock, r, start, end);
}

static void write_lock(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct rl_range *r = (struct rl_range *)h;

	rl_range_init(r);
	rl_write_lock(lock, r, start, end);
}

static void read_lock_coarse(void *lock, struct handle *h, uint64_t start,
			     uint64_t end)
{
	struct rl_range *r = (struct rl_range *)h;

	(void)start;
	(void)end;
	rl_range_init(r);
	rl_read_lock_coarse(lock, r);
}

static void write_lock_coarse(void *lock, struct handle *h, uint64_t start,
			      uint64_t end)
{
	struct rl_range *r = (struct rl_range *)h;

	(void)start;
	(void)end;
	rl_range_init(r);
	rl_write_lock_coarse(lock, r);
}

static void unlock(void *lock, struct handle *h)
{
	rl_unlock(lock, (struct rl_range *)h);
}

_Static_assert(sizeof(struct rl_range) <= sizeof(struct handle), "room");

const struct peer peer_compact = {
	.name = "compact",
	.what = "rangelock, one arbiter",
	.traits = RANGES | EXACT | SHARED,
	.lock_bytes = sizeof(struct rangelock),
	.handle_bytes = sizeof(struct rl_range),
	.destroy = destroy,
	.lock = { read_lock, write_lock },
	.lock_coarse = { read_lock_coarse, write_lock_coarse },
	.unlock = { unlock, unlock },
};

const struct peer peer_forest = {
	.name = "forest",
	.what = "rangelock, 64 shards of 2 MiB chunks",
	.traits = RANGES | EXACT | SHARED,
	.lock_bytes = sizeof(struct rangelock),
	.handle_bytes = sizeof(struct rl_range),
	.missing = missing_forest,
	.init = init_forest,
	.destroy = destroy,
	.lock = { read_lock, write_lock },
	.lock_coarse = { read_lock_coarse, write_lock_coarse },
	.unlock = { unlock, unlock },
};
