/*
 * engines.h - one suite, every engine
 *
 * A Promise() is a Test() whose body gets a fresh lock of each engine in turn.
 * Its name is a sentence of include/rangelock.h.  Nothing here waits for a time:
 * until() waits for a fact.
 */
#ifndef RL_TESTS_CONFORMANCE_ENGINES_H
#define RL_TESTS_CONFORMANCE_ENGINES_H

#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include <rangelock.h>
#include <rangelock/stats.h>

#include "tests/model/play.h"

struct engine {
	const char *name;
	engine_init_fn *init;
	bool takes_options;
};

extern const struct engine engines[];
extern const size_t nr_engines;

extern const struct rl_options strict_options;	/* bypass_ns is 0 */
extern const struct rl_options lax_options;	/* bypass_ns has no end */

/* Make a lock of each engine, run body with it, and destroy it, which must find
 * it empty.  With options: of each engine that takes them. */
void on_each_engine(const struct rl_options *options,
		    void (*body)(struct rangelock *lk));

#define promise_with(options_, suite_, name_)				\
	static void suite_##_##name_##_holds(struct rangelock *lk);	\
	Test(suite_, name_)						\
	{								\
		on_each_engine(options_, suite_##_##name_##_holds);	\
	}								\
	static void suite_##_##name_##_holds(struct rangelock *lk)

#define Promise(suite_, name_)	promise_with(NULL, suite_, name_)
#define StrictPromise(suite_, name_)					\
	promise_with(&strict_options, suite_, name_)
#define LaxPromise(suite_, name_)					\
	promise_with(&lax_options, suite_, name_)

#define until(condition)						\
	do {								\
		while (!(condition))					\
			sched_yield();					\
	} while (0)

unsigned int nr_waiting(struct rangelock *lk);
unsigned int nr_held(struct rangelock *lk);
struct rl_stats stats_of(struct rangelock *lk);

/* A thread that makes one lock call. */
struct actor {
	pthread_t thread;
	struct rangelock *lk;
	struct rl_range r;
	enum rl_mode mode;
	uint64_t start, end, deadline_ns;
	int result;
	uint32_t is_done;		/* atomic */
};

void actor_start(struct actor *a, struct rangelock *lk, enum rl_mode mode,
		 uint64_t start, uint64_t end, uint64_t deadline_ns);

/* As actor_start() without a deadline, and wait until it waits. */
void actor_start_waiting(struct actor *a, struct rangelock *lk,
			 enum rl_mode mode, uint64_t start, uint64_t end);
bool actor_is_done(const struct actor *a);
int actor_join(struct actor *a);

/* Run f(arg) in a child: it must abort, and say what on stderr. */
void check_aborts(void (*f)(void *arg), void *arg, const char *what);

/* A small random generator; the same seed, the same numbers. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif
