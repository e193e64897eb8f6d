/*
 * crew_side.h - what the parts of a crew share: one thread's side of a play
 */
#ifndef RL_TESTS_MODEL_CREW_SIDE_H
#define RL_TESTS_MODEL_CREW_SIDE_H

#include <pthread.h>

#include "tests/model/crew.h"

#define CREW_SLOTS	2u		/* of a thread */
#define CREW_SPANS	2u		/* of a request */
#define CREW_CALLS	(2 * CREW_OPS + 8)	/* of a thread, at most */

enum crew_as { CREW_IDLE, CREW_QUEUED, CREW_HELD };

/* A request is an op, and has its number. */
struct crew_request {
	struct rl_range r[CREW_SPANS];
	struct rl_span spans[CREW_SPANS];
	uint32_t nr_spans;
	uint64_t value;			/* what it writes */
};

struct crew_member {
	uint32_t index;
	pthread_t thread;
	uint32_t nr_relaxed;		/* calls of the relax door */
	uint64_t random;
	enum crew_as as[CREW_SLOTS];
	uint8_t request[CREW_SLOTS];
	uint32_t current;		/* relaxed: the request that others may cancel, and 1 */
	uint32_t nr_steps;		/* relaxed: ops that it has begun */
	size_t nr_calls;
	struct linear_call calls[CREW_CALLS];
};

struct crew_place {
	uint32_t readers, writers;	/* relaxed */
	uint64_t data[2];		/* plain */
};

struct crew {
	struct rangelock lk;
	struct rl_host host;
	struct crew_setup setup;
	const struct op *ops;
	size_t nr_ops;
	uint32_t stamp __attribute__((aligned(64)));
	struct crew_place places[CREW_PLACES];
	struct crew_member members[CREW_THREADS];
	struct crew_request requests[CREW_OPS];
};

extern struct crew the_crew;
extern _Thread_local struct crew_member *crew_me;

/* Plays one thread's ops, and lets go of everything. */
void crew_play_side(struct crew_member *me);

/* crew_places.c: it holds these; it looks; it holds them no more. */
void crew_places_enter(struct crew_member *me, struct crew_request *q);
void crew_places_check(struct crew_member *me, const struct crew_request *q);
void crew_places_leave(struct crew_member *me, const struct crew_request *q);
bool crew_places_are_free(void);

/* Says what is wrong, and ends the process with status 1. */
_Noreturn void crew_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
