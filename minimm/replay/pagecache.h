/*
 * pagecache.h - the files of a trace, and which of their pages are touched
 *
 * A file is its descriptor: the trace has no names.
 */
#ifndef MM_REPLAY_PAGECACHE_H
#define MM_REPLAY_PAGECACHE_H

#include "minimm/replay/plan.h"

/* Number files and file pages from 0 (the steps' file and file_page, the
 * plan's files).  step_of: the step of each record, or MM_NONE.
 * Returns: 0; -1 for want of memory. */
int mm_pagecache_number(struct mm_plan *plan, const uint32_t *step_of);

#endif
