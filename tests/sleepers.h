/*
 * sleepers.h - threads that wait for each other, on a clock that stands still
 *
 * Real threads over a host whose clock moves only when the test says so.  A test
 * goes on when everybody has done what he can: is through, or sleeps.
 */
#ifndef RL_TESTS_SLEEPERS_H
#define RL_TESTS_SLEEPERS_H

#include <pthread.h>
#include <stdbool.h>

#include <rangelock.h>

#define NR_SLEEPERS	8u
#define MS		UINT64_C(1000000)

struct sleeper {
	pthread_t thread;
	bool is_started, is_through, is_asleep;
	const uint32_t *word;
	uint64_t deadline_ns;
	/* What it does: holds the one, then waits for the other. */
	struct rangelock *held, *wanted;
	struct rl_range has, wants[2];
	struct rl_span has_span, want_spans[2];
	unsigned int nr_wants;
	uint64_t until_ns;		/* its own deadline */
	void (*on_clock)(void);
	bool keeps;			/* what it has, until it is joined */
	int result;
};

extern const struct rl_host sleepers_host;

/* Everybody is forgotten, and the clock is at 1 s. */
void sleepers_begin(void);

/* The i-th has a range of a lock (or of none: NULL). */
struct sleeper *sleeper_has(unsigned int i, struct rangelock *held,
			    enum rl_mode mode, uint64_t start, uint64_t end);

/* It goes to wait for a range, or two: returns when it sleeps, or is through. */
void sleeper_wants(unsigned int i, struct rangelock *wanted, enum rl_mode mode,
		   uint64_t start, uint64_t end);
void sleeper_wants_too(unsigned int i, enum rl_mode mode, uint64_t start,
		       uint64_t end);
void sleeper_go(unsigned int i);

/* Time passes: returns when nobody can do anything any more. */
void sleepers_pass(uint64_t ns);
void sleepers_settle(void);

/* Called once, by that sleeper when it reads the clock next. */
void sleeper_on_clock(unsigned int i, void (*call)(void));

/* Is it through, and what did its wait end with? */
bool sleeper_is_through(unsigned int i);
int sleeper_result(unsigned int i);
void sleepers_join(void);

#endif
