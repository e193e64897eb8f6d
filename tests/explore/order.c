/*
 * order.c - who passes whom (G3), and may he?
 *
 * Whenever a guard is about to be let go, everybody in the trees and entries under
 * it is compared with how he stood when it was last let go.  Who holds now what
 * conflicts with somebody who waited then, but not for him, directly or through
 * others, has passed him.  (Whoever waits does so for those who hold, or came
 * before him.)  That is allowed only while the one who was passed has waited for
 * less than the bypass bound, and that by the clock as it was when the guard was
 * taken.  A holder who changes what he holds passes those who wait for him anyway.
 *
 * The order of arrival is the order in which they were first seen waiting: the
 * library's own numbers are not looked at.  Who stands in an entry holds, too.
 */
#include "rangelock/engine/entries.h"
#include "rangelock/engine/shards.h"
#include "tests/explore/scenario.h"

#include <string.h>

struct stand {
	bool waits, holds;
	uint8_t mode;
	uint64_t start, end;
	unsigned int arrival;		/* of a waiter */
};

#define NODES	(HANDLES * MEMBERS)

static struct order {
	struct stand stands[NODES];
	unsigned int nr_arrived;
	uint64_t bypass_ns;
} order;

const struct ex_region order_state = { &order, sizeof(order) };

void order_begin(uint64_t bypass_ns)
{
	memset(&order, 0, sizeof(order));
	order.bypass_ns = bypass_ns;
}

void order_forget(unsigned int number)
{
	memset(&order.stands[number * MEMBERS], 0,
	       MEMBERS * sizeof(order.stands[0]));
}

static bool conflict(const struct stand *a, const struct stand *b)
{
	return a->start < b->end && b->start < a->end &&
	       (a->mode == RL_WRITE || b->mode == RL_WRITE);
}

static struct stand stand_of(const struct rl_range *r)
{
	return (struct stand){
		.waits = rl_range_leader(r)->flags & RL_F_WAITING,
		.holds = rl_range_leader(r)->flags & RL_F_HELD,
		.mode = (uint8_t)rl_range_mode(r),
		.start = r->node.start, .end = r->node.end,
	};
}

static const struct rl_range *range_at(size_t i)
{
	return &scene->handles[0][0] + i;
}

/* Who is under a guard that is about to be let go. */
struct sight {
	size_t nr;
	size_t at[NODES];		/* their indices */
	struct stand stands[NODES];
};

/* D1: was i in j's way, who waited? */
static bool was_in_the_way(size_t i, size_t j)
{
	const struct stand *x = &order.stands[i], *y = &order.stands[j];

	return i / MEMBERS != j / MEMBERS && y->waits && conflict(x, y) &&
	       (x->holds || (x->waits && x->arrival < y->arrival));
}

/* Did j's request wait for i's, directly or through others in sight? */
static bool waited_for(const struct sight *s, size_t j, size_t i)
{
	unsigned int reached = 1u << j / MEMBERS, before;

	do {
		before = reached;
		for (size_t y = 0; y < s->nr; y++)
			for (size_t x = 0; x < s->nr; x++)
				if (reached >> s->at[y] / MEMBERS & 1 &&
				    was_in_the_way(s->at[x], s->at[y]))
					reached |= 1u << s->at[x] / MEMBERS;
	} while (reached != before);
	return reached >> i / MEMBERS & 1;
}

/* The x-th in sight holds, the y-th waits. */
static void check_pair(const struct sight *s, size_t x, size_t y, uint64_t taken)
{
	size_t i = s->at[x], j = s->at[y];
	uint64_t since = rl_range_leader(range_at(j))->since_ns;

	if (!conflict(&s->stands[x], &s->stands[y]) || !order.stands[j].waits ||
	    waited_for(s, j, i))
		return;
	if (!order.bypass_ns || taken >= since + order.bypass_ns)
		ex_fail("G3: h%zu passes h%zu, who has waited %lu ns",
			i / MEMBERS, j / MEMBERS,
			(unsigned long)(taken - since));
}

static const struct rl_arbiter *arbiter_of(const uint32_t *guard)
{
	const struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++)
		if (&a->guard == guard)
			return a;
	return NULL;
}

static void see(struct sight *s, const struct rl_range *r, struct stand stand)
{
	s->at[s->nr] = (size_t)(r - range_at(0));
	s->stands[s->nr++] = stand;
}

/* Those in a's entries who were not moved to a tree. */
static void see_inline(const struct rl_arbiter *a, struct sight *s)
{
	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		uint64_t holder = a->entry_holder[i];

		if (holder && !(a->guard & RL_MOVED(i)))
			see(s, rl_entry_range(holder), (struct stand){
				.holds = true,
				.mode = holder & 1 ? RL_WRITE : RL_READ,
				.start = a->entry_start[i],
				.end = rl_entry_end(a, i),
			});
	}
}

/* Those in the trees under a's guard as well. */
static void see_all(const struct rl_arbiter *a, struct sight *s)
{
	struct rl_walk w;
	struct rl_node *n = rl_walk_first(&w, &scene->lk, a, 0, RL_END);

	s->nr = 0;
	see_inline(a, s);
	for (; n && s->nr < NODES; n = rl_walk_next(&w, n))
		see(s, rl_range_of(n), stand_of(rl_range_of(n)));
}

void order_check(const uint32_t *guard, uint64_t taken_ns)
{
	const struct rl_arbiter *a = arbiter_of(guard);
	struct sight s;

	if (!a || (a != &scene->lk.central && a->guard & RL_CLOSED))
		return;
	see_all(a, &s);
	for (size_t y = 0; y < s.nr; y++)
		for (size_t x = 0; x < s.nr && s.stands[y].waits; x++)
			if (s.stands[x].holds)
				check_pair(&s, x, y, taken_ns);
	for (size_t x = 0; x < s.nr; x++) {
		struct stand *was = &order.stands[s.at[x]];

		s.stands[x].arrival = s.stands[x].waits && !was->waits ?
				      ++order.nr_arrived : was->arrival;
		*was = s.stands[x];
	}
}
