/*
 * caps.h - recorded durations, without the outliers
 */
#ifndef MM_REPLAY_CAPS_H
#define MM_REPLAY_CAPS_H

#include "minimm/replay/plan.h"

/* Cap each duration at the 99th percentile of its kind.  Gaps stay as they are:
 * they were measured to the call's real end.  Returns: 0; -1: no memory. */
int mm_cap_durations(struct mm_plan *plan);

#endif
