/*
 * brute.c - the lock's promises, read literally
 *
 * Quadratic in everything, and short enough to be believed.
 */
#include "tests/model/brute.h"

#include <errno.h>

static bool spans_conflict(const struct brute_span *x,
			   const struct brute_span *y)
{
	return x->start < y->end && y->start < x->end &&
	       (x->mode == RL_WRITE || y->mode == RL_WRITE);
}

static bool is_in(const struct brute_request *r)
{
	return r->as == BRUTE_WAITS || r->as == BRUTE_HOLDS;
}

void brute_lock_by_grain(struct brute_request *r, enum rl_grain grain)
{
	struct brute_span all = { 0, RL_END, RL_READ };

	r->grain = grain;
	r->nr_locked = r->nr_spans;
	for (unsigned int i = 0; i < r->nr_spans; i++) {
		r->locked[i] = r->declared[i];
		if (r->declared[i].mode == RL_WRITE)
			all.mode = RL_WRITE;
	}
	if (grain != RL_FINE) {
		r->locked[0] = all;
		r->nr_locked = 1;
	}
}

/* How many nodes of y block x by D1. */
static size_t pair_blockers(const struct brute_request *x,
			    const struct brute_request *y)
{
	size_t n = 0;

	if (x == y || !is_in(y) || (y->as == BRUTE_WAITS && y->seq >= x->seq))
		return 0;
	for (unsigned int i = 0; i < x->nr_locked; i++)
		for (unsigned int k = 0; k < y->nr_locked; k++)
			n += spans_conflict(&x->locked[i], &y->locked[k]);
	return n;
}

size_t brute_blockers(const struct brute *b, unsigned int i, size_t *nr_held)
{
	size_t n = 0;

	*nr_held = 0;
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];
		size_t pair = pair_blockers(&b->requests[i], y);

		n += pair;
		if (y->as == BRUTE_HOLDS)
			*nr_held += pair;
	}
	return n;
}

static bool is_young(const struct brute *b, const struct brute_request *y)
{
	return b->now_ns - y->since_ns < b->bypass_ns;
}

/* G3: does x conflict with waiters only, and may it pass them all? */
static bool may_pass(const struct brute *b, const struct brute_request *x)
{
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];

		if (pair_blockers(x, y) &&
		    (y->as == BRUTE_HOLDS || !is_young(b, y)))
			return false;
	}
	return true;
}

/* Does the owner of x sleep until another request of his, in the same arbiter,
 * ends? */
static bool owner_sleeps(const struct brute *b, const struct brute_request *x)
{
	if (x->is_awaited || x->owner == RL_NOBODY)
		return false;
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];

		if (y->as == BRUTE_WAITS && y->is_awaited &&
		    y->owner == x->owner && y->arbiter == x->arbiter)
			return true;
	}
	return false;
}

static void hold(struct brute *b, struct brute_request *x)
{
	x->as = BRUTE_HOLDS;
	b->stats.nr_locked[x->locked[0].mode][x->grain != RL_FINE]++;
}

static void end_wait(struct brute *b, const struct brute_request *x)
{
	uint64_t ns = b->now_ns - x->since_ns;

	b->stats.nr_waits[x->is_true ? 0 : 1]++;
	b->stats.wait_ns[x->is_true ? 0 : 1] += ns;
	if (b->stats.wait_ns_max < ns)
		b->stats.wait_ns_max = ns;
}

static void grant(struct brute *b, unsigned int i)
{
	end_wait(b, &b->requests[i]);
	hold(b, &b->requests[i]);
	b->granted[b->nr_granted++] = i;
}

static bool is_before(const struct brute_request *x,
		      const struct brute_request *y)
{
	return x->seq < y->seq;
}

/* All who wait, in the order of their arrival.  Returns: how many. */
static unsigned int sort_waiters(const struct brute *b,
				 unsigned int order[BRUTE_MAX])
{
	unsigned int nr = 0, at;

	for (unsigned int i = 0; i < BRUTE_MAX; i++) {
		if (b->requests[i].as != BRUTE_WAITS)
			continue;
		for (at = nr++; at && is_before(&b->requests[i],
						&b->requests[order[at - 1]]);
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	return nr;
}

/* Held ones count twice: one that stops holding is less of a blocker. */
static size_t weigh_blockers(const struct brute *b, unsigned int i)
{
	size_t nr_held, nr = brute_blockers(b, i, &nr_held);

	return nr + nr_held;
}

/* Something is going to happen, and settle() comes after it. */
static void look_before(struct brute *b)
{
	for (unsigned int i = 0; i < BRUTE_MAX; i++)
		if (b->requests[i].as == BRUTE_WAITS)
			b->before[i] = weigh_blockers(b, i);
}

static void settle(struct brute *b)
{
	unsigned int order[BRUTE_MAX], nr = sort_waiters(b, order), i;
	bool has_lost[BRUTE_MAX];
	size_t nr_held;

	for (i = 0; i < nr; i++)
		has_lost[i] = weigh_blockers(b, order[i]) < b->before[order[i]];
	for (i = 0; i < nr; i++)
		if (!brute_blockers(b, order[i], &nr_held))
			grant(b, order[i]);
	for (i = 0; i < nr; i++) {
		if (b->requests[order[i]].as != BRUTE_WAITS || !has_lost[i] ||
		    !may_pass(b, &b->requests[order[i]]) ||
		    owner_sleeps(b, &b->requests[order[i]]))
			continue;
		grant(b, order[i]);
		b->stats.nr_bypasses++;
	}
}

/* Does some chain of waiters from i on lead to a request of this owner, or to
 * the target? */
static bool leads_to(const struct brute *b, unsigned int i, uint64_t owner,
		     const struct brute_request *target, bool seen[BRUTE_MAX])
{
	seen[i] = true;
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];

		if (!pair_blockers(&b->requests[i], y))
			continue;
		if (target ? y == target : y->owner == owner)
			return true;
		if (y->as == BRUTE_WAITS && !seen[k] &&
		    leads_to(b, k, owner, target, seen))
			return true;
	}
	return false;
}

static bool is_deadlocked(const struct brute *b, unsigned int i, uint64_t owner)
{
	bool seen[BRUTE_MAX] = { false };

	return leads_to(b, i, owner, NULL, seen);
}

static bool waits_for(const struct brute *b, unsigned int i,
		      const struct brute_request *target)
{
	bool seen[BRUTE_MAX] = { false };

	return leads_to(b, i, RL_NOBODY, target, seen);
}

int brute_await(struct brute *b, unsigned int i, uint64_t owner)
{
	struct brute_request *x = &b->requests[i];

	if (x->as == BRUTE_WAITS && is_deadlocked(b, i, owner)) {
		b->stats.nr_deadlocks++;
		return EDEADLK;
	}
	x->owner = owner;
	x->is_awaited = true;
	return EINPROGRESS;
}

int brute_foresee(const struct brute *b, unsigned int i,
		  enum brute_patience patience)
{
	struct brute later = *b;

	return brute_enter(&later, i, patience);
}

static bool declared_conflict(const struct brute_request *x,
			      const struct brute_request *y)
{
	for (unsigned int i = 0; i < x->nr_spans; i++)
		for (unsigned int k = 0; k < y->nr_spans; k++)
			if (spans_conflict(&x->declared[i], &y->declared[k]))
				return true;
	return false;
}

static void start_wait(struct brute *b, struct brute_request *x)
{
	x->since_ns = b->now_ns;
	x->is_true = false;
	x->arbiter = NULL;
	for (unsigned int k = 0; k < BRUTE_MAX; k++)
		if (pair_blockers(x, &b->requests[k]) &&
		    declared_conflict(x, &b->requests[k]))
			x->is_true = true;
	x->as = BRUTE_WAITS;
	b->stats.nr_contended[x->locked[0].mode][x->grain != RL_FINE]++;
}

int brute_enter(struct brute *b, unsigned int i, enum brute_patience patience)
{
	struct brute_request *x = &b->requests[i];
	size_t nr_held, nr;

	x->seq = ++b->seq;
	nr = brute_blockers(b, i, &nr_held);
	if (!nr || may_pass(b, x)) {
		hold(b, x);
		b->stats.nr_bypasses += nr != 0;
		return 0;
	}
	if (patience == BRUTE_TRY)
		return EBUSY;
	if (patience == BRUTE_BLOCK && is_deadlocked(b, i, x->owner)) {
		b->stats.nr_deadlocks++;
		return EDEADLK;
	}
	start_wait(b, x);
	x->is_awaited = patience == BRUTE_BLOCK;
	return EINPROGRESS;
}

void brute_unlock(struct brute *b, unsigned int i)
{
	look_before(b);
	b->requests[i].as = BRUTE_IDLE;
	settle(b);
}

int brute_cancel(struct brute *b, unsigned int i)
{
	struct brute_request *x = &b->requests[i];

	if (x->as != BRUTE_WAITS)
		return x->as == BRUTE_HOLDS ? EBUSY : EINVAL;
	look_before(b);
	end_wait(b, x);
	b->stats.nr_cancels++;
	x->as = BRUTE_CANCELED;
	settle(b);
	return 0;
}

void brute_expire(struct brute *b, unsigned int i)
{
	look_before(b);
	end_wait(b, &b->requests[i]);
	b->stats.nr_timeouts++;
	b->requests[i].as = BRUTE_IDLE;
	settle(b);
}

void brute_downgrade(struct brute *b, unsigned int i)
{
	look_before(b);
	b->requests[i].locked[0].mode = RL_READ;
	b->requests[i].declared[0].mode = RL_READ;
	settle(b);
}

/* Would x, that holds, meet a holder if it became this? */
static bool meets_holder(const struct brute *b, const struct brute_request *x,
			 const struct brute_span *is)
{
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];

		if (y == x || y->as != BRUTE_HOLDS)
			continue;
		for (unsigned int j = 0; j < y->nr_locked; j++)
			if (spans_conflict(is, &y->locked[j]))
				return true;
	}
	return false;
}

/* Is there an old waiter whom x would pass as is, and who does not wait for x? */
static bool meets_old_waiter(const struct brute *b,
			     const struct brute_request *x,
			     const struct brute_span *is)
{
	for (unsigned int k = 0; k < BRUTE_MAX; k++) {
		const struct brute_request *y = &b->requests[k];

		if (y->as != BRUTE_WAITS || is_young(b, y) ||
		    waits_for(b, k, x))
			continue;
		for (unsigned int j = 0; j < y->nr_locked; j++)
			if (spans_conflict(is, &y->locked[j]))
				return true;
	}
	return false;
}

int brute_tryupgrade(struct brute *b, unsigned int i)
{
	struct brute_request *x = &b->requests[i];
	struct brute_span is = x->locked[0];

	is.mode = RL_WRITE;
	if (meets_holder(b, x, &is) || meets_old_waiter(b, x, &is))
		return EBUSY;
	x->locked[0].mode = RL_WRITE;
	x->declared[0].mode = RL_WRITE;
	return 0;
}

static void reshape(struct brute_request *x, uint64_t start, uint64_t end)
{
	x->declared[0].start = start;
	x->declared[0].end = end;
	if (x->has_site && x->grain != RL_FINE)
		return;
	x->locked[0].start = start;
	x->locked[0].end = end;
}

int brute_narrow(struct brute *b, unsigned int i, uint64_t start, uint64_t end)
{
	struct brute_request *x = &b->requests[i];

	if (start >= end || start < x->declared[0].start ||
	    end > x->declared[0].end)
		return EINVAL;
	look_before(b);
	reshape(x, start, end);
	if (!x->has_site)
		x->grain = RL_FINE;
	settle(b);
	return 0;
}

int brute_tryextend(struct brute *b, unsigned int i, uint64_t start,
		    uint64_t end)
{
	struct brute_request *x = &b->requests[i];
	struct brute_span is = { start, end, x->locked[0].mode };

	if (start >= end || start > x->declared[0].start ||
	    end < x->declared[0].end)
		return EINVAL;
	if (!(x->has_site && x->grain != RL_FINE) &&
	    (meets_holder(b, x, &is) || meets_old_waiter(b, x, &is)))
		return EBUSY;
	reshape(x, start, end);
	return 0;
}

/* Byte by byte it would be; it is enough to look where a range begins. */
bool brute_is_held(const struct brute *b, uint64_t owner, uint64_t start,
		   uint64_t end, enum rl_mode mode)
{
	uint64_t at = start;

	while (at < end) {
		uint64_t reach = at;

		for (unsigned int k = 0; k < BRUTE_MAX; k++) {
			const struct brute_request *y = &b->requests[k];

			if (y->as != BRUTE_HOLDS || y->owner != owner)
				continue;
			for (unsigned int j = 0; j < y->nr_locked; j++)
				if (y->locked[j].start <= at &&
				    y->locked[j].end > reach &&
				    y->locked[j].mode >= mode)
					reach = y->locked[j].end;
		}
		if (reach == at)
			return false;
		at = reach;
	}
	return true;
}

bool brute_is_exclusive(const struct brute *b)
{
	for (unsigned int i = 0; i < BRUTE_MAX; i++)
		for (unsigned int k = 0; k < b->requests[i].nr_locked; k++)
			if (b->requests[i].as == BRUTE_HOLDS &&
			    meets_holder(b, &b->requests[i],
					 &b->requests[i].locked[k]))
				return false;
	return true;
}
