/*
 * linear.c - the search for an order of a history's calls
 */
#include "tests/model/linear.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BITS	15
#define STATES_MAX	(3u << (MEMORY_BITS - 2))

/* What happens at one instant. */
enum instant {
	TAKE,		/* it arrives and holds */
	REFUSE,		/* it arrives, may not hold, and goes */
	ARRIVE,		/* it waits; in strict order it may be granted at once */
	ARRIVE_BEHIND,	/* a submit: it may not hold, and waits */
	GRANT,
	EXPIRE,		/* it waits, may not hold, and goes */
	DEADLOCK,	/* who arrives would wait for itself */
	AWAIT,		/* its thread begins to wait for what it submitted */
	AWAIT_ITSELF,	/* ... and is told that it would wait for itself */
	SEE_HELD,
	SEE_QUEUED,
	SEE_CANCELED,
	SEE_NOTHING,	/* neither queued nor held */
	CANCEL,
	LEAVE,		/* an unlock */
	CHANGE,
	KEEP,		/* a change that is refused */
};

struct event {
	enum instant instant;
	uint8_t thread, request;
	struct linear_range range;
	uint32_t from, until;
	bool may_not_happen;
	uint64_t after;			/* the events that come before, a bit each */
};

enum as { IDLE, WAITS, HOLDS, CANCELED };

struct state {
	uint64_t done;			/* events */
	uint32_t waits, holds;		/* requests, a bit each */
	uint32_t seen;			/* ... that somebody was told hold */
	uint32_t canceled;
	uint8_t nr_arrived;
	uint8_t arrival[LINEAR_REQUESTS];
	struct linear_range range[LINEAR_REQUESTS];
};

/* States from which no order leads to the end. */
struct memory {
	uint64_t done[1u << MEMORY_BITS], order[1u << MEMORY_BITS];
	uint32_t run[1u << MEMORY_BITS];	/* in which search it was written */
	uint32_t this_run;
	size_t nr;
};

struct search {
	enum linear_order order;
	size_t nr;
	uint64_t all, needed;		/* events, a bit each */
	struct event events[LINEAR_EVENTS];
	uint8_t owner[LINEAR_REQUESTS];
	bool is_full;
	struct memory *memory;
};

/* ---- The sequential lock ---- */

#define for_each_bit(i, bits)						\
	for (size_t i##_left = (bits), i;				\
	     i##_left && (i = (size_t)__builtin_ctzll(i##_left), true);	\
	     i##_left &= i##_left - 1)

/* Who among these conflicts with range. */
static uint32_t conflicting(const struct state *s, uint32_t among, struct linear_range range)
{
	uint32_t found = 0;

	for_each_bit(i, among)
		if (linear_conflict(s->range[i], range))
			found |= UINT32_C(1) << i;
	return found;
}

/* The waiters who came before x; all, if x is not there yet. */
static uint32_t earlier(const struct state *s, size_t x)
{
	uint32_t found = 0;

	if (!(s->waits >> x & 1))
		return s->waits;
	for_each_bit(i, s->waits)
		if (s->arrival[i] < s->arrival[x])
			found |= UINT32_C(1) << i;
	return found;
}

static uint32_t blockers(const struct state *s, size_t x, struct linear_range range)
{
	return conflicting(s, (s->holds | earlier(s, x)) & ~(UINT32_C(1) << x), range);
}

static bool may_hold(const struct search *f, const struct state *s, size_t x,
		     struct linear_range range)
{
	uint32_t in_the_way = blockers(s, x, range);

	return !(f->order == LINEAR_STRICT ? in_the_way : in_the_way & s->holds);
}

static bool may_fail(const struct search *f, const struct state *s, size_t x,
		     struct linear_range range)
{
	uint32_t in_the_way = blockers(s, x, range);

	return f->order == LINEAR_FREE ? in_the_way & s->holds : in_the_way;
}

/* Is x, directly or through waiters, behind one of these? */
static bool is_behind(const struct state *s, size_t x, struct linear_range range,
		      uint32_t these)
{
	uint32_t reached = blockers(s, x, range), looked = 0, next;

	while ((next = reached & s->waits & ~looked)) {
		size_t y = (size_t)__builtin_ctz(next);

		if (reached & these)
			return true;
		looked |= UINT32_C(1) << y;
		reached |= blockers(s, y, s->range[y]);
	}
	return reached & these;
}

static uint32_t owned_by(const struct search *f, const struct state *s, uint8_t thread)
{
	uint32_t found = 0;

	for_each_bit(i, s->waits | s->holds)
		if (f->owner[i] == thread)
			found |= UINT32_C(1) << i;
	return found;
}

static bool is_deadlocked(const struct search *f, const struct state *s, size_t x,
			  struct linear_range range)
{
	uint32_t own = owned_by(f, s, f->owner[x]) & ~(UINT32_C(1) << x);

	return own && is_behind(s, x, range, own);
}

/* Could x, who holds, become range? */
static bool can_change(const struct search *f, const struct state *s, size_t x,
		       struct linear_range range, bool passes_all)
{
	uint32_t me = UINT32_C(1) << x;

	if (conflicting(s, s->holds & ~me, range))
		return false;
	if (f->order == LINEAR_FREE || passes_all)
		return true;
	for_each_bit(y, conflicting(s, s->waits, range))
		if (!is_behind(s, y, s->range[y], me))
			return false;
	return true;
}

static bool is_smaller(struct linear_range range, struct linear_range was)
{
	uint32_t touches = was.reads | was.writes;

	return !(range.reads & ~touches) && !(range.writes & ~was.writes);
}

/* Strict order: a waiter whom nobody blocks is granted before anything else. */
static bool has_ready(const struct state *s)
{
	for_each_bit(x, s->waits)
		if (!blockers(s, x, s->range[x]))
			return true;
	return false;
}

/* ---- One instant ---- */

static void arrive(struct state *s, const struct event *e)
{
	s->range[e->request] = e->range;
	s->arrival[e->request] = s->nr_arrived++;
	s->waits |= UINT32_C(1) << e->request;
}

/* A request that is not there yet. */
static bool do_arrival(const struct search *f, struct state *s, const struct event *e)
{
	size_t x = e->request;
	bool deadlocked;

	switch (e->instant) {
	case TAKE:
		s->range[x] = e->range;
		s->holds |= UINT32_C(1) << x;
		s->seen |= UINT32_C(1) << x;
		return may_hold(f, s, x, e->range);
	case REFUSE:
		return may_fail(f, s, x, e->range);
	case ARRIVE_BEHIND:
		if (!may_fail(f, s, x, e->range))
			return false;
		arrive(s, e);
		return true;
	default:
		deadlocked = !may_hold(f, s, x, e->range) &&
			     is_deadlocked(f, s, x, e->range);
		if (e->instant == DEADLOCK)
			return may_fail(f, s, x, e->range) &&
			       is_deadlocked(f, s, x, e->range);
		if (deadlocked)
			return false;
		arrive(s, e);
		return true;
	}
}

/* Of a request that waits, or should. */
static bool do_wait(const struct search *f, struct state *s, const struct event *e)
{
	size_t x = e->request;
	uint32_t me = UINT32_C(1) << x;
	bool waits = s->waits & me;

	switch (e->instant) {
	case GRANT:
		if (!waits || !may_hold(f, s, x, s->range[x]))
			return false;
		s->waits &= ~me;
		s->holds |= me;
		return true;
	case EXPIRE:
		if (!waits || !may_fail(f, s, x, s->range[x]))
			return false;
		s->waits &= ~me;
		return true;
	case CANCEL:
		s->waits &= ~me;
		s->canceled |= me;
		return waits;
	case AWAIT:
		return !waits || may_hold(f, s, x, s->range[x]) ||
		       !is_deadlocked(f, s, x, s->range[x]);
	case AWAIT_ITSELF:
		return waits && is_deadlocked(f, s, x, s->range[x]);
	default:		/* SEE_QUEUED */
		return waits || (s->holds & me && !(s->seen & me));
	}
}

/* Returns: may it happen now?  If so, it has. */
static bool happen(const struct search *f, struct state *s, const struct event *e)
{
	uint32_t me = UINT32_C(1) << e->request;
	bool can;

	if (f->order == LINEAR_STRICT && e->instant != GRANT && has_ready(s))
		return false;
	switch (e->instant) {
	case TAKE:
	case REFUSE:
	case ARRIVE:
	case ARRIVE_BEHIND:
	case DEADLOCK:
		return do_arrival(f, s, e);
	case SEE_HELD:
		s->seen |= me;
		return s->holds & me;
	case SEE_CANCELED:
		return s->canceled & me;
	case SEE_NOTHING:
		return !((s->waits | s->holds) & me);
	case LEAVE:
		can = s->holds & me;
		s->holds &= ~me;
		return can;
	case CHANGE:
		can = s->holds & me &&
		      (is_smaller(e->range, s->range[e->request]) ||
		       can_change(f, s, e->request, e->range, f->order == LINEAR_EITHER));
		s->range[e->request] = e->range;
		return can;
	case KEEP:
		return s->holds & me && !can_change(f, s, e->request, e->range, false);
	default:
		return do_wait(f, s, e);
	}
}

/* ---- The search ---- */

/* The waiters in the order of their arrival, which is all that done does not say: of
 * the last twelve, and more do not wait at one time. */
static uint64_t order_of(const struct state *s)
{
	uint64_t order = 0;

	for (unsigned int at = 0; at < s->nr_arrived; at++)
		for_each_bit(x, s->waits)
			if (s->arrival[x] == at)
				order = order * LINEAR_REQUESTS + x;
	return order;
}

/* Was this state there before?  From now on it was. */
static bool is_known(struct search *f, const struct state *s)
{
	struct memory *m = f->memory;
	uint64_t order = order_of(s);
	uint64_t hash = (s->done * UINT64_C(0x9e3779b97f4a7c15) ^ order) *
			UINT64_C(0xbf58476d1ce4e5b9);
	size_t at = hash >> (64 - MEMORY_BITS);

	for (; m->run[at] == m->this_run; at = (at + 1) & ((1u << MEMORY_BITS) - 1))
		if (m->done[at] == s->done && m->order[at] == order)
			return true;
	if (m->nr >= STATES_MAX) {
		f->is_full = true;
		return true;
	}
	m->nr++;
	m->run[at] = m->this_run;
	m->done[at] = s->done;
	m->order[at] = order;
	return false;
}

static bool go_on(struct search *f, const struct state *was)
{
	if (!(f->needed & ~was->done))
		return true;
	if (is_known(f, was))
		return false;
	for_each_bit(i, f->all & ~was->done) {
		struct state s;

		if (f->events[i].after & ~was->done)
			continue;
		s = *was;
		s.done |= UINT64_C(1) << i;
		if (happen(f, &s, &f->events[i]) && go_on(f, &s))
			return true;
	}
	return false;
}

/* ---- From calls to instants ---- */

static void add(struct search *f, const struct linear_call *c, enum instant instant)
{
	if (f->nr < LINEAR_EVENTS)
		f->events[f->nr] = (struct event){
			.instant = instant,
			.thread = c->thread,
			.request = c->request,
			.range = c->range,
			.from = c->called,
			.until = c->returned,
		};
	f->nr++;
}

/* The end of a wait, in a lock call or in a wait for what was submitted. */
static enum instant end_of_wait(int answer)
{
	return answer == ETIMEDOUT ? EXPIRE : SEE_CANCELED;
}

static void add_waiting_call(struct search *f, const struct linear_call *c)
{
	bool is_lock = c->kind == LINEAR_LOCK;

	if (c->answer == EDEADLK) {
		add(f, c, is_lock ? DEADLOCK : AWAIT_ITSELF);
		return;
	}
	add(f, c, is_lock ? ARRIVE : AWAIT);
	if (c->answer)
		add(f, c, end_of_wait(c->answer));
	else
		add(f, c, is_lock ? GRANT : SEE_HELD);
}

/* Had its unlock been called when this call returned?  Until that returns, the handle may
 * be empty already, and the range still held. */
static bool is_leaving(const struct linear_history *h, const struct linear_call *c)
{
	for (size_t i = 0; i < h->nr_calls; i++)
		if (h->calls[i].request == c->request && h->calls[i].kind == LINEAR_UNLOCK &&
		    h->calls[i].called < c->returned)
			return true;
	return false;
}

/* Does some call say that it was held? */
static bool was_granted(const struct linear_history *h, size_t request)
{
	for (size_t i = 0; i < h->nr_calls; i++) {
		const struct linear_call *c = &h->calls[i];

		if (c->request == request &&
		    (c->kind == LINEAR_UNLOCK || c->kind == LINEAR_CHANGE ||
		     (c->kind == LINEAR_CANCEL && c->answer == EBUSY) ||
		     ((c->kind == LINEAR_WAIT || c->kind == LINEAR_POLL) && !c->answer)))
			return true;
	}
	return false;
}

static void add_submit(struct search *f, const struct linear_history *h,
		       const struct linear_call *c)
{
	if (!c->answer) {
		add(f, c, TAKE);
		return;
	}
	add(f, c, ARRIVE_BEHIND);
	add(f, c, GRANT);
	if (f->nr > LINEAR_EVENTS)
		return;
	/* Whenever the others let it; and if nobody says so, perhaps never. */
	f->events[f->nr - 1].until = UINT32_MAX;
	f->events[f->nr - 1].may_not_happen = !was_granted(h, c->request);
}

static enum instant look(int answer)
{
	return answer == 0 ? SEE_HELD : answer == EINPROGRESS ? SEE_QUEUED : SEE_CANCELED;
}

static void add_call(struct search *f, const struct linear_history *h,
		     const struct linear_call *c)
{
	if (c->kind <= LINEAR_SUBMIT)
		f->owner[c->request] = c->thread;
	switch (c->kind) {
	case LINEAR_TRY:
		if (!c->answer || !c->is_unsure)
			add(f, c, c->answer ? REFUSE : TAKE);
		break;
	case LINEAR_LOCK:
	case LINEAR_WAIT:
		add_waiting_call(f, c);
		break;
	case LINEAR_SUBMIT:
		add_submit(f, h, c);
		break;
	case LINEAR_POLL:
		add(f, c, look(c->answer));
		break;
	case LINEAR_CANCEL:
		if (c->answer != EINVAL)
			add(f, c, c->answer ? SEE_HELD : CANCEL);
		else if (!is_leaving(h, c))
			add(f, c, SEE_NOTHING);
		break;
	case LINEAR_UNLOCK:
		add(f, c, LEAVE);
		break;
	case LINEAR_CHANGE:
		add(f, c, c->answer ? KEEP : CHANGE);
		break;
	}
}

static int by_until(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->until != y->until)
		return x->until < y->until ? -1 : 1;
	return (int)x->instant - (int)y->instant;
}

/* Stamps order calls; within a call its instants have their order by what they ask for. */
static void order_events(struct search *f)
{
	qsort(f->events, f->nr, sizeof(f->events[0]), by_until);
	for (size_t i = 0; i < f->nr; i++) {
		f->all |= UINT64_C(1) << i;
		if (!f->events[i].may_not_happen)
			f->needed |= UINT64_C(1) << i;
		for (size_t k = 0; k < f->nr; k++)
			if (f->events[k].until < f->events[i].from)
				f->events[i].after |= UINT64_C(1) << k;
	}
}

enum linear_verdict linear_check(const struct linear_history *h)
{
	static _Thread_local struct memory *memory;
	struct state s = { .done = 0 };
	struct search f = { .order = h->order };

	for (size_t i = 0; i < h->nr_calls; i++)
		add_call(&f, h, &h->calls[i]);
	if (f.nr > LINEAR_EVENTS)
		return LINEAR_UNDECIDED;
	order_events(&f);
	if (!memory)
		memory = calloc(1, sizeof(*memory));
	if (!memory)
		abort();
	memory->this_run++;
	memory->nr = 0;
	f.memory = memory;
	if (go_on(&f, &s))
		return LINEAR_RIGHT;
	return f.is_full ? LINEAR_UNDECIDED : LINEAR_WRONG;
}

/* ---- What a person reads ---- */

static const char *name_of(int answer)
{
	static const struct {
		int answer;
		const char *name;
	} names[] = {
		{ 0, "0" }, { EBUSY, "EBUSY" }, { ETIMEDOUT, "ETIMEDOUT" },
		{ ECANCELED, "ECANCELED" }, { EDEADLK, "EDEADLK" },
		{ EINPROGRESS, "EINPROGRESS" }, { EINVAL, "EINVAL" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].answer == answer)
			return names[i].name;
	return "?";
}

static void print_call(const struct linear_call *c)
{
	static const char *const kinds[] = {
		"try", "lock", "submit", "wait", "poll", "cancel", "unlock", "change",
	};

	printf("  [%3" PRIu32 ", %3" PRIu32 "] %*sthread %u: %s #%u", c->called, c->returned,
	       4 * c->thread, "", c->thread, kinds[c->kind], c->request);
	if (c->kind <= LINEAR_SUBMIT || c->kind == LINEAR_CHANGE)
		printf(" reads %04" PRIx32 " writes %04" PRIx32, c->range.reads,
		       c->range.writes);
	printf(" -> %s%s\n", name_of(c->answer), c->is_unsure ? " (perhaps by a guard)" : "");
}

void linear_print(const struct linear_history *h)
{
	static const char *const orders[] = { "strict", "free", "either" };
	bool printed[LINEAR_CALLS] = { false };
	size_t next;

	printf("order %s; [before, after] the call, places as bits:\n", orders[h->order]);
	for (size_t n = 0; n < h->nr_calls; n++) {
		next = h->nr_calls;
		for (size_t i = 0; i < h->nr_calls; i++)
			if (!printed[i] && (next == h->nr_calls ||
					    h->calls[i].called < h->calls[next].called))
				next = i;
		printed[next] = true;
		print_call(&h->calls[next]);
	}
	fflush(stdout);
}
