/*
 * plan.h - a trace made ready for replay: computed once, shared by all copies
 *
 * A step is a record that does something; steps have the order of the trace.
 * Its predecessors are steps of other threads that must have ended before.
 */
#ifndef MM_REPLAY_PLAN_H
#define MM_REPLAY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/mm/op.h"
#include "minimm/replay/infer.h"
#include "minimm/trace/trace.h"

enum mm_step_what {
	MM_STEP_RUN,			/* an operation */
	MM_STEP_FAIL,			/* one that failed: its cost, no effect */
	MM_STEP_CLONE,			/* threads may begin */
};

struct mm_step {
	uint64_t start_ns;		/* since the trace began */
	uint64_t gap_ns;		/* since its thread's last step ended */
	uint64_t duration_ns;		/* capped (--costs trace); 0: a fault */
	uint64_t addr, len, new_len, new_addr, offset, answer, old_break;
	int64_t expected;
	uint32_t flags, prot;
	int32_t advice;
	uint32_t file;			/* mmap: index in plan->files, plus 1 */
	uint32_t file_page;		/* fault: its page in the cache, or MM_NONE */
	uint32_t thread, space, line;
	uint32_t child_space;		/* fork: the new space, or MM_NONE */
	uint32_t first_child;		/* clone: a thread it begins, or MM_NONE */
	uint32_t first_pred, nr_preds;
	uint8_t what;			/* enum mm_step_what */
	uint8_t kind;			/* enum mm_kind */
	uint8_t access;			/* enum mm_access */
};

struct mm_plan_thread {
	uint32_t first, nr;		/* part of plan->by_thread */
	uint32_t clone;			/* the step that begins it, or MM_NONE */
	uint32_t next_sibling;		/* begun by the same step, or MM_NONE */
};

/* Why a step is left out, beside mm_skip. */
enum mm_left_out {
	MM_LEFT_IMPOSSIBLE,		/* the trace contradicts itself */
	MM_LEFT_EXIT,			/* a process's end: the space goes on */
	MM_NR_LEFT_OUT,
};

struct mm_plan {
	const struct mm_recording *rec;
	struct mm_inferred inferred;
	struct mm_step *steps;
	size_t nr_steps;
	uint32_t *by_thread;		/* steps, thread by thread */
	struct mm_plan_thread *threads;
	uint32_t *preds;
	size_t nr_preds;
	uint32_t *files;		/* descriptors; [0] is the image's */
	uint32_t nr_files;
	uint32_t nr_file_pages;
	uint64_t length_ns;		/* of the trace */
	uint64_t nr_left_out[MM_NR_LEFT_OUT];
	uint64_t nr_failed;		/* steps that are MM_STEP_FAIL */
};

/*
 * Requires: rec stays as it is while the plan is in use.
 * Returns: 0; -1 with a message in why (MM_WHY_MAX bytes).
 */
int mm_plan_make(struct mm_plan *plan, const struct mm_recording *rec,
		 char *why);
void mm_plan_free(struct mm_plan *plan);

/* Fill in op's arguments, everything moved by offset (modulo the size of the
 * user's space).  The file is left to the caller. */
void mm_step_op(const struct mm_step *step, uint64_t offset, struct mm_op *op);

#define MM_SPACE_SIZE	(MM_TASK_SIZE + MM_PAGE_SIZE)	/* 2^47 */

/* An address moved by offset, modulo 2^47; what lies beyond stays. */
static inline uint64_t mm_moved(uint64_t address, uint64_t offset)
{
	if (address >= MM_SPACE_SIZE)
		return address;
	return (address + offset) % MM_SPACE_SIZE;
}

#endif
