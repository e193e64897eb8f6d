/*
 * areas.c - what is known of an address space while its trace is read
 *
 * An array: a lookup is a binary search, a change moves what lies behind it.
 * Good for the thousands of areas that a program has, not for millions.
 */
#include "minimm/replay/areas.h"

#include <stdlib.h>
#include <string.h>

void mm_areas_free(struct mm_areas *areas)
{
	free(areas->list);
	*areas = (struct mm_areas){ NULL, 0, 0 };
}

/* The first area that ends behind an address. */
static size_t first_behind(const struct mm_areas *areas, uint64_t address)
{
	size_t low = 0, high = areas->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (areas->list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct mm_area *mm_areas_find(const struct mm_areas *areas,
				    uint64_t address)
{
	size_t i = first_behind(areas, address);

	if (i < areas->nr && areas->list[i].start <= address)
		return &areas->list[i];
	return NULL;
}

/* Put n areas in the place of those from `from` to `to`. */
static int replace(struct mm_areas *areas, size_t from, size_t to,
		   const struct mm_area *with, size_t n)
{
	size_t nr = areas->nr - (to - from) + n;

	if (nr > areas->room) {
		size_t room = nr * 2;
		struct mm_area *list =
			realloc(areas->list, room * sizeof(*list));

		if (!list)
			return -1;
		areas->list = list;
		areas->room = room;
	}
	memmove(areas->list + from + n, areas->list + to,
		(areas->nr - to) * sizeof(*with));
	if (n)
		memcpy(areas->list + from, with, n * sizeof(*with));
	areas->nr = nr;
	return 0;
}

static bool same_kind(const struct mm_area *a, const struct mm_area *b)
{
	return a->prot == b->prot && a->is_mapped == b->is_mapped &&
	       a->is_inferred == b->is_inferred && a->file == b->file &&
	       a->bias == b->bias;
}

/* Let the area at i swallow equal neighbours that touch it. */
static int join_around(struct mm_areas *areas, size_t i)
{
	size_t from = i, to = i + 1;
	struct mm_area joined = areas->list[i];

	if (i > 0 && areas->list[i - 1].end == joined.start &&
	    same_kind(&areas->list[i - 1], &joined))
		joined.start = areas->list[--from].start;
	if (to < areas->nr && areas->list[to].start == joined.end &&
	    same_kind(&areas->list[to], &joined))
		joined.end = areas->list[to++].end;
	return to - from == 1 ? 0 : replace(areas, from, to, &joined, 1);
}

int mm_areas_set(struct mm_areas *areas, const struct mm_area *area)
{
	size_t from = first_behind(areas, area->start), to = from, n = 0;
	size_t at;
	struct mm_area with[3];

	if (area->start >= area->end)
		return 0;
	while (to < areas->nr && areas->list[to].start < area->end)
		to++;
	if (from < to && areas->list[from].start < area->start) {
		with[n] = areas->list[from];
		with[n++].end = area->start;
	}
	at = from + n;
	with[n++] = *area;
	if (from < to && areas->list[to - 1].end > area->end) {
		with[n] = areas->list[to - 1];
		with[n++].start = area->end;
	}
	if (replace(areas, from, to, with, n))
		return -1;
	return join_around(areas, at);
}

int mm_areas_protect(struct mm_areas *areas, uint64_t start, uint64_t end,
		     uint32_t prot)
{
	while (start < end) {
		size_t i = first_behind(areas, start);
		struct mm_area area;

		if (i == areas->nr || areas->list[i].start >= end)
			break;
		area = areas->list[i];
		if (area.start < start)
			area.start = start;
		if (area.end > end)
			area.end = end;
		start = area.end;
		if (!area.is_mapped)
			continue;
		area.prot = prot;
		area.is_inferred = false;
		if (mm_areas_set(areas, &area))
			return -1;
	}
	return 0;
}

int mm_areas_add(struct mm_areas *areas, uint64_t start, uint64_t end,
		 uint32_t prot)
{
	while (start < end) {
		size_t i = first_behind(areas, start);
		struct mm_area area = { start, end, prot, 0, 0, true, true };

		if (i < areas->nr && areas->list[i].start <= start) {
			area.prot |= areas->list[i].prot;
			if (areas->list[i].end < end)
				area.end = areas->list[i].end;
		} else if (i < areas->nr && areas->list[i].start < end) {
			area.end = areas->list[i].start;
		}
		start = area.end;
		if (mm_areas_set(areas, &area))
			return -1;
	}
	return 0;
}

bool mm_areas_touch(const struct mm_areas *areas, uint64_t start, uint64_t end)
{
	size_t i = first_behind(areas, start);

	return i < areas->nr && areas->list[i].start < end;
}

bool mm_areas_next_unknown(const struct mm_areas *areas, uint64_t *start,
			   uint64_t end, uint64_t *part_end)
{
	size_t i = first_behind(areas, *start);

	while (*start < end && i < areas->nr && areas->list[i].start <= *start)
		*start = areas->list[i++].end;
	if (*start >= end)
		return false;
	*part_end = end;
	if (i < areas->nr && areas->list[i].start < end)
		*part_end = areas->list[i].start;
	return true;
}

int mm_areas_copy(struct mm_areas *to, const struct mm_areas *from)
{
	to->list = malloc((from->nr + 1) * sizeof(*to->list));
	if (!to->list)
		return -1;
	if (from->nr)
		memcpy(to->list, from->list, from->nr * sizeof(*to->list));
	to->nr = from->nr;
	to->room = from->nr + 1;
	return 0;
}
