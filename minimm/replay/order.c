/*
 * order.c - the program's own order: which steps of other threads come before
 *
 * All borders of all footprints are known, so every address becomes a point of
 * one line and each aspect gets a map of who changed, read and installed last.
 * A change makes its range one stretch again, which pays for the walk over
 * it: O(n log n), but for wide reads of busy ranges.  Of each other thread only
 * the latest predecessor is kept, and only if the thread has not waited for it
 * already.
 */
#include "minimm/replay/order.h"

#include <stdlib.h>
#include <string.h>

#include "minimm/env/planted.h"
#include "minimm/replay/spanmap.h"

#define MAX_KNOWN_THREADS	2048	/* the square of them must fit */

struct point {
	uint64_t address;
	uint32_t space;
};

struct order {
	struct mm_plan *plan;
	struct point *points;
	uint32_t nr_points;
	struct mm_spanmap maps[MM_NR_ASPECTS];
	/* The step in hand: the latest predecessor in each thread. */
	uint32_t *latest;		/* step + 1; 0: none */
	uint32_t *others;		/* threads whose latest is set */
	uint32_t nr_others;
	uint32_t *known;		/* [thread][other]: waited for; or NULL */
	size_t room_preds;
};

static int by_place(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static bool has_footprint(const struct mm_step *step)
{
	return step->what == MM_STEP_RUN;
}

static void footprint_of(const struct mm_step *step, struct mm_op *op)
{
	memset(op, 0, sizeof(*op));
	mm_step_op(step, 0, op);
	mm_op_footprint(op);
}

static int collect_points(struct order *o)
{
	const struct mm_plan *plan = o->plan;
	size_t nr = 0, room = 0, kept = 0;
	struct mm_op op;

	for (size_t i = 0; i < plan->nr_steps; i++) {
		if (!has_footprint(&plan->steps[i]))
			continue;
		footprint_of(&plan->steps[i], &op);
		if (nr + 2 * MM_FOOTPRINT_MAX > room) {
			struct point *points;

			room = room * 2 + 4 * MM_FOOTPRINT_MAX;
			points = realloc(o->points, room * sizeof(*points));
			if (!points)
				return -1;
			o->points = points;
		}
		for (int t = 0; t < op.footprint.nr; t++) {
			const struct mm_extent *mark = &op.footprint.extents[t];

			/* Most aspects have the range of the one before. */
			if (t && mark[-1].start == mark->start &&
			    mark[-1].end == mark->end)
				continue;
			o->points[nr++] = (struct point){
				mark->start, plan->steps[i].space };
			o->points[nr++] = (struct point){
				mark->end, plan->steps[i].space };
		}
	}
	if (nr)
		qsort(o->points, nr, sizeof(*o->points), by_place);
	for (size_t i = 0; i < nr; i++) {
		if (!kept || by_place(&o->points[kept - 1], &o->points[i]))
			o->points[kept++] = o->points[i];
	}
	o->nr_points = (uint32_t)kept;
	return kept < MM_NONE ? 0 : -1;
}

static uint32_t find_point(const struct order *o, uint32_t space,
			   uint64_t address)
{
	struct point wanted = { address, space };
	uint32_t low = 0, high = o->nr_points;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (by_place(&o->points[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note(struct order *o, uint32_t thread, uint32_t before)
{
	uint32_t other;

	if (before == MM_NONE)
		return;
	other = o->plan->steps[before].thread;
	if (other == thread || o->latest[other] > before)
		return;
	if (!o->latest[other])
		o->others[o->nr_others++] = other;
	o->latest[other] = before + 1;
}

static void note_list(struct order *o, const struct mm_spanmap *map,
		      uint32_t thread, uint32_t cell)
{
	for (; cell != MM_NONE; cell = map->cells[cell].next)
		note(o, thread, map->cells[cell].step);
}

/* A list needs only the latest step of a thread that is alone at its head. */
static int push(struct order *o, struct mm_spanmap *map, uint32_t *head,
		uint32_t step)
{
	if (*head != MM_NONE &&
	    o->plan->steps[map->cells[*head].step].thread ==
		    o->plan->steps[step].thread)
		*head = map->cells[*head].next;
	return mm_spanmap_push(map, head, step);
}

static int touch(struct order *o, uint32_t step, const struct mm_extent *mark)
{
	uint32_t thread = o->plan->steps[step].thread;
	uint32_t space = o->plan->steps[step].space;
	struct mm_spanmap *map = &o->maps[mark->aspect];
	uint32_t from = find_point(o, space, mark->start);
	uint32_t to = find_point(o, space, mark->end);

	if (from == to)
		return 0;
	mm_spanmap_cut(map, from);
	mm_spanmap_cut(map, to);
	for (uint32_t i = from; i < to; i = mm_spanmap_next(map, i)) {
		struct mm_span *span = &map->spans[i];

		note(o, thread, span->changer);
		if (mark->touch != MM_READS &&
		    !MM_PLANTED(ORDER_FORGETS_READERS))
			note_list(o, map, thread, span->readers);
		if (mark->touch != MM_INSTALLS)
			note_list(o, map, thread, span->installers);
		if (mark->touch == MM_READS &&
		    push(o, map, &span->readers, step))
			return -1;
		if (mark->touch == MM_INSTALLS &&
		    push(o, map, &span->installers, step))
			return -1;
		if (mark->touch == MM_CHANGES && i != from)
			mm_spanmap_join(map, i);
	}
	if (mark->touch == MM_CHANGES)
		map->spans[from] = (struct mm_span){ step, MM_NONE, MM_NONE };
	return 0;
}

/* A thread that has waited for a step has waited for all before it. */
static bool is_news(struct order *o, uint32_t thread, uint32_t other)
{
	uint32_t *known;

	if (!o->known)
		return true;
	known = &o->known[(size_t)thread * o->plan->rec->nr_threads + other];
	if (*known >= o->latest[other])
		return false;
	*known = o->latest[other];
	return true;
}

static int keep_preds(struct order *o, struct mm_step *step)
{
	struct mm_plan *plan = o->plan;

	if (plan->nr_preds + o->nr_others > o->room_preds) {
		size_t room = o->room_preds * 2 + o->nr_others + 1024;
		uint32_t *preds = realloc(plan->preds, room * sizeof(*preds));

		if (!preds || room >= MM_NONE) {
			if (preds)
				plan->preds = preds;
			return -1;
		}
		plan->preds = preds;
		o->room_preds = room;
	}
	step->first_pred = (uint32_t)plan->nr_preds;
	for (uint32_t i = 0; i < o->nr_others; i++) {
		uint32_t other = o->others[i];

		if (is_news(o, step->thread, other))
			plan->preds[plan->nr_preds++] = o->latest[other] - 1;
		o->latest[other] = 0;
	}
	step->nr_preds = (uint32_t)plan->nr_preds - step->first_pred;
	o->nr_others = 0;
	return 0;
}

static int order_all(struct order *o)
{
	struct mm_plan *plan = o->plan;
	size_t nr_threads = plan->rec->nr_threads;
	struct mm_op op;

	o->latest = calloc(nr_threads + 1, sizeof(*o->latest));
	o->others = calloc(nr_threads + 1, sizeof(*o->others));
	if (!o->latest || !o->others || collect_points(o))
		return -1;
	if (nr_threads <= MAX_KNOWN_THREADS) {
		o->known = calloc(nr_threads * nr_threads + 1,
				  sizeof(*o->known));
		if (!o->known)
			return -1;
	}
	for (int i = 0; i < MM_NR_ASPECTS; i++) {
		if (mm_spanmap_init(&o->maps[i], o->nr_points + 1))
			return -1;
	}
	for (uint32_t i = 0; i < plan->nr_steps; i++) {
		if (!has_footprint(&plan->steps[i]))
			continue;
		footprint_of(&plan->steps[i], &op);
		for (int t = 0; t < op.footprint.nr; t++) {
			if (touch(o, i, &op.footprint.extents[t]))
				return -1;
		}
		if (keep_preds(o, &plan->steps[i]))
			return -1;
	}
	return 0;
}

int mm_order(struct mm_plan *plan)
{
	struct order o = { .plan = plan };
	int error = order_all(&o);

	for (int i = 0; i < MM_NR_ASPECTS; i++)
		mm_spanmap_free(&o.maps[i]);
	free(o.points);
	free(o.latest);
	free(o.others);
	free(o.known);
	return error;
}
