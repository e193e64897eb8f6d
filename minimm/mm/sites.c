/*
 * sites.c - the call sites of all schemes
 *
 * A site is named after its operation, not its scheme, so that one word in
 * RANGELOCK_SITES converts an operation in whatever scheme runs.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/mm/mm.h"

static struct rl_site sites[MM_NR_SITES] = {
#define MM_SITE_INIT(name, text) \
	[MM_SITE_##name] = RL_SITE_INIT(text, RL_COARSE),
	MM_SITES(MM_SITE_INIT)
};

struct rl_site *mm_site_of(enum mm_site site)
{
	return &sites[site];
}

/* Is there a "name=" in the environment's list? */
static bool environment_names(const char *name)
{
	const char *list = getenv("RANGELOCK_SITES");
	size_t length = strlen(name);

	for (; list && *list; list = strchr(list, ',')) {
		list += strspn(list, ", \t");
		if (strncmp(list, name, length) == 0) {
			list += length;
			list += strspn(list, " \t");
			if (*list == '=')
				return true;
		}
	}
	return false;
}

void mm_site_grain(enum mm_site site, enum rl_grain grain)
{
	rl_site_register(&sites[site]);
	if (!environment_names(sites[site].name))
		rl_site_set_grain(&sites[site], grain);
}
