/*
 * Goal: whatever is done to the lock, in whatever order, it does what the
 * brute-force model does: compact, and forests whose shards close and open.
 *
 * The bytes are a history (tests/model/coded.h); the first one's two high bits also
 * choose the engine, and the bit below them the plain form.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/model/coded.h"

#define OPS_MAX	96
#define CHUNK	4

/* What rl_init() is asked for beside what the history says. */
static uint32_t nr_shards, flags;

static int init(struct rangelock *lk, const struct rl_options *options)
{
	struct rl_options o = *options;

	o.chunk_size = nr_shards ? CHUNK : 0;
	o.nr_shards = nr_shards;
	o.flags = flags;
	return rl_init(lk, &o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t shards[] = { 0, 1, 2, 8 };
	struct op ops[OPS_MAX];
	volatile size_t reached;
	struct scene scene;
	size_t nr;

	nr_shards = shards[size ? data[0] >> 6 : 0];
	flags = size && data[0] >> 5 & 1 ? RL_PLAIN : 0;
	nr = coded_read(&scene, nr_shards ? CHUNK : 0, ops, OPS_MAX, data, size);
	play(&scene, ops, nr, init, false, &reached);
	return 0;
}
