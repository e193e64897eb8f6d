/*
 * compare.h - the state of a play, and whether lock and model agree in it
 */
#ifndef RL_TESTS_MODEL_COMPARE_H
#define RL_TESTS_MODEL_COMPARE_H

#include "tests/model/play.h"

#define CALLS_MAX	BRUTE_MAX

/* What the player knows of a request beside the model. */
struct slot {
	struct rl_range r[BRUTE_SPANS];
	uint64_t deadline_ns;
	uint64_t sleeper;		/* who is asleep in it */
	unsigned int nr_wakes;
	unsigned int nested;		/* ops to play while it sleeps */
	bool has_callback, unlocks;
	bool is_submitted;		/* without a callback: to be polled */
	bool is_asleep;			/* inside a call that waits */
	bool is_due;			/* granted, its callback deferred */
	bool is_spurious;
};

struct queue {
	unsigned int slots[CALLS_MAX];
	unsigned int nr;
};

struct play {
	struct rangelock lk;
	struct slot slots[BRUTE_MAX];
	struct brute model;
	const struct scene *scene;
	const struct op *ops;
	size_t nr_ops, at;
	volatile size_t *reached;
	uint64_t self;
	unsigned int depth;		/* of sleepers */
	struct slot *late;		/* reads the clock too late */
	bool trace, in_callback;
	struct rl_deferred deferred;
	struct queue due;		/* the model's deferred */
	unsigned int called[CALLS_MAX];	/* callbacks that the lock ran */
	unsigned int nr_called;
};

extern struct play the_play;

static inline unsigned int slot_number(const struct slot *s)
{
	return (unsigned int)(s - the_play.slots);
}

/* Print what differs, and end the process. */
_Noreturn void differ(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* With trace: what was done to request i. */
void note(unsigned int i, const char *what);

/* As note(), with its result; differ() if it is not the model's. */
void expect(unsigned int i, const char *what, int got, int want);

/* The next op of the history, and what it does to lock and model. */
void play_next(void);

/* The host table under the lock, and what its callbacks do. */
extern const struct rl_host play_host;
void play_granted(struct rl_range *r);

/* The model's grants: those with a callback are due, the others hold. */
void collect_grants(struct queue *due);

/* Run what is due in the model, and compare with what the lock has called. */
void expect_callbacks(struct queue *due);

/* After an operation that may run callbacks, as done by the model. */
void settle_up(void);

/* Compare all that can be seen of the requests. */
void compare(const struct op *op);
void compare_stats(void);

#endif
