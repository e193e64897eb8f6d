/*
 * layout.c - where and when each copy of a program runs
 *
 * The offset of part i is i times one odd multiple of 2 MiB, modulo 2^47: odd,
 * so that it is no power of two, and modulo, because a stack ends at the top of
 * the space and nothing could move up.  A candidate is good if no part's areas
 * overlap another's or the ends of the space.  Only differences matter, so a
 * candidate costs O(parts * areas).
 */
#include "minimm/replay/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/env/planted.h"
#include "minimm/replay/older.h"
#include "minimm/replay/random.h"
#include "minimm/trace/lines.h"

#define ALIGNMENT	(UINT64_C(2) << 20)
#define MARGIN		ALIGNMENT	/* around each area */
#define NR_CANDIDATES	20000

struct extent {
	uint64_t start, end;
};

struct extents {
	struct extent *list;
	size_t nr;
};

static int by_start(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void add(struct extents *all, uint64_t start, uint64_t length)
{
	uint64_t end = start + length;

	if (!length || start >= MM_SPACE_SIZE || length > MM_SPACE_SIZE - start)
		return;
	start = start > MARGIN ? start - MARGIN : 0;
	end = end < MM_SPACE_SIZE - MARGIN ? end + MARGIN : MM_SPACE_SIZE;
	all->list[all->nr++] = (struct extent){ start, end };
}

static void add_step(struct extents *all, const struct mm_step *step)
{
	switch (step->kind) {
	case MM_FAULT:
		add(all, step->addr & MM_PAGE_MASK, MM_PAGE_SIZE);
		break;
	case MM_MMAP:
		add(all, step->answer ? step->answer : step->addr, step->len);
		break;
	case MM_MREMAP:
		add(all, step->addr, step->len);
		add(all, (uint64_t)step->expected, step->new_len);
		break;
	case MM_BRK:
		if (step->addr > step->old_break)
			add(all, step->old_break,
			    step->addr - step->old_break);
		break;
	default:
		add(all, step->addr, step->len);
	}
}

/* Everything that the trace ever touches, sorted, overlaps merged. */
static int collect(struct extents *all, const struct mm_plan *plan)
{
	const struct mm_inferred *inferred = &plan->inferred;
	size_t kept = 0;

	all->nr = 0;
	all->list = calloc(plan->nr_steps * 2 + inferred->nr_older + 1,
			   sizeof(*all->list));
	if (!all->list)
		return -1;
	for (size_t i = 0; i < plan->nr_steps; i++) {
		if (plan->steps[i].what == MM_STEP_RUN)
			add_step(all, &plan->steps[i]);
	}
	for (size_t i = 0; i < inferred->nr_older; i++) {
		const struct mm_older *older = &inferred->older[i];
		uint64_t below = older->grows_down ? MM_STACK_SPAN : 0;

		if (below > older->start)
			below = older->start;
		add(all, older->start - below,
		    older->end - older->start + below);
	}
	if (all->nr)
		qsort(all->list, all->nr, sizeof(*all->list), by_start);
	for (size_t i = 0; i < all->nr; i++) {
		struct extent *last = kept ? &all->list[kept - 1] : NULL;

		if (!last || all->list[i].start > last->end)
			all->list[kept++] = all->list[i];
		else if (all->list[i].end > last->end)
			last->end = all->list[i].end;
	}
	all->nr = kept;
	return 0;
}

static bool overlaps_any(const struct extents *all, uint64_t start,
			 uint64_t end)
{
	size_t low = 0, high = all->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all->list[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < all->nr && all->list[low].start < end;
}

/* May everything be moved by offset and not meet what was not moved? */
static bool fits(const struct extents *all, uint64_t offset)
{
	for (size_t i = 0; i < all->nr; i++) {
		uint64_t length = all->list[i].end - all->list[i].start;
		uint64_t start = mm_moved(all->list[i].start, offset);

		if (start < MM_LOWEST_ADDRESS || start > MM_TASK_SIZE - length)
			return false;
		if (overlaps_any(all, start, start + length))
			return false;
	}
	return true;
}

static bool all_fit(const struct extents *all, uint64_t stride, uint32_t nr)
{
	for (uint32_t i = 1; i < nr; i++) {
		if (!fits(all, (stride * i) % MM_SPACE_SIZE))
			return false;
	}
	return true;
}

/* The distance between parts; 0 if there is none.  It begins well below what
 * would just fill the space: a round share of 2^47 would put parts that are far
 * apart at addresses that differ in few bits. */
static uint64_t find_stride(const struct extents *all, uint32_t nr)
{
	uint64_t stride = (MM_SPACE_SIZE / (nr + 1) / 22 * 21) / ALIGNMENT | 1;

	for (int i = 0; i < NR_CANDIDATES && stride > 1; i++, stride -= 2) {
		if (all_fit(all, stride * ALIGNMENT, nr))
			return stride * ALIGNMENT;
	}
	return 0;
}

static uint32_t first_step_at(const struct mm_plan *plan, uint64_t time_ns)
{
	uint32_t i = 0;

	while (i < plan->nr_steps && plan->steps[i].start_ns < time_ns)
		i++;
	return i;
}

/* The two parts of a copy: from its beginning to the end of the trace, and from
 * the start of the trace to where it began. */
static void lay_out_copy(struct mm_layout *layout, const struct mm_plan *plan,
			 uint32_t copy, uint64_t stride, uint64_t seed)
{
	struct mm_part *parts = &layout->parts[2 * copy];
	uint64_t phase = mm_random_below(mm_random(seed, 1, copy, 0),
					 plan->length_ns + 1);
	uint32_t cut = first_step_at(plan, phase);
	uint64_t i = 2 * copy;

	parts[0] = (struct mm_part){ .offset = stride * i % MM_SPACE_SIZE,
				     .phase_ns = phase,
				     .from = cut,
				     .to = (uint32_t)plan->nr_steps };
	if (MM_PLANTED(PARTS_SHARE_ADDRESSES))
		i--;
	parts[1] = (struct mm_part){ .offset = stride * (i + 1) % MM_SPACE_SIZE,
				     .from = 0,
				     .to = cut,
				     .follows = true };
}

int mm_layout_make(struct mm_layout *layout, const struct mm_plan *plan,
		   unsigned int scale, uint64_t seed, char *why)
{
	struct extents all = { NULL, 0 };
	uint64_t stride;

	layout->nr_parts = scale == 1 ? 1 : 2 * scale;
	layout->parts = calloc(layout->nr_parts, sizeof(*layout->parts));
	if (!layout->parts || collect(&all, plan)) {
		snprintf(why, MM_WHY_MAX, "out of memory");
		mm_layout_free(layout);
		return -1;
	}
	if (scale == 1) {
		layout->parts[0].to = (uint32_t)plan->nr_steps;
		free(all.list);
		return 0;
	}
	stride = find_stride(&all, layout->nr_parts);
	free(all.list);
	if (!stride) {
		snprintf(why, MM_WHY_MAX,
			 "%.200s: no room for %u copies in one address space",
			 plan->rec->path, scale);
		mm_layout_free(layout);
		return -1;
	}
	for (uint32_t i = 0; i < scale; i++)
		lay_out_copy(layout, plan, i, stride, seed);
	return 0;
}

void mm_layout_free(struct mm_layout *layout)
{
	free(layout->parts);
	memset(layout, 0, sizeof(*layout));
}

uint64_t mm_layout_gap(const struct mm_layout *layout, uint64_t seed,
		       uint32_t part, uint32_t step, uint64_t gap_ns)
{
	uint64_t tenth = gap_ns / 10;

	if (layout->nr_parts == 1 || !tenth)
		return gap_ns;
	return gap_ns - tenth +
	       mm_random_below(mm_random(seed, 2, part, step), 2 * tenth + 1);
}
