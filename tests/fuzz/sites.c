/*
 * Goal: a text like RANGELOCK_SITES's, however broken, is cut into entries that
 * lie in it, and the last good word about a name is the one that stands.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "rangelock/lock/site_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = fuzz_text(data, size), *at = text;
	static struct rl_wishes wishes;
	struct rl_site_entry e;
	enum rl_grain grain;

	wishes.n = 0;
	while (rl_site_entry_next(&at, &e)) {
		if (e.text < text || e.text + e.length > at || !e.length)
			fuzz_fail("an entry outside of the text");
		if (e.why)
			continue;
		if (!*e.name || strlen(e.name) >= sizeof(e.name) || e.grain > RL_FINE)
			fuzz_fail("an entry without a name or a grain");
		if (!rl_wishes_put(&wishes, &e)) {
			if (wishes.n != RL_WISHES_MAX)
				fuzz_fail("refused although there is room");
			continue;
		}
		if (!rl_wishes_get(&wishes, e.name, &grain) || grain != e.grain)
			fuzz_fail("`%s' is not what was asked for", e.name);
	}
	if (*at)
		fuzz_fail("text is left");
	return 0;
}
