/*
 * arbiter.c - who may hold: blockers counted once, by difference
 *
 * A request counts its blockers when it enters (D1 in arbiter.h) and waits
 * until the count is zero.  Every later change of anybody's stance walks the
 * waiters around it and adds or takes what the change means to each; who has no
 * held blocker left is a candidate, and settle() grants those who may.
 *
 * Cost: O((1 + k) log n) for k requests that overlap; O(1) when nobody is in.
 * Weak spot: all users of the lock take one guard.
 */
#include "rangelock/engine/arbiter.h"

#include <errno.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/engine/forest.h"
#include "rangelock/engine/wait_account.h"

/* How a node stands to the others: what apply_difference() compares. */
struct stance {
	uint64_t start, end, seq;
	enum rl_mode mode;
	enum { GONE, WAITS, HOLDS } as;
};

static struct stance stance_of(const struct rl_range *node)
{
	const struct rl_range *leader = rl_range_leader(node);
	struct stance s = {
		.start = node->node.start,
		.end = node->node.end,
		.seq = node->seq,
		.mode = rl_range_mode(node),
		.as = leader->flags & RL_F_HELD ? HOLDS :
		      leader->flags & RL_F_WAITING ? WAITS : GONE,
	};

	return s;
}

static struct stance without(struct stance s)
{
	s.as = GONE;
	return s;
}

/* D1 for one pair: does a y of this stance block x? */
static bool stance_blocks(const struct stance *y, const struct rl_range *x)
{
	return y->as != GONE && rl_overlaps(&x->node, y->start, y->end) &&
	       rl_modes_conflict(y->mode, rl_range_mode(x)) &&
	       (y->as == HOLDS || y->seq < x->seq);
}

bool rl_blocks(const struct rl_range *y, const struct rl_range *x)
{
	struct stance s = stance_of(y);

	return rl_range_leader(y) != rl_range_leader(x) && stance_blocks(&s, x);
}

static void list_candidate(struct rl_pass *pass, struct rl_range *leader)
{
	if (leader->flags & RL_F_LISTED)
		return;
	leader->flags |= RL_F_LISTED;
	leader->next = pass->candidates;
	pass->candidates = leader;
}

/*
 * One node went from one stance to another: add the difference to every waiter
 * around it, up as well as down.  who is its leader.
 */
static void apply_difference(struct rl_pass *pass, const struct rl_range *who,
			     const struct stance *was, const struct stance *is)
{
	struct rl_arbiter *a = pass->arbiter;
	uint64_t start = was->start < is->start ? was->start : is->start;
	uint64_t end = was->end > is->end ? was->end : is->end;
	struct rl_node *n;

	if (!a->nr_waiting)
		return;
	for (n = rl_itree_first_overlap(a->root, start, end); n;
	     n = rl_itree_next_overlap(n, start, end)) {
		struct rl_range *x = rl_range_of(n);
		struct rl_range *leader = rl_range_leader(x);

		if (leader == who || !(leader->flags & RL_F_WAITING))
			continue;
		bool blocked = stance_blocks(was, x);
		bool blocks = stance_blocks(is, x);
		bool held = blocked && was->as == HOLDS;
		bool holds = blocks && is->as == HOLDS;

		if (blocked == blocks && held == holds)
			continue;
		leader->nr_blockers += (uint32_t)blocks - (uint32_t)blocked;
		leader->nr_held_blockers += (uint32_t)holds - (uint32_t)held;
		if ((blocked && !blocks) || (held && !holds))
			list_candidate(pass, leader);
	}
}

struct survey {
	uint32_t nr_blockers, nr_held;
	uint64_t oldest_ns;		/* since when the first waiter waits */
};

/* Count a leader's blockers from scratch. */
static struct survey survey_blockers(const struct rl_arbiter *a,
				     const struct rl_range *leader)
{
	struct survey s = { .oldest_ns = UINT64_MAX };
	unsigned int nr_nodes = rl_range_nr_nodes(leader);

	if (RL_PLANTED(MANY_FORGETS_LAST) && nr_nodes > 1)
		nr_nodes--;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		const struct rl_range *x = leader + i;
		uint64_t start = x->node.start, end = x->node.end;
		struct rl_node *n;

		for (n = rl_itree_first_overlap(a->root, start, end); n;
		     n = rl_itree_next_overlap(n, start, end)) {
			const struct rl_range *y = rl_range_of(n);

			if (!rl_blocks(y, x))
				continue;
			s.nr_blockers++;
			y = rl_range_leader(y);
			if (y->flags & RL_F_HELD)
				s.nr_held++;
			else if (y->since_ns < s.oldest_ns)
				s.oldest_ns = y->since_ns;
		}
	}
	return s;
}

/* G3: may somebody pass waiters of whom the oldest waits since then? */
static bool is_bypass_open(struct rl_pass *pass, uint64_t oldest_ns)
{
	uint64_t bypass_ns = rl_lock_bypass_ns(pass->lk);

	if (RL_PLANTED(BYPASS_UNBOUNDED))
		return true;
	return bypass_ns && rl_pass_now(pass) - oldest_ns < bypass_ns;
}

static void start_holding(struct rl_pass *pass, struct rl_range *leader)
{
	unsigned int is_coarse = rl_range_grain(leader) != RL_FINE;

	leader->flags = (uint16_t)((leader->flags & ~RL_F_WAITING) | RL_F_HELD);
	pass->arbiter->nr_locked[leader->mode][is_coarse]++;
}

/* A waiter holds from now on: those who did not count it as held do now, and
 * those whom it passed did not count it at all. */
static void grant(struct rl_pass *pass, struct rl_range *leader)
{
	struct stance was[RL_MANY_MAX];
	unsigned int nr_nodes = rl_range_nr_nodes(leader);
	bool passes = leader->nr_blockers != 0;

	for (unsigned int i = 0; i < nr_nodes; i++)
		was[i] = stance_of(leader + i);
	start_holding(pass, leader);
	pass->arbiter->nr_waiting--;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct stance is = stance_of(leader + i);

		if (!(RL_PLANTED(BYPASS_UNCOUNTED) && passes))
			apply_difference(pass, leader, &was[i], &is);
	}
	leader->nr_blockers = leader->nr_held_blockers = 0;
	rl_account_wait_end(pass, leader);
	if (passes)
		rl_ledger_add(rl_account_ledger(pass), nr_bypasses, 1);

	leader->next = NULL;
	*pass->granted_tail = leader;
	pass->granted_tail = &leader->next;
}

/* Sort a list by arrival: merge sort, for a cancel can free thousands. */
struct rl_range *rl_sort_by_arrival(struct rl_range *list)
{
	struct rl_range *half[2] = { NULL, NULL }, *sorted = NULL;
	struct rl_range **tail = &sorted;

	if (!list || !list->next || RL_PLANTED(SETTLE_UNSORTED))
		return list;
	for (unsigned int i = 0; list; i ^= 1) {
		struct rl_range *r = list;

		list = r->next;
		r->next = half[i];
		half[i] = r;
	}
	half[0] = rl_sort_by_arrival(half[0]);
	half[1] = rl_sort_by_arrival(half[1]);
	while (half[0] && half[1]) {
		unsigned int first = half[1]->seq < half[0]->seq;

		*tail = half[first];
		tail = &half[first]->next;
		half[first] = half[first]->next;
	}
	*tail = half[0] ? half[0] : half[1];
	return sorted;
}

/* Does the thread that owns x wait for another of its requests here? */
static bool owner_waits_elsewhere(const struct rl_arbiter *a,
				  const struct rl_range *x)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);

	if (x->flags & RL_F_AWAITED || x->owner == RL_NOBODY ||
	    RL_PLANTED(PASS_ASLEEP))
		return false;
	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *y = rl_range_leader(rl_range_of(n));

		if (y->owner == x->owner && y->flags & RL_F_WAITING &&
		    y->flags & RL_F_AWAITED)
			return true;
	}
	return false;
}

/* G3; and G8: nobody is made to hold, out of turn, what those whom he waits for
 * would then wait for: his thread was told that its wait ends. */
static bool may_pass(struct rl_pass *pass, const struct rl_range *x)
{
	return is_bypass_open(pass,
			      survey_blockers(pass->arbiter, x).oldest_ns) &&
	       !owner_waits_elsewhere(pass->arbiter, x);
}

/*
 * Grant the candidates that may hold: first those whom nobody blocks (they do
 * not conflict with each other, or the later would count the earlier), then, in
 * order of arrival, those who may pass the waiters that still block them.  A
 * grant only ever adds blockers, so one round is enough.
 */
static void settle(struct rl_pass *pass)
{
	struct rl_range *list = rl_sort_by_arrival(pass->candidates), *next;
	struct rl_range *rest = NULL, **tail = &rest;

	pass->candidates = NULL;
	for (struct rl_range *x = list; x; x = next) {
		next = x->next;
		x->flags = (uint16_t)(x->flags & ~RL_F_LISTED);
		if (!x->nr_blockers) {
			grant(pass, x);
		} else if (!x->nr_held_blockers) {
			*tail = x;
			tail = &x->next;
		}
	}
	*tail = NULL;
	for (struct rl_range *x = rest; x; x = next) {
		next = x->next;
		if (!x->nr_held_blockers && may_pass(pass, x))
			grant(pass, x);
	}
	RL_INVARIANT(rl_arbiter_is_valid(pass->arbiter));
}

static void set_members(struct rl_range *leader, enum rl_state state)
{
	unsigned int nr = rl_range_nr_members(leader);

	/* Relaxed: a member's state is its owner's to read. */
	for (unsigned int i = 1; i < nr; i++)
		rl_store_relaxed(&leader[i].state, state);
}

/* The forest counts who is in the central arbiter. */
static void note_in_forest(const struct rl_pass *pass,
			   const struct rl_range *leader, int32_t change)
{
	if (pass->lk->forest && pass->arbiter == &pass->lk->central)
		rl_forest_note(pass->lk, leader, change);
}

static void insert_nodes(struct rl_pass *pass, struct rl_range *leader)
{
	struct rl_arbiter *a = pass->arbiter;
	unsigned int nr_nodes = rl_range_nr_nodes(leader);

	for (unsigned int i = 0; i < nr_nodes; i++)
		rl_itree_insert(&a->root, &leader[i].node);
	set_members(leader, RL_MEMBER);
	note_in_forest(pass, leader, 1);
}

static void hold_at_once(struct rl_pass *pass, struct rl_range *leader,
			 bool passes)
{
	unsigned int nr_nodes = rl_range_nr_nodes(leader);

	insert_nodes(pass, leader);
	start_holding(pass, leader);
	if (!passes)
		return;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct stance is = stance_of(leader + i), was = without(is);

		if (!RL_PLANTED(BYPASS_UNCOUNTED))
			apply_difference(pass, leader, &was, &is);
	}
	rl_ledger_add(rl_account_ledger(pass), nr_bypasses, 1);
}

static void number_nodes(struct rl_arbiter *a, struct rl_range *leader)
{
	unsigned int nr = rl_range_nr_members(leader);
	uint64_t seq = ++a->next_seq;

	for (unsigned int i = 0; i < nr; i++)
		leader[i].seq = seq;
}

int rl_arbiter_enter(struct rl_pass *pass, struct rl_range *leader,
		     enum rl_patience patience)
{
	struct rl_arbiter *a = pass->arbiter;
	struct survey s;

	number_nodes(a, leader);
	s = survey_blockers(a, leader);
	if (!s.nr_blockers || (!s.nr_held && is_bypass_open(pass, s.oldest_ns))) {
		hold_at_once(pass, leader, s.nr_blockers != 0);
		RL_INVARIANT(rl_arbiter_is_valid(a));
		return 0;
	}
	if (patience == RL_TRY)
		return EBUSY;
	if (patience == RL_BLOCK && rl_would_deadlock(a, leader, leader->owner)) {
		rl_ledger_add(rl_account_ledger(pass), nr_deadlocks, 1);
		return EDEADLK;
	}
	leader->nr_blockers = s.nr_blockers;
	leader->nr_held_blockers = s.nr_held;
	rl_account_wait_start(pass, leader);
	insert_nodes(pass, leader);
	leader->flags |= patience == RL_BLOCK ? RL_F_WAITING | RL_F_AWAITED :
						RL_F_WAITING;
	a->nr_waiting++;
	RL_INVARIANT(rl_arbiter_is_valid(a));
	return EINPROGRESS;
}

void rl_arbiter_leave(struct rl_pass *pass, struct rl_range *leader)
{
	struct rl_arbiter *a = pass->arbiter;
	unsigned int nr_nodes = rl_range_nr_nodes(leader);
	bool was_waiting = leader->flags & RL_F_WAITING;
	struct stance was[RL_MANY_MAX];

	for (unsigned int i = 0; i < nr_nodes; i++) {
		was[i] = stance_of(leader + i);
		if (RL_PLANTED(CANCEL_COUNTS_READERS) && was_waiting)
			was[i].mode = RL_WRITE;
		rl_itree_erase(&a->root, &leader[i].node);
	}
	set_members(leader, RL_IDLE);
	note_in_forest(pass, leader, -1);
	if (was_waiting)
		a->nr_waiting--;
	leader->flags = (uint16_t)(leader->flags & ~(RL_F_HELD | RL_F_WAITING));
	if (!a->nr_waiting || (RL_PLANTED(CANCEL_KEEPS) && was_waiting))
		return;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct stance is = without(was[i]);

		apply_difference(pass, leader, &was[i], &is);
	}
	settle(pass);
}

bool rl_arbiter_can_change(struct rl_pass *pass, const struct rl_range *r,
			   enum rl_mode mode, uint64_t start, uint64_t end)
{
	struct rl_arbiter *a = pass->arbiter;
	uint64_t oldest_ns = UINT64_MAX;
	struct rl_node *n;

	for (n = rl_itree_first_overlap(a->root, start, end); n;
	     n = rl_itree_next_overlap(n, start, end)) {
		const struct rl_range *y = rl_range_of(n);
		struct rl_range *leader = rl_range_leader(y);

		if (y == r || !rl_modes_conflict(mode, rl_range_mode(y)))
			continue;
		if (leader->flags & RL_F_HELD)
			return RL_PLANTED(UPGRADE_IGNORES_READER) &&
			       mode != rl_range_mode(r);
		/* Who waits for r as it is waits no longer for what it will be. */
		if (leader->since_ns < oldest_ns &&
		    !rl_waits_for(a, leader, r))
			oldest_ns = leader->since_ns;
	}
	return oldest_ns == UINT64_MAX || RL_PLANTED(CHANGE_PASSES_OLD) ||
	       is_bypass_open(pass, oldest_ns);
}

/* Which of these changes a planted fault forgets to apply. */
static bool is_forgotten(const struct stance *was, const struct stance *is)
{
	if (was->mode != is->mode)
		return is->mode == RL_WRITE ? RL_PLANTED(UPGRADE_UNCOUNTED) :
					      RL_PLANTED(DOWNGRADE_KEEPS);
	if (is->end - is->start > was->end - was->start)
		return RL_PLANTED(EXTEND_UNCOUNTED);
	return RL_PLANTED(NARROW_KEEPS);
}

void rl_arbiter_change(struct rl_pass *pass, struct rl_range *r,
		       enum rl_mode mode, uint64_t start, uint64_t end)
{
	struct rl_arbiter *a = pass->arbiter;
	struct stance was = stance_of(r), is;

	if (start != r->node.start || end != r->node.end) {
		note_in_forest(pass, r, -1);
		rl_itree_erase(&a->root, &r->node);
		rl_store_relaxed64(&r->node.start, start);
		rl_store_relaxed64(&r->node.end, end);
		rl_itree_insert(&a->root, &r->node);
		note_in_forest(pass, r, 1);
	}
	r->mode = (uint8_t)mode;
	is = stance_of(r);
	if (!is_forgotten(&was, &is))
		apply_difference(pass, r, &was, &is);
	settle(pass);
}
