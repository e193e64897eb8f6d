/*
 * Goal: texts of wishes are cut, trimmed and judged entry by entry, and the
 * last wish for a name stands.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/lock/site_config.h"

static bool next(const char **text, struct rl_site_entry *e)
{
	return rl_site_entry_next(text, e);
}

Test(site_config, entries_are_cut_and_trimmed)
{
	const char *text = " do_mmap = fine ,,munmap=coarse,\n x=shadow ,";
	struct rl_site_entry e;

	check(next(&text, &e));
	check(!e.why);
	check_str_eq(e.name, "do_mmap");
	check_eq((int)e.grain, RL_FINE);
	check_eq(e.length, strlen("do_mmap = fine"));
	check(next(&text, &e));
	check_str_eq(e.name, "munmap");
	check_eq((int)e.grain, RL_COARSE);
	check(next(&text, &e));
	check_str_eq(e.name, "x");
	check_eq((int)e.grain, RL_SHADOW);
	check(!next(&text, &e));
	text = "";
	check(!next(&text, &e));
	text = " , ,";
	check(!next(&text, &e));
}

Test(site_config, what_makes_no_sense_says_why)
{
	static const char *const wrong[] = {
		"fine", "=fine", "= fine", "a=", "a=fin", "a=finer", "a=FINE",
		"a=fine=fine", "a=fine coarse",
	};
	char long_name[RL_SITE_NAME + 8];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *text = wrong[i];
		struct rl_site_entry e;

		check(next(&text, &e));
		check_msg(e.why, "makes sense: %s", wrong[i]);
		check_eq(e.length, strlen(wrong[i]));
	}
	for (size_t n = RL_SITE_NAME - 1; n <= RL_SITE_NAME; n++) {
		const char *text = long_name;
		struct rl_site_entry e;

		memset(long_name, 'n', n);
		strcpy(long_name + n, "=fine");
		check(next(&text, &e));
		check_eq(!e.why, n < RL_SITE_NAME);
	}
}

static bool put(struct rl_wishes *w, const char *text)
{
	struct rl_site_entry e;

	check(next(&text, &e));
	check(!e.why);
	return rl_wishes_put(w, &e);
}

Test(site_config, last_wish_for_a_name_stands)
{
	static struct rl_wishes w;
	enum rl_grain grain = RL_SHADOW;

	memset(&w, 0, sizeof(w));
	check(!rl_wishes_get(&w, "a", &grain));
	check_eq((int)grain, RL_SHADOW);
	check(put(&w, "a=coarse"));
	check(put(&w, "b=shadow"));
	check(put(&w, "a=fine"));
	check_eq(w.n, 2);
	check(rl_wishes_get(&w, "a", &grain));
	check_eq((int)grain, RL_FINE);
}

Test(site_config, full_table_takes_known_names_only)
{
	static struct rl_wishes w;
	char text[] = "aa=fine";

	memset(&w, 0, sizeof(w));
	for (size_t i = 0; i < RL_WISHES_MAX; i++) {
		text[0] = (char)('a' + i / 26);
		text[1] = (char)('a' + i % 26);
		check(put(&w, text));
	}
	check(!put(&w, "new=fine"));
	check(put(&w, text));
}
