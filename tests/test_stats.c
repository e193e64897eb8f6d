/*
 * Goal: a lock's statistics are exact, and print as /proc/lock_stat's columns
 * and as JSON.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/stats.h>

#include "rangelock/engine/request.h"
#include "tests/capture.h"

static struct capture out;
static uint64_t fake_now;

static uint64_t now(void *ctx)
{
	(void)ctx;
	return fake_now;
}

static const struct rl_host host = { .now = now };

static void init(struct rangelock *lk, const char *name)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.host = &host;
	options.name = name;
	check_eq(rl_init(lk, &options), 0);
}

/* A coarse reader waits 1500 ns for a fine writer. */
static void wait_once(struct rangelock *lk)
{
	struct rl_range writer = RL_RANGE_INIT, reader = RL_RANGE_INIT;

	check_eq(rl_write_lock(lk, &writer, 0, 10), 0);
	check_eq(rl_read_submit_coarse(lk, &reader, NULL), EINPROGRESS);
	fake_now += 1500;
	rl_unlock(lk, &writer);
	check_eq(rl_poll(lk, &reader), 0);
	rl_unlock(lk, &reader);
}

Test(stats, counts_by_mode_and_grain_and_times_waits)
{
	struct rangelock lk;
	struct rl_stats s;

	init(&lk, "counted");
	wait_once(&lk);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_str_eq(s.name, "counted");
	check(!s.shared);
	check_eq(s.nr_locked[RL_WRITE][0], 1);
	check_eq(s.nr_locked[RL_WRITE][1], 0);
	check_eq(s.nr_locked[RL_READ][0], 0);
	check_eq(s.nr_locked[RL_READ][1], 1);
	check_eq(s.nr_contended[RL_READ][1], 1);
	check_eq(s.nr_contended[RL_WRITE][0], 0);
	check_eq(s.nr_waits[0], 1);
	check_eq(s.nr_waits[1], 0);
	check_eq(s.wait_ns[0], 1500);
	check_eq(s.wait_ns_min, 1500);
	check_eq(s.wait_ns_max, 1500);
	check_eq(rl_hist_quantile(s.wait_hist, 500), 1536);
	check_eq(s.nr_held_now, 0);
	check_eq(rl_stats_reset(&lk), 0);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_WRITE][0] + s.nr_waits[0] + s.wait_ns_max, 0);
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, what_is_held_and_waits_now_counts_requests)
{
	struct rangelock lk;
	struct rl_range many[3], r = RL_RANGE_INIT;
	struct rl_span spans[3] = { { 0, 1, RL_READ }, { 2, 3, RL_WRITE },
				    { 4, 5, RL_READ } };
	struct rl_stats s;

	memset(many, 0, sizeof(many));
	init(&lk, NULL);
	check_eq(rl_lock_many(&lk, many, 3, spans), 0);
	check_eq(rl_write_submit(&lk, &r, 0, 5, NULL), EINPROGRESS);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_str_eq(s.name, "(unnamed)");
	check_eq(s.nr_held_now, 1);
	check_eq(s.nr_waiting_now, 1);
	check_eq(rl_cancel(&lk, &r), 0);
	rl_unlock_many(&lk, many, 3);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_held_now + s.nr_waiting_now, 0);
	check_eq(s.nr_cancels, 1);
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, static_locks_take_a_ledger_at_their_first_wait)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range a = RL_RANGE_INIT;
	struct rl_stats s;

	check_eq(rl_read_lock(&lk, &a, 0, 1), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_READ][0], 1);
	check_eq(s.wait_ns_max, 0);
	check_eq(rl_stats_reset(&lk), 0);
	wait_once(&lk);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_waits[0], 1);
	check_eq(rl_destroy(&lk), 0);
}

static const char *printed(struct rangelock *lk, enum rl_format format)
{
	memset(&out, 0, sizeof(out));
	check_eq(rl_stats_print(lk, format, capture_write, &out), 0);
	return out.text;
}

/* The word in a column (from 0) of the line that begins with a name. */
static const char *column(const char *text, const char *name, int n)
{
	static char word[64];
	const char *s = strstr(text, name);

	check_msg(s, "no line begins with %s", name);
	s += strlen(name);
	while (n--) {
		s += strspn(s, " ");
		s += strcspn(s, " \n");
	}
	s += strspn(s, " ");
	memcpy(word, s, strcspn(s, " \n"));
	word[strcspn(s, " \n")] = '\0';
	return word;
}

Test(stats, text_has_the_columns_of_lock_stat)
{
	struct rangelock lk;
	const char *text;

	init(&lk, "mm");
	wait_once(&lk);
	wait_once(&lk);
	text = printed(&lk, RL_TEXT);
	check_str_eq(column(text, "class name", 0), "con-bounces");
	check_str_eq(column(text, "class name", 1), "contentions");
	check_str_eq(column(text, "class name", 5), "waittime-avg");
	check_str_eq(column(text, "class name", 11), "holdtime-avg");
	check_str_eq(column(text, " mm:", 0), "n/a");
	check_str_eq(column(text, " mm:", 1), "2");
	check_str_eq(column(text, " mm:", 2), "1.50");
	check_str_eq(column(text, " mm:", 4), "3.00");
	check_str_eq(column(text, " mm:", 5), "1.50");
	check_str_eq(column(text, " mm:", 7), "4");
	check_str_eq(column(text, " mm-W:", 1), "0");
	check_str_eq(column(text, " mm-W:", 7), "2");
	check_str_eq(column(text, " mm-R:", 1), "2");
	check_str_eq(column(text, " mm-R:", 3), "n/a");
	check(strstr(text, "waits: true 2 (3.00 us), false 0 (0)"));
	check(strstr(text, "read: fine 0 (0 contended), coarse 2 (2"));
	check(strstr(text, "1.02 us ..    2.04 us        2 ####"));
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, json_is_exact_whatever_the_name)
{
	struct rangelock lk;
	const char *text;

	init(&lk, "a \"name\"\n\xff");
	wait_once(&lk);
	text = printed(&lk, RL_JSON);
	check(is_json(text));
	check(strstr(text, "\"name\":\"a \\\"name\\\"\\u000a\\ufffd\""));
	check(strstr(text, "\"wait_ns\":{\"true\":1500,\"false\":0,\"min\":1500"));
	check(strstr(text, "[{\"low_ns\":1280,\"waits\":1}]"));
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, bad_arguments_are_refused)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_stats s;

	check_eq(rl_stats_read(NULL, &s), EINVAL);
	check_eq(rl_stats_read(&lk, NULL), EINVAL);
	check_eq(rl_stats_reset(NULL), EINVAL);
	check_eq(rl_stats_print(NULL, RL_TEXT, capture_write, &out), EINVAL);
	check_eq(rl_stats_print(&lk, RL_TEXT, NULL, NULL), EINVAL);
	check_eq(rl_stats_print(&lk, (enum rl_format)7, capture_write, &out),
		 EINVAL);
}

/* ---- Counters of 32 bits, and holders in entries (entries.h) ---- */

Test(stats, the_statistics_go_on_when_a_counter_wraps)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	struct rl_stats s;

	lk.central.nr_locked[RL_READ] = lk.central.nr_locked[RL_WRITE] = UINT32_MAX;
	lk.nr_coarse[RL_WRITE] = UINT32_MAX - 1;
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_WRITE][0], 1);
	check_eq(s.nr_locked[RL_WRITE][1], UINT32_MAX - 1);
	for (unsigned int i = 0; i < 3; i++) {
		check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
		check_eq(a.state, RL_INLINE);
		check_eq(rl_read_lock(&lk, &b, 20, 30), 0);
		rl_unlock(&lk, &a);
		rl_unlock(&lk, &b);
		check_eq(rl_write_lock_coarse(&lk, &a), 0);
		rl_unlock(&lk, &a);
	}
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_READ][0], UINT32_MAX + UINT64_C(6));
	check_eq(s.nr_locked[RL_READ][1], 0);
	check_eq(s.nr_locked[RL_WRITE][0], 1);
	check_eq(s.nr_locked[RL_WRITE][1], UINT32_MAX + UINT64_C(2));
	check_eq(rl_stats_reset(&lk), 0);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_READ][0] + s.nr_locked[RL_WRITE][0], 0);
	check_eq(s.nr_locked[RL_READ][1] + s.nr_locked[RL_WRITE][1], 0);
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, a_counter_of_the_tree_wraps_as_well)
{
	struct rangelock lk;
	struct rl_range a = RL_RANGE_INIT;
	struct rl_options o = RL_OPTIONS_INIT;
	struct rl_stats s;

	o.flags = RL_PLAIN;
	check_eq(rl_init(&lk, &o), 0);
	lk.central.nr_locked[RL_WRITE] = lk.nr_coarse[RL_WRITE] = UINT32_MAX;
	check_eq(rl_write_lock_coarse(&lk, &a), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_locked[RL_WRITE][0], 0);
	check_eq(s.nr_locked[RL_WRITE][1], UINT32_MAX + UINT64_C(1));
	check_eq(rl_destroy(&lk), 0);
}

Test(stats, holders_in_entries_are_counted_once)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	struct rl_range c = RL_RANGE_INIT;
	struct rl_stats s;

	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 20, 30), 0);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_held_now, 2);
	check_eq(rl_write_submit(&lk, &c, 5, 6, NULL), EINPROGRESS);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_held_now, 2);		/* a and b were moved */
	check_eq(s.nr_waiting_now, 1);
	check_eq(rl_destroy(&lk), EBUSY);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &c);
	check_eq(rl_stats_read(&lk, &s), 0);
	check_eq(s.nr_held_now, 0);
	check_eq(s.nr_locked[RL_READ][0], 2);
	check_eq(s.nr_locked[RL_WRITE][0], 1);
	check_eq(rl_destroy(&lk), 0);
}
