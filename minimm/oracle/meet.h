/*
 * meet.h - missed conflicts on real threads: who is in a section with whom
 *
 * The oracle's one rule that needs no clock, for any number of OS threads: two
 * operations inside their sections at once whose structure conflicts are a missed
 * conflict.  Footprints are copied under a mutex when a section begins, so that
 * nobody reads an operation that its own thread is changing.
 *
 * Cost: that mutex twice a section, if sections are watched; else nothing.  Weak
 * spot: a watched run is not a run to be timed; a conflict shows only if the two
 * really were inside together.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ORACLE_MEET_H
#define MINIMM_ORACLE_MEET_H

#include <stdbool.h>
#include <stdint.h>

#include "minimm/mm/mm.h"
#include "minimm/oracle/oracle.h"

struct meet_options {
	unsigned int nr_threads;	/* operations at once, at most */
	bool watches_sections;		/* else it counts violations only */
	oracle_report_fn *report;	/* under the mutex; or NULL */
	void *report_arg;
	unsigned int nr_reports;	/* at most; 0: 20.  All are counted. */
};

struct meet;

/* Returns: NULL for want of memory. */
struct meet *meet_create(const struct meet_options *options);
void meet_destroy(struct meet *m);

/* For mm_config.observer, of one address space. */
const struct mm_observer *meet_observer(struct meet *m);

/* A violation that somebody else found. */
void meet_violation(struct meet *m, const char *text);

/* Requires: the threads have ended. */
uint64_t meet_nr_missed(const struct meet *m);
uint64_t meet_nr_violations(const struct meet *m);

#endif
