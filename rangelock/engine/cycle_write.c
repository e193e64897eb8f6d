/*
 * cycle_write.c - a deadlock, as text
 *
 * A line for each thread: what it waits for, and who is in its way.
 */
#include "rangelock/engine/cycle.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE	192u

static void write_line(rl_write_fn *write, void *arg, const char *line, int n)
{
	if (n > 0)
		write(arg, line, (size_t)n < LINE ? (size_t)n : LINE - 1);
}

void rl_cycle_write(const struct rl_link *links, unsigned int n,
		    rl_write_fn *write, void *arg)
{
	char line[LINE];

	write_line(write, arg, line,
		   snprintf(line, LINE, "deadlock of %u, the youngest first\n",
			    n));
	for (unsigned int i = 0; i < n; i++) {
		const struct rl_link *l = &links[i];

		write_line(write, arg, line,
			   snprintf(line, LINE,
				    "owner %#" PRIx64 " waits %s [%#" PRIx64
				    ", %#" PRIx64 ") of %s behind owner %#" PRIx64
				    "\n",
				    l->owner,
				    l->mode == RL_WRITE ? "write" : "read",
				    l->start, l->end, l->name,
				    links[(i + 1) % n].owner));
	}
}
