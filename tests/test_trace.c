/*
 * Goal: a trace has the callers, in text that names the file they are in.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/base/trace.h"

Test(trace, the_callers_are_in_a_file)
{
	void *frames[8];
	char text[256];
	unsigned int n = rl_trace(frames, 8);

	check_lt(1, n);
	check_le(n, 8);
	for (unsigned int i = 0; i < n; i++) {
		rl_trace_text(frames[i], text, sizeof(text));
		check_msg(strstr(text, "(+0x"), "got %s", text);
	}
}

Test(trace, what_is_nowhere_is_a_number)
{
	char text[8];

	rl_trace_text((void *)text, text, sizeof(text));	/* the stack */
	check_eq(strncmp(text, "0x", 2), 0);
	check_eq(strlen(text), sizeof(text) - 1);		/* cut */
}
