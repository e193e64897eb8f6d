/*
 * Goal: what a lock and unlock that meet nobody cost, counted and not timed:
 * instructions, and cache lines written.
 *
 *	pairs instructions	under callgrind: dumps named ENGINE.CASE.PAIRS
 *	pairs lines		under lackey --trace-mem=yes: prints an address for
 *				each case, which is stored to before and after a pair
 *
 * A pair is what a caller writes: a new handle on the stack, lock, unlock.  run.py
 * starts this program and reads what the tools say.  The locks and the site are
 * static or from the heap and the handles on the stack, so that a store outside
 * the stack is a store to memory that threads share.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>

#include <rangelock.h>
#include <rangelock/site.h>

#define PAGE		UINT64_C(4096)
#define CHUNK		(UINT64_C(2) << 20)
#define NR(array)	(sizeof(array) / sizeof((array)[0]))

/* What the locks are made with: an engine is a line here. */
static const struct engine {
	const char *name;
	uint64_t chunk_size;
	uint32_t flags;
	unsigned int warm_up;	/* pairs, after which whatever adapts has adapted */
} engines[] = {
	{ "compact", 0, 0, 100 },
	{ "forest", CHUNK, 0, 100 },
	{ "compact-plain", 0, RL_PLAIN, 100 },
	{ "forest-plain", CHUNK, RL_PLAIN, 100 },
	{ "forest-biased", CHUNK, RL_READER_BIAS, 20000 },
};

static struct rangelock lock;
static struct rl_site site = RL_SITE_INIT("pairs", RL_FINE);

static int read_narrow(struct rl_range *r)
{
	return rl_read_lock(&lock, r, PAGE, 2 * PAGE);
}

static int write_narrow(struct rl_range *r)
{
	return rl_write_lock(&lock, r, PAGE, 2 * PAGE);
}

static int try_narrow(struct rl_range *r)
{
	return rl_write_trylock(&lock, r, PAGE, 2 * PAGE);
}

static int write_border(struct rl_range *r)
{
	return rl_write_lock(&lock, r, CHUNK - PAGE, CHUNK + PAGE);
}

static int write_wide(struct rl_range *r)
{
	return rl_write_lock(&lock, r, 0, 64 * CHUNK);
}

static int read_coarse(struct rl_range *r)
{
	return rl_read_lock_coarse(&lock, r);
}

static int write_coarse(struct rl_range *r)
{
	return rl_write_lock_coarse(&lock, r);
}

/* In a forest: the shard is closed then, and has nothing to do with it. */
static int read_after_border(struct rl_range *r)
{
	struct rl_range border = RL_RANGE_INIT;
	int error = write_border(&border);

	rl_unlock(&lock, &border);
	return error ? error : read_narrow(r);
}

static int write_site(struct rl_range *r)
{
	return rl_write_lock_at(&lock, r, &site, PAGE, 2 * PAGE);
}

static const struct shape {
	const char *name;
	int (*take)(struct rl_range *r);
	enum rl_grain grain;
} shapes[] = {
	{ "narrow-write", write_narrow, RL_FINE },
	{ "narrow-read", read_narrow, RL_FINE },
	{ "narrow-trylock", try_narrow, RL_FINE },
	{ "border-write", write_border, RL_FINE },
	{ "wide-write", write_wide, RL_FINE },
	{ "coarse-write", write_coarse, RL_FINE },
	{ "coarse-read", read_coarse, RL_FINE },
	{ "border-then-read", read_after_border, RL_FINE },
	{ "site-fine", write_site, RL_FINE },
	{ "site-coarse", write_site, RL_COARSE },
};

/* Stored to, so that a trace of all stores shows where a pair begins and ends. */
static volatile uint8_t marks[NR(engines)][NR(shapes)];

__attribute__((noinline)) static void pairs(const struct shape *s, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct rl_range r;

		rl_range_init(&r);
		if (s->take(&r) != 0)
			abort();
		rl_unlock(&lock, &r);
	}
}

static void begin(const struct engine *e, const struct shape *s)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.chunk_size = e->chunk_size;
	options.flags = e->flags;
	if (rl_init(&lock, &options) != 0)
		abort();
	rl_site_set_grain(&site, s->grain);
	pairs(s, e->warm_up);
}

/* Counting starts and ends with the same few instructions of its own. */
static void count(const struct engine *e, const struct shape *s, unsigned int n)
{
	char name[64];

	snprintf(name, sizeof(name), "%s.%s.%u", e->name, s->name, n);
	CALLGRIND_TOGGLE_COLLECT;
	pairs(s, n);
	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS_AT(name);
}

static void mark(size_t engine, size_t shape)
{
	volatile uint8_t *at = &marks[engine][shape];
	const char *on_stack = __builtin_frame_address(0);

	printf("%s.%s %" PRIxPTR " %" PRIxPTR "\n", engines[engine].name, shapes[shape].name,
	       (uintptr_t)at, (uintptr_t)on_stack);
	*at = 1;
	pairs(&shapes[shape], 1);
	*at = 2;
}

int main(int argc, char **argv)
{
	bool lines = argc == 2 && strcmp(argv[1], "lines") == 0;

	if (!lines && (argc != 2 || strcmp(argv[1], "instructions") != 0)) {
		fprintf(stderr, "usage: pairs instructions|lines\n");
		return 2;
	}
	for (size_t e = 0; e < NR(engines); e++) {
		for (size_t s = 0; s < NR(shapes); s++) {
			begin(&engines[e], &shapes[s]);
			if (lines) {
				mark(e, s);
			} else {
				count(&engines[e], &shapes[s], 1000);
				count(&engines[e], &shapes[s], 2000);
			}
			if (rl_destroy(&lock) != 0)
				abort();
		}
	}
	return 0;
}
