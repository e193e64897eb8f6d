/*
 * Goal: numbers for people and for programs say what they mean, and options are
 * taken or refused with a word on which.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/json.h"
#include "minimm/cmd/say.h"

Test(say, times_have_three_digits_and_a_unit)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 1234, "1.23us" },
		{ 9994, "9.99us" },
		{ 9995, "10.0us" },
		{ 12345, "12.3us" },
		{ 99949, "99.9us" },
		{ 99950, "100us" },
		{ 123456, "123us" },
		{ 999499, "999us" },
		{ 999500, "1.00ms" },
		{ UINT64_C(999499999), "999ms" },
		{ UINT64_C(999500000), "1.00s" },
		{ UINT64_C(12345678901), "12.3s" },
		{ UINT64_C(1234567890123), "1235s" },
		{ UINT64_MAX, "18446744074s" },
	};
	char text[MM_TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_str_eq(mm_time_text(cases[i].ns, text), cases[i].text);
}

Test(say, counts_are_exact_as_long_as_they_fit)
{
	char text[MM_TEXT_MAX];

	check_str_eq(mm_count_text(0, text), "0");
	check_str_eq(mm_count_text(999999, text), "999999");
	check_str_eq(mm_count_text(1000000, text), "1.00M");
	check_str_eq(mm_count_text(UINT64_C(999499999), text), "999M");
	check_str_eq(mm_count_text(UINT64_C(1999500000), text), "2.00G");
}

static char written[1024];

static const char *read_back(FILE *file)
{
	size_t n;

	rewind(file);
	n = fread(written, 1, sizeof(written) - 1, file);
	written[n] = '\0';
	fclose(file);
	return written;
}

Test(json, commas_stand_where_they_must)
{
	struct mm_json json = { tmpfile(), false };

	mm_json_open(&json, NULL, '{');
	mm_json_open(&json, "a", '[');
	mm_json_close(&json, ']');
	mm_json_open(&json, "b", '[');
	mm_json_number(&json, NULL, 1);
	mm_json_number(&json, NULL, UINT64_MAX);
	mm_json_close(&json, ']');
	mm_json_open(&json, "c", '{');
	mm_json_close(&json, '}');
	mm_json_close(&json, '}');
	check_str_eq(read_back(json.file),
		     "{\"a\":[],\"b\":[1,18446744073709551615],\"c\":{}}");
}

Test(json, real_numbers_have_six_digits)
{
	struct mm_json json = { tmpfile(), false };

	mm_json_open(&json, NULL, '[');
	mm_json_real(&json, NULL, 0.5);
	mm_json_real(&json, NULL, 1234567.0);
	mm_json_real(&json, NULL, 0);
	mm_json_close(&json, ']');
	check_str_eq(read_back(json.file), "[0.5,1.23457e+06,0]");
}

Test(json, strings_are_valid_whatever_the_bytes)
{
	struct mm_json json = { tmpfile(), false };

	mm_json_string(&json, NULL, "q\" b\\ t\t \x7f");
	mm_json_string(&json, NULL, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	mm_json_string(&json, NULL, "\xff\xc3 \xe2\x82\xed\xa0\x80\xc0\x80");
	check_str_eq(read_back(json.file),
		     "\"q\\\" b\\\\ t\\u0009 \\u007f\","
		     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\","
		     "\"\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
		     "\\ufffd\\ufffd\"");
}

static struct mm_args args;
static char message[1024];

/* Read a command line; what it says goes to message. */
static int read_args(const char *line)
{
	static char copy[256];
	char *argv[32] = { NULL };
	int argc = 0, status, saved = dup(STDERR_FILENO);
	FILE *capture = tmpfile();
	size_t n;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	fflush(stderr);
	dup2(fileno(capture), STDERR_FILENO);
	status = mm_args_read(&args, argc, argv, strcmp(argv[0], "run") ?
			      "skcSCrfojihtn" : "sTduRpvfjh");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(capture);
	n = fread(message, 1, sizeof(message) - 1, capture);
	message[n] = '\0';
	fclose(capture);
	return status;
}

Test(args, what_is_given_is_taken)
{
	check_eq(read_args("replay file --scheme range,coarse,range --scale "
			   "16 --cpus=3 --seed 18446744073709551615 --racy "
			   "--costs trace --json - --cold --files fine"), 0);
	check_str_eq(args.trace, "file");
	check_eq(args.nr_schemes, 2);
	check(args.schemes[0] == &mm_scheme_range);
	check(args.schemes[1] == &mm_scheme_coarse);
	check_eq(args.scale, 16);
	check_eq(args.nr_cpus, 3);
	check_eq(args.seed, UINT64_MAX);
	check(args.racy && args.cold && args.costs_from_trace);
	check_eq(args.files, MM_FILES_FINE);
	check_str_eq(args.json, "-");
}

Test(args, numbers_are_decimal_unless_they_say_0x)
{
	check_eq(read_args("replay x --scale 010 --seed 0777 --cpus 0X1f"), 0);
	check_eq(args.scale, 10);
	check_eq(args.seed, 777);
	check_eq(args.nr_cpus, 31);
	check_eq(read_args("replay x --seed 08"), 0);
	check_eq(args.seed, 8);
}

static const char *the_one_scheme(const char *line)
{
	const struct mm_scheme *scheme;

	check_eq(read_args(line), 0);
	scheme = mm_args_one_scheme(&args, "replay");
	return scheme ? scheme->name : "none of them";
}

Test(args, one_scheme_is_coarse_or_the_one_that_is_given)
{
	check_str_eq(the_one_scheme("replay x"), "coarse");
	check_str_eq(the_one_scheme("replay x --scheme range"), "range");
	check_str_eq(the_one_scheme("replay x --scheme all"), "none of them");
}

Test(args, what_a_run_is_given_is_taken)
{
	check_eq(read_args("run mmap1 --threads 4,1,4,256 --seconds 0.050000001 "
			   "--reps 1000 --pages 0x10 --vmas 200"), 0);
	check_str_eq(args.trace, "mmap1");
	check_eq(args.nr_thread_counts, 3);
	check_eq(args.thread_counts[0], 4);
	check_eq(args.thread_counts[1], 1);
	check_eq(args.thread_counts[2], 256);
	check_eq(args.run_ns, 50000001);
	check_eq(args.nr_reps, 1000);
	check_eq(args.nr_pages, 16);
	check_eq(args.nr_vmas, 200);
	check_eq(read_args("run mmap1 --seconds 3600 --turns 7"), 0);
	check_eq(args.run_ns, UINT64_C(3600000000000));
	check_eq(args.nr_turns, 7);
	check_eq(read_args("run mmap1"), 0);
	check_eq(args.nr_thread_counts, 0);
	check_eq(args.run_ns, 0);
}

Test(args, the_defaults_are_one_copy_and_every_scheme)
{
	check_eq(read_args("replay file"), 0);
	check_eq(args.scale, 1);
	check_eq(args.nr_cpus, 0);
	check_eq(args.seed, 1);
	check_le(4, args.nr_schemes);
	for (size_t i = 0; i < args.nr_schemes; i++)
		check(!args.schemes[i]->is_hidden);
	check(!args.schemes_given);
}

Test(args, what_makes_no_sense_is_refused_by_name)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "replay x --scale 0", "--scale takes a number from 1 to" },
		{ "replay x --scale -1", "not \"-1\"" },
		{ "replay x --scale 1025", "--scale" },
		{ "replay x --scale 1x", "\"1x\"" },
		{ "replay x --scale", "--scale needs a value" },
		{ "replay x --cpus 0", "--cpus" },
		{ "replay x --seed 18446744073709551616", "--seed" },
		{ "replay x --scheme nope", "no scheme is called \"nope\"; "
					    "there are: coarse, " },
		{ "replay x --scheme coarse,", "no scheme is called \"\"" },
		{ "replay x --nope", "no option is called --nope\n" },
		{ "replay x --nope=1", "no option is called --nope\n" },
		{ "replay --cold -xr x", "no option is called -x\n" },
		{ "replay x --co", "--co could be --costs, --cold\n" },
		{ "replay x --racy=1", "--racy takes no value\n" },
		{ "replay x --scal", "--scale needs a value\n" },
		{ "replay x --scale 0x", "not \"0x\"" },
		{ "replay x --files both", "--files takes fine or coarse" },
		{ "replay x y", "\"y\" is one argument too many" },
		{ "replay x --costs /nonexistent", "/nonexistent: " },
		{ "run x --threads 0", "--threads takes a number from 1 to 256" },
		{ "run x --threads 1,257", "not \"257\"" },
		{ "run x --threads 1,,2", "not \"\"" },
		{ "run x --seconds 0", "--seconds takes a number above 0" },
		{ "run x --seconds 0.0000000001", "--seconds" },
		{ "run x --seconds .5", "not \".5\"" },
		{ "run x --seconds 1e3", "not \"1e3\"" },
		{ "run x --seconds 3600.1", "up to 3600" },
		{ "run x --seconds 99999999999999999999999", "--seconds" },
		{ "run x --turns 0", "--turns takes a number from 1 to" },
		{ "run x --reps 1001", "--reps takes a number from 1 to 1000" },
		{ "run x --pages 262145", "--pages takes a number from 1 to" },
		{ "run x --vmas 201", "--vmas takes a number from 1 to 200" },
		{ "run x --scale 2", "no option is called --scale" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		check_eq(read_args(cases[i].line), MM_STATUS_USAGE);
		check_msg(strncmp(message, "minimm: ", 8) == 0 &&
			  strstr(message, cases[i].says), "%s: says \"%s\"",
			  cases[i].line, message);
	}
}
