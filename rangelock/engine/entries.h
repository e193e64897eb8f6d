/*
 * entries.h - holders in the arbiter's own line: one read-modify-write a pair
 *
 * A holder whom nobody waits for need not be in the tree.  It stands in one of
 * the arbiter's entries, with its range and mode, entered under the guard, and
 * it leaves by one plain store, without the guard:
 *
 *	         E1 enter                E3 freed by the unlock
 *	  FREE -------------> ENTERED ----------------------------> FREE
 *	    ^                    | E2 moved                           ^
 *	    |                    v             E4 the owner leaves    |
 *	    '------- MOVED (RL_MOVED(i) is set until then) -----------'
 *
 * Whoever must wait for it, or must know more of it than its range, moves it to
 * the tree first (E2).  For that the guard's word has the flag SLOW: while it is
 * set nobody enters, and who frees an entry takes the guard afterwards.  The
 * unlock stores FREE and then looks at SLOW; the mover sets SLOW, lets the guard
 * go, executes the heavy barrier and then looks at the entry.  One of them sees
 * the other's store:
 *
 *	unlock				mover
 *	  entry = FREE	(R1)		  SLOW = 1, under the guard
 *	  light barrier			  heavy barrier
 *	  SLOW ?			  entry == FREE ?  (R1), under the guard
 *
 * So an entry that is not FREE after the barrier belongs to an owner who has yet
 * to look at SLOW, will find it set, and takes the guard before its unlock
 * returns: its handle is alive, and from now on in the tree like any other.
 *
 * SLOW may not be cleared as long as somebody relies on it: a mover between its
 * two holds (counted in the word, as pins), a moved one whose owner has not left
 * yet (RL_MOVED), or a waiter.  docs/ENGINE.md argues it step by step.
 *
 * N1  Who is in an entry and not moved conflicts with no holder in the tree, with
 *     no other entry and, unless the arbiter is open, with no waiter.
 * N2  SLOW is set while there is a pin, a moved one, or a waiter; and while the
 *     shard is closed or the lock plain.  But OPEN may be set instead of it (O1).
 *
 * Most waiters of a busy lock are asleep, and others may pass them for a while
 * (G3).  Those need not go by the tree, where each would cost every waiter:
 *
 * O1  OPEN without SLOW is set only while somebody waits, and each who does is
 *     CALLED or behind somebody in the trees.  Until the time in the word, which is
 *     bypass_ns after the arrival of the oldest, others may enter who conflict with
 *     no holder.
 *
 * An unlock of an entry tells nobody then: who is CALLED looks for himself, and who is
 * behind somebody in a tree is looked at when that one leaves it.  Whoever may let
 * somebody in by what he does shuts the arbiter first: if somebody is in its entries
 * SLOW is set beside OPEN, and OPEN is cleared when all are moved.  A shard that
 * closes may bring older waiters: it only sets SLOW.
 */
#ifndef RL_ENGINE_ENTRIES_H
#define RL_ENGINE_ENTRIES_H

#include <stdbool.h>

#include "rangelock/base/barrier.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/request.h"

/* Flags of an arbiter, in its guard's word.  Without any it is fast. */
#define RL_SLOW		0x00000002u
#define RL_CLOSED	0x00000004u	/* a shard: nobody is in it */
#define RL_STAYS_SLOW	0x00000008u	/* RL_PLAIN */
#define RL_FORKING	0x00000010u	/* rl_fork_prepare() was here */
#define RL_MOVED(i)	(0x00000020u << (i))	/* an entry's holder */
#define RL_MOVED_ANY	0x00000060u
#define RL_BIASED	0x00000080u	/* readers.h */
#define RL_OPEN		0x00000100u	/* waiters may have been passed */
#define RL_CALM		0x000ffe00u	/* pairs until SLOW is cleared */
#define RL_CALM_ONE	0x00000200u
#define RL_PINS		0xfff00000u
#define RL_PIN		0x00100000u
#define RL_UNTIL	0xfffffe00u	/* without SLOW: when it ends, in 16 us */
#define RL_UNTIL_ONE	0x00000200u
#define RL_TICK_BITS	14u
#define RL_OPEN_MAX_NS	(UINT64_C(1) << 34)	/* of the 2^37 that it counts */

/* After a barrier, so many pairs go the slow way: it cost as much as a few
 * hundred of them save. */
#ifndef RL_CALM_PAIRS			/* as RL_REOPEN in shards.c */
#define RL_CALM_PAIRS		256u
#endif
#define RL_CALM_AFTER_BARRIER	(RL_CALM_PAIRS * RL_CALM_ONE)

/* And so many after an arbiter was open: opening it is a walk over its waiters. */
#define RL_CALM_AFTER_SHUT	(16u * RL_CALM_ONE)

#define RL_NO_ENTRY	RL_ENTRIES

/* What is constant in a caller's request shall be constant here: that is half of
 * the cost of an uncontended pair. */
#define RL_ALWAYS_INLINE	__attribute__((always_inline)) inline

struct rl_pass;

static inline struct rl_range *rl_entry_range(uint64_t holder)
{
	return (struct rl_range *)(uintptr_t)(holder & ~UINT64_C(1));
}

/* The holder of an entry, 0 if it is free.  (R1) acquire: sees what the last
 * holder did before it freed the entry. */
static inline uint64_t rl_entry_holder(const struct rl_arbiter *a,
				       unsigned int i)
{
	return rl_load_acquire64(&a->entry_holder[i]);
}

/* Under the guard: is somebody in entry i who was not moved? */
static inline bool rl_entry_is_used(const struct rl_arbiter *a, unsigned int i)
{
	return rl_entry_holder(a, i) &&
	       !(rl_guard_flags(&a->guard) & RL_MOVED(i));
}

static inline uint64_t rl_entry_end(const struct rl_arbiter *a, unsigned int i)
{
	return a->entry_length[i] ? a->entry_start[i] + a->entry_length[i] :
				    RL_END;
}

static inline bool rl_entries_are_used(const struct rl_arbiter *a)
{
	return rl_entry_is_used(a, 0) || rl_entry_is_used(a, 1);
}

/* Count a lock; is_coarse: in the central arbiter. */
void rl_count_wrapped(struct rangelock *lk, enum rl_mode mode, bool is_coarse);

static inline void rl_count_locked(struct rangelock *lk, struct rl_arbiter *a,
				   enum rl_mode mode, bool is_coarse)
{
	if (!++a->nr_locked[mode])
		rl_count_wrapped(lk, mode, false);
	if (is_coarse && !++lk->nr_coarse[mode])
		rl_count_wrapped(lk, mode, true);
}

/* Every so many locks one goes the slow way, and looks at the counters. */
#define RL_COUNTED	16384u

/* Is the next lock none of those, so that no counter wraps? */
static inline bool rl_count_is_easy(const struct rangelock *lk,
				    const struct rl_arbiter *a,
				    enum rl_mode mode, bool is_coarse)
{
	return (a->nr_locked[mode] + 1) % RL_COUNTED &&
	       !(is_coarse && lk->nr_coarse[mode] == UINT32_MAX);
}

static inline void rl_count_easily(struct rangelock *lk, struct rl_arbiter *a,
				   enum rl_mode mode, bool is_coarse)
{
	a->nr_locked[mode]++;
	if (is_coarse)
		lk->nr_coarse[mode]++;
}

/* An entry for a range, when others are in the arbiter: RL_NO_ENTRY if none is
 * free, or somebody who holds conflicts.  If not, *passes says whether a waiter
 * does. */
unsigned int rl_entry_choose(struct rangelock *lk, const struct rl_arbiter *a,
			     uint64_t start, uint64_t end, enum rl_mode mode,
			     bool *passes);

/* What an entry says of the length of a range; false: it cannot describe it. */
static RL_ALWAYS_INLINE bool rl_entry_measure(uint64_t start, uint64_t end,
					      uint32_t *length)
{
	uint64_t bytes = end - start;

	if (__builtin_expect(bytes > UINT32_MAX, 0)) {
		if (end != RL_END)
			return false;
		bytes = 0;
	}
	*length = (uint32_t)bytes;
	return true;
}

/* E1, under the guard of an arbiter without flags.  Of r only entry is written. */
static RL_ALWAYS_INLINE void rl_entry_fill(struct rl_arbiter *a, unsigned int i,
					   struct rl_range *r, uint64_t start,
					   uint32_t length, enum rl_mode mode)
{
	a->entry_start[i] = start;
	a->entry_length[i] = length;
	/* Relaxed: who reads it has the guard, as we have. */
	rl_store_relaxed64(&a->entry_holder[i], (uintptr_t)r | mode);
	r->entry = &a->entry_holder[i];
}

/* Nobody is here: entry 0 may be filled, if nothing else is in the way.  In the
 * central arbiter of a forest the closed shards' trees must be looked at, too. */
static RL_ALWAYS_INLINE bool rl_entry_is_easy(const struct rl_arbiter *a)
{
	return !rl_guard_flags(&a->guard) &&
	       !((uintptr_t)a->root | rl_entry_holder(a, 0) |
		 rl_entry_holder(a, 1)) &&
	       rl_barrier_is_usable();
}

static inline struct rl_arbiter *rl_entry_arbiter(const uint64_t *entry)
{
	return (struct rl_arbiter *)((uintptr_t)entry &
				     ~(uintptr_t)(sizeof(struct rl_arbiter) - 1));
}

_Static_assert(sizeof(struct rl_arbiter) == 64, "an arbiter is one cache line");

/* Of a published holder: its entry is the second word of a struct rl_record.
 * Relaxed: the caller knows that it is held. */
static inline struct rl_arbiter *rl_record_arbiter(const uint64_t *entry)
{
	return (struct rl_arbiter *)(uintptr_t)rl_load_relaxed64(entry - 1);
}

/* Where an inline or published holder, as its state says, has its entry. */
static inline struct rl_arbiter *rl_range_arbiter_by(const struct rl_range *r,
						     uint32_t state)
{
	return state == RL_PUBLISHED ? rl_record_arbiter(r->entry) :
				       rl_entry_arbiter(r->entry);
}

static inline struct rl_arbiter *rl_range_arbiter(const struct rl_range *r)
{
	/* Relaxed: as above. */
	return rl_range_arbiter_by(r, rl_load_relaxed(&r->state));
}

/* The range of an inline holder, for its owner. */
static inline uint64_t rl_inline_start(const struct rl_range *r)
{
	const struct rl_arbiter *a = rl_entry_arbiter(r->entry);

	return a->entry_start[r->entry - a->entry_holder];
}

static inline uint64_t rl_inline_end(const struct rl_range *r)
{
	const struct rl_arbiter *a = rl_entry_arbiter(r->entry);

	return rl_entry_end(a, (unsigned int)(r->entry - a->entry_holder));
}

/* E3.  An inline holder frees its entry (or record), of arbiter a.  False: then
 * rl_entry_leave() must follow. */
static inline bool rl_entry_free(uint64_t *entry, const struct rl_arbiter *a)
{
	if (RL_PLANTED(ENTRY_RELAXED))
		rl_store_relaxed64(entry, 0);
	else
		/* (R1) release: hands on what this holder did.  (R2) release:
		 * so does who leaves a record. */
		rl_store_release64(entry, 0);
	rl_barrier_light();
	return RL_PLANTED(ENTRY_NO_LOOK) ||
	       !(rl_guard_flags(&a->guard) & RL_SLOW);
}

/* The owner has seen SLOW: if r was moved meanwhile it leaves the tree as well
 * (E4).  deferred: NULL, or where callbacks go. */
void rl_entry_leave(struct rangelock *lk, struct rl_range *r,
		    struct rl_arbiter *a, struct rl_deferred *deferred);

/* Does an entry that was not moved conflict? */
bool rl_entries_conflict(const struct rl_arbiter *a, uint64_t start,
			 uint64_t end, enum rl_mode mode);

/* Does anybody who holds, in an entry or the trees? */
bool rl_anybody_conflicts(struct rangelock *lk, const struct rl_arbiter *a,
			  uint64_t start, uint64_t end, enum rl_mode mode);

/* Which one conflicts with a leader, or one of its members; RL_NO_ENTRY: none. */
unsigned int rl_entry_in_the_way(const struct rl_arbiter *a,
				 const struct rl_range *leader);

static inline bool rl_entries_block(const struct rl_arbiter *a,
				    const struct rl_range *leader)
{
	return rl_entry_in_the_way(a, leader) != RL_NO_ENTRY;
}

static inline bool rl_is_open(const struct rl_arbiter *a)
{
	return (rl_guard_flags(&a->guard) & (RL_OPEN | RL_SLOW)) == RL_OPEN;
}

/* The arbiter was left by a holder, and somebody waits: others may enter, if O1
 * holds and it is worth the price.  Walks its waiters. */
void rl_entries_open(struct rl_pass *pass);

/* Under the guard of an open one: may others enter? */
bool rl_entries_is_open_still(const struct rangelock *lk,
			      const struct rl_arbiter *a);

/* Under the guard: nobody enters any more. */
static inline void rl_entries_halt(struct rl_arbiter *a)
{
	if (rl_is_open(a))
		rl_guard_set_flags(&a->guard, RL_OPEN | RL_SLOW);
}

/* Under the guard: SLOW and not OPEN, if nobody is in an entry; false: somebody is,
 * and rl_entries_evict() does it. */
bool rl_entries_shut(struct rl_arbiter *a);

/*
 * Move everybody to the arbiter's tree, so that it can be waited for.  The guard is
 * let go meanwhile and held in the end: much can have changed, but nobody entered.
 */
void rl_entries_evict(struct rangelock *lk, struct rl_arbiter *a);

/* The same for a trylock, which must not wait for the guard: it is held all the
 * time, through the barrier. */
void rl_entries_evict_held(struct rangelock *lk, struct rl_arbiter *a);

#ifndef RL_ENTRY_LOOKS				/* as RL_REOPEN in shards.c */
#define RL_ENTRY_LOOKS	500u			/* of a pause each */
#endif

/* Somebody in entry i is in the way.  The guard is held: let it go and look, as
 * often as *looks says, whether he leaves: false; or everybody is moved, as by
 * rl_entries_evict(): true. */
bool rl_entries_make_way(struct rangelock *lk, struct rl_arbiter *a,
			 unsigned int i, unsigned int *looks);

/* The same for all arbiters, where a holder in an entry overlaps the range, or
 * readers may be published. */
void rl_entries_evict_all(struct rangelock *lk, uint64_t start, uint64_t end);

/* Pin SLOW; and after the heavy barrier unpin it. */
void rl_entries_pin(struct rl_arbiter *a);
void rl_entries_unpin(struct rl_arbiter *a);

/* E2, pinned since before a heavy barrier: from the entries of an arbiter to the
 * trees under its guard. */
void rl_entries_move(struct rangelock *lk, struct rl_arbiter *a);

/* A range in an entry or a record, with its start and end in its handle, becomes a
 * holder in the tree, under the guard. */
void rl_entry_stand_in_tree(struct rangelock *lk, struct rl_arbiter *a,
			    struct rl_range *r);

/* The owner of an inline holder leaves its entry and stands in the tree.
 * Requires: nobody else uses r. */
void rl_entry_settle(struct rangelock *lk, struct rl_range *r);

/* Under the guard, at the end of a slow pair: clear SLOW if nothing needs it. */
void rl_arbiter_calm(struct rl_arbiter *a);

/* In a child of fork(): the holder of an entry or a record stands in the tree now.
 * Whom somebody was just unlocking says IDLE, and leaves it with the others. */
void rl_entry_fork_child(uint64_t holder);

/* In a child of fork(): everybody to the trees, no pins. */
void rl_entries_fork_child(struct rangelock *lk, struct rl_arbiter *a);

#endif
