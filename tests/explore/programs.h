/*
 * programs.h - a small program of all that the doors offer
 */
#ifndef RL_TESTS_EXPLORE_PROGRAMS_H
#define RL_TESTS_EXPLORE_PROGRAMS_H

#include "tests/explore/engine.h"

#define THREADS_MAX	3u
#define OPS_MAX		6u
#define SLEPT_ON	3u		/* w; before it x, y and z */
#define GUARD		4u
#define PLAIN		5u
#define WORDS		6u

enum what {
	NONE, LOAD, LOOK, STORE, SWAP, ADD, OR, AND, CAS,
	FENCE, HEAVY, EVERYBODY,
	SLEEP, SLEEP_UNTIL, WAKE, WAKE_ONE, CLOCK,
	AWAIT, LOCKED, TRYLOCKED, FLAGS, FLAGS_SEEN,
	PLAIN_READ, PLAIN_WRITE,
	KINDS
};

struct op {
	enum what what, inner;		/* under the guard, or NONE */
	unsigned int word;
	uint32_t value, expected;	/* a mask, flags, ... */
	bool is_conditional;		/* only if the last one returned not 0 */
	struct ex_site site;
};

extern struct program {
	struct op ops[THREADS_MAX][OPS_MAX];
	unsigned int nr_threads, nr_ops[THREADS_MAX];
	uint32_t begin[WORDS];		/* what is in the words */
	int nr_spurious, nr_timeouts, nr_jumps;
} program;

extern const char *const op_names[KINDS];

/* ---- draw.c ---- */
/* The one of this seed and number. */
void draw_program(uint64_t seed, uint64_t number);
/* The i-th of those written down; false: there is none. */
bool take_shape(unsigned int i);

#endif
