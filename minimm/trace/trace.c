/*
 * trace.c - pair the lines of a trace to records, and put them in order
 *
 * One pass over the lines with one unfinished call a thread; then a sort.
 * Lines must be in the order of time.  An exit whose enter is missing is
 * accepted as a thread's first line (it was inside the call when the recording
 * began, or it is clone3's second return) and is an error later.
 */
#include "minimm/trace/trace.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/trace/lines.h"
#include "minimm/trace/spaces.h"
#include "minimm/trace/tasks.h"

#define MAP_FIXED_FLAGS		0x100010u	/* and MAP_FIXED_NOREPLACE */
#define MREMAP_FIXED_FLAG	0x2u
#define ERROR_MAX		4095

struct reader {
	struct mm_recording *trace;
	struct mm_tasks tasks;
	size_t room_records, room_threads;
	uint32_t line;
	char *why;
};

static const char *const skip_names[MM_NR_SKIPS] = {
	[MM_SKIP_BEGUN_BEFORE] = "begun_before_trace",
	[MM_SKIP_UNFINISHED] = "unfinished_call",
	[MM_SKIP_UNKNOWN_CALL] = "unknown_call",
	[MM_SKIP_UNKNOWN_EVENT] = "unknown_event",
};

const char *mm_skip_name(enum mm_skip skip)
{
	return skip_names[skip];
}

int mm_record_error(const struct mm_record *record)
{
	int64_t result = (int64_t)record->result;

	return result < 0 && result >= -ERROR_MAX ? (int)-result : 0;
}

int mm_record_chooses_address(const struct mm_record *record)
{
	if (mm_record_error(record))
		return 0;
	if (record->call == MM_CALL_MMAP)
		return !(record->args[3] & MAP_FIXED_FLAGS);
	if (record->call == MM_CALL_MREMAP)
		return record->result != record->args[0] &&
		       !(record->args[3] & MREMAP_FIXED_FLAG);
	return 0;
}

__attribute__((format(printf, 2, 3)))
static int complain(struct reader *r, const char *format, ...)
{
	char what[MM_WHY_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(r->why, MM_WHY_MAX, "%.200s:%u: %s", r->trace->path, r->line,
		 what);
	return -1;
}

/* Room for one more of size bytes.  Returns: 0; -1: no memory, too many. */
static int reserve(void *array, size_t nr, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 1024;
	void *old, *bigger;

	if (nr < *room)
		return 0;
	if (wanted >= MM_NONE)
		return -1;
	memcpy(&old, array, sizeof(old));
	bigger = realloc(old, wanted * size);
	if (!bigger)
		return -1;
	memcpy(array, &bigger, sizeof(bigger));
	*room = wanted;
	return 0;
}

static int begin_thread(struct reader *r, struct mm_task *task,
			const struct mm_event *event)
{
	struct mm_recording *trace = r->trace;

	if (reserve(&trace->threads, trace->nr_threads, &r->room_threads,
		    sizeof(*trace->threads)))
		return complain(r, "out of memory");
	task->thread = (uint32_t)trace->nr_threads++;
	trace->threads[task->thread] = (struct mm_rec_thread){
		.pid = event->pid,
		.tid = event->tid,
		.clone = MM_NONE,
		.first_ns = event->time_ns,
	};
	return 0;
}

static struct mm_record *add_record(struct reader *r,
				    const struct mm_event *event,
				    uint32_t thread)
{
	struct mm_recording *trace = r->trace;
	struct mm_record *record;

	if (reserve(&trace->records, trace->nr_records, &r->room_records,
		    sizeof(*trace->records))) {
		complain(r, "out of memory");
		return NULL;
	}
	record = &trace->records[trace->nr_records++];
	*record = (struct mm_record){
		.start_ns = event->time_ns,
		.end_ns = event->time_ns,
		.effect_ns = event->time_ns,
		.call = event->call,
		.thread = thread,
		.line = r->line,
		.space = MM_NONE,
	};
	memcpy(record->args, event->args, sizeof(record->args));
	return record;
}

static void drop_unfinished(struct reader *r, struct mm_task *task)
{
	if (task->call == MM_NONE)
		return;
	r->trace->records[task->call].call = MM_CALL_UNKNOWN;
	r->trace->nr_skipped[MM_SKIP_UNFINISHED]++;
	task->call = MM_NONE;
}

static int enter(struct reader *r, struct mm_task *task,
		 const struct mm_event *event)
{
	drop_unfinished(r, task);
	if (event->call == MM_CALL_UNKNOWN) {
		r->trace->nr_skipped[MM_SKIP_UNKNOWN_CALL]++;
		return 0;
	}
	if (!add_record(r, event, task->thread))
		return -1;
	if (event->call == MM_CALL_EXIT)
		task->thread = MM_NONE;
	else if (event->call != MM_CALL_EXIT_GROUP)
		task->call = (uint32_t)r->trace->nr_records - 1;
	return 0;
}

static int leave(struct reader *r, struct mm_task *task,
		 const struct mm_event *event, bool is_first)
{
	struct mm_record *record;

	if (event->call == MM_CALL_UNKNOWN)
		return 0;
	/* A thread that is not the first changes its TID in execve. */
	if (event->call == MM_CALL_EXECVE && task->call == MM_NONE &&
	    event->result == 0)
		return add_record(r, event, task->thread) ? 0 : -1;
	if (is_first) {
		if (event->call != MM_CALL_CLONE3 || event->result != 0)
			r->trace->nr_skipped[MM_SKIP_BEGUN_BEFORE]++;
		return 0;
	}
	if (task->call == MM_NONE)
		return complain(r, "the end of %s, but %u/%u is in no call",
				mm_call_name(event->call), event->pid,
				event->tid);
	record = &r->trace->records[task->call];
	if (record->call != event->call)
		return complain(r, "the end of %s, but %u/%u is in %s (line %u)",
				mm_call_name(event->call), event->pid,
				event->tid, mm_call_name(record->call),
				record->line);
	record->end_ns = event->time_ns;
	record->result = event->result;
	if (mm_record_chooses_address(record) ||
	    record->call == MM_CALL_EXECVE)
		record->effect_ns = event->time_ns;
	task->call = MM_NONE;
	return 0;
}

static int take_event(struct reader *r, const struct mm_event *event)
{
	struct mm_recording *trace = r->trace;
	struct mm_task *task;
	bool is_first;

	if (event->time_ns < trace->last_ns)
		return complain(r, "the time goes back by %llu ns",
				(unsigned long long)(trace->last_ns -
						     event->time_ns));
	if (r->line == 1)
		trace->first_ns = event->time_ns;
	trace->last_ns = event->time_ns;
	task = mm_tasks_find(&r->tasks, event->pid, event->tid);
	if (!task)
		return complain(r, "out of memory");
	is_first = task->thread == MM_NONE;
	if (is_first && begin_thread(r, task, event))
		return -1;
	switch (event->kind) {
	case MM_EVENT_FAULT:
		drop_unfinished(r, task);
		return add_record(r, event, task->thread) ? 0 : -1;
	case MM_EVENT_ENTER:
		return enter(r, task, event);
	case MM_EVENT_EXIT:
		return leave(r, task, event, is_first);
	case MM_EVENT_OTHER:
		trace->nr_skipped[MM_SKIP_UNKNOWN_EVENT]++;
		break;
	}
	return 0;
}

static int read_lines(struct reader *r, struct mm_lines *lines)
{
	struct mm_event event;
	const char *line;
	char what[MM_WHY_MAX];
	int more;

	while ((more = mm_lines_next(lines, &line, r->why)) > 0) {
		r->line = mm_lines_number(lines);
		if (mm_event_parse(&event, line, what))
			return complain(r, "%s", what);
		if (take_event(r, &event))
			return -1;
	}
	r->trace->nr_lines = r->line;
	if (more == 0 && r->line == 0) {
		snprintf(r->why, MM_WHY_MAX, "%s:1: there is no event in it",
			 r->trace->path);
		return -1;
	}
	return more;
}

static int by_effect(const void *a, const void *b)
{
	const struct mm_record *x = a, *y = b;

	if (x->effect_ns != y->effect_ns)
		return x->effect_ns < y->effect_ns ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Forget the records of calls that never ended, and order the others. */
static void put_in_order(struct mm_recording *trace)
{
	size_t kept = 0;

	for (size_t i = 0; i < trace->nr_records; i++) {
		if (trace->records[i].call != MM_CALL_UNKNOWN)
			trace->records[kept++] = trace->records[i];
	}
	trace->nr_records = kept;
	if (kept)
		qsort(trace->records, kept, sizeof(*trace->records), by_effect);
}

int mm_recording_read(struct mm_recording *trace, const char *path, char *why)
{
	struct reader r = { .trace = trace, .why = why };
	struct mm_lines *lines;
	int error;

	memset(trace, 0, sizeof(*trace));
	lines = mm_lines_open(path, why);
	if (!lines)
		return -1;
	trace->path = strdup(path);
	error = trace->path ? read_lines(&r, lines) : -1;
	mm_lines_close(lines);
	for (size_t i = 0; i < r.tasks.nr_slots; i++) {
		if (r.tasks.slots[i].id)
			drop_unfinished(&r, &r.tasks.slots[i]);
	}
	mm_tasks_free(&r.tasks);
	if (!error) {
		put_in_order(trace);
		error = mm_recording_find_spaces(trace);
		if (error)
			complain(&r, "out of memory");
	}
	if (error)
		mm_recording_free(trace);
	return error;
}

void mm_recording_free(struct mm_recording *trace)
{
	free(trace->path);
	free(trace->records);
	free(trace->threads);
	free(trace->spaces);
	memset(trace, 0, sizeof(*trace));
}
