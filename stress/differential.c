/*
 * differential.c - the lock against the brute-force model, for as long as asked
 *
 *	differential [--ops N] [--seed S]
 *
 * Half of the ops are the compact engine's; the rest is shared by forests, whose
 * shards close and open at random.
 *
 * One thread, all operations; see tests/model/play.h.  Prints its seed; the same
 * seed plays the same histories.  Exit 0, or 1 with the shrunk history.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/model/differential.h"

#define OPS	UINT64_C(10000000)

static uint64_t fresh_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int init_forest(struct rangelock *lk, const struct rl_options *options,
		       uint32_t nr_shards)
{
	struct rl_options o = *options;

	o.chunk_size = 4;
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

static int init_forest_64(struct rangelock *lk,
			  const struct rl_options *options)
{
	return init_forest(lk, options, 64);
}

static int usage(void)
{
	fprintf(stderr, "usage: differential [--ops N] [--seed S]\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t ops = OPS, seed = fresh_seed();

	for (int i = 1; i < argc; i += 2) {
		char *rest = NULL;
		uint64_t n = i + 1 < argc ? strtoull(argv[i + 1], &rest, 0) : 0;

		if (!rest || *rest || !*argv[i + 1])
			return usage();
		if (strcmp(argv[i], "--ops") == 0)
			ops = n;
		else if (strcmp(argv[i], "--seed") == 0)
			seed = n;
		else
			return usage();
	}
	printf("seed %" PRIu64 ", %" PRIu64 " ops\n", seed, ops);
	if (!differential(rl_init, seed, ops / 2) ||
	    !differential(init_forest_1, seed, ops / 6) ||
	    !differential(init_forest_2, seed, ops / 6) ||
	    !differential(init_forest_64, seed, ops / 6))
		return 1;
	printf("no difference\n");
	return 0;
}
