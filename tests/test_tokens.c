/*
 * Goal: the blocks of two ranges meet if and only if the ranges share a byte, and
 * there are never many.
 *
 * What the tools make of it is tests/tokens/'s.
 */
#include "tests/backend.h"

#include "rangelock/tokens/span.h"

#define MAX_BLOCKS	512

struct block {
	unsigned int level;
	uint64_t index;
	bool is_whole;
};

struct cut {
	struct block of[MAX_BLOCKS];
	size_t n;
	uint64_t covered;		/* bytes, modulo 2^64 */
};

static void keep(void *arg, unsigned int level, uint64_t index, bool is_whole)
{
	struct cut *c = arg;

	check(c->n < MAX_BLOCKS);
	c->of[c->n++] = (struct block){ level, index, is_whole };
	if (is_whole && level < RL_SPAN_LEVELS)
		c->covered += UINT64_C(1) << 4 * level;
}

static void cut(struct cut *c, uint64_t start, uint64_t end)
{
	c->n = 0;
	c->covered = 0;
	rl_span_visit(start, end, keep, c);
}

/* As tokens.c: the first releases, the second acquires. */
static bool meet(const struct cut *a, const struct cut *b)
{
	for (size_t i = 0; i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			if (a->of[i].level == b->of[k].level &&
			    a->of[i].index == b->of[k].index &&
			    (a->of[i].is_whole || b->of[k].is_whole))
				return true;
	return false;
}

static void check_pair(uint64_t start, uint64_t end, uint64_t other,
		       uint64_t other_end)
{
	static struct cut a, b;

	cut(&a, start, end);
	cut(&b, other, other_end);
	check_eq(meet(&a, &b), start < other_end && other < end);
	check_eq(meet(&b, &a), start < other_end && other < end);
	if (start || end != RL_END)
		check_eq(a.covered, (end == RL_END ? 0 : end) - start);
}

Test(tokens, blocks_meet_if_and_only_if_the_ranges_do)
{
	static const uint64_t edges[] = {
		0, 1, 15, 16, 17, 255, 256, 4095, 4096, 4097, 65536, 69632,
		UINT64_C(1) << 32, UINT64_C(1) << 47, (UINT64_C(1) << 60) - 1,
		UINT64_C(1) << 60, UINT64_C(1) << 63, RL_END - 16, RL_END - 15,
		RL_END - 1, RL_END,
	};
	const size_t n = sizeof(edges) / sizeof(*edges);

	for (size_t a = 0; a < n; a++)
		for (size_t b = a + 1; b < n; b++)
			for (size_t c = 0; c < n; c++)
				for (size_t d = c + 1; d < n; d++)
					check_pair(edges[a], edges[b], edges[c],
						   edges[d]);
}

static uint64_t draw(uint64_t *state, uint64_t n)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (*state >> 33) % n;
}

Test(tokens, blocks_of_random_ranges_meet_if_and_only_if_these_do)
{
	uint64_t state = test_seed();

	for (unsigned int i = 0; i < test_rounds(20000); i++) {
		uint64_t start = draw(&state, 9000), other = draw(&state, 9000);

		check_pair(start, start + 1 + draw(&state, 5000), other,
			   other + 1 + draw(&state, 5000));
	}
}

Test(tokens, a_page_is_one_block_and_everything_is_one_block)
{
	static struct cut c;

	cut(&c, 7 * 4096, 8 * 4096);
	check_eq(c.n, 1 + 13);
	check(c.of[0].is_whole && c.of[0].level == 3 && c.of[0].index == 7);
	cut(&c, 0, RL_END);
	check_eq(c.n, 1);
	check(c.of[0].is_whole && c.of[0].level == RL_SPAN_LEVELS);
}
