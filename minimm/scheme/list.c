/*
 * list.c - the schemes there are
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <string.h>

#include "minimm/scheme/scheme.h"

const struct mm_scheme *const mm_schemes[] = {
	&mm_scheme_coarse,
	&mm_scheme_coarse_mitigated,
	&mm_scheme_range,
	&mm_scheme_range_full,
	&mm_scheme_none,
	NULL,
};

const struct mm_scheme *mm_scheme_find(const char *name, size_t length)
{
	for (const struct mm_scheme *const *s = mm_schemes; *s; s++)
		if (strlen((*s)->name) == length &&
		    memcmp((*s)->name, name, length) == 0)
			return *s;
	return NULL;
}
