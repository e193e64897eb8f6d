/*
 * order.h - the program's own order: which steps of other threads come before
 */
#ifndef MM_REPLAY_ORDER_H
#define MM_REPLAY_ORDER_H

#include "minimm/replay/plan.h"

/*
 * Fill in each step's predecessors: for every earlier step of another thread
 * with a conflicting footprint, it or a later step of its thread that already
 * comes before.  Returns: 0; -1 for want of memory.
 */
int mm_order(struct mm_plan *plan);

#endif
