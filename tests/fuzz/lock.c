/*
 * Goal: whatever is done to the lock, in whatever order, it does what the
 * brute-force model does: compact, and forests whose shards close and open.
 *
 * The first byte's two high bits choose the engine; the bytes are a history
 * (tests/model/coded.h).
 */
#include "tests/fuzz/fuzz.h"

#include "tests/model/coded.h"

#define OPS_MAX	96
#define CHUNK	4

static int init_forest(struct rangelock *lk, const struct rl_options *options,
		       uint32_t nr_shards)
{
	struct rl_options o = *options;

	o.chunk_size = CHUNK;
	o.nr_shards = nr_shards;
	return rl_init(lk, &o);
}

static int init_forest_1(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, 1);
}

static int init_forest_2(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, 2);
}

static int init_forest_8(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static engine_init_fn *const inits[] = {
		rl_init, init_forest_1, init_forest_2, init_forest_8,
	};
	struct op ops[OPS_MAX];
	volatile size_t reached;
	struct scene scene;
	unsigned int engine = size ? data[0] >> 6 : 0;
	size_t nr = coded_read(&scene, engine ? CHUNK : 0, ops, OPS_MAX, data, size);

	play(&scene, ops, nr, inits[engine], false, &reached);
	return 0;
}
