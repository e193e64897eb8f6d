/*
 * spanmap.h - who changed, who read last: for every place of a line
 *
 * The line is cut at points that are known from the start; the map keeps which
 * of them are borders between different stretches just now.
 */
#ifndef MM_REPLAY_SPANMAP_H
#define MM_REPLAY_SPANMAP_H

#include <stddef.h>
#include <stdint.h>

#define MM_SPAN_LEVELS	6		/* 64^6 points: more than uint32_t */

/* What happened on a stretch since its last change.  Lists are shared between
 * stretches and only grow at the head. */
struct mm_span {
	uint32_t changer;		/* a step, or MM_NONE */
	uint32_t readers, installers;	/* heads in cells, or MM_NONE */
};

struct mm_span_cell {
	uint32_t step, next;
};

struct mm_spanmap {
	uint64_t *borders[MM_SPAN_LEVELS];	/* bitmaps, a level a pyramid's */
	unsigned int nr_levels;
	uint32_t nr_points;
	struct mm_span *spans;		/* valid where a border is */
	struct mm_span_cell *cells;
	size_t nr_cells, room_cells;
};

/* One stretch from point 0 on.  Returns: 0; -1 for want of memory. */
int mm_spanmap_init(struct mm_spanmap *map, uint32_t nr_points);
void mm_spanmap_free(struct mm_spanmap *map);

/* Make a border at a point (a copy of the stretch that it cuts). */
void mm_spanmap_cut(struct mm_spanmap *map, uint32_t point);

/* The next border behind a point, or nr_points. */
uint32_t mm_spanmap_next(const struct mm_spanmap *map, uint32_t point);

/* Forget a border: its stretch becomes the one before's. */
void mm_spanmap_join(struct mm_spanmap *map, uint32_t point);

/* Put a step in front of a list.  Returns: 0; -1 for want of memory. */
int mm_spanmap_push(struct mm_spanmap *map, uint32_t *head, uint32_t step);

#endif
