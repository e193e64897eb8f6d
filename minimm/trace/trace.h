/*
 * trace.h - a recorded program: its threads, and what they did, in order
 *
 * An enter and its exit become one record.  Records are ordered by the time at
 * which they take effect: its end for a call that chooses an address (nobody
 * can use the address before), its start for everything else.  Within a thread
 * that is the order of the program.
 */
#ifndef MM_TRACE_TRACE_H
#define MM_TRACE_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "minimm/trace/event.h"

#define MM_NONE	UINT32_MAX

/* Why a line of the trace is not replayed. */
enum mm_skip {
	MM_SKIP_BEGUN_BEFORE,		/* an exit whose enter is not there */
	MM_SKIP_UNFINISHED,		/* an enter whose exit is not there */
	MM_SKIP_UNKNOWN_CALL,		/* a system call that has no model */
	MM_SKIP_UNKNOWN_EVENT,		/* neither a fault nor a system call */
	MM_NR_SKIPS,
};

/* "unfinished_call", ...: the key in the JSON. */
const char *mm_skip_name(enum mm_skip skip);

struct mm_record {
	uint64_t start_ns, end_ns;	/* equal for a fault */
	uint64_t effect_ns;		/* its place in the order */
	uint64_t args[MM_CALL_ARGS];
	uint64_t result;		/* as recorded; 0 for a fault */
	enum mm_call call;
	uint32_t thread;		/* index in threads */
	uint32_t line;			/* of the fault or the enter */
	uint32_t space;			/* index in spaces */
};

struct mm_rec_thread {
	uint32_t pid, tid;
	uint32_t clone;			/* the record that began it; or MM_NONE */
	uint64_t first_ns;		/* its first line */
};

/* What a process has from one execve to the next. */
struct mm_rec_space {
	uint32_t pid;
	uint32_t parent;		/* the space that was forked; or MM_NONE */
	uint32_t clone;			/* the record that forked it */
};

struct mm_recording {
	char *path;
	struct mm_record *records;
	size_t nr_records;
	struct mm_rec_thread *threads;
	size_t nr_threads;
	struct mm_rec_space *spaces;
	size_t nr_spaces;
	uint64_t first_ns, last_ns;
	uint32_t nr_lines;
	uint64_t nr_skipped[MM_NR_SKIPS];
};

/*
 * Read a file ("-": standard input), gzip or plain.
 *
 * Returns: 0; -1 with a message in why (MM_WHY_MAX bytes): "FILE:LINE: what".
 */
int mm_recording_read(struct mm_recording *trace, const char *path, char *why);
void mm_recording_free(struct mm_recording *trace);

/* The error number that a recorded result means, or 0. */
int mm_record_error(const struct mm_record *record);

/* True if the call succeeds by choosing an address that was not given. */
int mm_record_chooses_address(const struct mm_record *record);

#endif
