/*
 * spaces.c - who began whom, and which address space a record belongs to
 *
 * A thread was begun by the last clone3 that returned its TID before its first
 * line.  If that was another process, its space is a copy of the other's as of
 * the clone3 (fork); a process without a known beginning has a space of its
 * own, whose older mappings get inferred.  execve starts an empty space.
 *
 * Weak spot: clone3 does not show whether memory is shared, so a vfork counts
 * as a fork, and a fork by clone or fork (which are not recorded) is not seen.
 */
#include "minimm/trace/spaces.h"

#include <stdlib.h>

struct claim {			/* a clone3 that returned a TID, or a thread */
	uint32_t tid;
	uint32_t index;		/* of the record, or the thread */
	uint64_t time_ns;	/* clone3's start, or the thread's first line */
	int is_thread;
};

static int by_tid_and_time(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->is_thread - y->is_thread;
}

static int has_new_tid(const struct mm_record *record)
{
	return record->call == MM_CALL_CLONE3 && !mm_record_error(record) &&
	       record->result != 0 && record->result <= UINT32_MAX;
}

static int find_clones(struct mm_recording *trace)
{
	size_t nr = 0;
	struct claim *claims =
		calloc(trace->nr_records + trace->nr_threads + 1,
		       sizeof(*claims));

	if (!claims)
		return -1;
	for (size_t i = 0; i < trace->nr_records; i++) {
		const struct mm_record *record = &trace->records[i];

		if (has_new_tid(record))
			claims[nr++] = (struct claim){
				(uint32_t)record->result, (uint32_t)i,
				record->start_ns, 0
			};
	}
	for (size_t i = 0; i < trace->nr_threads; i++)
		claims[nr++] = (struct claim){ trace->threads[i].tid,
					       (uint32_t)i,
					       trace->threads[i].first_ns, 1 };
	qsort(claims, nr, sizeof(*claims), by_tid_and_time);
	for (size_t i = 1; i < nr; i++) {
		if (claims[i].is_thread && !claims[i - 1].is_thread &&
		    claims[i].tid == claims[i - 1].tid)
			trace->threads[claims[i].index].clone =
				claims[i - 1].index;
	}
	free(claims);
	return 0;
}

/* The current space of each process, by the index of the process's first
 * thread; threads of one PID are found by sorting them once. */
struct processes {
	uint32_t *of_thread;		/* thread -> process */
	uint32_t *space;		/* process -> current space */
};

struct thread_key {
	uint32_t pid, thread;
};

static int by_pid(const void *a, const void *b)
{
	const struct thread_key *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static int find_processes(const struct mm_recording *trace, struct processes *p)
{
	size_t nr = trace->nr_threads;
	struct thread_key *keys = calloc(nr + 1, sizeof(*keys));

	p->of_thread = calloc(nr + 1, sizeof(*p->of_thread));
	p->space = calloc(nr + 1, sizeof(*p->space));
	if (!keys || !p->of_thread || !p->space) {
		free(keys);
		return -1;
	}
	for (size_t i = 0; i < nr; i++) {
		keys[i] = (struct thread_key){ trace->threads[i].pid,
					       (uint32_t)i };
		p->space[i] = MM_NONE;
	}
	qsort(keys, nr, sizeof(*keys), by_pid);
	for (size_t i = 0, first = 0; i < nr; i++) {
		if (keys[i].pid != keys[first].pid)
			first = i;
		p->of_thread[keys[i].thread] = keys[first].thread;
	}
	free(keys);
	return 0;
}

static uint32_t add_space(struct mm_recording *trace, uint32_t pid,
			  uint32_t parent, uint32_t clone)
{
	size_t i = trace->nr_spaces++;

	trace->spaces[i] = (struct mm_rec_space){ pid, parent, clone };
	return (uint32_t)i;
}

/* The first record of a process whose space is not known yet. */
static uint32_t first_space(struct mm_recording *trace,
			    const struct mm_rec_thread *thread)
{
	uint32_t clone = thread->clone;

	if (clone != MM_NONE &&
	    trace->threads[trace->records[clone].thread].pid != thread->pid)
		return add_space(trace, thread->pid,
				 trace->records[clone].space, clone);
	return add_space(trace, thread->pid, MM_NONE, MM_NONE);
}

static void assign_spaces(struct mm_recording *trace, struct processes *p)
{
	for (size_t i = 0; i < trace->nr_records; i++) {
		struct mm_record *record = &trace->records[i];
		const struct mm_rec_thread *thread =
			&trace->threads[record->thread];
		uint32_t *space = &p->space[p->of_thread[record->thread]];

		if (record->call == MM_CALL_EXECVE && !mm_record_error(record))
			*space = add_space(trace, thread->pid, MM_NONE,
					   MM_NONE);
		else if (*space == MM_NONE)
			*space = first_space(trace, thread);
		record->space = *space;
	}
}

int mm_recording_find_spaces(struct mm_recording *trace)
{
	struct processes p = { NULL, NULL };
	size_t max_spaces = trace->nr_threads + 1;
	int error;

	for (size_t i = 0; i < trace->nr_records; i++)
		max_spaces += trace->records[i].call == MM_CALL_EXECVE;
	trace->spaces = calloc(max_spaces, sizeof(*trace->spaces));
	error = !trace->spaces || find_clones(trace) ||
		find_processes(trace, &p);
	if (!error)
		assign_spaces(trace, &p);
	free(p.of_thread);
	free(p.space);
	return error ? -1 : 0;
}
