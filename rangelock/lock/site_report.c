/*
 * site_report.c - sum the waits of pairs up by site and rank the sites
 *
 * Whoever locks more than he declares can be the reason of a false wait.  If
 * one of the two did, converting his site ends such waits: they are removable.
 * If both did, it takes both: they are shared.  A site that waits for itself
 * counts as one, since converting it converts both.
 *
 * Cost: a pass over the table of pairs for each site.
 * Weak spot: counters move while they are read; each figure is exact as of some
 * moment of the call.
 */
#include <rangelock/site.h>

#include <errno.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/lock/site.h"

struct rank {
	uint16_t id;
	uint64_t removable_ns, shared_ns, nr_removable, nr_shared;
	uint64_t wait_ns, nr_waits;
};

static uint64_t sum_false(const uint64_t by_wide[4])
{
	return by_wide[0] + by_wide[1] + by_wide[2] + by_wide[3];
}

void rl_site_attribute(struct rl_site_stats *s, uint16_t id,
		       const struct rl_charge *pair)
{
	bool waits = rl_charge_waiter(pair) == id;
	bool blocks = rl_charge_blocker(pair) == id;
	bool is_alone = waits && blocks;

	if (waits) {
		s->nr_waits[0] += pair->nr_true;
		s->wait_ns[0] += pair->true_ns;
		s->nr_waits[1] += sum_false(pair->nr_false);
		s->wait_ns[1] += sum_false(pair->false_ns);
	}
	for (unsigned int wide = 1; wide <= 3; wide++) {
		bool mine = (waits && (wide & RL_WIDE_WAITER)) ||
			    (blocks && (wide & RL_WIDE_BLOCKER));

		if (!mine)
			continue;
		if (wide != 3 || is_alone) {
			s->removable_ns += pair->false_ns[wide];
			s->nr_removable += pair->nr_false[wide];
		} else {
			s->shared_ns += pair->false_ns[wide];
			s->nr_shared += pair->nr_false[wide];
		}
	}
}

/* relaxed, all of them: counters. */
static void read_counters(const struct rl_site *site, struct rl_site_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->name = site->name;
	s->file = site->file;
	s->line = site->line;
	s->grain = (enum rl_grain)rl_load_relaxed(&site->grain);
	s->nr_misused = rl_load_relaxed(&site->nr_misused);
	for (unsigned int i = 0; i < RL_SITE_STRIPES; i++)
		for (unsigned int mode = 0; mode < 2; mode++)
			s->nr_locked[mode] += rl_load_relaxed64(
				&site->stripes[i].nr_locked[mode]);
}

void rl_site_read(uint16_t id, struct rl_site_stats *s)
{
	struct rl_charge pair;
	size_t at = 0;

	read_counters(rl_site_at(id), s);
	while (rl_charge_next(&at, &pair))
		rl_site_attribute(s, id, &pair);
}

/* Of two sites: the more is removed, then shared, then waited, the better. */
static bool is_better(const struct rank *a, const struct rank *b)
{
	const uint64_t mine[] = { a->removable_ns, a->shared_ns,
				  a->nr_removable, a->nr_shared,
				  a->wait_ns, a->nr_waits };
	const uint64_t theirs[] = { b->removable_ns, b->shared_ns,
				    b->nr_removable, b->nr_shared,
				    b->wait_ns, b->nr_waits };

	for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++)
		if (mine[i] != theirs[i])
			return mine[i] > theirs[i];
	return false;
}

/* Insertion keeps equals in the order of their registration. */
static void insert_ranked(struct rank *ranks, size_t n, struct rank new)
{
	while (n > 0 && is_better(&new, &ranks[n - 1])) {
		ranks[n] = ranks[n - 1];
		n--;
	}
	ranks[n] = new;
}

size_t rl_sites_rank(uint16_t ids[RL_SITES_MAX])
{
	struct rank ranks[RL_SITES_MAX];
	size_t count = 0;

	while (count < RL_SITES_MAX && rl_site_at((uint16_t)(count + 1))) {
		struct rl_site_stats s;

		rl_site_read((uint16_t)(count + 1), &s);
		insert_ranked(ranks, count, (struct rank){
			.id = (uint16_t)(count + 1),
			.removable_ns = s.removable_ns,
			.shared_ns = s.shared_ns,
			.nr_removable = s.nr_removable,
			.nr_shared = s.nr_shared,
			.wait_ns = s.wait_ns[0] + s.wait_ns[1],
			.nr_waits = s.nr_waits[0] + s.nr_waits[1],
		});
		count++;
	}
	for (size_t i = 0; i < count; i++)
		ids[i] = ranks[i].id;
	return count;
}

size_t rl_sites_read(struct rl_site_stats *stats, size_t n)
{
	uint16_t ids[RL_SITES_MAX];
	size_t count = rl_sites_rank(ids);

	for (size_t i = 0; stats && i < n && i < count; i++)
		rl_site_read(ids[i], &stats[i]);
	return count;
}

static struct rl_pair_stats pair_stats(const struct rl_charge *c)
{
	return (struct rl_pair_stats){
		.nr_waits = { c->nr_true, sum_false(c->nr_false) },
		.wait_ns = { c->true_ns, sum_false(c->false_ns) },
	};
}

static bool is_worse_pair(const struct rl_pair_stats *a,
			  const struct rl_pair_stats *b)
{
	if (a->wait_ns[1] != b->wait_ns[1])
		return a->wait_ns[1] < b->wait_ns[1];
	if (a->wait_ns[0] != b->wait_ns[0])
		return a->wait_ns[0] < b->wait_ns[0];
	return a->nr_waits[0] + a->nr_waits[1] <=
	       b->nr_waits[0] + b->nr_waits[1];
}

/* Keep the n with the most false waiting, the most first. */
static void keep_pair(struct rl_pair_stats *kept, size_t n, size_t count,
		      struct rl_pair_stats new)
{
	size_t at = count < n ? count : n;

	while (at > 0 && !is_worse_pair(&new, &kept[at - 1])) {
		if (at < n)
			kept[at] = kept[at - 1];
		at--;
	}
	if (at < n)
		kept[at] = new;
}

static const char *name_or_null(uint16_t id)
{
	struct rl_site *site = rl_site_at(id);

	return site ? site->name : NULL;
}

size_t rl_site_pairs_read(struct rl_pair_stats *stats, size_t n)
{
	struct rl_pair_stats s;
	struct rl_charge pair;
	size_t at = 0, count = 0;

	if (!stats)
		n = 0;
	while (rl_charge_next(&at, &pair)) {
		s = pair_stats(&pair);
		s.waiter = name_or_null(rl_charge_waiter(&pair));
		s.blocker = name_or_null(rl_charge_blocker(&pair));
		keep_pair(stats, n, count++, s);
	}
	rl_charge_overflow(&pair);
	s = pair_stats(&pair);
	if (s.nr_waits[0] + s.nr_waits[1]) {
		s.waiter = s.blocker = "(other pairs)";
		keep_pair(stats, n, count++, s);
	}
	return count;
}

static void add_to_total(struct rl_sites_total *total,
			 const struct rl_charge *pair)
{
	struct rl_pair_stats s = pair_stats(pair);

	for (unsigned int i = 0; i < 2; i++) {
		total->nr_waits[i] += s.nr_waits[i];
		total->wait_ns[i] += s.wait_ns[i];
	}
	total->nr_neither += pair->nr_false[0];
	total->neither_ns += pair->false_ns[0];
}

void rl_sites_total(struct rl_sites_total *total)
{
	struct rl_charge pair;
	size_t at = 0;

	memset(total, 0, sizeof(*total));
	while (rl_charge_next(&at, &pair))
		add_to_total(total, &pair);
	rl_charge_overflow(&pair);
	add_to_total(total, &pair);
	total->nr_lost = pair.nr_true + sum_false(pair.nr_false);
}

void rl_sites_reset(void)
{
	struct rl_site *site;

	for (uint16_t id = 1; (site = rl_site_at(id)) != NULL; id++) {
		rl_store_relaxed(&site->nr_misused, 0);
		for (unsigned int i = 0; i < RL_SITE_STRIPES; i++)
			for (unsigned int mode = 0; mode < 2; mode++)
				rl_store_relaxed64(
					&site->stripes[i].nr_locked[mode], 0);
	}
	rl_charge_reset();
}
