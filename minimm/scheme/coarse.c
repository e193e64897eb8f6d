/*
 * coarse.c - one rwsem for the whole space, as Linux had before its mitigations
 *
 *	faults, maps, ps, madvise that clears	R{all}, over I/O too
 *	all others				W{all}, over zap and populate too
 *	stack growth				drop R, take W, look again
 *
 * Each site declares what it needs all the same, so that RANGELOCK_SITES can
 * convert this scheme site by site.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/scheme.h"

#include "minimm/mm/mm.h"
#include "minimm/scheme/fine.h"

static int init(struct mm *mm)
{
	(void)mm;
	fine_set_all(RL_COARSE);
	return 0;
}

const struct mm_scheme mm_scheme_coarse = {
	.name = "coarse",
	.summary = "one rwsem, held over everything",
	.init = init,
	.begin = {
		[MM_MMAP] = fine_begin_mmap,
		[MM_MUNMAP] = fine_begin_write,
		[MM_FAULT] = fine_begin_fault,
		FINE_BEGINS,
	},
	.end = { [MM_MUNMAP] = fine_end, FINE_ENDS },
	.grow = fine_grow,
	.maps_next = fine_maps_next,
};
