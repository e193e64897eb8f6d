/*
 * pending.c - markers and the gap search: hidden, and nothing told
 *
 * A set of markers orders nothing for its callers; their range locks do.
 */
#include <rangelock/pending.h>

#include "rangelock/tokens/tokens.h"

RL_UNTOLD(rl_pending_mark);
RL_UNTOLD(rl_pending_still);
RL_UNTOLD(rl_pending_commit);
RL_UNTOLD(rl_pending_abandon);
RL_UNTOLD(rl_pending_supersede);
RL_UNTOLD(rl_pending_find_gap);
RL_UNTOLD(rl_pending_mark_gap);

static void hide(const struct rl_pending_set *set, const struct rl_pending *p)
{
	rl_hide(set, sizeof(*set));
	rl_hide(p, sizeof(*p));
}

int rl_pending_mark(struct rl_pending_set *set, struct rl_pending *p,
		    enum rl_pending_kind kind, uint64_t start, uint64_t end)
{
	hide(set, p);
	return untold_rl_pending_mark(set, p, kind, start, end);
}

int rl_pending_still(const struct rl_pending *p)
{
	rl_hide(p, sizeof(*p));
	return untold_rl_pending_still(p);
}

int rl_pending_commit(struct rl_pending *p)
{
	int error = untold_rl_pending_commit(p);

	rl_show(p, sizeof(*p));
	return error;
}

int rl_pending_abandon(struct rl_pending *p)
{
	int error = untold_rl_pending_abandon(p);

	rl_show(p, sizeof(*p));
	return error;
}

size_t rl_pending_supersede(struct rl_pending_set *set, uint64_t start,
			    uint64_t end)
{
	hide(set, NULL);
	return untold_rl_pending_supersede(set, start, end);
}

int rl_pending_find_gap(struct rl_pending_set *set,
			const struct rl_gap_query *query, uint64_t *start)
{
	hide(set, NULL);
	return untold_rl_pending_find_gap(set, query, start);
}

int rl_pending_mark_gap(struct rl_pending_set *set, struct rl_pending *p,
			const struct rl_gap_query *query, uint64_t *start)
{
	hide(set, p);
	return untold_rl_pending_mark_gap(set, p, query, start);
}
