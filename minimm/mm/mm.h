/*
 * mm.h - an address space, run by a locking scheme and watched by an observer
 *
 * Locks, outermost first:
 *	mm->lock	the scheme's: a rangelock, whole or by ranges (LONG)
 *	mm->vma_lock	the short lock: orders changes of the index and of what
 *			goes with it (brk, counts, anon_id).  Never over I/O,
 *			page allocation or O(pages) work (I16)
 *	a page table's	over a few entries
 * Whoever holds an inner one never waits for an outer one.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_MM_MM_H
#define MINIMM_MM_MM_H

#include <rangelock.h>
#include <rangelock/pending.h>
#include <rangelock/site.h>

#include "minimm/env/env.h"
#include "minimm/mm/hooks.h"
#include "minimm/mm/op.h"
#include "minimm/vma/index.h"
#include "minimm/vma/vma.h"

#define MM_DEFAULT_LOW		MM_HINT_MIN
#define MM_DEFAULT_BREAK	UINT64_C(0x555555560000)
#define MM_DEFAULT_TOP		UINT64_C(0x7ffff7fff000)
#define MM_STACK_LIMIT		(UINT64_C(8) << 20)	/* RLIMIT_STACK */
#define MM_NO_LIMIT		UINT64_MAX

enum mm_wait_class {
	MM_WAIT_LONG,		/* the scheme's lock */
	MM_WAIT_SHORT,		/* vma_lock */
};

/*
 * What happens, as it happens; called by the operation's own thread.  Members
 * may be NULL.
 *
 * queued:   a request of op has to wait.  rl_visit_blockers(lk, r) says for
 *	     whom now, mm_lock_op(handle) whose they are.  Not under a short
 *	     lock of op's own.
 * granted:  that wait is over.
 * enter:    op relies on its locks from here on (their second look is done);
 *	     op->footprint is final, but for a target that was moved.
 * leave:    ... to here; may be followed by another enter (retry, next chunk).
 * downgraded: op is about to hold its lock for reading only; its footprint says
 *	     already what it still changes.  Nobody has been let in yet.
 * aborted:  op gave up what it had and starts over; why is a literal.
 * fell_back: ... and takes a stronger lock for it.
 * violation: an invariant is broken: "I7 ...".  NULL: print it and abort().
 */
struct mm_observer {
	void (*queued)(void *ctx, struct mm_op *op, struct rangelock *lk,
		       struct rl_range *r, enum mm_wait_class class);
	void (*granted)(void *ctx, struct mm_op *op, enum mm_wait_class class);
	void (*enter)(void *ctx, struct mm_op *op);
	void (*leave)(void *ctx, struct mm_op *op);
	void (*downgraded)(void *ctx, struct mm_op *op);
	void (*aborted)(void *ctx, struct mm_op *op, const char *why);
	void (*fell_back)(void *ctx, struct mm_op *op, const char *why);
	void (*violation)(void *ctx, struct mm_op *op, const char *text);
	void *ctx;
};

/* Zero members mean the defaults above; a zero config with a scheme is good. */
struct mm_config {
	const struct mm_scheme *scheme;
	const struct mm_env *env;		/* or NULL: spends nothing */
	const struct mm_observer *observer;	/* or NULL */
	uint64_t low;			/* no choice and no hint below */
	uint64_t mmap_top;		/* choices are below this */
	uint64_t brk_start;		/* where the heap begins */
	uint64_t fault_window;		/* the scheme's; 0: its default */
	uint64_t stack_limit;		/* bytes of a stack that grows */
	uint64_t commit_pages;		/* most that one mapping may promise;
					 * 0: no limit */
	uint64_t memlock_limit;		/* bytes; 0: no limit (root) */
	uint32_t map_count_max;
	bool has_protection_keys;	/* execute-only is what it says */
};

struct mm {
	struct rangelock lock;
	struct rangelock vma_lock;
	struct rl_pending_set pending;
	struct mm_index index;
	struct mm_table *root;		/* of the page table: pt/pt.h */
	const struct mm_scheme *scheme;
	const struct mm_env *env;
	const struct mm_observer *observer;
	struct mm_config config;
	void *scheme_data;		/* the scheme's init() may hang one here */
	uint64_t brk;			/* changed under the short lock */
	uint64_t last_anon_id;		/* short lock */
	struct mm_file **files;		/* short lock: objects kept alive */
	uint32_t nr_files;
	uint64_t nr_entries;		/* present ones; atomic */
	uint64_t nr_violations;		/* atomic */
};

/* Returns: NULL for want of memory. */
struct mm *mm_create(const struct mm_config *config);

/* Requires: no operation is running on it. */
void mm_destroy(struct mm *mm);

/*
 * Perform op through the scheme: takes and lets go all locks.  Any number of
 * threads, one op each.  Out of memory: -ENOMEM, and nothing has changed
 * (env/memory.h).
 */
void mm_run(struct mm *mm, struct mm_op *op);

/* Check everything that must hold while no operation runs (I1, I3, I6, I7, I14):
 * returns how many violations were reported. */
unsigned int mm_check(struct mm *mm);

/* Number of VMAs now; visit each, in order, of one consistent snapshot. */
uint32_t mm_nr_vmas(struct mm *mm);
void mm_visit_vmas(struct mm *mm, void (*visit)(void *, const struct mm_vma *),
		   void *arg);

/*
 * Objects behind mappings: alive while somebody has them.  Who creates one puts
 * it when he is done; a space that maps it has it until the space is destroyed.
 * Returns: NULL for want of memory.
 */
struct mm_file *mm_file_create(uint64_t id, uint64_t nr_pages,
			       const struct mm_vm_ops *ops);
void mm_file_put(struct mm_file *file);

/* ---- For schemes ---- */

/* The sites, shared by all schemes: one each place where a scheme may lock. */
#define MM_SITES(X)							\
	X(MMAP, "do_mmap")						\
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
	X(PS, "ps")							\
	X(POPULATE, "populate")						\
	X(GROW, "grow")

enum mm_site {
#define MM_SITE_ENUM(name, text)	MM_SITE_##name,
	MM_SITES(MM_SITE_ENUM)
#undef MM_SITE_ENUM
	MM_NR_SITES
};

/* The sites have one state for the whole process: run one scheme at a time. */
struct rl_site *mm_site_of(enum mm_site site);

/* Has RANGELOCK_SITES an entry for that name, and one that makes sense? */
bool mm_site_is_asked_for(const char *name);

/* A site's grain, unless RANGELOCK_SITES names it: then that word stands. */
void mm_site_grain(enum mm_site site, enum rl_grain grain);

/* The site of an operation's kind: the first MM_NR_KINDS sites. */
static inline enum mm_site mm_kind_site(enum mm_kind kind)
{
	return (enum mm_site)kind;
}

/*
 * Lock mm->lock with op->locks[which] for the declared [start, end), telling
 * the observer of a wait.  What is locked is the site's grain's choice.
 * mm_lock_two: op->pair, both write-locked at one instant; disjoint.
 * Unlock: lets go what is held, in any order; locks that are not held are left.
 */
void mm_lock(struct mm *mm, struct mm_op *op, unsigned int which,
	     enum mm_site site, enum rl_mode mode, uint64_t start,
	     uint64_t end);
void mm_lock_two(struct mm *mm, struct mm_op *op, enum mm_site site,
		 uint64_t a_start, uint64_t a_end,
		 uint64_t b_start, uint64_t b_end);
void mm_unlock(struct mm *mm, struct mm_op *op, unsigned int which);
void mm_unlock_all(struct mm *mm, struct mm_op *op);

/*
 * Turn a write-held lock into a read-held one.  From here on op changes entries
 * only: what it changed before is done, and its footprint says so.
 */
void mm_downgrade(struct mm *mm, struct mm_op *op, unsigned int which);

/* Does op hold all of mm->lock, in whatever mode? */
bool mm_holds_all(const struct mm_op *op);

/* As mm_lock() for another lock of the scheme's own (a VMA's), through any
 * handle of op's.  site may be NULL. */
void mm_lock_other(struct mm *mm, struct mm_op *op, struct rangelock *lk,
		   struct mm_lock *l, struct rl_site *site, enum rl_mode mode,
		   uint64_t start, uint64_t end);

/* The short lock, class SHORT.  Not recursive. */
void mm_short_lock(struct mm *mm, struct mm_op *op);
void mm_short_unlock(struct mm *mm, struct mm_op *op);

/* Tell the observer, and count in op. */
void mm_aborted(struct mm *mm, struct mm_op *op, const char *why);
void mm_fell_back(struct mm *mm, struct mm_op *op, const char *why);
void mm_violation(struct mm *mm, struct mm_op *op, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Costs; spend checks I16. */
void mm_spend(struct mm *mm, struct mm_op *op, enum mm_cost what,
	      uint64_t count);
void mm_io(struct mm *mm, struct mm_op *op, uint64_t pages);

/* The VMA with start <= addr < end, copied; false if none.  Takes no lock. */
bool mm_find_vma(struct mm *mm, uint64_t addr, struct mm_vma *copy);

/* The first VMA with end > addr, copied. */
bool mm_find_vma_after(struct mm *mm, uint64_t addr, struct mm_vma *copy);

/* No VMA overlaps it.  Stable only under a lock. */
bool mm_range_is_free(struct mm *mm, uint64_t start, uint64_t end);

/* Every VMA in the range lets a fine lock do (vm_ops). */
bool mm_range_is_fine(struct mm *mm, uint64_t start, uint64_t end);

/* Is the address of this mmap (mremap) the allocator's choice?  A hint counts
 * as a choice: it may be taken. */
bool mm_op_picks(const struct mm_op *op);

/* Page-aligned [start, end) that op is about, as its locks must cover it; for a
 * choice: of op->target.  false: nothing (a bad argument; the op will fail). */
bool mm_op_span(struct mm *mm, struct mm_op *op, uint64_t *start,
		uint64_t *end);

/*
 * Choose the address of a mapping: sets op->target and op->addr's meaning with
 * it.  mark: and put op->pending there (op->is_marked), which the model ends
 * when the mapping is inserted; a scheme that gives up calls mm_unpick().
 * Takes the short lock; costs are the scheme's (MM_COST_GAP_SEARCH).
 * Returns: 0, also when op's arguments are bad: the operation then says so;
 *	    -EBUSY: the answer is pending for somebody else.
 */
int mm_pick_address(struct mm *mm, struct mm_op *op, bool mark);
void mm_unpick(struct mm *mm, struct mm_op *op);

/* After the lock: does the choice still stand?  True if nothing was marked. */
bool mm_pick_stands(struct mm *mm, const struct mm_op *op);

/*
 * mremap: what would be done now.  Takes no lock.
 * fits: nothing is moved; [addr, addr + max(len, new_len)) is all it touches.
 */
struct mm_remap_plan {
	bool fails;		/* whatever the locks */
	bool fits;
};
struct mm_remap_plan mm_plan_remap(struct mm *mm, struct mm_op *op);

#endif
