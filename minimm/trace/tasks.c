/*
 * tasks.c - which thread of the trace a PID/TID means just now
 */
#include "minimm/trace/tasks.h"

#include <stdlib.h>

#include "minimm/trace/trace.h"

static struct mm_task *probe(const struct mm_tasks *tasks, uint64_t id)
{
	size_t i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);

	for (;; i++) {
		struct mm_task *task = &tasks->slots[i & (tasks->nr_slots - 1)];

		if (task->id == id || task->id == 0)
			return task;
	}
}

static int grow(struct mm_tasks *tasks)
{
	struct mm_tasks bigger = *tasks;

	bigger.nr_slots = tasks->nr_slots ? tasks->nr_slots * 2 : 64;
	bigger.slots = calloc(bigger.nr_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (size_t i = 0; i < tasks->nr_slots; i++) {
		if (tasks->slots[i].id)
			*probe(&bigger, tasks->slots[i].id) = tasks->slots[i];
	}
	free(tasks->slots);
	*tasks = bigger;
	return 0;
}

struct mm_task *mm_tasks_find(struct mm_tasks *tasks, uint32_t pid,
			      uint32_t tid)
{
	uint64_t id = ((uint64_t)pid << 32 | tid) + 1;
	struct mm_task *task;

	if (tasks->nr_used * 2 >= tasks->nr_slots && grow(tasks))
		return NULL;
	task = probe(tasks, id);
	if (task->id == 0) {
		*task = (struct mm_task){ id, MM_NONE, MM_NONE };
		tasks->nr_used++;
	}
	return task;
}

void mm_tasks_free(struct mm_tasks *tasks)
{
	free(tasks->slots);
	*tasks = (struct mm_tasks){ NULL, 0, 0 };
}
