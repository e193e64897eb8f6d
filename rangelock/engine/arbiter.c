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

#include "rangelock/base/park.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/engine/entries.h"
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
	struct rl_walk w;
	struct rl_node *n;

	if (!a->nr_waiting)
		return;
	n = rl_walk_first(&w, pass->lk, a, start, end);
	for (; n; n = rl_walk_next(&w, n)) {
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
	uint32_t nr_called;		/* of those who wait */
	uint64_t oldest_ns;		/* since when the first waiter waits */
};

/* Count a leader's blockers from scratch. */
static struct survey survey_blockers(const struct rl_pass *pass,
				     const struct rl_range *leader)
{
	struct survey s = { .oldest_ns = UINT64_MAX };
	unsigned int nr_nodes = rl_range_nr_nodes(leader);

	if (RL_PLANTED(MANY_FORGETS_LAST) && nr_nodes > 1)
		nr_nodes--;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		const struct rl_range *x = leader + i;
		struct rl_walk w;
		struct rl_node *n;

		n = rl_walk_first(&w, pass->lk, pass->arbiter, x->node.start,
				  x->node.end);
		for (; n; n = rl_walk_next(&w, n)) {
			const struct rl_range *y = rl_range_of(n);

			if (!rl_blocks(y, x))
				continue;
			s.nr_blockers++;
			y = rl_range_leader(y);
			if (y->flags & RL_F_HELD) {
				s.nr_held++;
				continue;
			}
			/* Relaxed: to CALLED, and from it, under the guard. */
			s.nr_called += rl_load_relaxed(&y->state) == RL_CALLED;
			if (y->since_ns < s.oldest_ns)
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

static void start_holding(struct rangelock *lk, struct rl_arbiter *a,
			  struct rl_range *leader)
{
	leader->flags = (uint16_t)((leader->flags & ~RL_F_WAITING) | RL_F_HELD);
	rl_count_locked(lk, a, rl_range_mode(leader),
			rl_range_grain(leader) != RL_FINE);
}

void rl_arbiter_count_holder(struct rl_pass *pass, struct rl_range *r)
{
	struct stance is = stance_of(r), was = without(is);

	rl_number(pass->lk, r);
	apply_difference(pass, r, &was, &is);
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
	start_holding(pass->lk, pass->arbiter, leader);
	rl_trees_note_waiting(pass->lk, pass->arbiter, leader, -1);
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct stance is = stance_of(leader + i);

		if (!(RL_PLANTED(BYPASS_UNCOUNTED) && passes))
			apply_difference(pass, leader, &was[i], &is);
	}
	leader->nr_blockers = leader->nr_held_blockers = 0;
	rl_account_wait_end(pass, leader);
	if (passes)
		rl_ledger_add(rl_account_ledger(pass->lk), nr_bypasses, 1);

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
static bool owner_waits_elsewhere(const struct rl_pass *pass,
				  const struct rl_range *x)
{
	struct rl_walk w;
	struct rl_node *n;

	if (x->flags & RL_F_AWAITED || x->owner == RL_NOBODY ||
	    RL_PLANTED(PASS_ASLEEP))
		return false;
	n = rl_walk_first(&w, pass->lk, pass->arbiter, 0, RL_END);
	for (; n; n = rl_walk_next(&w, n)) {
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
	struct survey s;
	/* Relaxed: a guess. */
	bool sleeps = x->flags & RL_F_AWAITED &&
		      rl_load_relaxed(&x->state) == RL_PARKED;

	/* Who sleeps behind one who is called needs not be woken to pass him: it is
	 * looked at again when he holds, leaves, or claims in vain. */
	if (sleeps && pass->front && rl_blocks(pass->front, x))
		return false;
	s = survey_blockers(pass, x);
	if (sleeps && s.nr_called)
		return false;
	return is_bypass_open(pass, s.oldest_ns) &&
	       !owner_waits_elsewhere(pass, x);
}

/* It claimed in vain and is called no more: list those who wait behind it. */
static void list_followers(struct rl_pass *pass, const struct rl_range *leader)
{
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++) {
		struct rl_walk w;
		struct rl_node *n;

		n = rl_walk_first(&w, pass->lk, pass->arbiter,
				  leader[i].node.start, leader[i].node.end);
		for (; n; n = rl_walk_next(&w, n)) {
			struct rl_range *y = rl_range_leader(rl_range_of(n));

			if (y->flags & RL_F_WAITING && !y->nr_held_blockers &&
			    rl_blocks(leader + i, rl_range_of(n)))
				list_candidate(pass, y);
		}
	}
}

/*
 * x may hold, but its thread sleeps, and would hold while it wakes up.  As long
 * as it may be passed anyway it is only called: it claims when it runs.  A host
 * whose threads cannot run at the same time gains nothing by that.
 */
static bool is_called(struct rl_pass *pass, struct rl_range *x)
{
	uint32_t state;

	if (!(x->flags & RL_F_AWAITED) || x->granted ||
	    !rl_is_parallel(pass->lk->host) || !is_bypass_open(pass, x->since_ns))
		return false;
	/* Relaxed, twice: what is claimed is decided under the guard. */
	state = rl_load_relaxed(&x->state);
	if (state != RL_CALLED) {
		if (state != RL_PARKED || pass->nr_called == RL_CALLS ||
		    !rl_cas_relaxed(&x->state, RL_PARKED, RL_CALLED))
			return false;
		pass->called[pass->nr_called++] = &x->state;
	}
	if (!pass->front)
		pass->front = x;
	return true;
}

/* Those of the list who have no held blocker (any more). */
static struct rl_range *keep_unheld(struct rl_range *list)
{
	struct rl_range **at = &list;

	while (*at)
		if ((*at)->nr_held_blockers)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	return list;
}

/*
 * Grant the candidates that may hold: first those whom nobody blocks (they do
 * not conflict with each other, or the later would count the earlier), then, in
 * order of arrival, those who may pass the waiters that still block them.  A
 * grant only ever adds blockers, so one round is enough.  Of a crowd most have a
 * held blocker again after the first grant: they are not sorted.
 */
static void settle(struct rl_pass *pass)
{
	struct rl_range *unblocked = NULL, *rest = NULL, *next;

	for (struct rl_range *x = pass->candidates; x; x = next) {
		struct rl_range **list = x->nr_blockers ? &rest : &unblocked;

		next = x->next;
		x->flags = (uint16_t)(x->flags & ~RL_F_LISTED);
		x->next = *list;
		*list = x;
	}
	pass->candidates = NULL;
	for (struct rl_range *x = rl_sort_by_arrival(unblocked); x; x = next) {
		next = x->next;
		if (!is_called(pass, x))
			grant(pass, x);
	}
	rest = rl_sort_by_arrival(keep_unheld(rest));
	for (struct rl_range *x = rest; x; x = next) {
		next = x->next;
		if (!x->nr_held_blockers && may_pass(pass, x) &&
		    !is_called(pass, x))
			grant(pass, x);
	}
	RL_INVARIANT(rl_arbiter_is_valid(pass->lk, pass->arbiter));
}

void rl_arbiter_claim(struct rl_pass *pass, struct rl_range *leader)
{
	/* Relaxed: who waits is changed by us alone, under the guard. */
	rl_store_relaxed(&leader->state, RL_QUEUED);
	if (!leader->nr_blockers ||
	    (!leader->nr_held_blockers && may_pass(pass, leader)))
		grant(pass, leader);
	else
		list_followers(pass, leader);
	settle(pass);
}

static void set_members(struct rl_range *leader, enum rl_state state)
{
	unsigned int nr = rl_range_nr_members(leader);

	/* Relaxed: a member's state is its owner's to read. */
	for (unsigned int i = 1; i < nr; i++)
		rl_store_relaxed(&leader[i].state, state);
}

static void insert_nodes(struct rl_pass *pass, struct rl_range *leader)
{
	rl_trees_insert(pass->lk, pass->arbiter, leader);
	set_members(leader, RL_MEMBER);
}

static void hold_at_once(struct rl_pass *pass, struct rl_range *leader,
			 bool passes)
{
	unsigned int nr_nodes = rl_range_nr_nodes(leader);

	insert_nodes(pass, leader);
	start_holding(pass->lk, pass->arbiter, leader);
	if (!passes)
		return;
	for (unsigned int i = 0; i < nr_nodes; i++) {
		struct stance is = stance_of(leader + i), was = without(is);

		if (!RL_PLANTED(BYPASS_UNCOUNTED))
			apply_difference(pass, leader, &was, &is);
	}
	rl_ledger_add(rl_account_ledger(pass->lk), nr_bypasses, 1);
}

static void set_seq(struct rl_range *leader, uint64_t seq)
{
	unsigned int nr = rl_range_nr_members(leader);

	for (unsigned int i = 0; i < nr; i++)
		leader[i].seq = seq;
}

void rl_number(struct rangelock *lk, struct rl_range *leader)
{
	set_seq(leader, rl_next_seq(lk));
}

/* Holders get a number when somebody waits for them, before he gets his. */
static void number_holders(struct rl_pass *pass, const struct rl_range *leader)
{
	for (unsigned int i = 0; i < rl_range_nr_nodes(leader); i++) {
		struct rl_walk w;
		struct rl_node *n;

		n = rl_walk_first(&w, pass->lk, pass->arbiter,
				  leader[i].node.start, leader[i].node.end);
		for (; n; n = rl_walk_next(&w, n)) {
			struct rl_range *y = rl_range_leader(rl_range_of(n));

			if (!y->seq)
				rl_number(pass->lk, y);
		}
	}
}

static int queue(struct rl_pass *pass, struct rl_range *leader,
		 enum rl_patience patience)
{
	struct rl_arbiter *a = pass->arbiter;

	rl_account_wait_start(pass, leader);
	insert_nodes(pass, leader);
	leader->flags |= patience == RL_BLOCK ? RL_F_WAITING | RL_F_AWAITED :
						RL_F_WAITING;
	rl_trees_note_waiting(pass->lk, a, leader, 1);
	rl_guard_set_flags(&a->guard, rl_guard_flags(&a->guard) | RL_SLOW);
	RL_INVARIANT(rl_arbiter_is_valid(pass->lk, a));
	return EINPROGRESS;
}

int rl_arbiter_enter(struct rl_pass *pass, struct rl_range *leader,
		     enum rl_patience patience)
{
	struct survey s;

	set_seq(leader, UINT64_MAX);		/* the latest */
	s = survey_blockers(pass, leader);
	if (RL_PLANTED(TRY_REFUSED) && patience == RL_TRY)
		return EBUSY;
	if (!s.nr_blockers || (!s.nr_held && is_bypass_open(pass, s.oldest_ns))) {
		set_seq(leader, 0);
		hold_at_once(pass, leader, s.nr_blockers != 0);
		RL_INVARIANT(rl_arbiter_is_valid(pass->lk, pass->arbiter));
		return 0;
	}
	if (patience == RL_TRY)
		return EBUSY;
	if (patience == RL_LOOK) {
		if (s.nr_held < s.nr_blockers && !RL_PLANTED(LOOK_QUEUES) &&
		    is_bypass_open(pass, s.oldest_ns))
			return EAGAIN;
		patience = RL_BLOCK;
	}
	if (patience == RL_BLOCK &&
	    rl_would_deadlock(pass, leader, leader->owner)) {
		rl_ledger_add(rl_account_ledger(pass->lk), nr_deadlocks, 1);
		return EDEADLK;
	}
	number_holders(pass, leader);
	set_seq(leader, rl_next_seq(pass->lk));
	leader->nr_blockers = s.nr_blockers;
	leader->nr_held_blockers = s.nr_held;
	return queue(pass, leader, patience);
}

void rl_arbiter_enter_quietly(struct rangelock *lk, struct rl_arbiter *a,
			      struct rl_range *r)
{
	r->seq = 0;
	start_holding(lk, a, r);
	rl_trees_insert(lk, a, r);
	RL_INVARIANT(rl_arbiter_is_valid(lk, a));
}

bool rl_arbiter_leave_quietly(struct rangelock *lk, struct rl_arbiter *a,
			      struct rl_range *r)
{
	if (a->nr_waiting || rl_range_is_several(r))
		return false;
	rl_trees_erase(lk, a, r);
	r->flags = (uint16_t)(r->flags & ~RL_F_HELD);
	return true;
}

void rl_arbiter_leave(struct rl_pass *pass, struct rl_range *leader)
{
	struct rl_arbiter *a = pass->arbiter;
	unsigned int nr_nodes = rl_range_nr_nodes(leader);
	bool was_waiting = leader->flags & RL_F_WAITING;
	struct stance was[RL_MANY_MAX];

	for (unsigned int i = 0; a->nr_waiting && i < nr_nodes; i++) {
		was[i] = stance_of(leader + i);
		if (RL_PLANTED(CANCEL_COUNTS_READERS) && was_waiting)
			was[i].mode = RL_WRITE;
	}
	rl_trees_erase(pass->lk, a, leader);
	set_members(leader, RL_IDLE);
	if (was_waiting)
		rl_trees_note_waiting(pass->lk, a, leader, -1);
	leader->flags = (uint16_t)(leader->flags & ~(RL_F_HELD | RL_F_WAITING));
	if (!a->nr_waiting || (RL_PLANTED(CANCEL_KEEPS) && was_waiting))
		return;		/* and was[] is set if there were others */
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
	struct rl_walk w;
	struct rl_node *n;

	if (rl_entries_conflict(a, start, end, mode))
		return false;
	n = rl_walk_first(&w, pass->lk, a, start, end);
	for (; n; n = rl_walk_next(&w, n)) {
		const struct rl_range *y = rl_range_of(n);
		struct rl_range *leader = rl_range_leader(y);

		if (y == r || !rl_modes_conflict(mode, rl_range_mode(y)))
			continue;
		if (leader->flags & RL_F_HELD)
			return RL_PLANTED(UPGRADE_IGNORES_READER) &&
			       mode != rl_range_mode(r);
		/* Who waits for r as it is waits no longer for what it will be. */
		if (leader->since_ns < oldest_ns &&
		    !rl_waits_for(pass, leader, r))
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
	struct stance was = stance_of(r), is;

	if (start != r->node.start || end != r->node.end) {
		rl_trees_erase(pass->lk, pass->arbiter, r);
		rl_store_relaxed64(&r->node.start, start);
		rl_store_relaxed64(&r->node.end, end);
		rl_trees_insert(pass->lk, pass->arbiter, r);
	}
	r->mode = (uint8_t)mode;
	is = stance_of(r);
	if (!is_forgotten(&was, &is))
		apply_difference(pass, r, &was, &is);
	settle(pass);
}
