/*
 * event.h - one line of `perf script` and what it says
 *
 *	PID/TID  SECONDS.NANOSECONDS:  EVENT:  FIELDS
 */
#ifndef MM_TRACE_EVENT_H
#define MM_TRACE_EVENT_H

#include <stdint.h>

#define MM_CALL_ARGS	6

enum mm_event_kind {
	MM_EVENT_FAULT,
	MM_EVENT_ENTER,
	MM_EVENT_EXIT,
	MM_EVENT_OTHER,			/* well formed, and no business of ours */
};

/* What a thread did.  The names of the system calls are those of Linux. */
enum mm_call {
	MM_CALL_FAULT,			/* address, ip, error_code */
	MM_CALL_MMAP,			/* addr, len, prot, flags, fd, off */
	MM_CALL_MUNMAP,			/* addr, len */
	MM_CALL_MPROTECT,		/* start, len, prot */
	MM_CALL_MREMAP,			/* addr, old, new, flags, new_addr */
	MM_CALL_BRK,			/* brk */
	MM_CALL_MADVISE,		/* start, len_in, behavior */
	MM_CALL_MLOCK,			/* start, len */
	MM_CALL_MUNLOCK,		/* start, len */
	MM_CALL_CLONE3,			/* uargs, size */
	MM_CALL_EXECVE,
	MM_CALL_EXIT,			/* error_code */
	MM_CALL_EXIT_GROUP,		/* error_code */
	MM_CALL_UNKNOWN,		/* a system call that we do not replay */
	MM_NR_CALLS,
};

/* Bits of a fault's error_code, as x86 has them. */
#define MM_ERROR_PRESENT	0x1u
#define MM_ERROR_WRITE		0x2u
#define MM_ERROR_EXEC		0x10u

struct mm_event {
	uint64_t time_ns;
	uint32_t pid, tid;
	enum mm_event_kind kind;
	enum mm_call call;		/* FAULT, ENTER and EXIT */
	uint64_t args[MM_CALL_ARGS];	/* FAULT and ENTER */
	uint64_t result;		/* EXIT */
};

/*
 * Read one line.  Numbers are exact; one that needs more than 64 bits (32 for
 * PID and TID) is an error.
 *
 * Returns: 0; -1 with a message in why (MM_WHY_MAX bytes, no file name).
 */
int mm_event_parse(struct mm_event *event, const char *line, char *why);

/* "mmap", "fault", ... */
const char *mm_call_name(enum mm_call call);

#endif
