/*
 * range.c - Lespinasse's talk, to the letter
 *
 *	mmap, anonymous:
 *	  fixed, free	W{range}; second look: still free, else W{all}
 *	  unknown	pick and mark pending; W{range}; still pending, else
 *			W{all} and pick again
 *	  else		W{all}
 *	fault		look at the VMA under the short lock; anonymous (or a
 *			driver that says so): R{2 MiB around}; second look: same
 *			type, else R{all}; other types R{all}
 *	populate	the mapping's lock, downgraded
 *	all others	R{all} or W{all}; no mitigation
 *
 * A fault keeps its lock over I/O: only its window waits.  Weak spot: munmap,
 * and every fault of a file, still stop everybody.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/scheme.h"

#include "minimm/env/planted.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/fine.h"

#define WINDOW	(UINT64_C(2) << 20)

static const enum mm_site fine_sites[] = { MM_SITE_MMAP, MM_SITE_FAULT };

static int init(struct mm *mm)
{
	(void)mm;
	fine_set_grains(fine_sites, sizeof(fine_sites) / sizeof(fine_sites[0]));
	return 0;
}

/* ---- mmap ---- */

static void map_unknown(struct mm *mm, struct mm_op *op)
{
	int error = mm_pick_address(mm, op, true);

	if (error) {
		fine_fall_back(mm, op, RL_WRITE, "the address is pending");
		return;
	}
	if (!fine_lock_span(mm, op, RL_WRITE)) {
		fine_fall_back(mm, op, RL_WRITE, "no room was found");
		return;
	}
	if (!MM_PLANTED(RANGE_MAP_IGNORES_MARKER) && !mm_pick_stands(mm, op))
		fine_fall_back(mm, op, RL_WRITE, "the marker was lost");
	else if (!fine_target_is_fine(mm, op))
		fine_fall_back(mm, op, RL_WRITE, "a driver wants everything");
}

static void map_fixed(struct mm *mm, struct mm_op *op)
{
	uint64_t start, end;

	if (!mm_op_span(mm, op, &start, &end))
		return;
	if (!mm_range_is_free(mm, start, end)) {
		fine_lock_all(mm, op, RL_WRITE);
		return;
	}
	mm_lock(mm, op, 0, MM_SITE_MMAP, RL_WRITE, start, end);
	if (!MM_PLANTED(RANGE_MAP_NO_SECOND_LOOK) &&
	    !mm_range_is_free(mm, start, end))
		fine_fall_back(mm, op, RL_WRITE, "the range was mapped");
}

static void begin_mmap(struct mm *mm, struct mm_op *op)
{
	if (op->is_coarse || !(op->flags & MM_MAP_ANONYMOUS))
		fine_lock_all(mm, op, RL_WRITE);
	else if (mm_op_picks(op))
		map_unknown(mm, op);
	else
		map_fixed(mm, op);
}

/* ---- Faults ---- */

/* What the range is chosen by, and must still be the same behind the lock. */
static const struct mm_vm_ops *type_at(struct mm *mm, struct mm_op *op)
{
	struct mm_vma vma;
	bool found;

	mm_short_lock(mm, op);
	found = mm_find_vma(mm, op->addr, &vma);
	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	mm_short_unlock(mm, op);
	return found ? mm_vma_ops(&vma) : NULL;
}

static void begin_fault(struct mm *mm, struct mm_op *op)
{
	const struct mm_vm_ops *type = op->is_coarse ? NULL : type_at(mm, op);
	uint64_t start, end;

	if (!type || !type->fine_is_fine) {
		fine_lock_all(mm, op, RL_READ);
		return;
	}
	fine_fault_window(mm, op, &start, &end);
	mm_lock(mm, op, 0, MM_SITE_FAULT, RL_READ, start, end);
	if (!MM_PLANTED(RANGE_FAULT_NO_RECHECK) && type_at(mm, op) != type)
		fine_fall_back(mm, op, RL_READ, "the mapping's type changed");
}

const struct mm_scheme mm_scheme_range = {
	.name = "range",
	.summary = "Lespinasse's talk: fine mmap of free memory, fine anonymous faults",
	.bypass_ns = RL_BYPASS_NS,
	.chunk_size = MM_LOCK_CHUNK,
	.fault_window = WINDOW,
	.init = init,
	.begin = {
		[MM_MMAP] = begin_mmap,
		[MM_MUNMAP] = fine_begin_write,
		[MM_FAULT] = begin_fault,
		FINE_BEGINS,
	},
	.end = { [MM_MUNMAP] = fine_end, FINE_ENDS },
	.populate = fine_downgrade,
	.grow = fine_grow,
	.maps_next = fine_maps_next,
};
