/*
 * world.h - the address spaces and files of a replay, and where it stands
 */
#ifndef MM_REPLAY_WORLD_H
#define MM_REPLAY_WORLD_H

#include "minimm/replay/run.h"
#include "minimm/sim/sim.h"

/* A part of the layout as it runs. */
struct mm_run_part {
	const struct mm_part *layout;
	uint32_t index;
	struct mm **spaces;		/* one a space of the trace; shared or own */
	struct sim_event *done;		/* one a step of [from, to) */
	uint32_t nr_running;		/* threads */
	struct mm_run_part *next;	/* begins when this one has ended */
};

struct mm_world {
	const struct mm_replay *replay;
	const struct mm_plan *plan;
	const struct mm_scheme *scheme;
	struct mm_replay_result *result;
	struct sim *sim;
	struct sim_env env;
	struct oracle *oracle;
	struct mm_observer observer;	/* the oracle's, but for a few */
	struct mm_file **files;		/* one a file of the plan */
	bool *touched;			/* file pages that are in the cache */
	struct mm **shared;		/* spaces that all parts share */
	struct mm_run_part *parts;
	uint64_t nr_done, nr_to_do;
	bool out_of_memory;
};

/* Returns: 0; -1 for want of memory.  mm_world_close() is due either way. */
int mm_world_open(struct mm_world *world);
void mm_world_close(struct mm_world *world);

/* Prepare op for a step of a part.  False: there is nothing to run (a copy's
 * question for its break; a space that failed to come about). */
bool mm_world_op(struct mm_world *world, struct mm_run_part *part,
		 const struct mm_step *step, struct mm_op *op);

/* After op has run: keep the new space of a fork. */
void mm_world_forked(struct mm_run_part *part, const struct mm_step *step,
		     struct mm_op *op);

/* Check all address spaces: the number of violations that were found. */
unsigned int mm_world_check(struct mm_world *world);

#endif
