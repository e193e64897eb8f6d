/*
 * spanmap.c - who changed, who read last: for every place of a line
 *
 * Borders are bits in a pyramid of bitmaps: a bit of a level says whether the
 * word below it has any.  So next and previous cost a step a level, whatever
 * the number of points.
 */
#include "minimm/replay/spanmap.h"

#include <stdlib.h>
#include <string.h>

#include "minimm/trace/trace.h"

#define NOT_FOUND	UINT32_MAX

int mm_spanmap_init(struct mm_spanmap *map, uint32_t nr_points)
{
	size_t nr_words = nr_points;

	memset(map, 0, sizeof(*map));
	map->nr_points = nr_points;
	map->spans = calloc((size_t)nr_points + 1, sizeof(*map->spans));
	if (!map->spans)
		return -1;
	do {
		nr_words = nr_words / 64 + 1;
		map->borders[map->nr_levels] =
			calloc(nr_words, sizeof(*map->borders[0]));
		if (!map->borders[map->nr_levels])
			goto no_memory;
		map->nr_levels++;
	} while (nr_words > 1);
	for (unsigned int i = 0; i < map->nr_levels; i++)
		map->borders[i][0] = 1;
	map->spans[0] = (struct mm_span){ MM_NONE, MM_NONE, MM_NONE };
	return 0;
no_memory:
	mm_spanmap_free(map);
	return -1;
}

void mm_spanmap_free(struct mm_spanmap *map)
{
	for (unsigned int i = 0; i < MM_SPAN_LEVELS; i++)
		free(map->borders[i]);
	free(map->spans);
	free(map->cells);
	memset(map, 0, sizeof(*map));
}

/* The lowest border at or above a point on a level and those above it. */
static uint32_t next_from(const struct mm_spanmap *map, unsigned int level,
			  uint32_t point)
{
	uint64_t word;

	if (level == map->nr_levels ||
	    point > (map->nr_points >> (6 * level)))
		return NOT_FOUND;
	word = map->borders[level][point / 64] >> (point % 64);
	if (word)
		return point + (uint32_t)__builtin_ctzll(word);
	point = next_from(map, level + 1, point / 64 + 1);
	if (point == NOT_FOUND)
		return NOT_FOUND;
	return point * 64 +
	       (uint32_t)__builtin_ctzll(map->borders[level][point]);
}

uint32_t mm_spanmap_next(const struct mm_spanmap *map, uint32_t point)
{
	uint32_t next = next_from(map, 0, point + 1);

	return next == NOT_FOUND ? map->nr_points : next;
}

/* The highest border at or below a point; 0 is one. */
static uint32_t at_or_before(const struct mm_spanmap *map, unsigned int level,
			     uint32_t point)
{
	uint64_t word = map->borders[level][point / 64] &
			(UINT64_MAX >> (63 - point % 64));

	if (!word) {
		point = at_or_before(map, level + 1, point / 64 - 1);
		word = map->borders[level][point];
		point *= 64;
	}
	return (point & ~63u) + 63u - (uint32_t)__builtin_clzll(word);
}

void mm_spanmap_cut(struct mm_spanmap *map, uint32_t point)
{
	uint32_t before = at_or_before(map, 0, point);

	if (before == point || point >= map->nr_points)
		return;
	map->spans[point] = map->spans[before];
	for (unsigned int i = 0; i < map->nr_levels; i++, point /= 64)
		map->borders[i][point / 64] |= UINT64_C(1) << (point % 64);
}

void mm_spanmap_join(struct mm_spanmap *map, uint32_t point)
{
	for (unsigned int i = 0; i < map->nr_levels; i++, point /= 64) {
		map->borders[i][point / 64] &= ~(UINT64_C(1) << (point % 64));
		if (map->borders[i][point / 64])
			break;
	}
}

int mm_spanmap_push(struct mm_spanmap *map, uint32_t *head, uint32_t step)
{
	if (map->nr_cells == map->room_cells) {
		size_t room = map->room_cells ? map->room_cells * 2 : 4096;
		struct mm_span_cell *cells =
			realloc(map->cells, room * sizeof(*cells));

		if (!cells || room >= MM_NONE) {
			if (cells)
				map->cells = cells;
			return -1;
		}
		map->cells = cells;
		map->room_cells = room;
	}
	map->cells[map->nr_cells] = (struct mm_span_cell){ step, *head };
	*head = (uint32_t)map->nr_cells++;
	return 0;
}
