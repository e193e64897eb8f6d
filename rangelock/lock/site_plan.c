/*
 * site_plan.c - in which order to convert, and what has ended by then
 *
 * A wait that both sides lock too much for ends only when both are fine, so the
 * best site alone is often a poor choice.  The plan is greedy: the site, or the
 * two, that end the most false waiting for each conversion come next.
 *
 * Cost: steps times candidates times pairs.  Weak spot: greedy is not optimal
 * where three or more sites hang together.
 */
#include <string.h>

#include "rangelock/lock/site.h"

/* The waits that can end, and by whose conversion. */
struct plan {
	struct rl_charge pairs[RL_PLAN_PAIRS];
	size_t nr_pairs;
	bool is_fine[RL_SITES_MAX + 1];		/* by id, so far */
};

static void read_pairs(struct plan *p)
{
	struct rl_charge pair;
	size_t at = 0;

	memset(p, 0, sizeof(*p));
	while (p->nr_pairs < RL_PLAN_PAIRS && rl_charge_next(&at, &pair))
		if (pair.nr_false[1] || pair.nr_false[2] || pair.nr_false[3])
			p->pairs[p->nr_pairs++] = pair;
}

static uint64_t removed_ns(const struct plan *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->nr_pairs; i++) {
		const struct rl_charge *c = &p->pairs[i];
		bool waiter = p->is_fine[rl_charge_waiter(c)];
		bool blocker = p->is_fine[rl_charge_blocker(c)];

		sum += waiter ? c->false_ns[RL_WIDE_WAITER] : 0;
		sum += blocker ? c->false_ns[RL_WIDE_BLOCKER] : 0;
		sum += waiter && blocker ?
		       c->false_ns[RL_WIDE_WAITER | RL_WIDE_BLOCKER] : 0;
	}
	return sum;
}

/* What has ended if these two (or this one, twice) turn fine as well. */
static uint64_t removed_with(struct plan *p, uint16_t a, uint16_t b)
{
	bool was_a = p->is_fine[a], was_b = p->is_fine[b];
	uint64_t sum;

	p->is_fine[a] = p->is_fine[b] = true;
	sum = removed_ns(p);
	p->is_fine[a] = was_a;
	p->is_fine[b] = was_b;
	return sum;
}

struct choice {
	uint16_t first, second;
	uint64_t gain_ns;		/* for each conversion */
};

static void consider(struct plan *p, struct choice *best, uint64_t now_ns,
		     uint16_t a, uint16_t b)
{
	unsigned int nr = (unsigned int)!p->is_fine[a] +
			  (unsigned int)(b != a && !p->is_fine[b]);
	uint64_t gain_ns;

	if (!nr || !a || !b)
		return;
	gain_ns = (removed_with(p, a, b) - now_ns) / nr;
	if (gain_ns > best->gain_ns)
		*best = (struct choice){ a, b, gain_ns };
}

static struct choice choose(struct plan *p)
{
	struct choice best = { 0, 0, 0 };
	uint64_t now_ns = removed_ns(p);

	for (size_t i = 0; i < p->nr_pairs; i++) {
		uint16_t waiter = rl_charge_waiter(&p->pairs[i]);
		uint16_t blocker = rl_charge_blocker(&p->pairs[i]);

		consider(p, &best, now_ns, waiter, waiter);
		consider(p, &best, now_ns, blocker, blocker);
		consider(p, &best, now_ns, waiter, blocker);
	}
	return best;
}

static size_t add_step(struct plan *p, struct rl_plan_step *steps, size_t nr,
		       size_t n, uint16_t id)
{
	if (nr == n || p->is_fine[id])
		return nr;
	p->is_fine[id] = true;
	steps[nr] = (struct rl_plan_step){ id, removed_ns(p) };
	return nr + 1;
}

size_t rl_sites_plan(struct rl_plan_step *steps, size_t n)
{
	struct plan p;
	size_t nr = 0;

	read_pairs(&p);
	while (nr < n) {
		struct choice c = choose(&p);

		if (!c.gain_ns)
			break;
		/* Of two the one that ends more by itself comes first. */
		if (removed_with(&p, c.second, c.second) >
		    removed_with(&p, c.first, c.first)) {
			uint16_t swap = c.first;

			c.first = c.second;
			c.second = swap;
		}
		nr = add_step(&p, steps, nr, n, c.first);
		nr = add_step(&p, steps, nr, n, c.second);
	}
	return nr;
}
