/*
 * queue.h - what happens next: a binary heap of timed events
 *
 * Ordered by (time, seq): of two events at one time the one that was added
 * first comes first.  Add and take cost O(log n).
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SIM_QUEUE_H
#define MINIMM_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_thread;

/* Resume a thread, unless it has moved on since (its turn is another). */
struct sim_entry {
	uint64_t time_ns;
	uint64_t seq;
	struct sim_thread *thread;
	uint64_t turn;
};

struct sim_queue {
	struct sim_entry *heap;
	size_t nr, room;
	uint64_t next_seq;
};

/* Returns: false for want of memory. */
bool sim_queue_add(struct sim_queue *q, uint64_t time_ns,
		   struct sim_thread *thread, uint64_t turn);

/* Requires: q->nr > 0. */
struct sim_entry sim_queue_take(struct sim_queue *q);

void sim_queue_free(struct sim_queue *q);

#endif
