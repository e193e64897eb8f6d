/*
 * readers.h - readers of one hot range, each in a line of its own
 *
 * Readers of a range that nobody writes still pass the arbiter's line around.
 * An arbiter may turn biased (RL_BIASED): then a reader does not touch the line but
 * publishes itself in a record of its thread, and looks at the flags once:
 *
 *	reader				who needs to know (a writer, a closer)
 *	  holder = me  (R2)		  SLOW = 1, under the guard
 *	  light barrier			  heavy barrier
 *	  guard free, BIASED ?		  holder ?  (R2), under the guard
 *
 * A reader who finds other flags withdraws: it frees its record as an unlock does,
 * and takes the guard.  So a record that names an arbiter after the barrier belongs
 * to somebody who will see SLOW, and take the guard, before his call returns: he is
 * moved to the tree like the holder of an entry (entries.h), and a pin keeps SLOW
 * set until he has left.  BIASED is cleared when all are moved, and until then
 * everybody else moves them himself first.
 *
 * B1  While an arbiter is biased nobody waits under its guard and nobody writes.
 *
 * The price: an arbiter turns biased at most once in RL_BIAS_READS reads, and each
 * time costs one membarrier when somebody writes.  Biased reads are not counted.
 * A lock has it by the option RL_READER_BIAS; the central arbiter of a forest never.
 * Weak spot: RL_LINES threads of a process have records (base/line.h), and who moves
 * readers looks at all that were ever used.
 */
#ifndef RL_ENGINE_READERS_H
#define RL_ENGINE_READERS_H

#include <stddef.h>

#include "rangelock/base/line.h"
#include "rangelock/engine/entries.h"

#define RL_BIAS_READS	RL_COUNTED	/* when reads go the slow way anyway */
#define RL_RECORDS	4u		/* of a thread: biased reads at a time */

struct rl_record {
	uint64_t arbiter;		/* its address; atomic */
	uint64_t holder;		/* a handle's; 0: free; atomic */
};

_Static_assert(offsetof(struct rl_record, holder) ==
	       offsetof(struct rl_record, arbiter) + sizeof(uint64_t),
	       "rl_record_arbiter() knows where the arbiter is");

static inline struct rl_record *rl_record_at(struct rl_line *line,
					     unsigned int i)
{
	return (struct rl_record *)(void *)&line->words[2 * i];
}

/* A free record of this thread, or NULL. */
static inline struct rl_record *rl_record_free(void)
{
	struct rl_line *line = rl_line_mine();

	for (unsigned int i = 0; line && i < RL_RECORDS; i++) {
		struct rl_record *record = rl_record_at(line, i);

		/* (R2) acquire: another thread may have unlocked its last. */
		if (!rl_load_acquire64(&record->holder))
			return record;
	}
	return NULL;
}

/* r was published for an arbiter that is not biased any more. */
bool rl_reader_withdraw(struct rangelock *lk, struct rl_arbiter *a,
			struct rl_range *r);

static RL_ALWAYS_INLINE bool rl_reader_is_welcome(const struct rl_arbiter *a)
{
	if (RL_PLANTED(BIAS_NO_LOOK))
		return true;
	if (RL_PLANTED(BIAS_RELAXED))
		return rl_guard_flags(&a->guard) == RL_BIASED;
	return rl_guard_was_left(&a->guard, RL_BIASED) ||
	       (RL_PLANTED(BIAS_TAKEN) &&
		rl_guard_was_left(&a->guard, RL_BIASED | RL_GUARD_TAKEN));
}

/*
 * Publish a filled r, of which also node.start and node.end are set.  True: it
 * holds.  False: it does not, and goes the other way; no guard is taken.
 */
static RL_ALWAYS_INLINE bool rl_reader_publish(struct rangelock *lk,
					       struct rl_arbiter *a,
					       struct rl_range *r)
{
	struct rl_record *record = rl_record_free();

	if (__builtin_expect(!record, 0))
		return false;
	/* (R2) release: who sees it sees that the last holder is gone. */
	rl_store_release64(&record->arbiter, (uintptr_t)a);
	r->entry = &record->holder;
	/* (R2) release: who moves us reads the handle. */
	rl_store_release64(&record->holder, (uintptr_t)r);
	rl_barrier_light();
	/* Its word is all that we see of the writers before us. */
	if (__builtin_expect(!rl_reader_is_welcome(a), 0))
		return rl_reader_withdraw(lk, a, r);
	/* Q7.  (W3) release: as in rl_ask_enter(). */
	rl_store_release(&r->state, RL_PUBLISHED);
	return true;
}

/* Under the guard, pinned since before a heavy barrier: the readers who are
 * published there go to the trees, a pin each, and the bias ends. */
void rl_readers_move(struct rangelock *lk, struct rl_arbiter *a);

/* Under the guard of an arbiter without flags: may it turn biased now? */
bool rl_readers_may_bias(const struct rangelock *lk,
			 const struct rl_arbiter *a);

/* For tests: turn the i-th arbiter biased now, if it may be. */
void rl_readers_turn(struct rangelock *lk, uint32_t i);

/* In a child of fork(): nobody is published for this arbiter any more.  are_sound: they
 * stand in the trees; else their handles may be gone. */
void rl_readers_fork_child(const struct rl_arbiter *a, bool are_sound);

#endif
