/*
 * Goal: a circle is written with a line for each thread: what it waits for, where,
 * and behind whom; a name that is too long is cut.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/engine/cycle.h"

static char said[1024];

static void write_down(void *arg, const char *text, size_t length)
{
	check_eq(arg, &said);
	check_eq(strlen(text), length);
	strncat(said, text, length);
}

Test(cycle_write, a_line_for_each_thread)
{
	static const struct rl_link links[] = {
		{ "table", 0x30, 5, 16, RL_WRITE },
		{ "(unnamed)", 0x10, 0, RL_END, RL_READ },
	};

	said[0] = '\0';
	rl_cycle_write(links, 2, write_down, said);
	check_eq(strcmp(said,
		"deadlock of 2, the youngest first\n"
		"owner 0x30 waits write [0x5, 0x10) of table behind owner 0x10\n"
		"owner 0x10 waits read [0, 0xffffffffffffffff) of (unnamed)"
		" behind owner 0x30\n"), 0);
}

Test(cycle_write, a_circle_of_one)
{
	static const struct rl_link link = { "a", 1, 1, 2, RL_READ };

	said[0] = '\0';
	rl_cycle_write(&link, 1, write_down, said);
	check_eq(strcmp(said, "deadlock of 1, the youngest first\n"
		"owner 0x1 waits read [0x1, 0x2) of a behind owner 0x1\n"), 0);
}
