/*
 * site_print.c - the report on call sites: what to convert next, and what that
 * is worth
 *
 * Weak spot: the text shows the MAX_PAIRS pairs with the most false waiting;
 * the JSON has all of them.
 */
#include <rangelock/stats.h>

#include <errno.h>
#include <inttypes.h>

#include "rangelock/lock/json.h"
#include "rangelock/lock/site.h"
#include "rangelock/lock/text.h"

#define MAX_PAIRS	20

static const char *const grain_names[] = {
	[RL_COARSE] = "coarse",
	[RL_SHADOW] = "shadow",
	[RL_FINE] = "fine",
};

/* "12.3 %" of a whole that is not 0. */
static void print_share(const struct rl_text *out, uint64_t part,
			uint64_t whole)
{
	rl_text_printf(out, "%.1f %%", 100.0 * (double)part / (double)whole);
}

static void print_time(const struct rl_text *out, int width, uint64_t ns)
{
	char time[RL_TEXT_TIME];

	rl_text_printf(out, "%*s", width, rl_text_time(ns, time));
}

static void print_place(const struct rl_text *out,
			const struct rl_site_stats *s)
{
	rl_text_put(out, s->name);
	if (s->file) {
		rl_text_put(out, " (");
		rl_text_put(out, s->file);
		rl_text_printf(out, ":%" PRIu32 ")", s->line);
	}
}

static void print_summary(const struct rl_text *out, size_t nr_sites,
			  const struct rl_sites_total *total)
{
	uint64_t all_ns = total->wait_ns[0] + total->wait_ns[1];

	rl_text_printf(out, "call sites: %zu; waiting: ", nr_sites);
	print_time(out, 0, all_ns);
	rl_text_printf(out, " in %" PRIu64 " waits, false: ",
		       total->nr_waits[0] + total->nr_waits[1]);
	print_time(out, 0, total->wait_ns[1]);
	rl_text_printf(out, " in %" PRIu64, total->nr_waits[1]);
	if (all_ns) {
		rl_text_put(out, " (");
		print_share(out, total->wait_ns[1], all_ns);
		rl_text_put(out, ")");
	}
	rl_text_put(out, "\n");
}

static void print_advice(const struct rl_text *out,
			 const struct rl_site_stats *best,
			 const struct rl_sites_total *total)
{
	rl_text_put(out, "convert next: ");
	if (best->nr_removable) {
		print_place(out, best);
		rl_text_put(out, ", ends ");
		print_time(out, 0, best->removable_ns);
		rl_text_printf(out, " in %" PRIu64 " waits",
			       best->nr_removable);
		if (best->removable_ns) {
			rl_text_put(out, ", ");
			print_share(out, best->removable_ns,
				    total->wait_ns[0] + total->wait_ns[1]);
			rl_text_put(out, " of all waiting");
		}
	} else if (best->nr_shared) {
		print_place(out, best);
		rl_text_put(out, ", with a partner from the pairs below: "
				 "no site alone ends a wait");
	} else {
		rl_text_put(out, "nothing; as the sites declare it, every wait"
				 " is needed");
		if (total->nr_waits[0])
			rl_text_put(out, ".\n  A site that declares everything"
					 " (rwlock.h) needs its own range"
					 " declared first");
	}
	rl_text_put(out, "\n");
}

static void print_site(const struct rl_text *out,
		       const struct rl_site_stats *s)
{
	print_time(out, 11, s->removable_ns);
	print_time(out, 11, s->shared_ns);
	print_time(out, 11, s->wait_ns[1]);
	print_time(out, 11, s->wait_ns[0]);
	rl_text_printf(out, " %10" PRIu64 " %10" PRIu64 " %7" PRIu64 "  %-6s  ",
		       s->nr_locked[RL_READ], s->nr_locked[RL_WRITE],
		       s->nr_misused, grain_names[s->grain]);
	print_place(out, s);
	rl_text_put(out, "\n");
}

static void print_sites(const struct rl_text *out, const uint16_t *ids,
			size_t n, const struct rl_sites_total *total)
{
	struct rl_site_stats s;

	if (n == 0)
		return;
	rl_site_read(ids[0], &s);
	print_advice(out, &s, total);
	rl_text_put(out,
		    "\n  removable     shared  own false   own true"
		    "      reads     writes misuses  grain   site\n");
	for (size_t i = 0; i < n; i++) {
		rl_site_read(ids[i], &s);
		print_site(out, &s);
	}
	rl_text_put(out,
		    "  removable: false waiting, by whomever, that ends if this"
		    " site alone turns fine;\n"
		    "  shared: if it and the other site of the wait do\n");
}

static void print_plan(const struct rl_text *out,
		       const struct rl_sites_total *total)
{
	struct rl_plan_step steps[RL_PLAN_STEPS];
	size_t n = rl_sites_plan(steps, RL_PLAN_STEPS);

	if (n == 0)
		return;
	rl_text_put(out, "\nplan: convert in this order; all false waiting that"
			 " has ended by then:\n");
	for (size_t i = 0; i < n; i++) {
		struct rl_site_stats s;

		rl_site_read(steps[i].id, &s);
		print_time(out, 11, steps[i].removed_ns);
		rl_text_put(out, "  ");
		print_share(out, steps[i].removed_ns, total->wait_ns[1]);
		rl_text_put(out, "  ");
		rl_text_put(out, s.name);
		rl_text_put(out, "\n");
	}
}

static void json_plan(struct rl_json *j)
{
	struct rl_plan_step steps[RL_PLAN_STEPS];
	size_t n = rl_sites_plan(steps, RL_PLAN_STEPS);

	rl_json_array(j, "plan");
	for (size_t i = 0; i < n; i++) {
		struct rl_site_stats s;

		rl_site_read(steps[i].id, &s);
		rl_json_object(j, NULL);
		rl_json_string(j, "name", s.name);
		rl_json_u64(j, "removed_ns", steps[i].removed_ns);
		rl_json_end(j);
	}
	rl_json_end(j);
}

static void print_pairs(const struct rl_text *out)
{
	struct rl_pair_stats pairs[MAX_PAIRS];
	size_t n = rl_site_pairs_read(pairs, MAX_PAIRS);

	if (n == 0)
		return;
	rl_text_put(out, "\n      false      waits       true      waits"
			 "  who waits <- for whom\n");
	for (size_t i = 0; i < n && i < MAX_PAIRS; i++) {
		const struct rl_pair_stats *p = &pairs[i];

		print_time(out, 11, p->wait_ns[1]);
		rl_text_printf(out, " %10" PRIu64, p->nr_waits[1]);
		print_time(out, 11, p->wait_ns[0]);
		rl_text_printf(out, " %10" PRIu64 "  ", p->nr_waits[0]);
		rl_text_put(out, p->waiter ? p->waiter : "(no site)");
		rl_text_put(out, " <- ");
		rl_text_put(out, p->blocker ? p->blocker : "(no site)");
		rl_text_put(out, "\n");
	}
	if (n > MAX_PAIRS)
		rl_text_printf(out, "  and %zu more pairs\n", n - MAX_PAIRS);
}

static void print_remains(const struct rl_text *out,
			  const struct rl_sites_total *total)
{
	rl_text_put(out, "\nno conversion can remove: ");
	print_time(out, 0, total->wait_ns[0]);
	rl_text_printf(out, " in %" PRIu64 " true waits"
			    " (the declared ranges conflict)\n",
		       total->nr_waits[0]);
	if (total->nr_neither) {
		rl_text_put(out, "nobody to convert: ");
		print_time(out, 0, total->neither_ns);
		rl_text_printf(out, " in %" PRIu64 " false waits\n",
			       total->nr_neither);
	}
	if (total->nr_lost)
		rl_text_printf(out, "not charged to sites, too many pairs: "
				    "%" PRIu64 " waits\n",
			       total->nr_lost);
}

static void print_unknown(const struct rl_text *out)
{
	char name[RL_SITE_NAME];
	size_t at = 0;
	bool is_first = true;

	while (rl_sites_next_unknown(&at, name)) {
		rl_text_put(out, is_first ? "configured, but no site has the"
					    " name: " : ", ");
		rl_text_put(out, name);
		is_first = false;
	}
	if (!is_first)
		rl_text_put(out, "\n");
}

static void json_waits(struct rl_json *j, const uint64_t nr[2],
		       const uint64_t ns[2])
{
	rl_json_object(j, "waits");
	rl_json_u64(j, "true", nr[0]);
	rl_json_u64(j, "false", nr[1]);
	rl_json_end(j);
	rl_json_object(j, "wait_ns");
	rl_json_u64(j, "true", ns[0]);
	rl_json_u64(j, "false", ns[1]);
	rl_json_end(j);
}

static void json_amount(struct rl_json *j, const char *key, uint64_t nr,
			uint64_t ns)
{
	rl_json_object(j, key);
	rl_json_u64(j, "waits", nr);
	rl_json_u64(j, "wait_ns", ns);
	rl_json_end(j);
}

static void json_site(struct rl_json *j, const struct rl_site_stats *s)
{
	rl_json_object(j, NULL);
	rl_json_string(j, "name", s->name);
	rl_json_string(j, "file", s->file);
	rl_json_u64(j, "line", s->line);
	rl_json_string(j, "grain", grain_names[s->grain]);
	rl_json_object(j, "locked");
	rl_json_u64(j, "read", s->nr_locked[RL_READ]);
	rl_json_u64(j, "write", s->nr_locked[RL_WRITE]);
	rl_json_end(j);
	rl_json_u64(j, "misused", s->nr_misused);
	json_waits(j, s->nr_waits, s->wait_ns);
	json_amount(j, "removable", s->nr_removable, s->removable_ns);
	json_amount(j, "shared", s->nr_shared, s->shared_ns);
	rl_json_end(j);
}

static const char *site_name_or_null(uint16_t id)
{
	const struct rl_site *site = rl_site_at(id);

	return site ? site->name : NULL;
}

static void json_pair(struct rl_json *j, const struct rl_charge *c)
{
	static const char *const by[4] = { "neither", "waiter", "blocker",
					   "both" };

	rl_json_object(j, NULL);
	rl_json_string(j, "waiter", site_name_or_null(rl_charge_waiter(c)));
	rl_json_string(j, "blocker", site_name_or_null(rl_charge_blocker(c)));
	json_amount(j, "true", c->nr_true, c->true_ns);
	rl_json_object(j, "false_by_who_locked_too_much");
	for (unsigned int i = 0; i < 4; i++)
		json_amount(j, by[i], c->nr_false[i], c->false_ns[i]);
	rl_json_end(j);
	rl_json_end(j);
}

static void print_json(rl_write_fn *write, void *arg, const uint16_t *ids,
		       size_t n, const struct rl_sites_total *total)
{
	struct rl_json j;
	struct rl_charge pair;
	char name[RL_SITE_NAME];
	size_t at = 0;

	rl_json_init(&j, write, arg);
	rl_json_object(&j, NULL);
	rl_json_u64(&j, "schema", 1);
	json_waits(&j, total->nr_waits, total->wait_ns);
	rl_json_u64(&j, "waits_not_charged", total->nr_lost);
	rl_json_array(&j, "sites");
	for (size_t i = 0; i < n; i++) {
		struct rl_site_stats s;

		rl_site_read(ids[i], &s);
		json_site(&j, &s);
	}
	rl_json_end(&j);
	rl_json_array(&j, "pairs");
	while (rl_charge_next(&at, &pair))
		json_pair(&j, &pair);
	rl_json_end(&j);
	json_plan(&j);
	rl_json_array(&j, "unknown_names");
	for (at = 0; rl_sites_next_unknown(&at, name);)
		rl_json_string(&j, NULL, name);
	rl_json_end(&j);
	rl_json_end(&j);
}

int rl_sites_print(enum rl_format format, rl_write_fn *write, void *arg)
{
	struct rl_text out = { write, arg };
	struct rl_sites_total total;
	uint16_t ids[RL_SITES_MAX];
	size_t n;

	if (!write || (format != RL_TEXT && format != RL_JSON))
		return EINVAL;
	n = rl_sites_rank(ids);
	rl_sites_total(&total);
	if (format == RL_JSON) {
		print_json(write, arg, ids, n, &total);
		return 0;
	}
	print_summary(&out, n, &total);
	print_sites(&out, ids, n, &total);
	print_plan(&out, &total);
	print_pairs(&out);
	print_remains(&out, &total);
	print_unknown(&out);
	return 0;
}
