/*
 * vma.h - a VMA: an immutable record of one mapping
 *
 * Readers find it by walking the index under RCU.  A change makes a new record
 * with a new version; the old one is freed a grace period later.  Only anon_id
 * changes in place, once, from 0, under the short lock.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_VMA_VMA_H
#define MINIMM_VMA_VMA_H

#include <stdbool.h>
#include <stdint.h>

#define MM_PAGE_SHIFT	12
#define MM_PAGE_SIZE	UINT64_C(4096)
#define MM_PAGE_MASK	(~(MM_PAGE_SIZE - 1))
#define MM_TASK_SIZE	UINT64_C(0x7ffffffff000)
#define MM_HINT_MIN	UINT64_C(0x10000)	/* no hint is taken below */
#define MM_GUARD_GAP	(256 * MM_PAGE_SIZE)	/* below a stack */
#define MM_MAP_COUNT_MAX	65530u

/* Flags.  All of them count for merging. */
#define MM_VM_READ	0x0001u
#define MM_VM_WRITE	0x0002u
#define MM_VM_EXEC	0x0004u
#define MM_VM_ACCESS	0x0007u		/* any of these three */
#define MM_VM_SHARED	0x0008u		/* changes reach the file */
#define MM_VM_MAYWRITE	0x0020u
#define MM_VM_MAYEXEC	0x0040u
#define MM_VM_MAYSHARE	0x0080u		/* maps prints "s" */
#define MM_VM_GROWSDOWN	0x0100u
#define MM_VM_LOCKED	0x0200u
#define MM_VM_ACCOUNT	0x0400u		/* its pages are promised */
#define MM_VM_NORESERVE	0x0800u
#define MM_VM_HUGEPAGE	0x1000u
#define MM_VM_NOHUGEPAGE	0x2000u
#define MM_VM_DONTDUMP	0x4000u
#define MM_VM_DONTCOPY	0x8000u
#define MM_VM_DROPPABLE	0x10000u
#define MM_VM_EXECUTE_KEY 0x20000u	/* execute-only by a protection key */
#define MM_VM_WIPEONFORK 0x40000u
#define MM_VM_SYNC	0x80000u
#define MM_VM_RANDOM	0x100000u	/* how it will be read: no read-ahead, */
#define MM_VM_SEQUENTIAL 0x200000u	/* or more of it */

/* What a mapping's operations allow: "a driver". */
struct mm_vm_ops {
	const char *name;
	bool fine_is_fine;	/* its mmap, fault and close work with a range */
};

extern const struct mm_vm_ops mm_anon_ops;	/* fine */
extern const struct mm_vm_ops mm_file_ops;	/* not fine */
extern const struct mm_vm_ops mm_fine_file_ops;	/* a converted driver's */

/* A file, or the object behind shared anonymous memory. */
struct mm_file {
	uint64_t id;
	uint64_t nr_pages;		/* beyond: SIGBUS; UINT64_MAX: no end */
	const struct mm_vm_ops *ops;
	uint32_t nr_users;
	bool is_anonymous;		/* shared anonymous memory */
	bool no_write;			/* opened for reading: shared writing EACCES */
};

struct mm_vma {
	uint64_t start, end;
	uint32_t flags;
	bool anon_is_inherited;		/* anon_id is shared with a parent */
	uint64_t pgoff;			/* pages; of private anonymous memory too */
	struct mm_file *file;		/* NULL: private anonymous */
	uint64_t anon_id;		/* 0: no anonymous page yet */
	uint64_t version;		/* never reused in this process */
	uint64_t born;			/* version of the oldest mapping in it */
};

static inline const struct mm_vm_ops *mm_vma_ops(const struct mm_vma *vma)
{
	return vma->file ? vma->file->ops : &mm_anon_ops;
}

static inline bool mm_vma_is_fine(const struct mm_vma *vma)
{
	return mm_vma_ops(vma)->fine_is_fine;
}

static inline uint64_t mm_page_down(uint64_t addr)
{
	return addr & MM_PAGE_MASK;
}

/* 0 if it wraps. */
static inline uint64_t mm_page_up(uint64_t addr)
{
	return (addr + MM_PAGE_SIZE - 1) & MM_PAGE_MASK;
}

/* The one overlap test. */
static inline bool mm_overlap(uint64_t a_start, uint64_t a_end,
			      uint64_t b_start, uint64_t b_end)
{
	return a_start < b_end && b_start < a_end;
}

/* Where a VMA begins for those who search a gap. */
static inline uint64_t mm_vma_low(const struct mm_vma *vma)
{
	if (!(vma->flags & MM_VM_GROWSDOWN))
		return vma->start;
	return vma->start > MM_GUARD_GAP ? vma->start - MM_GUARD_GAP : 0;
}

#endif
