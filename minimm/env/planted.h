/*
 * planted.h - faults of the model that its tests must find
 *
 * As rangelock/base/planted.h: MM_PLANTED(NAME) is 0 unless the model is built
 * with -DMM_PLANT=MM_FAULT_NAME.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_PLANTED_H
#define MINIMM_ENV_PLANTED_H

#define MM_FAULTS(X)							\
	X(NONE)								\
	X(MERGE_IGNORES_OFFSET)	/* neighbours merge whatever their offset */ \
	X(MERGE_IGNORES_ANON)	/* ... and whatever their anon_vma */	\
	X(SPLIT_OFF_BY_ONE)	/* a split keeps a page too many */	\
	X(ZAP_FORGETS_LAST)	/* munmap leaves its last page's entry */ \
	X(MREMAP_FORGETS_OFFSET) /* moved memory gets a fresh offset */	\
	X(PROTECT_JUMPS_HOLES)	/* mprotect goes on behind a hole */	\
	X(PROTECT_KEEPS_WRITE)	/* entries stay writable */		\
	X(FAULT_NO_SECOND_LOOK)	/* a fault trusts its first look at the VMA */ \
	X(PICK_IGNORES_MARKER)	/* an address that is pending is given out */ \
	X(MAP_IGNORES_LOST_MARKER)					\
	X(RANGE_MAP_NO_SECOND_LOOK) /* fixed: the range may be mapped by now */ \
	X(RANGE_FAULT_NO_RECHECK) /* ... be of another type */		\
	X(FINE_NO_DRIVER_RECHECK) /* ... have a driver that wants all */ \
	X(FINE_MAP_IGNORES_MARKER) /* an address that was lost is mapped */ \
	X(FINE_FAULT_WRONG_PAGE) /* the window beside the address */	\
	X(FINE_GROW_READS)	/* stacks grow under a read lock */	\
	X(FINE_MREMAP_ONE_RANGE) /* the target is not locked */		\
	X(FINE_BRK_NO_BYTE)	/* two brk() may meet over the break */	\
	X(FULL_ZAP_UNLOCKED)	/* munmap unlocks before its zap */	\
	X(FINE_GROW_NO_RECHECK) /* ... of what was above before the lock */ \
	X(RANGE_MAP_IGNORES_MARKER) /* the second look at one's own mark */ \
	X(MITIGATED_EARLY_DOWNGRADE) /* before the VMAs are isolated */	\
	X(FORK_SHARES_WRITABLE)	/* no copy-on-write after fork */	\
	X(ORDER_FORGETS_READERS) /* a change does not wait for readers */ \
	X(PARTS_SHARE_ADDRESSES) /* two runs of a copy at one place */	\
	X(UNMAP_READS)		/* munmap under a read lock */		\
	X(UNMAP_FREES_TABLE)	/* an empty table is freed at once */	\
	X(INDEX_NO_GRACE)	/* ... and what a splice took out */	\
	X(STACK_IS_NOT_SEEN)	/* inferred as a mapping like others */

#define MM_FAULT_ENUM(name)	MM_FAULT_##name,
enum mm_planted_fault { MM_FAULTS(MM_FAULT_ENUM) };

#ifdef MM_PLANT
#define MM_PLANTED(name)	(MM_PLANT == MM_FAULT_##name)
#else
#define MM_PLANTED(name)	0
#endif

#endif
