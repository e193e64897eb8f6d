/*
 * line.c - the lines, and whose they are
 *
 * The thread's own line is a thread-local pointer: one load in a program that is
 * linked with the library, a call more in the shared library.  (The initial-exec
 * model would spare that, but dlopen() has no room for all that the library keeps
 * for a thread.)
 */
#include "rangelock/base/line.h"

#include <pthread.h>

#include "rangelock/base/atomic.h"

static struct rl_line lines[RL_LINES];
static uint32_t is_claimed[RL_LINES];	/* atomic */
static uint32_t nr_lines;		/* atomic */
static pthread_key_t at_exit;
static uint32_t has_key;		/* set before main() */

_Thread_local struct rl_line *rl_line_own;

static bool is_idle(const struct rl_line *line)
{
	for (unsigned int i = 1; i < RL_LINE_WORDS; i += 2)
		/* (R3) acquire: another thread may have set it to 0. */
		if (rl_load_acquire64(&line->words[i]))
			return false;
	return true;
}

static void give_back(void *arg)
{
	struct rl_line *line = arg;

	rl_line_own = NULL;
	if (is_idle(line))
		/* (R3) release: the next claimer's stores come after ours. */
		rl_store_release(&is_claimed[line - lines], 0);
}

__attribute__((constructor)) static void make_key(void)
{
	/* Relaxed: no thread uses a lock of ours yet. */
	rl_store_relaxed(&has_key, pthread_key_create(&at_exit, give_back) == 0);
}

static void raise_nr(uint32_t nr)
{
	uint32_t now = rl_load_relaxed(&nr_lines);

	/* Relaxed, all: see rl_nr_lines(). */
	while (now < nr && !rl_cas_relaxed(&nr_lines, now, nr))
		now = rl_load_relaxed(&nr_lines);
}

struct rl_line *rl_line_claim(void)
{
	if (!rl_load_relaxed(&has_key))		/* relaxed: see make_key() */
		return NULL;
	for (uint32_t i = 0; i < RL_LINES; i++) {
		/* Relaxed: only a hint.  (R3) acquire: see give_back(). */
		if (rl_load_relaxed(&is_claimed[i]) ||
		    rl_swap_acquire(&is_claimed[i], 1))
			continue;
		if (pthread_setspecific(at_exit, &lines[i])) {
			/* (R3) release: the same. */
			rl_store_release(&is_claimed[i], 0);
			return NULL;
		}
		raise_nr(i + 1);
		rl_line_own = &lines[i];
		return rl_line_own;
	}
	return NULL;
}

uint32_t rl_nr_lines(void)
{
	return rl_load_relaxed(&nr_lines);	/* relaxed: see line.h */
}

struct rl_line *rl_line_at(uint32_t i)
{
	return &lines[i];
}

bool rl_is_in_line(const uint64_t *word)
{
	return (uintptr_t)word - (uintptr_t)lines < sizeof(lines);
}
