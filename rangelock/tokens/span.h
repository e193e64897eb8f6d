/*
 * span.h - a range as blocks of a fixed tree over the whole object
 *
 * Level 0 has a block for each byte; a block of the next level is 16 of the one
 * below, and the only one of level 16 is everything.  A range is cut into the
 * largest blocks that fit; each lies in blocks of higher levels, of which the
 * range covers a part.
 *
 *	range          [ 4080 ........................ 8208 )
 *	level 3             | 4096 ............ 8191 |          whole
 *	level 1    | 4080.. |                        | 8192.. | whole
 *	levels 2.. | 3840 ... 4095 |         | 8192 ... 8447 |  parts of these
 *
 * Two ranges share a byte if and only if they share a whole block, or a whole
 * block of one is a part for the other.  At most 2 * 15 * 16 whole blocks and 32
 * parts: a lone page, where it is aligned, is one and 13.
 */
#ifndef RL_TOKENS_SPAN_H
#define RL_TOKENS_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include <rangelock.h>

#define RL_SPAN_LEVELS	16u		/* above the bytes */

typedef void rl_block_fn(void *arg, unsigned int level, uint64_t index,
			 bool is_whole);

static inline uint64_t rl_block_of(uint64_t address, unsigned int level)
{
	return level < RL_SPAN_LEVELS ? address >> 4 * level : 0;
}

/* Is every byte of a block in start..last? */
static inline bool rl_span_covers(uint64_t start, uint64_t last,
				  unsigned int level, uint64_t index)
{
	uint64_t mask = level < RL_SPAN_LEVELS ?
			(UINT64_C(1) << 4 * level) - 1 : UINT64_MAX;
	uint64_t first = level < RL_SPAN_LEVELS ? index << 4 * level : 0;

	return start <= first && (first | mask) <= last;
}

static inline void rl_span_visit_parts(uint64_t start, uint64_t last,
				       rl_block_fn *visit, void *arg)
{
	for (unsigned int level = 1; level <= RL_SPAN_LEVELS; level++) {
		uint64_t low = rl_block_of(start, level);
		uint64_t high = rl_block_of(last, level);

		if (!rl_span_covers(start, last, level, low))
			visit(arg, level, low, false);
		if (high != low && !rl_span_covers(start, last, level, high))
			visit(arg, level, high, false);
	}
}

/* The blocks low to high of one level, all below one block of the next. */
static inline void rl_span_visit_run(unsigned int level, uint64_t low,
				     uint64_t high, rl_block_fn *visit,
				     void *arg)
{
	uint64_t n = high - low + 1;	/* at most 16: high may be the last number */

	for (uint64_t i = 0; i < n; i++)
		visit(arg, level, low + i, true);
}

static inline void rl_span_visit_whole(uint64_t start, uint64_t last,
				       rl_block_fn *visit, void *arg)
{
	uint64_t low = start, high = last;
	unsigned int level = 0;

	/* low to high of this level is what is left of it. */
	for (; low <= high && level < RL_SPAN_LEVELS; level++) {
		bool starts_inside = low & 15, ends_inside = (high & 15) != 15;

		if (low >> 4 == high >> 4 && (starts_inside || ends_inside)) {
			rl_span_visit_run(level, low, high, visit, arg);
			return;
		}
		if (starts_inside)
			rl_span_visit_run(level, low, low | 15, visit, arg);
		if (ends_inside)
			rl_span_visit_run(level, high & ~UINT64_C(15), high,
					  visit, arg);
		low = (low >> 4) + starts_inside;
		high = (high >> 4) - ends_inside;
	}
	if (low <= high)
		visit(arg, level, 0, true);
}

/* Call visit once for each block that [start, end) covers whole, and for each
 * of which it covers a part. */
static inline void rl_span_visit(uint64_t start, uint64_t end,
				 rl_block_fn *visit, void *arg)
{
	uint64_t last = end == RL_END ? UINT64_MAX : end - 1;

	rl_span_visit_whole(start, last, visit, arg);
	rl_span_visit_parts(start, last, visit, arg);
}

#endif
