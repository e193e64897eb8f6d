/*
 * op.h - one operation on an address space: what is asked, done and touched
 *
 * The caller owns a struct mm_op (all zero, then the arguments) until mm_run()
 * returns; it may be reused after mm_op_reset().
 *
 * The footprint says which bytes an operation is about, from its arguments
 * alone: it is what the oracle compares, and knows nothing of locks, VMAs'
 * borders or neighbours.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_MM_OP_H
#define MINIMM_MM_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rangelock.h>
#include <rangelock/pending.h>

#include "minimm/vma/vma.h"

struct mm;

#define MM_KINDS(X)							\
	X(MMAP, "mmap")							\
	X(MUNMAP, "munmap")						\
	X(MPROTECT, "mprotect")						\
	X(MREMAP, "mremap")						\
	X(BRK, "brk")							\
	X(MADVISE, "madvise")						\
	X(MLOCK, "mlock")						\
	X(MUNLOCK, "munlock")						\
	X(FAULT, "fault")						\
	X(FORK, "fork")							\
	X(EXIT, "exit")							\
	X(MAPS, "maps")							\
	X(PS, "ps")

enum mm_kind {
#define MM_KIND_ENUM(name, text)	MM_##name,
	MM_KINDS(MM_KIND_ENUM)
#undef MM_KIND_ENUM
	MM_NR_KINDS
};

/* op->flags of mmap: Linux's MAP_ bits (x86-64), so that a trace's word can be
 * put in as it is. */
#define MM_MAP_SHARED		0x000001u
#define MM_MAP_PRIVATE		0x000002u
#define MM_MAP_SHARED_VALIDATE	0x000003u
#define MM_MAP_DROPPABLE	0x000008u
#define MM_MAP_TYPE		0x00000fu
#define MM_MAP_FIXED		0x000010u
#define MM_MAP_ANONYMOUS	0x000020u
#define MM_MAP_32BIT		0x000040u
#define MM_MAP_GROWSDOWN	0x000100u
#define MM_MAP_DENYWRITE	0x000800u
#define MM_MAP_EXECUTABLE	0x001000u
#define MM_MAP_LOCKED		0x002000u
#define MM_MAP_NORESERVE	0x004000u
#define MM_MAP_POPULATE		0x008000u
#define MM_MAP_NONBLOCK		0x010000u
#define MM_MAP_STACK		0x020000u
#define MM_MAP_HUGETLB		0x040000u
#define MM_MAP_SYNC		0x080000u
#define MM_MAP_NOREPLACE	0x100000u	/* MAP_FIXED_NOREPLACE */

/* op->flags of mremap. */
#define MM_REMAP_MAYMOVE	1u
#define MM_REMAP_FIXED		2u
#define MM_REMAP_DONTUNMAP	4u

/* op->advice of madvise: Linux's numbers.  The others that Linux knows have no
 * effect here but fail as they do there. */
#define MM_ADV_NORMAL		0
#define MM_ADV_RANDOM		1
#define MM_ADV_SEQUENTIAL	2
#define MM_ADV_DONTNEED		4
#define MM_ADV_FREE		8
#define MM_ADV_DONTFORK		10
#define MM_ADV_DOFORK		11
#define MM_ADV_HUGEPAGE		14
#define MM_ADV_NOHUGEPAGE	15
#define MM_ADV_DONTDUMP		16
#define MM_ADV_DODUMP		17

enum mm_access {
	MM_ACCESS_READ,
	MM_ACCESS_WRITE,
	MM_ACCESS_EXEC,
};

/* Results that are no errno: a fault's signals. */
#define MM_SEGV_MAPERR	(-INT64_C(10001))
#define MM_SEGV_ACCERR	(-INT64_C(10002))
#define MM_SIGBUS	(-INT64_C(10003))

/* ---- Footprints ---- */

enum mm_aspect {
	MM_EXISTENCE,	/* is there a mapping? */
	MM_PROT,	/* what may be done to it */
	MM_BACKING,	/* what is behind it: file, offset, flags */
	MM_ENTRIES,	/* its page-table entries */
	MM_BREAK,	/* where the heap ends */
	MM_NR_ASPECTS
};

enum mm_touch {
	MM_READS,
	MM_INSTALLS,	/* entries: two of these commute */
	MM_CHANGES,
};

struct mm_extent {
	uint64_t start, end;
	uint8_t aspect, touch;		/* enum mm_aspect, enum mm_touch */
};

#define MM_FOOTPRINT_MAX	12

struct mm_footprint {
	struct mm_extent extents[MM_FOOTPRINT_MAX];
	uint8_t nr;
};

/* A request of an operation: the blocker's op is found from its handle. */
struct mm_lock {
	struct rl_range range;
	struct mm_op *op;
	bool held;
	bool is_all;			/* of the lock, not only a part */
};

/* Two ranges of one operation, locked at one instant. */
struct mm_lock_pair {
	struct rl_range ranges[2];
	struct mm_op *op;
	bool held;
	bool is_all;
};

/* The first of several has group == how many, the second group == 1. */
static inline struct mm_op *mm_lock_op(const struct rl_range *r)
{
	const char *p = (const char *)(r->group == 1 ? r - 1 : r);

	if (r->group)
		return ((const struct mm_lock_pair *)(const void *)p)->op;
	p -= offsetof(struct mm_lock, range);
	return ((const struct mm_lock *)(const void *)p)->op;
}

#define MM_NR_LOCKS	2

struct mm_op {
	/* ---- Arguments: the caller's ---- */
	enum mm_kind kind;
	enum mm_access access;		/* FAULT */
	uint32_t prot;			/* MM_VM_READ | WRITE | EXEC */
	uint32_t flags;			/* MMAP, MREMAP */
	int32_t advice;			/* MADVISE */
	bool needs_io;			/* FAULT, PS: its page is on a disk */
	uint64_t addr;
	uint64_t len;			/* MREMAP: the old length */
	uint64_t new_len, new_addr;	/* MREMAP */
	struct mm_file *file;		/* MMAP without ANONYMOUS; NULL: EBADF */
	uint64_t offset;		/* in the file, bytes */
	uint64_t answer;		/* MMAP, MREMAP, where the address is the
					 * allocator's choice: it shall be this
					 * one; 0: free choice */
	uint64_t old_break;		/* BRK: from where; 0: mm_run() asks */
	void *owner;			/* for observers */
	/* MAPS: called for each line, with no short lock held; or NULL */
	void (*line)(void *arg, const struct mm_vma *vma);
	void *line_arg;

	/* ---- Results ---- */
	int64_t result;			/* 0, address, -errno, MM_SEGV_... */
	struct mm *child;		/* FORK: the caller's to destroy */
	uint32_t nr_lines;		/* MAPS */
	uint32_t nr_pages;		/* entries set, cleared or changed */
	uint32_t nr_retries, nr_aborts, nr_fallbacks;
	bool answer_taken;		/* the answer was not free: replaced */

	struct mm_footprint footprint;	/* mm_op_footprint() */

	/* ---- The scheme's ---- */
	struct mm_lock locks[MM_NR_LOCKS];
	struct mm_lock_pair pair;	/* mm_lock_two() */
	struct rl_pending pending;
	bool is_marked;			/* pending stands for our address */
	bool is_coarse;			/* fallen back: lock everything */
	bool io_done;
	bool dropped;			/* a hook let its lock go */
	uint64_t grow_end;		/* FAULT: how far up grow() has locked; 0: all */
	uint32_t scheme_word;
	struct mm_vma seen;		/* what a scheme saw at its first look */
	bool has_seen;

	/* ---- The model's ---- */
	struct mm_lock short_lock;
	uint64_t start, end;		/* mm_op_span(), in pages */
	uint64_t target;		/* mmap: the address; mremap: the new one,
					 * or 0 while it is not chosen */
	uint64_t position;		/* MAPS, PS, populate: how far */
	uint64_t pages_start, pages_end;	/* mprotect: locked, to be filled */
	uint32_t short_depth;
	bool in_section;
};

/* Forget everything but the arguments.  Requires: nothing of op is locked. */
void mm_op_reset(struct mm_op *op);

/*
 * Compute op->footprint from the arguments.  For mmap of unknown address: of
 * op->target if it is chosen, else of the answer, else nothing.  mm_run() does
 * this by itself, and again when an address has been chosen.
 */
void mm_op_footprint(struct mm_op *op);

/* TRUE iff they overlap on one aspect and one of them changes it (or one reads
 * and the other installs). */
bool mm_footprints_conflict(const struct mm_footprint *a,
			    const struct mm_footprint *b);

/* As above without MM_ENTRIES, which the page tables' own locks order: two
 * operations that do this and run their sections at the same time are a missed
 * conflict. */
bool mm_structure_conflict(const struct mm_footprint *a,
			   const struct mm_footprint *b);

/*
 * The pages that op is about, from its arguments: [*start, *end).  mremap: of
 * the old place, with what growing there would add.  mmap: of op->target.
 * false: none (a bad argument, nothing to do, or no address yet).
 */
bool mm_op_range(const struct mm_op *op, uint64_t *start, uint64_t *end);

const char *mm_kind_name(enum mm_kind kind);

/* "-ENOMEM", "-SEGV_MAPERR", "0" or "0xADDRESS".  Returns text. */
const char *mm_result_text(int64_t result, char *text, size_t size);
#define MM_RESULT_TEXT	32

#endif
