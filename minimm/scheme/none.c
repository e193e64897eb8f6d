/*
 * none.c - no lock at all: what the oracle and the checks must notice
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/scheme.h"

const struct mm_scheme mm_scheme_none = {
	.name = "none",
	.summary = "locks nothing: a test of the tests",
	.is_hidden = true,
};
