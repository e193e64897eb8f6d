/*
 * Goal: a narrow pair of a forest changes one cache line of all that threads
 * share, its shard's.  Bytes that are changed and changed back within one call
 * are not seen here; tests/instructions/ sees each store.
 */
#include <stdlib.h>
#include <string.h>

#include <rangelock.h>

#include "rangelock/engine/shards.h"
#include "tests/backend.h"

#define CHUNK	(UINT64_C(2) << 20)
#define SHARDS	64
#define LINE	64
#define LINES	(SHARDS + 32)	/* the forest has a head */

/* The lock and its forest at one moment. */
struct snapshot {
	unsigned char lock[sizeof(struct rangelock)];
	unsigned char *forest;
};

static struct rangelock lk;

static size_t forest_size(void)
{
	return rl_forest_size(SHARDS);
}

static struct snapshot take(void)
{
	struct snapshot s;

	s.forest = malloc(forest_size());
	check(s.forest != NULL);
	memcpy(s.lock, &lk, sizeof(lk));
	memcpy(s.forest, lk.forest, forest_size());
	return s;
}

/* Marks each line in which a and b differ. */
static void mark_changed(const unsigned char *a, const unsigned char *b, size_t size,
			 bool (*changed)[LINES])
{
	check_le(size, sizeof(*changed) * LINE);
	for (size_t i = 0; i < size; i++)
		if (a[i] != b[i])
			(*changed)[i / LINE] = true;
}

static void check_one_line(uint64_t start, uint64_t end,
			   int (*lock)(struct rangelock *, struct rl_range *, uint64_t, uint64_t))
{
	uint32_t at = (uint32_t)((sizeof(struct rl_forest) +
				  rl_shard_of(lk.forest, start, end) *
					  sizeof(struct rl_arbiter)) /
				 LINE);
	bool changed[LINES] = { false };
	struct rl_range r = RL_RANGE_INIT;
	struct snapshot before, between, after;

	before = take();
	check_eq(lock(&lk, &r, start, end), 0);
	between = take();
	rl_unlock(&lk, &r);
	after = take();
	check_eq(memcmp(before.lock, between.lock, sizeof(lk)), 0);
	check_eq(memcmp(before.lock, after.lock, sizeof(lk)), 0);
	mark_changed(before.forest, between.forest, forest_size(), &changed);
	mark_changed(between.forest, after.forest, forest_size(), &changed);
	for (uint32_t line = 0; line < LINES; line++)
		check_eq(changed[line], line == at);
	free(before.forest);
	free(between.forest);
	free(after.forest);
}

Test(lines, a_narrow_pair_of_a_forest_changes_its_shards_line_only)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.chunk_size = CHUNK;
	o.nr_shards = SHARDS;
	check_eq(rl_init(&lk, &o), 0);
	for (uint64_t chunk = 0; chunk < 100; chunk++) {
		uint64_t start = chunk * CHUNK;

		check_one_line(start, start + CHUNK, rl_write_lock);
		check_one_line(start + 5, start + 6, rl_read_lock);
		check_one_line(start + 5, start + 6, rl_write_trylock);
	}
	check_eq(rl_destroy(&lk), 0);
}
