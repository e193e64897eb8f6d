/*
 * Goal: a script, however broken, is refused with a message or run; a line that
 * was read is written as a line that says the same; every scheme gives the same
 * results, and breaks no invariant.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "minimm/cmd/script_line.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/scheme.h"

#define SCHEMES_MAX	8
#define BIG		(UINT64_C(1) << 20)	/* populating more takes too long */

static struct mm *spaces[SCHEMES_MAX];

static void notice(void *ctx, struct mm_op *op, const char *text)
{
	(void)ctx;
	(void)op;
	fuzz_fail("violation of %s", text);
}

static const struct mm_observer observer = { .violation = notice };

static void open_spaces(void)
{
	for (unsigned int i = 0; mm_schemes[i]; i++) {
		struct mm_config config = { .scheme = mm_schemes[i],
					    .observer = &observer };

		spaces[i] = mm_create(&config);
		if (!spaces[i])
			fuzz_fail("out of memory");
	}
}

static void close_spaces(void)
{
	for (unsigned int i = 0; mm_schemes[i]; i++) {
		mm_check(spaces[i]);
		mm_destroy(spaces[i]);
	}
}

static void run_everywhere(const struct mm_op *arguments)
{
	int64_t first = 0;

	for (unsigned int i = 0; mm_schemes[i]; i++) {
		struct mm_op op = *arguments;

		mm_run(spaces[i], &op);
		mm_destroy(op.child);
		if (i == 0)
			first = op.result;
		else if (op.result != first)
			fuzz_fail("%s: %lld, but %s: %lld", mm_schemes[0]->name,
				  (long long)first, mm_schemes[i]->name,
				  (long long)op.result);
	}
}

static void check_written(const struct mm_op *op)
{
	char text[MM_SCRIPT_LINE], why[MM_SCRIPT_LINE + 64];
	struct mm_op again;

	mm_script_write_line(op, text, sizeof(text));
	if (mm_script_read_line(text, &again, why, sizeof(why)) != 1)
		fuzz_fail("`%s' was written and is not read: %s", text, why);
	if (again.kind != op->kind || again.addr != op->addr || again.len != op->len ||
	    again.prot != op->prot || again.advice != op->advice ||
	    again.access != op->access || again.flags != op->flags ||
	    again.new_len != op->new_len)
		fuzz_fail("`%s' says something else", text);
}

static bool takes_long(const struct mm_op *op)
{
	return op->len > BIG || op->new_len > BIG;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4096], why[MM_SCRIPT_LINE + 64], *rest = text, *line;
	struct mm_op op;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	open_spaces();
	while ((line = strsep(&rest, "\n"))) {
		if (mm_script_read_line(line, &op, why, sizeof(why)) != 1)
			continue;
		check_written(&op);
		if (!takes_long(&op))
			run_everywhere(&op);
	}
	close_spaces();
	return 0;
}
