/*
 * sketch.h - an address space as far as its trace has told
 */
#ifndef MM_REPLAY_SKETCH_H
#define MM_REPLAY_SKETCH_H

#include "minimm/replay/areas.h"

struct mm_sketch {
	struct mm_areas now;		/* mapped or free, at this record */
	struct mm_areas older;		/* needed from before the trace */
	struct mm_areas defined;	/* mapped or unmapped by any record */
	uint64_t brk;			/* 0: not known */
	uint64_t first_break;		/* what brk said first; 0: nothing */
	uint64_t first_high_write;	/* the stack's first page; 0: none */
	bool is_begun;
};

#endif
