/*
 * plan.c - a trace made ready for replay: computed once, shared by all copies
 *
 * Records become steps; time between the steps of a thread becomes gaps; then
 * order.c adds the program's own order.
 */
#include "minimm/replay/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/replay/caps.h"
#include "minimm/replay/order.h"
#include "minimm/replay/pagecache.h"
#include "minimm/trace/lines.h"

/* What a moved or made-up mapping cannot keep. */
#define DROPPED_MAP_FLAGS	(MM_MAP_32BIT | MM_MAP_HUGETLB | 0xfc000000u)

static const enum mm_kind kinds[MM_NR_CALLS] = {
	[MM_CALL_FAULT] = MM_FAULT,
	[MM_CALL_MMAP] = MM_MMAP,
	[MM_CALL_MUNMAP] = MM_MUNMAP,
	[MM_CALL_MPROTECT] = MM_MPROTECT,
	[MM_CALL_MREMAP] = MM_MREMAP,
	[MM_CALL_BRK] = MM_BRK,
	[MM_CALL_MADVISE] = MM_MADVISE,
	[MM_CALL_MLOCK] = MM_MLOCK,
	[MM_CALL_MUNLOCK] = MM_MUNLOCK,
	[MM_CALL_CLONE3] = MM_FORK,
};

static bool has_failed(const struct mm_record *record)
{
	if (record->call == MM_CALL_BRK)
		return record->args[0] && record->result != record->args[0];
	return mm_record_error(record) != 0;
}

static void fill_fault(struct mm_step *step, const struct mm_record *record)
{
	step->access = MM_ACCESS_READ;
	if (record->args[2] & MM_ERROR_WRITE)
		step->access = MM_ACCESS_WRITE;
	if (record->args[2] & MM_ERROR_EXEC)
		step->access = MM_ACCESS_EXEC;
}

static void fill_mmap(struct mm_step *step, const struct mm_record *record)
{
	step->prot = (uint32_t)record->args[2] & MM_VM_ACCESS;
	step->flags = (uint32_t)record->args[3] & ~DROPPED_MAP_FLAGS;
	step->offset = record->args[5];
	if (!(step->flags & MM_MAP_ANONYMOUS))
		step->file = mm_record_file(record);
}

/* The arguments, as the model wants them. */
static void fill_call(struct mm_step *step, const struct mm_record *record)
{
	step->addr = record->args[0];
	step->len = record->args[1];
	if (mm_record_chooses_address(record))
		step->answer = record->result;
	switch (record->call) {
	case MM_CALL_FAULT:
		fill_fault(step, record);
		break;
	case MM_CALL_MMAP:
		fill_mmap(step, record);
		break;
	case MM_CALL_MPROTECT:
		step->prot = (uint32_t)record->args[2] & MM_VM_ACCESS;
		break;
	case MM_CALL_MREMAP:
		step->new_len = record->args[2];
		step->flags = (uint32_t)record->args[3];
		step->new_addr = record->args[4];
		break;
	case MM_CALL_MADVISE:
		step->advice = (int32_t)record->args[2];
		break;
	default:
		break;
	}
}

static void add_step(struct mm_plan *plan, size_t i)
{
	const struct mm_record *record = &plan->rec->records[i];
	const struct mm_verdict *verdict = &plan->inferred.verdicts[i];
	struct mm_step *step = &plan->steps[plan->nr_steps++];

	*step = (struct mm_step){
		.start_ns = record->start_ns - plan->rec->first_ns,
		.duration_ns = record->end_ns - record->start_ns,
		.old_break = verdict->old_break,
		.expected = verdict->expected,
		.file_page = MM_NONE,
		.thread = record->thread,
		.space = record->space,
		.line = record->line,
		.child_space = MM_NONE,
		.first_child = MM_NONE,
		.what = MM_STEP_RUN,
		.kind = (uint8_t)kinds[record->call],
	};
	fill_call(step, record);
	if (has_failed(record)) {
		step->what = MM_STEP_FAIL;
		plan->nr_failed++;
	}
}

/* Which clone3 began something that we know: a thread, or a process. */
static void add_clone(struct mm_plan *plan, size_t i, const uint32_t *forked)
{
	struct mm_step *step;

	add_step(plan, i);
	step = &plan->steps[plan->nr_steps - 1];
	step->child_space = forked[i];
	step->expected = 0;
	step->addr = step->len = 0;
	if (forked[i] == MM_NONE) {
		step->what = MM_STEP_CLONE;
		step->duration_ns = 0;
	}
}

static void add_record(struct mm_plan *plan, size_t i, const bool *begins,
		       const uint32_t *forked)
{
	switch (plan->rec->records[i].call) {
	case MM_CALL_EXIT_GROUP:
		plan->nr_left_out[MM_LEFT_EXIT]++;
		break;
	case MM_CALL_CLONE3:
		if (begins[i])
			add_clone(plan, i, forked);
		break;
	case MM_CALL_EXECVE:
	case MM_CALL_EXIT:
	case MM_CALL_UNKNOWN:
		break;
	default:
		if (plan->inferred.verdicts[i].is_impossible)
			plan->nr_left_out[MM_LEFT_IMPOSSIBLE]++;
		else
			add_step(plan, i);
	}
}

/* step_of: by record; what a thread's clone becomes. */
static int add_steps(struct mm_plan *plan, uint32_t *step_of)
{
	const struct mm_recording *rec = plan->rec;
	size_t nr = rec->nr_records;
	bool *begins = calloc(nr + 1, sizeof(*begins));
	uint32_t *forked = malloc((nr + 1) * sizeof(*forked));

	plan->steps = calloc(nr + 1, sizeof(*plan->steps));
	if (!begins || !forked || !plan->steps) {
		free(begins);
		free(forked);
		return -1;
	}
	for (size_t i = 0; i < nr; i++)
		forked[i] = step_of[i] = MM_NONE;
	for (size_t i = 0; i < rec->nr_threads; i++) {
		if (rec->threads[i].clone != MM_NONE)
			begins[rec->threads[i].clone] = true;
	}
	for (uint32_t i = 0; i < rec->nr_spaces; i++) {
		if (rec->spaces[i].parent != MM_NONE)
			forked[rec->spaces[i].clone] = i;
	}
	for (size_t i = 0; i < nr; i++) {
		size_t before = plan->nr_steps;

		add_record(plan, i, begins, forked);
		if (plan->nr_steps > before)
			step_of[i] = (uint32_t)before;
	}
	free(begins);
	free(forked);
	return 0;
}

/* The steps of each thread together, and the gaps between them. */
static int add_threads(struct mm_plan *plan, const uint32_t *step_of)
{
	const struct mm_recording *rec = plan->rec;
	uint32_t nr = 0;
	uint64_t *ended = calloc(rec->nr_threads + 1, sizeof(*ended));

	plan->threads = calloc(rec->nr_threads + 1, sizeof(*plan->threads));
	plan->by_thread = calloc(plan->nr_steps + 1, sizeof(*plan->by_thread));
	if (!ended || !plan->threads || !plan->by_thread) {
		free(ended);
		return -1;
	}
	for (size_t i = 0; i < plan->nr_steps; i++)
		plan->threads[plan->steps[i].thread].nr++;
	for (size_t i = 0; i < rec->nr_threads; i++) {
		struct mm_plan_thread *thread = &plan->threads[i];
		uint32_t clone = rec->threads[i].clone;

		thread->first = nr;
		nr += thread->nr;
		thread->nr = 0;
		thread->clone = clone == MM_NONE ? MM_NONE : step_of[clone];
		thread->next_sibling = MM_NONE;
		if (thread->clone != MM_NONE) {
			struct mm_step *step = &plan->steps[thread->clone];

			ended[i] = step->start_ns;
			thread->next_sibling = step->first_child;
			step->first_child = (uint32_t)i;
		}
	}
	for (uint32_t i = 0; i < plan->nr_steps; i++) {
		struct mm_step *step = &plan->steps[i];
		struct mm_plan_thread *thread = &plan->threads[step->thread];

		plan->by_thread[thread->first + thread->nr++] = i;
		step->gap_ns = step->start_ns - ended[step->thread];
		ended[step->thread] = step->start_ns + step->duration_ns;
	}
	free(ended);
	return 0;
}

static int make(struct mm_plan *plan)
{
	uint32_t *step_of =
		calloc(plan->rec->nr_records + 1, sizeof(*step_of));
	int error;

	if (!step_of)
		return -1;
	error = mm_infer(&plan->inferred, plan->rec) ||
		add_steps(plan, step_of) || add_threads(plan, step_of) ||
		mm_pagecache_number(plan, step_of) || mm_order(plan) ||
		mm_cap_durations(plan);
	free(step_of);
	return error ? -1 : 0;
}

int mm_plan_make(struct mm_plan *plan, const struct mm_recording *rec,
		 char *why)
{
	memset(plan, 0, sizeof(*plan));
	plan->rec = rec;
	plan->length_ns = rec->last_ns - rec->first_ns;
	if (make(plan)) {
		snprintf(why, MM_WHY_MAX, "%.200s: out of memory", rec->path);
		mm_plan_free(plan);
		return -1;
	}
	return 0;
}

void mm_plan_free(struct mm_plan *plan)
{
	mm_inferred_free(&plan->inferred);
	free(plan->steps);
	free(plan->by_thread);
	free(plan->threads);
	free(plan->preds);
	free(plan->files);
	memset(plan, 0, sizeof(*plan));
}

void mm_step_op(const struct mm_step *step, uint64_t offset, struct mm_op *op)
{
	bool is_brk_question = step->kind == MM_BRK && step->addr == 0;
	bool has_hint = step->kind != MM_MMAP || step->addr != 0;

	op->kind = (enum mm_kind)step->kind;
	op->access = (enum mm_access)step->access;
	op->prot = step->prot;
	op->flags = step->flags;
	op->advice = step->advice;
	op->addr = is_brk_question || !has_hint ? 0 :
						  mm_moved(step->addr, offset);
	op->len = step->len;
	op->new_len = step->new_len;
	op->new_addr = step->new_addr ? mm_moved(step->new_addr, offset) : 0;
	op->offset = step->offset;
	op->answer = step->answer ? mm_moved(step->answer, offset) : 0;
	op->old_break = step->old_break ? mm_moved(step->old_break, offset) : 0;
}
