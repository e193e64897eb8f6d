/*
 * wait_account.c - true and false waits, charged to pairs of sites
 *
 * Only requests that wait come here, so clocks and searches are affordable.
 * Weak spot: a wait behind several blockers is charged to one of them, a true
 * one if there is any, else the first in order of address.
 */
#include "rangelock/engine/wait_account.h"

#include "rangelock/base/planted.h"
#include "rangelock/engine/charge.h"
#include "rangelock/engine/forest.h"

static bool declared_conflict(const struct rl_range *a,
			      const struct rl_range *b)
{
	for (unsigned int i = 0; i < rl_range_nr_members(a); i++)
		for (unsigned int k = 0; k < rl_range_nr_members(b); k++) {
			struct rl_node span = {
				.start = rl_range_declared_start(b + k),
				.end = rl_range_declared_end(b + k),
			};

			if (rl_overlaps(&span, rl_range_declared_start(a + i),
					rl_range_declared_end(a + i)) &&
			    rl_modes_conflict(rl_range_declared_mode(a + i),
					      rl_range_declared_mode(b + k)))
				return true;
		}
	return false;
}

static bool is_first(const struct rl_range *y, const struct rl_range *first)
{
	return !first || y->node.start < first->node.start;
}

/* The blocker to charge: the first true one, else the first, by address. */
static const struct rl_range *pick_blocker(const struct rl_pass *pass,
					   const struct rl_range *leader,
					   bool *is_true)
{
	const struct rl_range *first = NULL;

	*is_true = false;
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++) {
		const struct rl_range *x = leader + i;
		struct rl_walk w;
		struct rl_node *n;

		n = rl_walk_first(&w, pass->lk, pass->arbiter, x->node.start,
				  x->node.end);
		for (; n; n = rl_walk_next(&w, n)) {
			const struct rl_range *y = rl_range_of(n);
			bool is;

			if (!rl_blocks(y, x))
				continue;
			y = rl_range_leader(y);
			is = declared_conflict(leader, y);
			if (is > *is_true || (is == *is_true && is_first(y, first)))
				first = y;
			*is_true = *is_true || is;
		}
	}
	return first;
}

struct rl_ledger *rl_account_ledger(struct rangelock *lk)
{
	struct rl_ledger *mine, *l = rl_lock_ledger(lk);

	if (l)
		return l;
	mine = rl_ledger_claim();
	/* Relaxed: its counters are atomic, and it was all zero.  The arbiters of a
	 * forest have guards of their own: the first to claim one wins. */
	if (rl_cas_relaxed64(&lk->ledger, 0, (uintptr_t)mine))
		return mine;
	rl_ledger_release(mine);
	return rl_lock_ledger(lk);
}

void rl_account_wait_start(struct rl_pass *pass, struct rl_range *leader)
{
	bool is_coarse = rl_range_grain(leader) != RL_FINE;
	const struct rl_range *blocker;
	bool is_true;

	blocker = pick_blocker(pass, leader, &is_true);
	leader->since_ns = rl_pass_now(pass);
	leader->blocker_site = blocker->site;
	if (is_true && !RL_PLANTED(TRUE_AS_FALSE))
		leader->flags |= RL_F_TRUE;
	if (rl_range_is_wide(blocker))
		leader->flags |= RL_F_BEHIND_WIDE;
	rl_ledger_add(rl_account_ledger(pass->lk),
		      nr_contended[leader->mode][is_coarse], 1);
}

void rl_account_wait_end(struct rl_pass *pass, struct rl_range *leader)
{
	uint64_t ns = rl_pass_now(pass) - leader->since_ns;
	bool is_true = leader->flags & RL_F_TRUE;
	unsigned int wide = (rl_range_is_wide(leader) ? RL_WIDE_WAITER : 0) |
			    (leader->flags & RL_F_BEHIND_WIDE ? RL_WIDE_BLOCKER : 0);

	rl_ledger_note_wait(rl_account_ledger(pass->lk), is_true, ns);
	rl_charge_wait(leader->site, leader->blocker_site, is_true, wide, ns);
}
