/*
 * site.h - the registry of call sites, as the lock calls and the reports see it
 */
#ifndef RL_LOCK_SITE_H
#define RL_LOCK_SITE_H

#include <stdbool.h>

#include <rangelock/site.h>
#include <rangelock/stats.h>

#include "rangelock/engine/charge.h"

/* Registers the site at its first use and counts one lock call.  Returns: its
 * number, 0 if it has none (no site, no room); *grain is what to lock. */
uint8_t rl_site_enter(struct rl_site *site, enum rl_mode mode,
		       enum rl_grain *grain);

/* The name of a number that some request has: "(no site)" for 0. */
const char *rl_site_name(uint16_t id);

/* The registered site of a number from 1 on, or NULL: there is no more. */
struct rl_site *rl_site_at(uint16_t id);

/* In the child of a fork: another thread may have been registering a site. */
void rl_sites_fork_child(void);

/*
 * Names that a text has asked for and no site has so far: copies the next one,
 * from *at on (0 at first).  Returns: false when there is none.
 */
#define RL_SITE_NAME	96
bool rl_sites_next_unknown(size_t *at, char name[RL_SITE_NAME]);

/* Add to stats what a pair's waits mean for site id, one of the two. */
void rl_site_attribute(struct rl_site_stats *stats, uint16_t id,
		       const struct rl_charge *pair);

/* The whole account of a site. */
void rl_site_read(uint16_t id, struct rl_site_stats *stats);

/* The numbers of all sites, the best to convert first.  Returns: how many. */
size_t rl_sites_rank(uint16_t ids[RL_SITES_MAX]);

/* What all pairs sum up to, and what of it no site's conversion can remove. */
struct rl_sites_total {
	uint64_t nr_waits[2], wait_ns[2];	/* true, false */
	uint64_t nr_neither, neither_ns;	/* false, but nobody was wide */
	uint64_t nr_lost;			/* waits in no pair's entry */
};
void rl_sites_total(struct rl_sites_total *total);

/* A conversion, and the false waiting that has ended by then. */
#define RL_PLAN_PAIRS	256
#define RL_PLAN_STEPS	8

struct rl_plan_step {
	uint16_t id;
	uint64_t removed_ns;
};

/* The order in which to convert: at most n steps.  Returns how many. */
size_t rl_sites_plan(struct rl_plan_step *steps, size_t n);

#endif
