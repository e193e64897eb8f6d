/*
 * space_of.h - an address space for a test: operations by script lines, and an
 * observer that keeps the first violation
 */
#ifndef RL_TESTS_MM_SPACE_OF_H
#define RL_TESTS_MM_SPACE_OF_H

#include "minimm/mm/mm.h"
#include "minimm/scheme/scheme.h"

struct space {
	struct mm *mm;
	struct mm_env env;
	struct mm_observer observer;
	uint64_t spent[MM_NR_COSTS];
	uint64_t nr_io;
	char violation[200];		/* "" while there is none */
	unsigned int nr_violations;
	unsigned int nr_aborted, nr_fell_back;
};

/* config may be NULL; its scheme, env and observer are replaced. */
void space_open(struct space *s, const struct mm_scheme *scheme,
		const struct mm_config *config);

/* Checks the whole space; a violation that the test has not cleared fails it. */
void space_close(struct space *s);

/* Run a line of the script language.  Returns: its result as text. */
const char *space_do(struct space *s, const char *line);

/* "first-end flags ..." in pages from base, like "0-2rw 2-3r". */
const char *space_maps(struct space *s, uint64_t base);

#endif
