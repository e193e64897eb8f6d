/*
 * hooks.h - the table that a locking scheme is
 *
 * mm_run() performs every operation; it asks the scheme to lock before and to
 * unlock after, and at the few places in between where schemes differ.  A NULL
 * hook does nothing (before_io: keeps its lock).
 *
 *	begin		lock for op (mm_lock()), second looks included.  mmap and
 *			mremap of unknown address: also mm_pick_address(), unless
 *			left to the model, which then picks when it inserts
 *	  [section: observer's enter]
 *	isolated	the VMAs are out of the index, their pages are still there;
 *			what follows is the zap
 *	populate	the mapping is in the index, its pages follow
 *	before_io	a fault needs a disk.  True: it let its lock go, the I/O is
 *			done without, and the fault starts over at begin
 *	grow		a fault found no VMA but a stack above: have a lock that
 *			allows its growth, up to op->grow_end (0: all); the model
 *			looks again, and starts over if the stack begins above
 *	maps_next	between two chunks of maps' output
 *	  [leave]
 *	end		let everything go
 *
 * begin may be called again for the same op (op->nr_retries > 0): after
 * before_io, and after a marker that was lost.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_MM_HOOKS_H
#define MINIMM_MM_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/mm/op.h"

struct mm;

/* Lines of maps that are printed under one lock: an output page of 4 KiB. */
#define MM_MAPS_CHUNK	40u

/* What fine schemes cut the space into, for the lock: a page table's span. */
#define MM_LOCK_CHUNK	(UINT64_C(2) << 20)

struct mm_scheme {
	const char *name;		/* of --scheme */
	const char *summary;		/* one line */
	bool is_hidden;			/* not one of --scheme all */
	bool files_are_fine;		/* runs with file drivers converted */
	uint64_t bypass_ns;		/* of mm->lock; 0: strict arrival order */
	uint64_t chunk_size;		/* of mm->lock; 0: compact */
	uint64_t fault_window;		/* bytes; 0: a page */
	bool marks_unmaps;		/* munmap puts op->pending over its range,
					 * RL_PENDING_UNMAP, until it is done */

	/* Set the sites' grains.  Returns: 0, or an error number. */
	int (*init)(struct mm *mm);
	void (*fini)(struct mm *mm);

	void (*begin[MM_NR_KINDS])(struct mm *mm, struct mm_op *op);
	void (*end[MM_NR_KINDS])(struct mm *mm, struct mm_op *op);

	void (*isolated)(struct mm *mm, struct mm_op *op);
	void (*populate)(struct mm *mm, struct mm_op *op);
	bool (*before_io)(struct mm *mm, struct mm_op *op);
	void (*grow)(struct mm *mm, struct mm_op *op);
	void (*maps_next)(struct mm *mm, struct mm_op *op);
};

#endif
