/*
 * older.c - from pages that were needed to mappings that they may belong to
 *
 * Only the touched pages of an older mapping show in the trace.  Two of them
 * with the same rights belong to one mapping if they are close and no record
 * ever maps or unmaps anything in between.  The stack is the highest written
 * page and what is written within 8 MiB below it; it begins with 128 KiB below
 * its first page, as execve leaves it, and grows from there.
 */
#include "minimm/replay/older.h"

#include <stdlib.h>

#include "minimm/env/planted.h"
#include "minimm/mm/op.h"

static struct mm_older *add(struct mm_inferred *out)
{
	struct mm_older *bigger =
		realloc(out->older, (out->nr_older + 1) * sizeof(*bigger));

	if (!bigger)
		return NULL;
	out->older = bigger;
	return &out->older[out->nr_older++];
}

/* What was executed is a program's text, what was only read is a file's too. */
static uint32_t full_rights(uint32_t seen)
{
	return seen | MM_VM_READ;
}

static bool is_close(const struct mm_sketch *sketch, uint64_t end,
		     uint64_t start)
{
	return start - end <= MM_OLDER_GAP &&
	       !mm_areas_touch(&sketch->defined, end, start);
}

/* Where the stack's area ends in the list of older areas, or 0. */
static uint64_t stack_end(const struct mm_sketch *sketch)
{
	if (MM_PLANTED(STACK_IS_NOT_SEEN))
		return 0;
	for (size_t i = sketch->older.nr; i-- > 0;) {
		const struct mm_area *area = &sketch->older.list[i];

		if (area->end <= MM_STACK_LOWEST)
			break;
		if ((area->prot & MM_VM_WRITE) && !(area->prot & MM_VM_EXEC))
			return area->end;
	}
	return 0;
}

static int add_stack(struct mm_inferred *out, const struct mm_sketch *sketch,
		     uint32_t space, uint64_t end)
{
	uint64_t first = sketch->first_high_write;
	uint64_t lowest;
	struct mm_older *older = add(out);

	if (!older)
		return -1;
	if (!first || first >= end || end - first > MM_STACK_SPAN)
		first = end - MM_PAGE_SIZE;
	lowest = first - MM_STACK_BEGINS_WITH;
	while (lowest < first &&
	       mm_areas_touch(&sketch->defined, lowest, first))
		lowest += MM_PAGE_SIZE;
	*older = (struct mm_older){ lowest, end, space,
				    MM_VM_READ | MM_VM_WRITE, 0, true };
	return 0;
}

int mm_older_from(struct mm_inferred *out, const struct mm_sketch *sketch,
		  uint32_t space)
{
	uint64_t end_of_stack = stack_end(sketch);
	struct mm_older *last = NULL;

	for (size_t i = 0; i < sketch->older.nr; i++) {
		const struct mm_area *area = &sketch->older.list[i];
		uint32_t prot = full_rights(area->prot);
		bool near_last = last && is_close(sketch, last->end,
						  area->start);

		if (end_of_stack && area->end <= end_of_stack &&
		    area->start >= end_of_stack - MM_STACK_SPAN)
			continue;
		if (near_last && last->prot == prot) {
			last->end = area->end;
			continue;
		}
		bool is_file = !(prot & MM_VM_WRITE) ||
			       (near_last && last->file);
		last = add(out);
		if (!last)
			return -1;
		*last = (struct mm_older){ area->start, area->end, space, prot,
					   is_file ? MM_FILE_IMAGE : 0, false };
	}
	return end_of_stack ? add_stack(out, sketch, space, end_of_stack) : 0;
}
