/*
 * order.c - who passes whom (G3), and may he?
 *
 * Whenever a guard is about to be let go, everybody in the trees and entries under
 * it is compared with how he stood when it was last let go.  Who holds now what
 * conflicts with somebody who waited then, and did not hold it then, has passed
 * him, unless he was waiting since before him.  That is allowed only while the
 * one who was passed has waited for less than the bypass bound, and that by the
 * clock as it was when the guard was taken.
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

/* x holds, y waits: x was not in y's way before. */
static void check_pair(size_t i, const struct stand *x, size_t j,
		       const struct stand *y, uint64_t taken)
{
	const struct stand *x_was = &order.stands[i], *y_was = &order.stands[j];
	uint64_t since = rl_range_leader(range_at(j))->since_ns;

	if (!conflict(x, y) || !y_was->waits ||
	    (x_was->holds && conflict(x_was, y_was)) ||
	    (x_was->waits && x_was->arrival < y_was->arrival))
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

/* Those in a's entries who were not moved to a tree. */
static size_t find_inline(const struct rl_arbiter *a, size_t *found,
			  struct stand *stands)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < RL_ENTRIES; i++) {
		uint64_t holder = a->entry_holder[i];

		if (!holder || a->guard & RL_MOVED(i))
			continue;
		found[nr] = (size_t)(rl_entry_range(holder) - range_at(0));
		stands[nr++] = (struct stand){
			.holds = true, .mode = holder & 1 ? RL_WRITE : RL_READ,
			.start = a->entry_start[i], .end = rl_entry_end(a, i),
		};
	}
	return nr;
}

/* Those in the trees under a's guard as well: their indices, how they stand. */
static size_t find_all(const struct rl_arbiter *a, size_t *found,
		       struct stand *stands)
{
	struct rl_walk w;
	struct rl_node *n = rl_walk_first(&w, &scene->lk, a, 0, RL_END);
	size_t nr = find_inline(a, found, stands);

	for (; n && nr < NODES; n = rl_walk_next(&w, n)) {
		found[nr] = (size_t)(rl_range_of(n) - range_at(0));
		stands[nr] = stand_of(rl_range_of(n));
		nr++;
	}
	return nr;
}

void order_check(const uint32_t *guard, uint64_t taken_ns)
{
	const struct rl_arbiter *a = arbiter_of(guard);
	struct stand stands[NODES];
	size_t found[NODES], nr;

	if (!a || (a != &scene->lk.central && a->guard & RL_CLOSED))
		return;
	nr = find_all(a, found, stands);
	for (size_t j = 0; j < nr; j++) {
		if (!stands[j].waits)
			continue;
		for (size_t i = 0; i < nr; i++)
			if (stands[i].holds)
				check_pair(found[i], &stands[i], found[j],
					   &stands[j], taken_ns);
	}
	for (size_t i = 0; i < nr; i++) {
		struct stand *was = &order.stands[found[i]];

		stands[i].arrival = stands[i].waits && !was->waits ?
				    ++order.nr_arrived : was->arrival;
		*was = stands[i];
	}
}
