/*
 * forest_side.h - what a play knows of the shards of a forest
 *
 * Nobody may notice that shards close and open.  So a play does it at random,
 * and counts how often somebody waited while it happened.
 */
#ifndef RL_TESTS_MODEL_FOREST_SIDE_H
#define RL_TESTS_MODEL_FOREST_SIDE_H

#include "tests/model/play.h"

/* The largest power of two that is a chunk of the engine; 0: it has none. */
uint64_t forest_chunk_size(engine_init_fn *init);

/* Close or open a shard, at times. */
void forest_shake(const struct op *op);

/* Tell the model under whose guard each waiter is.  Call it before the next grant
 * whenever requests may have come, or shards closed or opened: between two ops,
 * and when somebody falls asleep. */
void forest_look(void);

#endif
