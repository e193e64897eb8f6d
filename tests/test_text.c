/*
 * Goal: times are written with two decimals of the largest unit they fill, and
 * text of any length goes out whole.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/lock/text.h"
#include "tests/capture.h"

static struct capture out;

Test(text, times_are_for_people)
{
	char t[RL_TEXT_TIME];

	check_str_eq(rl_text_time(0, t), "0");
	check_str_eq(rl_text_time(1, t), "1 ns");
	check_str_eq(rl_text_time(999, t), "999 ns");
	check_str_eq(rl_text_time(1000, t), "1.00 us");
	check_str_eq(rl_text_time(12345, t), "12.34 us");
	check_str_eq(rl_text_time(999999999, t), "999.99 ms");
	check_str_eq(rl_text_time(1000000000, t), "1.00 s");
	check_str_eq(rl_text_time(UINT64_MAX, t), "18446744073.70 s");
}

Test(text, put_writes_every_byte)
{
	struct rl_text to = { capture_write, &out };
	char text[1000];

	memset(&out, 0, sizeof(out));
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	rl_text_put(&to, text);
	check_eq(out.used, sizeof(text) - 1);
	memset(&out, 0, sizeof(out));
	rl_text_printf(&to, "%d %s", 7, "ab");
	check_str_eq(out.text, "7 ab");
}
