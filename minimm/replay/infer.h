/*
 * infer.h - what must have been mapped before the trace began
 *
 * The records are followed, in order, on a sketch of each address space.  What
 * they need and nobody has mapped was there before: the program's image, its
 * stack, the vdso.  docs/MINIMM.md has the rules.
 */
#ifndef MM_REPLAY_INFER_H
#define MM_REPLAY_INFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "minimm/trace/trace.h"

#define MM_LOWEST_ADDRESS	UINT64_C(0x10000)	/* vm.mmap_min_addr */
#define MM_FILE_IMAGE		1u	/* the file behind inferred mappings */

/* A mapping that is older than the trace. */
struct mm_older {
	uint64_t start, end;
	uint32_t space;
	uint32_t prot;
	uint32_t file;			/* 0: anonymous */
	bool grows_down;
};

/* What following a record told. */
struct mm_verdict {
	int64_t expected;		/* the result in the model's terms */
	uint64_t old_break;		/* brk: where it was before */
	uint64_t file_offset;		/* a fault's page, if file is not 0 */
	uint32_t file;			/* of a fault; 0: anonymous */
	bool is_impossible;		/* cannot be replayed as it stands */
};

/* A line that contradicts what the trace says elsewhere. */
struct mm_remark {
	uint32_t line;
	char text[100];
};

#define MM_REMARKS_MAX	8

struct mm_inferred {
	struct mm_older *older;
	size_t nr_older;
	struct mm_verdict *verdicts;	/* one a record */
	uint64_t *first_break;		/* one a space; 0: none */
	size_t nr_remarks;		/* all; those beyond the max not kept */
	struct mm_remark remarks[MM_REMARKS_MAX];
};

/* Returns: 0; -1 for want of memory. */
int mm_infer(struct mm_inferred *inferred, const struct mm_recording *rec);
void mm_inferred_free(struct mm_inferred *inferred);

/* The number of the file that an mmap names. */
static inline uint32_t mm_record_file(const struct mm_record *record)
{
	return (uint32_t)record->args[4] + MM_FILE_IMAGE + 1;
}

#endif
