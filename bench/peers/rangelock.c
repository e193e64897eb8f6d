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

static int init_with(void *lock, uint64_t chunk_size, uint32_t flags)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.chunk_size = chunk_size;
	options.flags = flags;
	return rl_init(lock, &options);
}

static int init_forest(void *lock)
{
	return init_with(lock, CHUNK, 0);
}

static int init_forest_biased(void *lock)
{
	return init_with(lock, CHUNK, RL_READER_BIAS);
}

static int init_compact_plain(void *lock)
{
	return init_with(lock, 0, RL_PLAIN);
}

static int init_forest_plain(void *lock)
{
	return init_with(lock, CHUNK, RL_PLAIN);
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

#define FORM(form_name, form_what, form_init)		\
	{								\
		.name = form_name,					\
		.what = form_what,					\
		.traits = RANGES | EXACT | SHARED,			\
		.lock_bytes = sizeof(struct rangelock),			\
		.handle_bytes = sizeof(struct rl_range),		\
		.init = form_init,					\
		.destroy = destroy,					\
		.lock = { read_lock, write_lock },			\
		.lock_coarse = { read_lock_coarse, write_lock_coarse },	\
		.unlock = { unlock, unlock },				\
	}

const struct peer peer_compact =
	FORM("compact", "rangelock, one arbiter", NULL);
const struct peer peer_compact_plain =
	FORM("compact_plain", "the same, RL_PLAIN", init_compact_plain);
const struct peer peer_forest =
	FORM("forest", "rangelock, 64 shards of 2 MiB chunks", init_forest);
const struct peer peer_forest_biased =
	FORM("forest_biased", "the same, RL_READER_BIAS", init_forest_biased);
const struct peer peer_forest_plain =
	FORM("forest_plain", "the same, RL_PLAIN", init_forest_plain);
