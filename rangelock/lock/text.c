/*
 * text.c - formatted text through a write callback, without allocating
 *
 * Each call hands one piece to the callback.  Weak spot: a line is several
 * pieces, so two reports to one place at a time mix.
 */
#include "rangelock/lock/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void rl_text_printf(const struct rl_text *out, const char *format, ...)
{
	char buffer[256];
	va_list args;

	va_start(args, format);
	vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	out->write(out->arg, buffer, strlen(buffer));
}

void rl_text_put(const struct rl_text *out, const char *text)
{
	out->write(out->arg, text, strlen(text));
}

const char *rl_text_time(uint64_t ns, char buffer[RL_TEXT_TIME])
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns < units[i].ns)
			continue;
		snprintf(buffer, RL_TEXT_TIME, "%" PRIu64 ".%02u %s",
			 ns / units[i].ns,
			 (unsigned int)(ns % units[i].ns /
					(units[i].ns / 100)),
			 units[i].name);
		return buffer;
	}
	snprintf(buffer, RL_TEXT_TIME, ns ? "%" PRIu64 " ns" : "0", ns);
	return buffer;
}
