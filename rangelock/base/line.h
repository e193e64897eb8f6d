/*
 * line.h - a cache line for each thread
 *
 * A thread claims a line at its first call and gives it back when it ends, if its
 * odd words are 0 then: those say whether somebody still needs the pair of words.
 * Else, and in a child of fork() that of a thread which is not there, it stays
 * claimed for ever.  RL_LINES threads at a time have one.
 */
#ifndef RL_BASE_LINE_H
#define RL_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_LINES	256u
#define RL_LINE_WORDS	8u

struct rl_line {
	uint64_t words[RL_LINE_WORDS];
} __attribute__((aligned(64)));

/* This thread's once it has claimed one. */
extern _Thread_local struct rl_line *rl_line_own
	__attribute__((visibility("hidden")));

/* The first call of a thread.  NULL: there is none left. */
struct rl_line *rl_line_claim(void);

/* This thread's, or NULL if there is none left. */
static inline struct rl_line *rl_line_mine(void)
{
	struct rl_line *own = rl_line_own;

	return __builtin_expect(own != NULL, 1) ? own : rl_line_claim();
}

/* How many have ever been claimed: those from 0 on.  Whoever must not miss one that
 * another thread has just begun to use executes a heavy barrier before. */
uint32_t rl_nr_lines(void);
struct rl_line *rl_line_at(uint32_t i);

/* Is it a word of a line? */
bool rl_is_in_line(const uint64_t *word);

#endif
