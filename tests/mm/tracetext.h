/*
 * tracetext.h - write a trace by hand, line by line
 */
#ifndef TESTS_MM_TRACETEXT_H
#define TESTS_MM_TRACETEXT_H

#include <stddef.h>
#include <stdint.h>

#include "minimm/replay/plan.h"
#include "minimm/trace/trace.h"

struct tracetext {
	char *text;
	size_t length;
	uint64_t now_ns;		/* of the next line */
};

/* A line whose time is 100 ns after the last one's. */
void trace_line(struct tracetext *t, uint32_t pid, uint32_t tid,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A fault: 'r', 'w' or 'x'.  A call and its answer: two lines each. */
void trace_fault(struct tracetext *t, uint32_t pid, uint32_t tid,
		 uint64_t address, char access);
void trace_mmap(struct tracetext *t, uint32_t pid, uint32_t tid,
		uint64_t address, uint64_t length, uint32_t prot,
		uint32_t flags, uint64_t result);
void trace_munmap(struct tracetext *t, uint32_t pid, uint32_t tid,
		  uint64_t address, uint64_t length, uint64_t result);
void trace_mprotect(struct tracetext *t, uint32_t pid, uint32_t tid,
		    uint64_t address, uint64_t length, uint32_t prot);
void trace_brk(struct tracetext *t, uint32_t pid, uint32_t tid,
	       uint64_t address, uint64_t result);
void trace_clone(struct tracetext *t, uint32_t pid, uint32_t tid,
		 uint32_t child_pid, uint32_t child_tid);

/* Write bytes to a new file: its path, good until the next call. */
const char *trace_file(const void *bytes, size_t size);

/* Read what was written so far; the text is freed.  As their namesakes return;
 * why: the message, without the file's path in front. */
int trace_read(struct tracetext *t, struct mm_recording *rec,
	       char why[512]);

/* As above, and make the plan.  A failed check ends the test. */
void trace_plan(struct tracetext *t, struct mm_recording *rec,
		struct mm_plan *plan);

#endif
