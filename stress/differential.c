/*
 * differential.c - the lock against the brute-force model, for as long as asked
 *
 *	differential [--ops N] [--seed S]
 *
 * Half of the ops are the compact engine's; the rest is shared by forests, whose
 * shards close and open at random; one of them is plain (RL_PLAIN).  Half of
 * their histories are crowded: nearly all requests are narrow and in a few
 * chunks, so that waiters meet in open shards and come under another guard.  How
 * often they did is printed, and a run of MATTERS ops or more in which they did
 * not has failed.
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
#define MATTERS	UINT64_C(100000)

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

static int init_plain_forest(struct rangelock *lk,
			     const struct rl_options *options)
{
	struct rl_options o = *options;

	o.flags = RL_PLAIN;
	return init_forest(lk, &o, 2);
}

struct forest {
	const char *name;
	engine_init_fn *init;
};

static const struct forest forests[] = {
	{ "1 shard", init_forest_1 },
	{ "2 shards", init_forest_2 },
	{ "64 shards", init_forest_64 },
	{ "2 shards, plain", init_plain_forest },
};

#define NR_FORESTS	(sizeof(forests) / sizeof(forests[0]))

/* At least one history: what a failed run prints plays just that. */
static bool play_forest(const struct forest *f, uint64_t seed, uint64_t ops)
{
	const struct forest_counts *c = &forest_counts;

	memset(&forest_counts, 0, sizeof(forest_counts));
	if (!differential(f->init, seed, ops / (2 * NR_FORESTS) + 1))
		return false;
	printf("forest of %s: %" PRIu64 " waits in open shards; waiters came "
	       "under another guard %" PRIu64 " times as shards closed, %" PRIu64
	       " times as they opened\n",
	       f->name, c->nr_waits, c->nr_closed, c->nr_opened);
	if (ops < MATTERS || (c->nr_waits && c->nr_closed && c->nr_opened))
		return true;
	printf("what never happened was not tested\n");
	return false;
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
	if (!differential(rl_init, seed, ops / 2 + 1))
		return 1;
	for (size_t i = 0; i < NR_FORESTS; i++)
		if (!play_forest(&forests[i], seed, ops))
			return 1;
	printf("no difference\n");
	return 0;
}
