/*
 * layout.h - where and when each copy of a program runs
 *
 * A copy that begins in the middle of the trace is two parts: the rest of one
 * run of the program, then the first half of the next.  The next run is another
 * process in the real world, so it has addresses of its own.
 */
#ifndef MM_REPLAY_LAYOUT_H
#define MM_REPLAY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/replay/plan.h"

#define MM_SCALE_MAX	1024u

struct mm_part {
	uint64_t offset;		/* of all its addresses */
	uint64_t phase_ns;		/* the trace's time at its beginning */
	uint32_t from, to;		/* its steps: [from, to) */
	bool follows;			/* begins when the part before has ended */
};

struct mm_layout {
	struct mm_part *parts;
	uint32_t nr_parts;
};

/*
 * Returns: 0; -1 with a message in why (MM_WHY_MAX bytes): no memory, or no
 *	    room for so many copies.
 */
int mm_layout_make(struct mm_layout *layout, const struct mm_plan *plan,
		   unsigned int scale, uint64_t seed, char *why);
void mm_layout_free(struct mm_layout *layout);

/* A step's gap in a part: as recorded, or within 10 % of it. */
uint64_t mm_layout_gap(const struct mm_layout *layout, uint64_t seed,
		       uint32_t part, uint32_t step, uint64_t gap_ns);

#endif
