/*
 * say.c - messages, progress and numbers for people
 *
 * Everything here but the numbers goes to stderr: stdout is for data.
 */
#include "minimm/cmd/say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "minimm/mm/mm.h"

static bool has_progress;

static bool is_terminal(void)
{
	return isatty(STDERR_FILENO) == 1;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return is_terminal() && !(no && *no) && term &&
	       strcmp(term, "dumb") != 0;
}

static void say(const char *format, va_list args)
{
	bool colour = wants_colour();

	mm_progress_erase();
	fflush(stdout);
	fprintf(stderr, "%sminimm:%s ", colour ? "\033[1;31m" : "",
		colour ? "\033[0m" : "");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void mm_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

int mm_say_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	fprintf(stderr, "Try: minimm %s%s--help\n", command,
		*command ? " " : "");
	return MM_STATUS_USAGE;
}

static bool is_name_of_a_site(const char *name)
{
	for (unsigned int i = 0; i < MM_NR_SITES; i++)
		if (strcmp(mm_site_of((enum mm_site)i)->name, name) == 0)
			return true;
	return false;
}

static void name_all_sites(char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < MM_NR_SITES && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 i ? ", " : "",
					 mm_site_of((enum mm_site)i)->name);
}

void mm_say_unknown_sites(void)
{
	static const char blanks[] = " \t\n";
	const char *list = getenv("RANGELOCK_SITES");
	char name[128], known[512];

	for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
		size_t length;

		list += strspn(list, blanks);
		length = strcspn(list, "=,");
		while (length && strchr(blanks, list[length - 1]))
			length--;
		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		/* What is no entry at all is for the library to say. */
		if (!mm_site_is_asked_for(name) || is_name_of_a_site(name))
			continue;
		name_all_sites(known, sizeof(known));
		mm_say("RANGELOCK_SITES: no call site is called \"%s\"; "
		       "there are: %s", name, known);
	}
}

void mm_progress(const char *what, uint64_t done, uint64_t all)
{
	if (!is_terminal() || all == 0)
		return;
	has_progress = true;
	fprintf(stderr, "\r%s %" PRIu64 " %%\033[K", what, done * 100 / all);
	fflush(stderr);
}

void mm_progress_erase(void)
{
	if (!has_progress)
		return;
	has_progress = false;
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

/* Three digits of value / unit, rounded to nearest. */
static const char *three_digits(uint64_t value, uint64_t unit,
				const char *name, char text[MM_TEXT_MAX])
{
	uint64_t whole = value / unit;
	uint64_t places = whole < 10 ? 100 : whole < 100 ? 10 : 1;
	uint64_t step = unit / places;
	uint64_t rounded = value / step + (value % step >= (step + 1) / 2);

	if (places == 1 || rounded / places >= 100)
		snprintf(text, MM_TEXT_MAX, "%" PRIu64 "%s", rounded / places,
			 name);
	else if (places == 10 || rounded / places >= 10)
		snprintf(text, MM_TEXT_MAX, "%" PRIu64 ".%" PRIu64 "%s",
			 rounded / places, rounded % places / (places / 10),
			 name);
	else
		snprintf(text, MM_TEXT_MAX, "%" PRIu64 ".%02" PRIu64 "%s",
			 rounded / places, rounded % places, name);
	return text;
}

const char *mm_time_text(uint64_t ns, char text[MM_TEXT_MAX])
{
	if (ns == 0)
		return strcpy(text, "0");
	if (ns < 1000) {
		snprintf(text, MM_TEXT_MAX, "%" PRIu64 "ns", ns);
		return text;
	}
	if (ns < 999500)
		return three_digits(ns, 1000, "us", text);
	if (ns < 999500000)
		return three_digits(ns, 1000000, "ms", text);
	return three_digits(ns, 1000000000, "s", text);
}

const char *mm_count_text(uint64_t n, char text[MM_TEXT_MAX])
{
	if (n < 1000000) {
		snprintf(text, MM_TEXT_MAX, "%" PRIu64, n);
		return text;
	}
	if (n < 999500000)
		return three_digits(n, 1000000, "M", text);
	return three_digits(n, 1000000000, "G", text);
}
