/*
 * scheme.h - the locking schemes
 *
 * One file each, behind the table of minimm/mm/hooks.h.  Adding a scheme adds
 * its file, its line here and its place in list.c.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SCHEME_SCHEME_H
#define MINIMM_SCHEME_SCHEME_H

#include <stddef.h>

#include "minimm/mm/hooks.h"

extern const struct mm_scheme mm_scheme_coarse;
extern const struct mm_scheme mm_scheme_coarse_mitigated;
extern const struct mm_scheme mm_scheme_range;
extern const struct mm_scheme mm_scheme_range_full;
extern const struct mm_scheme mm_scheme_none;

/* All of them, in the order of the table; NULL ends it. */
extern const struct mm_scheme *const mm_schemes[];

/* NULL if there is none of that name. */
const struct mm_scheme *mm_scheme_find(const char *name, size_t length);

#endif
