/*
 * range_full.c - every operation that can be fine is fine
 *
 *	fault		R{page}, or the window; everything if the driver says so
 *	mmap		W{range}, over existing mappings too; unknown addresses
 *			are marked pending and picked again if the mark is lost
 *	munmap		W{range}, and an unmap marker: the range is not handed
 *			out before the zap is done
 *	mprotect, mlock W{range}		madvise DONTNEED, FREE	R{range}
 *	mremap		W{old} and W{new} at once, or W{all that it grows over}
 *	brk		W{range} and W{the break's byte}
 *	maps		R{chunk}, one output page after another
 *	ps		R{arguments}		fork, exit	W{all}
 *	stack growth	drop; W{from the address to the stack}; look again
 *	populate	the mapping's lock, downgraded
 *
 * A fault keeps its page locked over I/O: only who wants that page waits.  The
 * short lock is never held over zap, I/O or page allocation: the model lets it
 * go before, and the range alone keeps others out.
 *
 * Weak spot: a driver that is not marked fine makes its faults lock everything.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/scheme.h"

#include "minimm/env/planted.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/fine.h"

static int init(struct mm *mm)
{
	(void)mm;
	fine_set_all(RL_FINE);
	return 0;
}

/* The zap follows, under the same lock. */
static void isolated(struct mm *mm, struct mm_op *op)
{
	if (MM_PLANTED(FULL_ZAP_UNLOCKED) && op->kind == MM_MUNMAP)
		mm_unlock_all(mm, op);
}

const struct mm_scheme mm_scheme_range_full = {
	.name = "range-full",
	.summary = "range locks wherever an operation can do with a range",
	.files_are_fine = true,
	.bypass_ns = RL_BYPASS_NS,
	.chunk_size = MM_LOCK_CHUNK,
	.fault_window = MM_PAGE_SIZE,
	.marks_unmaps = true,
	.init = init,
	.begin = {
		[MM_MMAP] = fine_begin_mmap,
		[MM_MUNMAP] = fine_begin_write,
		[MM_FAULT] = fine_begin_fault,
		FINE_BEGINS,
	},
	.end = { [MM_MUNMAP] = fine_end, FINE_ENDS },
	.isolated = isolated,
	.populate = fine_downgrade,
	.grow = fine_grow,
	.maps_next = fine_maps_next,
};
