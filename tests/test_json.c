/*
 * Goal: the JSON writer is exact for every integer and well-formed for every
 * byte, however the pieces fall.
 */
#include "tests/backend.h"

#include <string.h>

#include "rangelock/lock/json.h"
#include "tests/capture.h"

static struct capture out;

static void begin(struct rl_json *j)
{
	memset(&out, 0, sizeof(out));
	rl_json_init(j, capture_write, &out);
}

Test(json, nesting_commas_and_keys)
{
	struct rl_json j;

	begin(&j);
	rl_json_object(&j, NULL);
	rl_json_u64(&j, "a", 0);
	rl_json_array(&j, "b");
	rl_json_end(&j);
	rl_json_array(&j, "c");
	rl_json_u64(&j, NULL, 1);
	rl_json_object(&j, NULL);
	rl_json_bool(&j, "d", true);
	rl_json_bool(&j, "e", false);
	rl_json_end(&j);
	rl_json_string(&j, NULL, NULL);
	rl_json_end(&j);
	rl_json_string(&j, "f", "g");
	rl_json_end(&j);
	check_str_eq(out.text, "{\"a\":0,\"b\":[],\"c\":[1,{\"d\":true,"
			       "\"e\":false},null],\"f\":\"g\"}\n");
	check(is_json(out.text));
}

Test(json, integers_of_64_bits_are_exact)
{
	struct rl_json j;

	begin(&j);
	rl_json_array(&j, NULL);
	rl_json_u64(&j, NULL, UINT64_MAX);
	rl_json_u64(&j, NULL, UINT64_C(9007199254740993));
	rl_json_end(&j);
	check_str_eq(out.text, "[18446744073709551615,9007199254740993]\n");
}

static const char *written(const char *value)
{
	struct rl_json j;

	begin(&j);
	rl_json_array(&j, NULL);
	rl_json_string(&j, NULL, value);
	rl_json_end(&j);
	check(is_json(out.text));
	return out.text;
}

Test(json, strings_are_escaped)
{
	check_str_eq(written("a\"b\\c/"), "[\"a\\\"b\\\\c/\"]\n");
	check_str_eq(written("\n\t\x01\x7f"),
		     "[\"\\u000a\\u0009\\u0001\\u007f\"]\n");
	check_str_eq(written(""), "[\"\"]\n");
}

Test(json, utf8_passes_and_all_else_is_replaced)
{
	check_str_eq(written("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		     "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]\n");
	check_str_eq(written("\xff"), "[\"\\ufffd\"]\n");
	check_str_eq(written("\xc3"), "[\"\\ufffd\"]\n");
	check_str_eq(written("\xc0\x80"), "[\"\\ufffd\\ufffd\"]\n");
	check_str_eq(written("\xe0\x80\x80" "a"),
		     "[\"\\ufffd\\ufffd\\ufffda\"]\n");
	check_str_eq(written("\xed\xa0\x80"),
		     "[\"\\ufffd\\ufffd\\ufffd\"]\n");
	check_str_eq(written("\xf4\x90\x80\x80"),
		     "[\"\\ufffd\\ufffd\\ufffd\\ufffd\"]\n");
	check_str_eq(written("\xe2\x82"), "[\"\\ufffd\\ufffd\"]\n");
}

Test(json, random_bytes_are_well_formed)
{
	uint64_t x = test_seed() | 1, rounds = test_rounds(2000);
	char text[700];

	for (uint64_t i = 0; i < rounds; i++) {
		size_t n = i % (sizeof(text) - 1);

		for (size_t k = 0; k < n; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			text[k] = (char)(x % 255 + 1);
		}
		text[n] = '\0';
		written(text);
	}
}

Test(json, long_text_goes_out_in_pieces)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	check_eq(strlen(written(text)), sizeof(text) - 1 + 5);
	check_lt(4, out.nr_pieces);
}

Test(json, checker_of_these_tests_sees_what_is_wrong)
{
	static const char *const wrong[] = {
		"", "{", "{\"a\"}", "{\"a\":1,}", "[1 2]", "[01]", "[\"\n\"]",
		"[\"\\x\"]", "[] []", "{a:1}", "[1,]", "\"",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_msg(!is_json(wrong[i]), "taken for JSON: %s", wrong[i]);
}
