/*
 * sites.c - the call sites of all schemes
 *
 * A site is named after its operation, not its scheme, so that one word in
 * RANGELOCK_SITES converts an operation in whatever scheme runs.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdbool.h>
#include <stdlib.h>

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

/* The library tells a site that is not registered yet what it will get: one and
 * the same, if that does not come from the site itself. */
bool mm_site_is_asked_for(const char *name)
{
	const struct rl_site coarse = RL_SITE_INIT(name, RL_COARSE);
	const struct rl_site fine = RL_SITE_INIT(name, RL_FINE);

	return getenv("RANGELOCK_SITES") &&
	       rl_site_grain(&coarse) == rl_site_grain(&fine);
}

void mm_site_grain(enum mm_site site, enum rl_grain grain)
{
	rl_site_register(&sites[site]);
	if (!mm_site_is_asked_for(sites[site].name))
		rl_site_set_grain(&sites[site], grain);
}
