/*
 * Goal: a file of costs, however broken, is refused with a message and changes
 * nothing, or read; and what was read is printed, and read again as the same.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "minimm/sim/costs.h"

struct page {
	char text[8192];
	size_t length;
};

static void append(void *arg, const char *text, size_t length)
{
	struct page *p = arg;

	if (p->length + length > sizeof(p->text))
		fuzz_fail("the table is longer than a page");
	memcpy(p->text + p->length, text, length);
	p->length += length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sim_costs costs, before, again;
	struct page page = { .length = 0 };
	char why[512] = "";

	sim_costs_default(&costs);
	before = again = costs;
	if (sim_costs_load(&costs, fuzz_file(data, size), why, sizeof(why)) != 0) {
		if (!*why || memcmp(&costs, &before, sizeof(costs)) != 0)
			fuzz_fail("refused without a message, or half read");
		return 0;
	}
	sim_costs_print(&costs, append, &page);
	if (sim_costs_load(&again, fuzz_file((uint8_t *)page.text, page.length), why,
			   sizeof(why)) != 0 ||
	    memcmp(&again, &costs, sizeof(costs)) != 0)
		fuzz_fail("what was printed says something else: %s", why);
	return 0;
}
