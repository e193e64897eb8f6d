/*
 * readers.c - publishing in the records of a thread, and moving who is published
 */
#include "rangelock/engine/readers.h"

#include "rangelock/base/line.h"
#include "rangelock/base/planted.h"
#include "rangelock/engine/forest.h"
#include "rangelock/engine/ledger.h"

_Static_assert(sizeof(struct rl_record) * RL_RECORDS == sizeof(struct rl_line),
	       "a line of records");

bool rl_reader_withdraw(struct rangelock *lk, struct rl_arbiter *a,
			struct rl_range *r)
{
	if (!rl_entry_free(r->entry, a))
		rl_entry_leave(lk, r, a, NULL);
	return false;
}

/* The holder of a record that is published for this arbiter, or 0.  The owner may
 * be on its way from one arbiter to another: both words must fit together. */
static uint64_t published_for(const struct rl_record *record,
			      const struct rl_arbiter *a)
{
	uint64_t holder;

	for (;;) {
		/* (R2) acquire, twice: as it was published. */
		holder = rl_load_acquire64(&record->holder);
		if (!holder ||
		    rl_load_acquire64(&record->arbiter) != (uintptr_t)a)
			return 0;
		/* Relaxed: it is the same publication (docs/ORDERING.md). */
		if (rl_load_relaxed64(&record->holder) == holder)
			return holder;
	}
}

void rl_readers_move(struct rangelock *lk, struct rl_arbiter *a)
{
	uint32_t nr = rl_nr_lines() * RL_RECORDS;

	if (!(rl_guard_flags(&a->guard) & RL_BIASED))
		return;
	for (uint32_t i = 0; i < nr; i++) {
		struct rl_record *record = rl_record_at(
			rl_line_at(i / RL_RECORDS), i % RL_RECORDS);
		uint64_t holder = published_for(record, a);

		if (!holder || rl_entry_range(holder)->flags & RL_F_HELD)
			continue;
		rl_entry_stand_in_tree(lk, a, rl_entry_range(holder));
		rl_entries_pin(a);
	}
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) & ~RL_BIASED);
}

bool rl_readers_may_bias(const struct rangelock *lk, const struct rl_arbiter *a)
{
	const struct rl_ledger *ledger = rl_lock_ledger(lk);

	if (!ledger || !ledger->reader_bias || a->root ||
	    (lk->forest && a == &lk->central))
		return false;
	return !((rl_entry_holder(a, 0) | rl_entry_holder(a, 1)) & 1);
}

void rl_readers_turn(struct rangelock *lk, uint32_t i)
{
	struct rl_arbiter *a = rl_lock_arbiter(lk, i);

	rl_guard_lock(&a->guard, lk->host);
	if (!rl_guard_flags(&a->guard) && rl_readers_may_bias(lk, a))
		rl_guard_unlock_to(&a->guard, RL_BIASED);
	else
		rl_guard_unlock(&a->guard);
}

void rl_readers_fork_child(const struct rl_arbiter *a, bool are_sound)
{
	for (uint32_t i = 0; i < rl_nr_lines() * RL_RECORDS; i++) {
		struct rl_record *record = rl_record_at(
			rl_line_at(i / RL_RECORDS), i % RL_RECORDS);
		uint64_t holder = published_for(record, a);

		if (!holder)
			continue;
		if (are_sound)
			rl_entry_fork_child(holder);
		/* Relaxed: the child has one thread. */
		rl_store_relaxed64(&record->holder, 0);
	}
}
