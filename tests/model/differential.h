/*
 * differential.h - random histories, played by a child process, shrunk if bad
 */
#ifndef RL_TESTS_MODEL_DIFFERENTIAL_H
#define RL_TESTS_MODEL_DIFFERENTIAL_H

#include "tests/model/play.h"

/*
 * Play histories of one engine until nr_ops ops are done, history h from the
 * seed + h.  Returns: true if nothing differed.  Else what differed, the
 * shortest history found that shows it, and how to play it again have been
 * printed.  What its plays counted is added to forest_counts.
 */
bool differential(engine_init_fn *init, uint64_t seed, uint64_t nr_ops);

#endif
