/*
 * Goal: the report names the site to convert next and what that is worth, says
 * what no conversion removes, and its JSON is JSON with the same figures.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/site.h>
#include <rangelock/stats.h>

#include "rangelock/lock/site.h"
#include "tests/capture.h"

static struct rl_site fault = RL_SITE_INIT("print_fault", RL_FINE);
static struct rl_site unmap = RL_SITE_INIT("print \"unmap\"", RL_COARSE);
static struct capture out;

static const char *printed(enum rl_format format)
{
	memset(&out, 0, sizeof(out));
	check_eq(rl_sites_print(format, capture_write, &out), 0);
	return out.text;
}

static void charge(bool is_true, unsigned int wide, uint64_t ns)
{
	rl_charge_wait((uint16_t)fault.id, (uint16_t)unmap.id, is_true, wide,
		       ns);
}

static void begin(void)
{
	rl_site_register(&fault);
	rl_site_register(&unmap);
	rl_sites_reset();
}

Test(site_print, text_says_what_to_convert_next_and_what_remains)
{
	const char *text;

	begin();
	charge(false, RL_WIDE_BLOCKER, 3000000);
	charge(true, RL_WIDE_BLOCKER, 1000000);
	text = printed(RL_TEXT);
	check(strstr(text, "4.00 ms in 2 waits, false: 3.00 ms in 1 (75.0 %)"));
	check(strstr(text, "convert next: print \"unmap\" ("));
	check(strstr(text, "ends 3.00 ms in 1 waits, 75.0 % of all waiting"));
	check(strstr(text, "print_fault <- print \"unmap\""));
	check(strstr(text, "no conversion can remove: 1.00 ms in 1 true"));
}

Test(site_print, text_without_waits_advises_nothing)
{
	begin();
	check(strstr(printed(RL_TEXT), "convert next: nothing"));
	check(!strstr(out.text, "<-"));
}

Test(site_print, text_says_when_it_takes_two)
{
	begin();
	charge(false, RL_WIDE_WAITER | RL_WIDE_BLOCKER, 5);
	check(strstr(printed(RL_TEXT), "with a partner"));
}

Test(site_print, json_has_exact_figures_and_escaped_names)
{
	const char *text;

	begin();
	check_eq(rl_sites_configure("print_no_such_site=fine", NULL, 0), 0);
	charge(false, RL_WIDE_BLOCKER, UINT64_C(9007199254740993));
	text = printed(RL_JSON);
	check(is_json(text));
	check(strstr(text, "\"removable\":{\"waits\":1,"
			   "\"wait_ns\":9007199254740993}"));
	check(strstr(text, "\"name\":\"print \\\"unmap\\\"\""));
	check(strstr(text, "\"waiter\":\"print_fault\""));
	check(strstr(text, "\"print_no_such_site\""));
	check(strstr(printed(RL_TEXT), "print_no_such_site"));
	rl_sites_reset();
}

Test(site_print, bad_arguments_are_refused)
{
	check_eq(rl_sites_print(RL_TEXT, NULL, NULL), EINVAL);
	check_eq(rl_sites_print((enum rl_format)9, capture_write, &out),
		 EINVAL);
}
