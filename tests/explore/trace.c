/*
 * trace.c - an execution as a person reads it
 *
 * One line a step: whose it is, what it does to what, and where in the source.
 */
#include "tests/explore/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WHERE_COLUMN	72

const char *ex_name(const void *at)
{
	static char names[4][64];
	static unsigned int next;
	const char *name = ex.program && ex.program->name ?
			   ex.program->name(at) : NULL;
	char *text = names[next++ % 4];

	if (name)
		snprintf(text, sizeof(names[0]), "%s", name);
	else
		snprintf(text, sizeof(names[0]), "%p", at);
	return text;
}

const char *ex_order_name(const struct ex_site *site)
{
	static const char *const names[] = {
		[EX_RELAXED] = "relaxed", [EX_ACQUIRE] = "acquire",
		[EX_RELEASE] = "release", [EX_ACQ_REL] = "acq_rel",
		[EX_SC] = "", [EX_KERNEL] = "",
	};

	return names[ex_order_of(site)];
}

static void begin_line(char *line, size_t size, int *n)
{
	*n = snprintf(line, size, "%5u  ", ex.nr_steps);
	for (int t = 0; t < ex.self; t++)
		*n += snprintf(line + *n, size - (size_t)*n, "   |");
	*n += snprintf(line + *n, size - (size_t)*n, "  T%d ", ex.self);
}

void ex_trace(const char *format, ...)
{
	char line[256];
	va_list arguments;
	int n;

	if (!ex.is_tracing || !ex_is_running())
		return;
	begin_line(line, sizeof(line), &n);
	va_start(arguments, format);
	vsnprintf(line + n, sizeof(line) - (size_t)n, format, arguments);
	va_end(arguments);
	printf("%s\n", line);
}

void ex_trace_op(const char *what, int location, const char *format, ...)
{
	const struct ex_op *op = &ex.threads[ex.self].op;
	const struct ex_site *site = op->caller ? op->caller : op->site;
	const char *order = op->site && location >= 0 ?
			    ex_order_name(op->site) : "";
	char line[512];
	va_list arguments;
	int n;

	begin_line(line, sizeof(line), &n);
	n += snprintf(line + n, sizeof(line) - (size_t)n, "   %s%s%s %s ", what,
		      *order ? " " : "", order,
		      location >= 0 ? ex_name(ex.locations[location].at) : "");
	va_start(arguments, format);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, arguments);
	va_end(arguments);
	if (site) {
		const char *file = strrchr(site->file, '/');

		printf("%-*s %s:%d %s()\n", WHERE_COLUMN, line,
		       file ? file + 1 : site->file, site->line,
		       site->function);
	} else {
		printf("%s\n", line);
	}
}
