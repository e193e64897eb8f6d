/*
 * coarse_mitigated.c - one rwsem, and what Linux did against its worst cases
 *
 *	fault with I/O	R{all}; dropped, then the wait, then all over again
 *	populate, mlock	W{all} to insert, R{all} while pages come
 *	munmap, brk	W{all} to take the mappings out, R{all} for the zap
 *	stack growth	drop R, take W, look again
 *	all others	R{all} or W{all}
 *
 * A downgraded lock still keeps writers out, so two zaps never run together,
 * and reading another process' pages (ps) keeps it over I/O: the limits of the
 * mitigations.  Each site declares what it needs all the same, so that
 * RANGELOCK_SITES can convert this scheme site by site.
 *
 * Weak spot: Linux downgrades again after a stack has grown; here the page is
 * still allocated under W.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/scheme.h"

#include "minimm/env/planted.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/fine.h"

static int init(struct mm *mm)
{
	(void)mm;
	fine_set_all(RL_COARSE);
	return 0;
}

static void begin_munmap(struct mm *mm, struct mm_op *op)
{
	fine_begin_write(mm, op);
	if (MM_PLANTED(MITIGATED_EARLY_DOWNGRADE))
		fine_downgrade(mm, op);
}

static void isolated(struct mm *mm, struct mm_op *op)
{
	if (MM_PLANTED(MITIGATED_EARLY_DOWNGRADE))
		return;
	if (op->kind == MM_MUNMAP || op->kind == MM_BRK)
		fine_downgrade(mm, op);
}

static bool before_io(struct mm *mm, struct mm_op *op)
{
	if (op->kind != MM_FAULT)
		return false;
	mm_unlock_all(mm, op);
	return true;
}

const struct mm_scheme mm_scheme_coarse_mitigated = {
	.name = "coarse-mitigated",
	.summary = "one rwsem; dropped for I/O, downgraded for zap and populate",
	.init = init,
	.begin = {
		[MM_MMAP] = fine_begin_mmap,
		[MM_MUNMAP] = begin_munmap,
		[MM_FAULT] = fine_begin_fault,
		FINE_BEGINS,
	},
	.end = { [MM_MUNMAP] = fine_end, FINE_ENDS },
	.isolated = isolated,
	.populate = fine_downgrade,
	.before_io = before_io,
	.grow = fine_grow,
	.maps_next = fine_maps_next,
};
