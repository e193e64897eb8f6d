/*
 * queue.c - a binary heap in one array
 *
 * Weak spot: an entry that is out of date stays until its time comes.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/queue.h"

#include <stdlib.h>

static bool is_before(const struct sim_entry *a, const struct sim_entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->seq < b->seq;
}

static bool grow(struct sim_queue *q)
{
	size_t room = q->room ? q->room * 2 : 64;
	struct sim_entry *heap = realloc(q->heap, room * sizeof(*heap));

	if (!heap)
		return false;
	q->heap = heap;
	q->room = room;
	return true;
}

bool sim_queue_add(struct sim_queue *q, uint64_t time_ns,
		   struct sim_thread *thread, uint64_t turn)
{
	struct sim_entry e = { time_ns, q->next_seq, thread, turn };
	size_t i;

	if (q->nr == q->room && !grow(q))
		return false;
	q->next_seq++;
	for (i = q->nr++; i > 0; i = (i - 1) / 2) {
		size_t above = (i - 1) / 2;

		if (!is_before(&e, &q->heap[above]))
			break;
		q->heap[i] = q->heap[above];
	}
	q->heap[i] = e;
	return true;
}

struct sim_entry sim_queue_take(struct sim_queue *q)
{
	struct sim_entry first = q->heap[0];
	struct sim_entry e = q->heap[--q->nr];
	size_t i = 0;

	for (;;) {
		size_t below = 2 * i + 1;

		if (below >= q->nr)
			break;
		if (below + 1 < q->nr &&
		    is_before(&q->heap[below + 1], &q->heap[below]))
			below++;
		if (!is_before(&q->heap[below], &e))
			break;
		q->heap[i] = q->heap[below];
		i = below;
	}
	if (q->nr)
		q->heap[i] = e;
	return first;
}

void sim_queue_free(struct sim_queue *q)
{
	free(q->heap);
	*q = (struct sim_queue){ .heap = NULL };
}
