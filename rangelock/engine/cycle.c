/*
 * cycle.c - who waits in a circle with others
 *
 * Two steps.  The search goes from thread to thread, one guard at a time, and so
 * may see a circle that never was: each arrow from another instant.  What it finds
 * is looked at again with all the guards held that its requests are under, and only
 * that counts.  The guards are tried, never waited for, so they need no order; who
 * cannot have one searches again later.
 *
 * Only threads older than the searching one are gone through: so it finds a circle
 * only if it is the youngest of it.  (In one arbiter, who waits behind another
 * waiter is younger than that, so the waiters inside of an arrow need no look.)
 *
 * Cost: none for waits below deadlock_ns; then a search of at most LOOKS nodes, now
 * and when the wait has doubled, but at least every LONGEST periods, and the rarer
 * the more threads wait for long.
 * Weak spot: among thousands of long waiters a circle may be found seconds late, and
 * one that is longer than RL_CYCLE_MAX, or behind more than LOOKS nodes, never.
 */
#include "rangelock/engine/cycle.h"

#include <string.h>

#include "rangelock/base/annotate.h"
#include "rangelock/base/child.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/ledger.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait_account.h"

#define BUCKETS		64u		/* a power of two */
#define LOOKS		16384u		/* nodes in one search */
#define LONGEST		64u		/* deadlock_ns between two searches */
#define CROWD		4u		/* so many more, one deadlock_ns more */

/* Of the process.  rank 0: under its guard others are only tried. */
static struct {
	uint32_t guard;
	uint32_t forks;			/* in how manieth child are we */
	uint32_t nr_listed;
	uint64_t nr_tickets, nr_searches;
	struct rl_watch *by_owner[BUCKETS];
} list RL_OF_PROCESS;

/* The others are not here, and the guard may have been one of theirs. */
static void forget_all(void)
{
	memset(list.by_owner, 0, sizeof(list.by_owner));
	list.nr_listed = 0;
	list.forks++;
	rl_store_relaxed(&list.guard, 0);	/* relaxed: one thread */
}

__attribute__((constructor)) static void watch_forks(void)
{
	rl_at_child(forget_all);
}

uint32_t rl_nr_listed(void)
{
	uint32_t nr;

	rl_guard_lock(&list.guard, NULL);
	nr = list.nr_listed;
	rl_guard_unlock(&list.guard);
	return nr;
}

static struct rl_watch **bucket_of(uint64_t owner)
{
	return &list.by_owner[(owner * UINT64_C(0x9e3779b97f4a7c15)) >> 58];
}

_Static_assert(BUCKETS == 1u << (64 - 58), "a hash of six bits");

/* Owners have names, and each host gives its own. */
static bool is_same_host(const struct rl_host *a, const struct rl_host *b)
{
	bool has_a = a && a->self, has_b = b && b->self;

	if (!has_a || !has_b)
		return has_a == has_b;
	return a->self == b->self && a->ctx == b->ctx;
}

/* The listed wait of the thread that owns a holder in lk, or NULL. */
static struct rl_watch *watch_of(const struct rangelock *lk,
				 const struct rl_range *holder)
{
	struct rl_watch *w;

	/* Whoever runs the callback may unlock it. */
	if (holder->owner == RL_NOBODY ||
	    (holder->flags & RL_F_SUBMITTED && holder->granted &&
	     !RL_PLANTED(CYCLE_TRUSTS_CALLBACKS)))
		return NULL;
	for (w = *bucket_of(holder->owner); w; w = w->next)
		if (w->owner == holder->owner &&
		    is_same_host(w->lk->host, lk->host))
			return w;
	return NULL;
}

/* ---- Listing ---- */

void rl_watch_begin(struct rl_watch *w, struct rangelock *lk,
		    struct rl_range *leader)
{
	w->lk = lk;
	w->leader = leader;
	w->is_listed = w->is_reported = false;
	w->period_ns = rl_ledger_deadlock_ns(rl_lock_ledger(lk));
	w->due_ns = RL_NO_DEADLINE;
	/* since_ns is fixed from the queueing on. */
	if (w->period_ns && w->period_ns < RL_NO_DEADLINE - leader->since_ns)
		w->due_ns = leader->since_ns + w->period_ns;
}

/* C1, under the list's guard. */
static void enlist(struct rl_watch *w)
{
	struct rl_watch **head;

	w->owner = rl_owner(w->lk->host);
	w->since_ns = w->leader->since_ns;
	rl_annotate_shared(w, sizeof(*w));
	w->ticket = ++list.nr_tickets;
	w->found_by = 0;
	w->forks = list.forks;
	head = bucket_of(w->owner);
	w->next = *head;
	w->link = head;
	if (w->next)
		w->next->link = &w->next;
	*head = w;
	list.nr_listed++;
	w->is_listed = true;
}

/* C3, under the list's guard. */
static void delist(struct rl_watch *w)
{
	w->is_listed = false;
	if (w->forks != list.forks)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	list.nr_listed--;
}

void rl_watch_end(struct rl_watch *w)
{
	if (!w->is_listed)
		return;
	rl_guard_lock(&list.guard, w->lk->host);
	delist(w);
	rl_guard_unlock(&list.guard);
}

void rl_watch_pause(struct rl_watch *w)
{
	if (!w->is_listed || RL_PLANTED(CYCLE_STAYS_LISTED))
		return;
	rl_watch_end(w);
	w->due_ns = 0;
}

/* ---- The search, one guard at a time ---- */

/* The arbiter that it is under: a hint, unless one has the guard of that. */
static struct rl_arbiter *home_of(const struct rl_watch *w)
{
	struct rl_arbiter *tree = rl_tree_of(w->lk, w->leader);

	if (tree != &w->lk->central && rl_shard_is_closed(tree))
		return &w->lk->central;
	return tree;
}

struct hunt {
	struct rl_firm firm;
	struct rl_watch *me, *at, *tail;
	const struct rl_watch *only;	/* a second look: look for this one */
	uint64_t number;
};

static bool is_older(const struct rl_watch *a, const struct rl_watch *b)
{
	if (RL_PLANTED(CYCLE_ANY_VICTIM))
		return true;
	if (RL_PLANTED(CYCLE_OLDEST_TOLD))
		return a->since_ns > b->since_ns;
	return a->since_ns != b->since_ns ? a->since_ns < b->since_ns :
					    a->ticket < b->ticket;
}

static struct hunt *hunt_of(struct rl_firm *firm)
{
	return (struct hunt *)(void *)firm;	/* firm is the first member */
}

/* The request at waits for this holder: true if the circle is closed. */
static bool go_to_owner(struct rl_firm *firm, const struct rl_range *holder)
{
	struct hunt *h = hunt_of(firm);
	struct rl_watch *w = watch_of(h->at->lk, holder);

	if (w == h->me) {
		w->waits = h->at;
		return true;
	}
	if (!w || w->found_by == h->number || !is_older(w, h->me))
		return false;
	w->found_by = h->number;
	w->waits = h->at;
	w->found_next = NULL;
	h->tail->found_next = w;
	h->tail = w;
	return false;
}

/* Everybody whom at waits for is found.  True: the circle is closed. */
static bool go_on(struct hunt *h)
{
	struct rl_arbiter *home = home_of(h->at);
	struct rl_pass pass;
	bool is_closed = false;

	if (!rl_guard_trylock(&home->guard, h->at->lk->host)) {
		h->firm.nr_looks = 0;
		return false;
	}
	if (home_of(h->at) == home) {
		rl_pass_adopt(&pass, h->at->lk, home);
		is_closed = rl_visit_firm(&pass, h->at->leader, &h->firm) &&
			    h->me->waits;
	}
	rl_guard_unlock(&home->guard);
	return is_closed;
}

/* Who waits for whom, backwards from me; how many, or 0: no circle. */
static unsigned int find_circle(struct rl_watch *me, struct rl_watch **circle)
{
	struct hunt h = {
		.firm = { .visit = go_to_owner, .nr_looks = LOOKS },
		.me = me, .tail = me, .number = ++list.nr_searches,
	};
	struct rl_watch *w;
	unsigned int n = 0;

	me->found_by = h.number;
	me->found_next = me->waits = NULL;
	for (h.at = me; h.at && !me->waits && h.firm.nr_looks;
	     h.at = h.at->found_next)
		if (go_on(&h))
			break;
	if (!me->waits)
		return 0;
	circle[n++] = me;
	for (w = me->waits; w != me && n < RL_CYCLE_MAX; w = w->waits)
		circle[n++] = w;
	return w == me ? n : 0;
}

/* ---- The second look, all guards held ---- */

struct frozen {
	struct rl_watch *circle[RL_CYCLE_MAX];	/* each waits for the one before */
	unsigned int nr_watches;
	struct rl_arbiter *homes[RL_CYCLE_MAX];
	unsigned int nr_homes;
};

static bool has_home(const struct frozen *f, const struct rl_arbiter *home)
{
	for (unsigned int i = 0; i < f->nr_homes; i++)
		if (f->homes[i] == home)
			return true;
	return false;
}

static void thaw_but(struct frozen *f, const struct rl_arbiter *kept)
{
	for (unsigned int i = 0; i < f->nr_homes; i++)
		if (f->homes[i] != kept)
			rl_guard_unlock(&f->homes[i]->guard);
}

/* Take the guards of all.  False: not all of them, and none is held.  Whoever passes
 * the youngest, whom the first watch is of, must have been moved: it may be taken out. */
static bool freeze(struct frozen *f)
{
	bool is_right = true;

	f->nr_homes = 0;
	for (unsigned int i = 0; is_right && i < f->nr_watches; i++) {
		struct rl_arbiter *home = home_of(f->circle[i]);

		if (has_home(f, home))
			continue;
		is_right = rl_guard_trylock(&home->guard,
					    f->circle[i]->lk->host);
		if (is_right)
			f->homes[f->nr_homes++] = home;
	}
	/* Now nobody's home changes. */
	for (unsigned int i = 0; is_right && i < f->nr_watches; i++)
		is_right = has_home(f, home_of(f->circle[i]));
	is_right = is_right && rl_entries_shut(home_of(f->circle[0]));
	if (!is_right)
		thaw_but(f, NULL);
	return is_right;
}

static bool is_only(struct rl_firm *firm, const struct rl_range *holder)
{
	const struct hunt *h = hunt_of(firm);

	return watch_of(h->at->lk, holder) == h->only;
}

/* Under the guards of both: does w wait firmly for what the other's thread holds? */
static bool waits_for(struct rl_watch *w, const struct rl_watch *other)
{
	struct hunt h = {
		.firm = { .visit = is_only, .nr_looks = LOOKS },
		.at = w, .only = other,
	};
	struct rl_pass pass;

	rl_pass_adopt(&pass, w->lk, home_of(w));
	return rl_visit_firm(&pass, w->leader, &h.firm) && h.firm.nr_looks;
}

static bool is_circle(const struct frozen *f)
{
	for (unsigned int i = 0; i < f->nr_watches; i++) {
		unsigned int next = (i + 1) % f->nr_watches;

		if (!waits_for(f->circle[next], f->circle[i]))
			return RL_PLANTED(CYCLE_ONE_LOOK);
	}
	/* Who was called looks for itself first.  Relaxed: under its guard. */
	return rl_load_relaxed(&f->circle[0]->leader->state) != RL_CALLED;
}

/* Under its guard: the youngest waits no longer. */
static void leave(struct rl_pass *pass, struct rl_range *leader)
{
	rl_ledger_add(rl_account_ledger(pass->lk), nr_deadlocks, 1);
	if (leader->flags & RL_F_SUBMITTED) {
		leader->flags = (uint16_t)(leader->flags & ~RL_F_AWAITED);
		/* Nobody waits now, so nobody is to be woken.  (W3) release: who
		 * cancels it finds its arbiter. */
		rl_store_release(&leader->state, RL_QUEUED);
		return;
	}
	rl_account_wait_end(pass, leader);
	if (!RL_PLANTED(CYCLE_KEEPS_WAITING))
		rl_arbiter_leave(pass, leader);
}

static void copy_link(const struct rl_watch *w, struct rl_link *link)
{
	const struct rl_range *r = w->leader;
	const char *name = w->lk->name ? w->lk->name : "(unnamed)";

	*link = (struct rl_link){
		.owner = w->owner, .start = r->node.start, .end = r->node.end,
		.mode = rl_range_mode(r),
	};
	strncpy(link->name, name, sizeof(link->name) - 1);
}

/* All guards are held.  Returns with the list's guard free and those of f. */
static bool say_so(struct frozen *f, struct rl_watch *me)
{
	struct rl_ledger *ledger = rl_lock_ledger(me->lk);
	struct rl_link links[RL_CYCLE_MAX];
	unsigned int n = f->nr_watches;
	struct rl_pass pass;

	rl_ledger_add(ledger, nr_cycles, 1);
	if (!ledger->deadlock_report) {
		rl_pass_adopt(&pass, me->lk, home_of(me));
		thaw_but(f, pass.arbiter);
		if (RL_PLANTED(CYCLE_LETS_GO)) {
			rl_guard_unlock(&pass.arbiter->guard);
			rl_guard_lock(&pass.arbiter->guard, me->lk->host);
		}
		leave(&pass, me->leader);
		delist(me);
		rl_guard_unlock(&list.guard);
		rl_pass_end(&pass);
		return true;
	}
	for (unsigned int i = 0; i < n; i++)
		copy_link(f->circle[i ? n - i : 0], &links[i]);
	thaw_but(f, NULL);
	me->is_reported = !RL_PLANTED(CYCLE_REPORTS_AGAIN);
	delist(me);			/* K1: the report is foreign code */
	me->due_ns = 0;
	rl_guard_unlock(&list.guard);
	rl_cycle_write(links, n, ledger->deadlock_report, ledger->deadlock_arg);
	return false;
}

/* Under the list's guard: when to search next.  True: now is too soon already. */
static bool plan_next(struct rl_watch *w)
{
	uint64_t now = rl_clock(w->lk->host);
	uint64_t step = rl_ledger_deadlock_ns(rl_lock_ledger(w->lk));
	uint64_t crowded = step * (list.nr_listed / CROWD);
	bool is_first = !w->is_listed;

	if (is_first)
		enlist(w);
	else if (w->period_ns < LONGEST * step)
		w->period_ns *= 2;
	w->due_ns = now + (w->period_ns > crowded ? w->period_ns : crowded);
	if (RL_PLANTED(CYCLE_SEARCHES_ONCE))
		w->due_ns = RL_NO_DEADLINE;
	return is_first && crowded > step;
}

/* Those who pass it by an entry go to the tree: they may sleep, too, and for ever. */
static void move_passers(const struct rl_watch *w)
{
	struct rl_pass pass;

	/* A hint: who opens it later comes too late for this search. */
	if (!(rl_guard_flags(&home_of(w)->guard) & RL_OPEN) ||
	    RL_PLANTED(CYCLE_WAITS_FOR_PASSERS))
		return;
	rl_pass_begin_home(&pass, w->lk, w->leader);
	rl_pass_end(&pass);
}

bool rl_watch_search(struct rl_watch *w)
{
	struct frozen f;

	if (!w->is_reported)
		move_passers(w);
	rl_guard_lock(&list.guard, w->lk->host);
	if (!plan_next(w) && !w->is_reported) {
		f.nr_watches = find_circle(w, f.circle);
		if (f.nr_watches && freeze(&f)) {
			if (is_circle(&f))
				return say_so(&f, w);
			thaw_but(&f, NULL);
		}
	}
	rl_guard_unlock(&list.guard);
	return false;
}
