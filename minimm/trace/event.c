/*
 * event.c - one line of `perf script` and what it says
 *
 * A table gives each system call its fields, by name and in order; fields that
 * it does not name are passed over, since kernels differ in what they add.
 */
#include "minimm/trace/event.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "minimm/trace/lines.h"

struct call_form {
	const char *name;
	const char *fields[MM_CALL_ARGS];
};

static const struct call_form forms[MM_NR_CALLS] = {
	[MM_CALL_FAULT] = { "fault", { "address", "ip", "error_code" } },
	[MM_CALL_MMAP] = { "mmap",
			   { "addr", "len", "prot", "flags", "fd", "off" } },
	[MM_CALL_MUNMAP] = { "munmap", { "addr", "len" } },
	[MM_CALL_MPROTECT] = { "mprotect", { "start", "len", "prot" } },
	[MM_CALL_MREMAP] = { "mremap",
			     { "addr", "old_len", "new_len", "flags",
			       "new_addr" } },
	[MM_CALL_BRK] = { "brk", { "brk" } },
	[MM_CALL_MADVISE] = { "madvise", { "start", "len_in", "behavior" } },
	[MM_CALL_MLOCK] = { "mlock", { "start", "len" } },
	[MM_CALL_MUNLOCK] = { "munlock", { "start", "len" } },
	[MM_CALL_CLONE3] = { "clone3", { NULL } },
	[MM_CALL_EXECVE] = { "execve", { NULL } },
	[MM_CALL_EXIT] = { "exit", { NULL } },
	[MM_CALL_EXIT_GROUP] = { "exit_group", { NULL } },
	[MM_CALL_UNKNOWN] = { "unknown", { NULL } },
};

const char *mm_call_name(enum mm_call call)
{
	return forms[call].name;
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* A number in front of *p; "0x" makes it hexadecimal.  False if there is none
 * or it does not fit. */
static bool take_number(const char **p, uint64_t max, uint64_t *number)
{
	const char *from = *p;
	uint64_t base = 10, value = 0;
	const char *first;

	if (from[0] == '0' && (from[1] == 'x' || from[1] == 'X')) {
		base = 16;
		from += 2;
	}
	first = from;
	for (; (uint64_t)digit_value(*from) < base; from++) {
		uint64_t digit = (uint64_t)digit_value(*from);

		if (value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (from == first)
		return false;
	*p = from;
	*number = value;
	return true;
}

/* SECONDS.FRACTION: nine digits at most, fewer mean a coarser clock. */
static bool take_time(const char **p, uint64_t *time_ns)
{
	uint64_t seconds, fraction = 0, unit = 100000000;
	const char *digit;

	if (!isdigit((unsigned char)**p) ||
	    !take_number(p, UINT64_MAX / 1000000000 - 1, &seconds) ||
	    **p != '.')
		return false;
	for (digit = ++*p; isdigit((unsigned char)*digit); digit++) {
		if (unit == 0)
			return false;
		fraction += (uint64_t)(*digit - '0') * unit;
		unit /= 10;
	}
	if (digit == *p)
		return false;
	*p = digit;
	*time_ns = seconds * 1000000000 + fraction;
	return true;
}

/* PID/TID  SECONDS.NANOSECONDS:  and then the event's name. */
static bool take_head(const char **p, struct mm_event *event)
{
	uint64_t pid, tid;

	*p = skip_blanks(*p);
	if (!isdigit((unsigned char)**p) ||
	    !take_number(p, UINT32_MAX, &pid) || *(*p)++ != '/')
		return false;
	if (!isdigit((unsigned char)**p) || !take_number(p, UINT32_MAX, &tid))
		return false;
	event->pid = (uint32_t)pid;
	event->tid = (uint32_t)tid;
	if (**p != ' ' && **p != '\t')
		return false;
	*p = skip_blanks(*p);
	if (!take_time(p, &event->time_ns) || *(*p)++ != ':')
		return false;
	if (**p != ' ' && **p != '\t')
		return false;
	*p = skip_blanks(*p);
	return true;
}

/* The event's name ends with a colon and a blank, or the line. */
static bool take_name(const char **p, const char **name, size_t *length)
{
	const char *end = *p + strcspn(*p, " \t");

	if (end - *p < 2 || end[-1] != ':' || !memchr(*p, ':',
						     (size_t)(end - *p) - 1))
		return false;
	*name = *p;
	*length = (size_t)(end - *p) - 1;
	*p = skip_blanks(end);
	return true;
}

static bool begins(const char *name, size_t length, const char *with,
		   const char **rest)
{
	size_t n = strlen(with);

	if (length < n || memcmp(name, with, n) != 0)
		return false;
	*rest = name + n;
	return true;
}

static enum mm_call call_named(const char *name, size_t length)
{
	for (int i = MM_CALL_FAULT + 1; i < MM_CALL_UNKNOWN; i++) {
		if (strlen(forms[i].name) == length &&
		    memcmp(forms[i].name, name, length) == 0)
			return (enum mm_call)i;
	}
	return MM_CALL_UNKNOWN;
}

static void classify(struct mm_event *event, const char *name, size_t length)
{
	const char *rest;

	event->kind = MM_EVENT_OTHER;
	event->call = MM_CALL_UNKNOWN;
	if (begins(name, length, "exceptions:page_fault_user", &rest) &&
	    rest == name + length) {
		event->kind = MM_EVENT_FAULT;
		event->call = MM_CALL_FAULT;
	} else if (begins(name, length, "syscalls:sys_enter_", &rest)) {
		event->kind = MM_EVENT_ENTER;
		event->call = call_named(rest, (size_t)(name + length - rest));
	} else if (begins(name, length, "syscalls:sys_exit_", &rest)) {
		event->kind = MM_EVENT_EXIT;
		event->call = call_named(rest, (size_t)(name + length - rest));
	}
}

/* "name: value, name: value" or "name=value name=value". */
static const char *find_field(const char *p, const char *name)
{
	size_t n = strlen(name);

	while (*p) {
		p += strspn(p, " \t,");
		if (strncmp(p, name, n) == 0 && (p[n] == ':' || p[n] == '='))
			return skip_blanks(p + n + 1);
		p += strcspn(p, " \t,");
	}
	return NULL;
}

static bool ends_field(char c)
{
	return c == '\0' || c == ',' || c == ' ' || c == '\t';
}

static int parse_fields(struct mm_event *event, const char *text, char *why)
{
	const struct call_form *form = &forms[event->call];

	for (int i = 0; i < MM_CALL_ARGS && form->fields[i]; i++) {
		const char *value = find_field(text, form->fields[i]);

		if (!value) {
			snprintf(why, MM_WHY_MAX,
				 "not an event: %s without its field %s",
				 form->name, form->fields[i]);
			return -1;
		}
		if (!take_number(&value, UINT64_MAX, &event->args[i]) ||
		    !ends_field(*value)) {
			snprintf(why, MM_WHY_MAX,
				 "not an event: %s: %s is not a 64-bit number",
				 form->name, form->fields[i]);
			return -1;
		}
	}
	return 0;
}

static int parse_result(struct mm_event *event, const char *text, char *why)
{
	if (take_number(&text, UINT64_MAX, &event->result) &&
	    *skip_blanks(text) == '\0')
		return 0;
	snprintf(why, MM_WHY_MAX,
		 "not an event: the result of %s is not a 64-bit number",
		 forms[event->call].name);
	return -1;
}

/* The line in the message, its first bytes, nothing that moves the cursor. */
static int not_an_event(const char *line, char *why)
{
	int length = snprintf(why, MM_WHY_MAX, "not an event: ");

	for (int i = 0; line[i] && length < 100; i++, length++)
		why[length] = isprint((unsigned char)line[i]) ? line[i] : '?';
	why[length] = '\0';
	return -1;
}

int mm_event_parse(struct mm_event *event, const char *line, char *why)
{
	const char *p = line, *name;
	size_t length;

	memset(event, 0, sizeof(*event));
	if (!take_head(&p, event) || !take_name(&p, &name, &length))
		return not_an_event(line, why);
	classify(event, name, length);
	switch (event->kind) {
	case MM_EVENT_FAULT:
	case MM_EVENT_ENTER:
		return parse_fields(event, p, why);
	case MM_EVENT_EXIT:
		return parse_result(event, p, why);
	case MM_EVENT_OTHER:
		break;
	}
	return 0;
}
