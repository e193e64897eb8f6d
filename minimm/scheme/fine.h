/*
 * fine.h - how each kind of operation locks just what it is about
 *
 * Every begin function here declares the ranges that it needs at the site of
 * its kind, takes the second looks that a fine lock needs, starts over at most
 * FINE_TRIES times (I13) and then locks everything.  A coarse site turns them
 * into coarse locks with honest declarations, so all schemes may use them.
 *
 * Order: mm->lock, then the short lock, then page tables; nothing here holds
 * the short lock when it waits for a range.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SCHEME_FINE_H
#define MINIMM_SCHEME_FINE_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/mm/mm.h"

#define FINE_TRIES	3u

/*
 * Where the heap ends is no address, but two brk() must not meet over it: a
 * byte that no mapping has stands for it.
 */
#define FINE_BREAK_BYTE	(RL_END - 2)

/* Lock everything, whatever the grain of op's site. */
void fine_lock_all(struct mm *mm, struct mm_op *op, enum rl_mode mode);
void fine_begin_all(struct mm *mm, struct mm_op *op);	/* for writing */

/* Lock what op is about, at its kind's site; nothing if its arguments are bad
 * (it will fail).  Returns: is something locked? */
bool fine_lock_span(struct mm *mm, struct mm_op *op, enum rl_mode mode);

/* Let go what op has, say why, and lock everything instead. */
void fine_fall_back(struct mm *mm, struct mm_op *op, enum rl_mode mode,
		    const char *why);

/* Let go what op has, say why; the caller starts over. */
void fine_abort(struct mm *mm, struct mm_op *op, const char *why);

/* Lock op's span; everything if a driver in it wants that (second look). */
void fine_begin_write(struct mm *mm, struct mm_op *op);
void fine_begin_read(struct mm *mm, struct mm_op *op);

/*
 * Fixed: as fine_begin_write().  Unknown address: pick it and mark it pending,
 * lock it, see whether the mark still stands.  At a coarse site the model picks,
 * behind the lock.
 */
/* An mmap has its address.  No: a recorded answer is taken here, by something whose
 * driver wants everything locked. */
bool fine_target_is_fine(struct mm *mm, const struct mm_op *op);

void fine_begin_mmap(struct mm *mm, struct mm_op *op);

/* The window around the address; everything if the driver there wants that. */
void fine_begin_fault(struct mm *mm, struct mm_op *op);

/*
 * There is no upgrade that could not deadlock: drop, lock for writing from the
 * address up to the stack, and let the model look again.
 */
void fine_grow(struct mm *mm, struct mm_op *op);

/* For reading if the advice only clears entries, else for writing. */
void fine_begin_madvise(struct mm *mm, struct mm_op *op);

/* Two ranges at once if something moves; the plan is made again behind them. */
void fine_begin_mremap(struct mm *mm, struct mm_op *op);

/* The heap's end and the range between the old one and the new one. */
void fine_begin_brk(struct mm *mm, struct mm_op *op);

/* One chunk of lines after another. */
void fine_begin_maps(struct mm *mm, struct mm_op *op);
void fine_maps_next(struct mm *mm, struct mm_op *op);

/* The range that a fault at op->addr locks: the window, or a page. */
void fine_fault_window(const struct mm *mm, const struct mm_op *op,
		       uint64_t *start, uint64_t *end);

/* A write-locked locks[0] becomes a read-locked one; nothing if it is not held. */
void fine_downgrade(struct mm *mm, struct mm_op *op);

/* Let everything go: the end of a kind. */
void fine_end(struct mm *mm, struct mm_op *op);

/* The rows of a table that all these schemes have: without mmap, munmap and
 * fault (begin), without munmap (end). */
#define FINE_BEGINS							\
	[MM_MPROTECT] = fine_begin_write, [MM_MREMAP] = fine_begin_mremap, \
	[MM_BRK] = fine_begin_brk, [MM_MADVISE] = fine_begin_madvise,	\
	[MM_MLOCK] = fine_begin_write, [MM_MUNLOCK] = fine_begin_write,	\
	[MM_FORK] = fine_begin_all, [MM_EXIT] = fine_begin_all,		\
	[MM_MAPS] = fine_begin_maps, [MM_PS] = fine_begin_read
#define FINE_ENDS							\
	[MM_MMAP] = fine_end, [MM_MPROTECT] = fine_end,			\
	[MM_MREMAP] = fine_end, [MM_BRK] = fine_end,			\
	[MM_MADVISE] = fine_end, [MM_MLOCK] = fine_end,			\
	[MM_MUNLOCK] = fine_end, [MM_FAULT] = fine_end,			\
	[MM_FORK] = fine_end, [MM_EXIT] = fine_end,			\
	[MM_MAPS] = fine_end, [MM_PS] = fine_end

/* The grains of a scheme: coarse, but for these; or fine, all of them. */
void fine_set_grains(const enum mm_site *fine, unsigned int n);
void fine_set_all(enum rl_grain grain);

#endif
