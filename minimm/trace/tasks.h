/*
 * tasks.h - which thread of the trace a PID/TID means just now
 *
 * A hash table of open addressing.  A TID that is used again after its thread
 * ended is another thread.
 */
#ifndef MM_TRACE_TASKS_H
#define MM_TRACE_TASKS_H

#include <stddef.h>
#include <stdint.h>

struct mm_task {
	uint64_t id;			/* pid << 32 | tid, plus 1; 0: free */
	uint32_t thread;		/* index, or MM_NONE after its end */
	uint32_t call;			/* its unfinished record, or MM_NONE */
};

struct mm_tasks {
	struct mm_task *slots;
	size_t nr_slots;		/* a power of two, or 0 */
	size_t nr_used;
};

/* The slot of a PID/TID, made if need be.  NULL: out of memory.  Valid until
 * the next call. */
struct mm_task *mm_tasks_find(struct mm_tasks *tasks, uint32_t pid,
			      uint32_t tid);
void mm_tasks_free(struct mm_tasks *tasks);

#endif
