/*
 * stats.c - read, zero and print what one lock has counted
 *
 * A read is made under the guard of each arbiter in turn, and so is one moment's
 * truth for a compact lock, but for a shared ledger, which other locks count in.
 *
 * Cost: under the guard a copy of a few hundred words and a walk over what is
 * held.  Weak spot: that walk, when thousands of ranges are held.
 */
#include <rangelock/stats.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/ledger.h"
#include "rangelock/engine/request.h"
#include "rangelock/lock/json.h"
#include "rangelock/lock/text.h"
#include "rangelock/tree/itree.h"

#define BAR	40

/* Several ranges locked at once are one request. */
static void count_requests(const struct rl_arbiter *a, struct rl_stats *stats)
{
	struct rl_node *n;

	for (unsigned int i = 0; i < RL_ENTRIES; i++)
		stats->nr_held_now += rl_entry_is_used(a, i);

	for (n = rl_itree_first_overlap(a->root, 0, RL_END); n;
	     n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *r = rl_range_of(n);

		if (rl_range_leader(r) != r)
			continue;
		if (rl_range_is_held(r))
			stats->nr_held_now++;
		else
			stats->nr_waiting_now++;
	}
}

/* An arbiter counts by mode; the central one's coarse ones are counted again. */
static void add_locked(const struct rl_arbiter *a, struct rl_stats *stats)
{
	for (unsigned int mode = 0; mode < 2; mode++)
		stats->nr_locked[mode][0] += a->nr_locked[mode];
}

static void split_coarse(const struct rangelock *lk, struct rl_stats *stats)
{
	for (unsigned int mode = 0; mode < 2; mode++) {
		/* Relaxed, twice: only sums. */
		uint64_t all = rl_load_relaxed16(&lk->nr_wrapped[mode][0]);
		uint64_t coarse = rl_load_relaxed16(&lk->nr_wrapped[mode][1]);

		all = (all << 32) + stats->nr_locked[mode][0];
		coarse = (coarse << 32) + lk->nr_coarse[mode];
		stats->nr_locked[mode][0] = all - coarse;
		stats->nr_locked[mode][1] = coarse;
	}
}

int rl_stats_read(struct rangelock *lk, struct rl_stats *stats)
{
	struct rl_arbiter *a, *guarded;

	if (!lk || !stats)
		return EINVAL;
	stats->name = lk->name ? lk->name : "(unnamed)";
	rl_entries_evict_all(lk, 0, 0);		/* who is published counts */
	memset(stats->nr_locked, 0, sizeof(stats->nr_locked));
	stats->nr_held_now = stats->nr_waiting_now = 0;
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++) {
		guarded = rl_guard_tree(lk, a);
		add_locked(a, stats);
		if (i == 0) {
			rl_ledger_read(rl_lock_ledger(lk), stats);
			split_coarse(lk, stats);
		}
		count_requests(a, stats);
		rl_guard_unlock(&guarded->guard);
	}
	return 0;
}

static void reset_central(struct rangelock *lk)
{
	memset(lk->nr_coarse, 0, sizeof(lk->nr_coarse));
	for (unsigned int i = 0; i < 4; i++)
		rl_store_relaxed16(&lk->nr_wrapped[i / 2][i % 2], 0);
	if (rl_lock_ledger(lk))
		rl_ledger_reset(rl_lock_ledger(lk));
}

int rl_stats_reset(struct rangelock *lk)
{
	struct rl_arbiter *a, *guarded;

	if (!lk)
		return EINVAL;
	for (uint32_t i = 0; (a = rl_lock_arbiter(lk, i)); i++) {
		guarded = rl_guard_tree(lk, a);
		memset(a->nr_locked, 0, sizeof(a->nr_locked));
		if (i == 0)
			reset_central(lk);
		rl_guard_unlock(&guarded->guard);
	}
	return 0;
}

static uint64_t sum(const uint64_t two[2])
{
	return two[0] + two[1];
}

/* One column of /proc/lock_stat: a number, a time in its unit, or n/a. */
static void put_number(const struct rl_text *out, uint64_t value)
{
	rl_text_printf(out, " %14" PRIu64, value);
}

static void put_us(const struct rl_text *out, uint64_t ns)
{
	char us[32];

	snprintf(us, sizeof(us), "%" PRIu64 ".%02u", ns / 1000,
		 (unsigned int)(ns % 1000 / 10));
	rl_text_printf(out, " %14s", us);
}

static void put_nothing(const struct rl_text *out, unsigned int columns)
{
	while (columns--)
		rl_text_printf(out, " %14s", "n/a");
}

/* stats NULL: waits are not timed by mode. */
static void put_row(const struct rl_text *out, const char *name,
		    const char *suffix, uint64_t contentions,
		    uint64_t acquisitions, const struct rl_stats *stats)
{
	size_t length = strlen(name) + strlen(suffix) + 1;

	for (; length < 40; length++)
		rl_text_put(out, " ");
	rl_text_put(out, name);
	rl_text_put(out, suffix);
	rl_text_put(out, ":");
	put_nothing(out, 1);
	put_number(out, contentions);
	if (stats) {
		uint64_t nr = sum(stats->nr_waits), ns = sum(stats->wait_ns);

		put_us(out, stats->wait_ns_min);
		put_us(out, stats->wait_ns_max);
		put_us(out, ns);
		put_us(out, nr ? ns / nr : 0);
	} else {
		put_nothing(out, 4);
	}
	put_nothing(out, 1);
	put_number(out, acquisitions);
	put_nothing(out, 4);
	rl_text_put(out, "\n");
}

static void print_lock_stat(const struct rl_text *out,
			    const struct rl_stats *s)
{
	static const char *const columns[] = {
		"con-bounces", "contentions", "waittime-min", "waittime-max",
		"waittime-total", "waittime-avg", "acq-bounces",
		"acquisitions", "holdtime-min", "holdtime-max",
		"holdtime-total", "holdtime-avg",
	};
	uint64_t read = sum(s->nr_locked[RL_READ]);
	uint64_t write = sum(s->nr_locked[RL_WRITE]);
	uint64_t read_contended = sum(s->nr_contended[RL_READ]);
	uint64_t write_contended = sum(s->nr_contended[RL_WRITE]);

	rl_text_printf(out, "%40s", "class name");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		rl_text_printf(out, " %14s", columns[i]);
	rl_text_put(out, "\n");
	put_row(out, s->name, "", read_contended + write_contended,
		read + write, s);
	put_row(out, s->name, "-W", write_contended, write, NULL);
	put_row(out, s->name, "-R", read_contended, read, NULL);
	rl_text_put(out, "  (times in microseconds; n/a: not measured, waits"
			 " are timed together for both modes)\n");
}

static void print_waits(const struct rl_text *out, const struct rl_stats *s)
{
	static const char *const kinds[2] = { "true", "false" };
	char time[RL_TEXT_TIME], high[RL_TEXT_TIME];

	rl_text_put(out, "  waits:");
	for (unsigned int i = 0; i < 2; i++)
		rl_text_printf(out, "%s %s %" PRIu64 " (%s)", i ? "," : "",
			       kinds[i], s->nr_waits[i],
			       rl_text_time(s->wait_ns[i], time));
	if (sum(s->nr_waits))
		rl_text_printf(out, "; half took under %s, 99 %% under %s",
			rl_text_time(rl_hist_quantile(s->wait_hist, 500), time),
			rl_text_time(rl_hist_quantile(s->wait_hist, 990), high));
	if (s->shared)
		rl_text_put(out, "; summed over all locks that share this"
				 " ledger");
	rl_text_put(out, "\n");
	rl_text_printf(out, "  bypasses %" PRIu64 ", cancels %" PRIu64
			    ", timeouts %" PRIu64 ", deadlocks %" PRIu64
			    ", cycles %" PRIu64 "\n",
		       s->nr_bypasses, s->nr_cancels, s->nr_timeouts,
		       s->nr_deadlocks, s->nr_cycles);
}

static void print_grains(const struct rl_text *out, const struct rl_stats *s)
{
	static const char *const modes[2] = { "read", "write" };

	for (unsigned int mode = 0; mode < 2; mode++)
		rl_text_printf(out, "  %s: fine %" PRIu64 " (%" PRIu64
			       " contended), coarse %" PRIu64 " (%" PRIu64
			       " contended)\n", modes[mode],
			       s->nr_locked[mode][0], s->nr_contended[mode][0],
			       s->nr_locked[mode][1], s->nr_contended[mode][1]);
	rl_text_printf(out, "  now: %" PRIu32 " held, %" PRIu32 " waiting\n",
		       s->nr_held_now, s->nr_waiting_now);
}

/* A line for each power of two in which somebody waited. */
static void print_histogram(const struct rl_text *out,
			    const struct rl_stats *s)
{
	uint64_t octaves[RL_HIST_BUCKETS / 4] = { 0 }, most = 1;
	char low[RL_TEXT_TIME], high[RL_TEXT_TIME];

	for (unsigned int b = 0; b < RL_HIST_BUCKETS; b++) {
		octaves[b / 4] += s->wait_hist[b];
		if (octaves[b / 4] > most)
			most = octaves[b / 4];
	}
	for (unsigned int i = 0; i < RL_HIST_BUCKETS / 4; i++) {
		unsigned int bar = (unsigned int)(octaves[i] * BAR / most);

		if (!octaves[i])
			continue;
		rl_text_printf(out, "  %10s .. %10s %8" PRIu64 " ",
			       rl_text_time(rl_hist_low(4 * i), low),
			       rl_text_time(rl_hist_low(4 * i + 4), high),
			       octaves[i]);
		rl_text_printf(out, "%.*s\n", (int)(bar ? bar : 1),
			       "########################################");
	}
}

static void json_modes(struct rl_json *j, const char *key,
		       uint64_t counts[2][2])
{
	static const char *const modes[2] = { "read", "write" };

	rl_json_object(j, key);
	for (unsigned int mode = 0; mode < 2; mode++) {
		rl_json_object(j, modes[mode]);
		rl_json_u64(j, "fine", counts[mode][0]);
		rl_json_u64(j, "coarse", counts[mode][1]);
		rl_json_end(j);
	}
	rl_json_end(j);
}

static void json_wait_ns(struct rl_json *j, const struct rl_stats *s)
{
	rl_json_object(j, "wait_ns");
	rl_json_u64(j, "true", s->wait_ns[0]);
	rl_json_u64(j, "false", s->wait_ns[1]);
	rl_json_u64(j, "min", s->wait_ns_min);
	rl_json_u64(j, "max", s->wait_ns_max);
	rl_json_u64(j, "p50", rl_hist_quantile(s->wait_hist, 500));
	rl_json_u64(j, "p99", rl_hist_quantile(s->wait_hist, 990));
	rl_json_end(j);
}

static void json_histogram(struct rl_json *j, const struct rl_stats *s)
{
	rl_json_array(j, "wait_hist");
	for (unsigned int b = 0; b < RL_HIST_BUCKETS; b++) {
		if (!s->wait_hist[b])
			continue;
		rl_json_object(j, NULL);
		rl_json_u64(j, "low_ns", rl_hist_low(b));
		rl_json_u64(j, "waits", s->wait_hist[b]);
		rl_json_end(j);
	}
	rl_json_end(j);
}

static void print_json(rl_write_fn *write, void *arg, struct rl_stats *s)
{
	struct rl_json j;

	rl_json_init(&j, write, arg);
	rl_json_object(&j, NULL);
	rl_json_u64(&j, "schema", 1);
	rl_json_string(&j, "name", s->name);
	rl_json_bool(&j, "shared", s->shared);
	json_modes(&j, "locked", s->nr_locked);
	json_modes(&j, "contended", s->nr_contended);
	rl_json_object(&j, "waits");
	rl_json_u64(&j, "true", s->nr_waits[0]);
	rl_json_u64(&j, "false", s->nr_waits[1]);
	rl_json_end(&j);
	json_wait_ns(&j, s);
	json_histogram(&j, s);
	rl_json_u64(&j, "bypasses", s->nr_bypasses);
	rl_json_u64(&j, "cancels", s->nr_cancels);
	rl_json_u64(&j, "timeouts", s->nr_timeouts);
	rl_json_u64(&j, "deadlocks", s->nr_deadlocks);
	rl_json_u64(&j, "cycles", s->nr_cycles);
	rl_json_u64(&j, "held_now", s->nr_held_now);
	rl_json_u64(&j, "waiting_now", s->nr_waiting_now);
	rl_json_end(&j);
}

int rl_stats_print(struct rangelock *lk, enum rl_format format,
		   rl_write_fn *write, void *arg)
{
	struct rl_text out = { write, arg };
	struct rl_stats stats;

	if (!lk || !write || (format != RL_TEXT && format != RL_JSON))
		return EINVAL;
	rl_stats_read(lk, &stats);
	if (format == RL_JSON) {
		print_json(write, arg, &stats);
		return 0;
	}
	print_lock_stat(&out, &stats);
	print_waits(&out, &stats);
	print_grains(&out, &stats);
	print_histogram(&out, &stats);
	return 0;
}
