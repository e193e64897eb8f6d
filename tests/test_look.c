/*
 * Goal: the dump goes on in order of arrival from batch to batch, and shows the
 * first few blockers and how many more there are, however long the names.
 */
#include "tests/backend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rangelock/site.h>

#define NR	33

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range r[NR];
static char text[16384];
static size_t length;

static void append(void *arg, const char *bytes, size_t n)
{
	check_eq(arg, &lk);
	check_lt(length + n, sizeof(text));
	memcpy(text + length, bytes, n);
	length += n;
	text[length] = '\0';
}

Test(look, many_batches_come_in_order_of_arrival)
{
	const char *at = text;
	char want[32];

	memset(r, 0, sizeof(r));
	length = 0;
	for (uint64_t i = 0; i + 1 < NR; i++)
		check_eq(rl_read_lock(&lk, &r[i], 1000 - 30 * i, 1001), 0);
	check_eq(rl_write_submit(&lk, &r[NR - 1], 0, 1001, NULL), EINPROGRESS);
	rl_dump(&lk, append, &lk);
	for (uint64_t i = 1; i <= NR; i++) {
		snprintf(want, sizeof(want), "\n#%" PRIu64 " ", i);
		at = strstr(at, want);
		check_msg(at, "no line of #%" PRIu64 " after #%" PRIu64
			  " in:\n%s", i, i - 1, text);
	}
	check(strstr(at, "waits write fine [0, 0x3e9)"));
	check(strstr(at, "and 26 more\n"));
	for (unsigned int i = 0; i < NR; i++)
		rl_unlock(&lk, &r[i]);
	check_eq(rl_destroy(&lk), 0);
}

Test(look, an_empty_lock_has_a_title)
{
	struct rl_options options = RL_OPTIONS_INIT;

	length = 0;
	options.name = "table";
	check_eq(rl_init(&lk, &options), 0);
	rl_dump(&lk, append, &lk);
	check_str_eq(text, "rangelock table\n");
	check_eq(rl_destroy(&lk), 0);
	lk = (struct rangelock)RANGELOCK_INIT;
}

static uint64_t longest_name_of_an_owner(void *ctx)
{
	(void)ctx;
	return UINT64_MAX;
}

/* A line with all that a line can have, each as long as it gets. */
Test(look, a_long_name_is_cut_and_nothing_else_of_its_line)
{
	static const struct rl_host host = { .self = longest_name_of_an_owner };
	static char name[2001];
	static struct rl_site site = RL_SITE_INIT(name, RL_COARSE);
	struct rl_options options = RL_OPTIONS_INIT;
	struct rl_range waiter = RL_RANGE_INIT;

	memset(name, 'n', sizeof(name) - 1);
	memset(r, 0, sizeof(r));
	length = 0;
	options.name = name;
	options.host = &host;
	check_eq(rl_init(&lk, &options), 0);
	lk.next_seq = UINT64_MAX - 20;
	for (uint64_t i = 0; i < 16; i++)
		check_eq(rl_write_lock(&lk, &r[i], i, i + 1), 0);
	check_eq(rl_write_submit_at(&lk, &waiter, &site, RL_END - 2, RL_END - 1,
				    NULL), EINPROGRESS);
	rl_dump(&lk, append, &lk);
	check_msg(strncmp(text, "rangelock nnn", 13) == 0 &&
		  strstr(text, "nnn...\n#18446744073709551"),
		  "no title with a line of its own in:\n%s", text);
	check_msg(strstr(text, " waits write coarse [0, 0xffffffffffffffff)"
			 " declares [0xfffffffffffffffd, 0xfffffffffffffffe)"
			 " owner 0xffffffffffffffff site nnn"), "in:\n%s", text);
	check_msg(strstr(text, "nnn... behind #18446744073709551"), "in:\n%s",
		  text);
	check_msg(strcmp(text + length - 13, " and 10 more\n") == 0,
		  "the last line has lost its end in:\n%s", text);
	check_eq(rl_cancel(&lk, &waiter), 0);
	for (unsigned int i = 0; i < 16; i++)
		rl_unlock(&lk, &r[i]);
	check_eq(rl_destroy(&lk), 0);
	lk = (struct rangelock)RANGELOCK_INIT;
}

Test(look, a_name_of_160_bytes_is_shown_whole)
{
	struct rl_options options = RL_OPTIONS_INIT;
	char name[162], want[200];

	for (int n = 160; n <= 161; n++) {
		memset(name, 'n', sizeof(name));
		name[n] = '\0';
		length = 0;
		options.name = name;
		check_eq(rl_init(&lk, &options), 0);
		rl_dump(&lk, append, &lk);
		snprintf(want, sizeof(want), "rangelock %.160s%s\n", name,
			 n > 160 ? "..." : "");
		check_str_eq(text, want);
		check_eq(rl_destroy(&lk), 0);
	}
	lk = (struct rangelock)RANGELOCK_INIT;
}

Test(look, holding_more_than_asked_in_overlapping_pieces_is_holding)
{
	memset(r, 0, sizeof(r));
	check_eq(rl_read_lock(&lk, &r[0], 0, 10), 0);
	check_eq(rl_read_lock(&lk, &r[1], 2, 4), 0);
	check_eq(rl_read_lock(&lk, &r[2], 9, 30), 0);
	check_eq(rl_read_lock(&lk, &r[3], 31, 40), 0);
	check(rl_is_held(&lk, 1, 29, RL_READ));
	check(!rl_is_held(&lk, 1, 31, RL_READ));
	check(!rl_is_held(&lk, 1, 40, RL_READ));
	for (unsigned int i = 0; i < 4; i++)
		rl_unlock(&lk, &r[i]);
}
