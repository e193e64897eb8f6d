/*
 * older.h - from pages that were needed to mappings that they may belong to
 */
#ifndef MM_REPLAY_OLDER_H
#define MM_REPLAY_OLDER_H

#include "minimm/replay/infer.h"
#include "minimm/replay/sketch.h"

/* The stack of a 47-bit process ends in the highest 64 GiB. */
#define MM_STACK_LOWEST		(UINT64_C(0x800000000000) - (UINT64_C(1) << 36))
#define MM_STACK_SPAN		(UINT64_C(8) << 20)	/* RLIMIT_STACK */
#define MM_STACK_BEGINS_WITH	(UINT64_C(128) << 10)	/* below its first page */
#define MM_OLDER_GAP		(UINT64_C(2) << 20)	/* bridged in a mapping */

/* Add a space's older mappings.  Returns: 0; -1 for want of memory. */
int mm_older_from(struct mm_inferred *out, const struct mm_sketch *sketch,
		  uint32_t space);

#endif
