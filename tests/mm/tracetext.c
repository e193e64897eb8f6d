/*
 * tracetext.c - write a trace by hand, line by line
 */
#include "tests/mm/tracetext.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "minimm/trace/lines.h"
#include "tests/backend.h"

static char path[64];

void trace_line(struct tracetext *t, uint32_t pid, uint32_t tid,
		const char *format, ...)
{
	char line[512];
	size_t size;
	va_list args;
	int n;

	t->now_ns += 100;
	n = snprintf(line, sizeof(line), "%u/%u  %llu.%09llu:  ", pid, tid,
		     (unsigned long long)(t->now_ns / 1000000000),
		     (unsigned long long)(t->now_ns % 1000000000));
	va_start(args, format);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	size = strlen(line);
	t->text = realloc(t->text, t->length + size);
	check(t->text != NULL);
	memcpy(t->text + t->length, line, size);
	t->length += size;
}

#define HEX(x)	((unsigned long long)(x))

void trace_fault(struct tracetext *t, uint32_t pid, uint32_t tid,
		 uint64_t address, char access)
{
	trace_line(t, pid, tid,
		   "exceptions:page_fault_user: address=0x%llx ip=0x1000 "
		   "error_code=0x%x", HEX(address),
		   access == 'w' ? 6 : access == 'x' ? 0x14 : 4);
}

void trace_mmap(struct tracetext *t, uint32_t pid, uint32_t tid,
		uint64_t address, uint64_t length, uint32_t prot,
		uint32_t flags, uint64_t result)
{
	trace_line(t, pid, tid,
		   "syscalls:sys_enter_mmap: addr: 0x%llx, len: 0x%llx, prot: "
		   "0x%x, flags: 0x%x, fd: %s, off: 0x0", HEX(address),
		   HEX(length), prot, flags,
		   flags & MM_MAP_ANONYMOUS ? "0xffffffff" : "0x3");
	trace_line(t, pid, tid, "syscalls:sys_exit_mmap: 0x%llx", HEX(result));
}

void trace_munmap(struct tracetext *t, uint32_t pid, uint32_t tid,
		  uint64_t address, uint64_t length, uint64_t result)
{
	trace_line(t, pid, tid,
		   "syscalls:sys_enter_munmap: addr: 0x%llx, len: 0x%llx",
		   HEX(address), HEX(length));
	trace_line(t, pid, tid, "syscalls:sys_exit_munmap: 0x%llx",
		   HEX(result));
}

void trace_mprotect(struct tracetext *t, uint32_t pid, uint32_t tid,
		    uint64_t address, uint64_t length, uint32_t prot)
{
	trace_line(t, pid, tid,
		   "syscalls:sys_enter_mprotect: start: 0x%llx, len: 0x%llx, "
		   "prot: 0x%x", HEX(address), HEX(length), prot);
	trace_line(t, pid, tid, "syscalls:sys_exit_mprotect: 0x0");
}

void trace_brk(struct tracetext *t, uint32_t pid, uint32_t tid,
	       uint64_t address, uint64_t result)
{
	trace_line(t, pid, tid, "syscalls:sys_enter_brk: brk: 0x%llx",
		   HEX(address));
	trace_line(t, pid, tid, "syscalls:sys_exit_brk: 0x%llx", HEX(result));
}

void trace_clone(struct tracetext *t, uint32_t pid, uint32_t tid,
		 uint32_t child_pid, uint32_t child_tid)
{
	trace_line(t, pid, tid,
		   "syscalls:sys_enter_clone3: uargs: 0x1000, size: 0x58");
	trace_line(t, child_pid, child_tid, "syscalls:sys_exit_clone3: 0x0");
	trace_line(t, pid, tid, "syscalls:sys_exit_clone3: 0x%x", child_tid);
}

const char *trace_file(const void *bytes, size_t size)
{
	ssize_t written;
	int fd;

	strcpy(path, "/tmp/minimm-test-XXXXXX");
	fd = mkstemp(path);
	check(fd >= 0);
	written = write(fd, bytes, size);
	check_eq(written, (ssize_t)size);
	close(fd);
	return path;
}

int trace_read(struct tracetext *t, struct mm_recording *rec, char why[512])
{
	const char *file = trace_file(t->text, t->length);
	char message[MM_WHY_MAX] = "";
	int error = mm_recording_read(rec, file, message);

	unlink(file);
	free(t->text);
	*t = (struct tracetext){ NULL, 0, 0 };
	why[0] = '\0';
	if (!error)
		return 0;
	check_eq(strncmp(message, file, strlen(file)), 0);
	snprintf(why, 512, "%s", message + strlen(file));
	return error;
}

void trace_plan(struct tracetext *t, struct mm_recording *rec,
		struct mm_plan *plan)
{
	char why[512];
	int error = trace_read(t, rec, why);

	check_msg(!error, "%s", why);
	error = mm_plan_make(plan, rec, why);
	check_msg(!error, "%s", why);
}
