/*
 * site.c - the registry of call sites, their grains and the shadow check
 *
 * A site registers at its first use and has a number from then on.  Numbers are
 * given in order and never taken back, so a report walks them without a guard
 * on anything but the step.  Lock calls look at three words of the site: its
 * number, its grain, and the counter of their stripe.
 *
 * Cost: a lock call adds one uncontended addition; only registering, finding
 * and configuring take the registry's guard.
 * Weak spot: a site in a library that is unloaded stays in the registry.
 */
#include "rangelock/lock/site.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rangelock/base/planted.h"
#include "rangelock/base/require.h"
#include "rangelock/base/spin.h"
#include "rangelock/lock/ask.h"
#include "rangelock/lock/site_config.h"

#define UNLISTED	UINT32_MAX	/* an id: there was no room */

static uint32_t registry;		/* the guard of these four */
static struct rl_site *sites[RL_SITES_MAX];	/* fixed once it has an id */
static uint32_t nr_sites;
static struct rl_wishes wishes;
static bool has_read_environment;

static uint32_t aborts_on_misuse;	/* atomic */

/* Everything in it that makes sense becomes a wish or a setting. */
static bool read_environment_guarded(void)
{
	const char *text = getenv("RANGELOCK_SITES");
	const char *shadow = getenv("RANGELOCK_SHADOW");
	struct rl_site_entry e;

	if (has_read_environment)
		return false;
	has_read_environment = true;
	while (text && rl_site_entry_next(&text, &e))
		if (!e.why)
			rl_wishes_put(&wishes, &e);
	if (shadow && strcmp(shadow, "abort") == 0)
		rl_store_relaxed(&aborts_on_misuse, 1);	/* a lone switch */
	return true;
}

/* Is there a wish for its name?  None is ever taken back. */
static bool is_kept(const struct rl_site_entry *e)
{
	enum rl_grain grain;
	bool found;

	rl_guard_lock(&registry, NULL);
	found = rl_wishes_get(&wishes, e->name, &grain);
	rl_guard_unlock(&registry);
	return found;
}

/* The rest of it is said; not under the guard, for stderr may block. */
static void complain_about_environment(void)
{
	const char *text = getenv("RANGELOCK_SITES");
	const char *shadow = getenv("RANGELOCK_SHADOW");
	struct rl_site_entry e;

	while (text && rl_site_entry_next(&text, &e)) {
		if (!e.why && !is_kept(&e))
			e.why = "there are too many names";
		if (e.why)
			fprintf(stderr,
				"rangelock: RANGELOCK_SITES: \"%.*s\" is ignored: %s\n",
				(int)e.length, e.text, e.why);
	}
	if (shadow && strcmp(shadow, "abort") != 0 &&
	    strcmp(shadow, "count") != 0)
		fprintf(stderr,
			"rangelock: RANGELOCK_SHADOW: \"%s\" is ignored: want abort or count\n",
			shadow);
}

/* Take the registry's guard, with the environment read. */
static bool lock_registry(void)
{
	rl_guard_lock(&registry, NULL);
	return read_environment_guarded();
}

static void unlock_registry(bool read_just_now)
{
	rl_guard_unlock(&registry);
	if (read_just_now)
		complain_about_environment();
}

static int register_guarded(struct rl_site *site)
{
	enum rl_grain grain;

	/* relaxed: ids change under the guard only. */
	uint32_t id = rl_load_relaxed(&site->id);

	if (id)
		return id == UNLISTED ? ENOSPC : 0;
	if (nr_sites == RL_SITES_MAX) {
		rl_store_relaxed(&site->grain, RL_COARSE);
		id = UNLISTED;
	} else {
		if (rl_wishes_get(&wishes, site->name, &grain))
			rl_store_relaxed(&site->grain, grain);
		sites[nr_sites] = site;
		id = ++nr_sites;
	}
	/* (S1) release: the grain that was asked for, and the entry. */
	rl_store_release(&site->id, id);
	return id == UNLISTED ? ENOSPC : 0;
}

/* Its id: 0 if it is not registered, UNLISTED if there was no room. */
static uint32_t id_of(const struct rl_site *site)
{
	/* (S1) acquire: what belongs to the id. */
	return rl_load_acquire(&site->id);
}

int rl_site_register(struct rl_site *site)
{
	bool read_just_now;
	uint32_t id;
	int error;

	if (!site || !site->name || !site->name[0])
		return EINVAL;
	id = id_of(site);
	if (id)
		return id == UNLISTED ? ENOSPC : 0;
	if (rl_load_relaxed(&site->grain) > RL_FINE)
		return EINVAL;
	read_just_now = lock_registry();
	error = register_guarded(site);
	unlock_registry(read_just_now);
	return error;
}

/* Which stripe counts for this thread; threads differ in high bits only. */
static unsigned int stripe_of_caller(void)
{
	uint64_t mixed = rl_owner(NULL) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned int)(mixed >> 61) % RL_SITE_STRIPES;
}

uint8_t rl_site_enter(struct rl_site *site, enum rl_mode mode,
		       enum rl_grain *grain)
{
	uint32_t id = id_of(site);
	struct rl_site_stripe *stripe;

	*grain = RL_COARSE;
	if (id == 0 && rl_site_register(site) == 0)
		id = id_of(site);
	if (id == 0 || id == UNLISTED)
		return 0;
	stripe = &site->stripes[stripe_of_caller()];
	rl_add_relaxed64(&stripe->nr_locked[mode], 1);	/* only a sum */
	/* relaxed: either grain is right while it is being switched. */
	*grain = (enum rl_grain)rl_load_relaxed(&site->grain);
	return (uint8_t)id;
}

int rl_site_set_grain(struct rl_site *site, enum rl_grain grain)
{
	int error;

	if ((unsigned int)grain > RL_FINE)
		return EINVAL;
	error = rl_site_register(site);
	if (error)
		return error;
	if (!RL_PLANTED(SITE_GRAIN_STUCK))
		rl_store_relaxed(&site->grain, grain);	/* as in enter */
	return 0;
}

/* A site that is not registered yet is told what it will get. */
enum rl_grain rl_site_grain(const struct rl_site *site)
{
	enum rl_grain grain;
	bool read_just_now;

	if (!site || !site->name)
		return RL_COARSE;
	read_just_now = lock_registry();
	grain = (enum rl_grain)rl_load_relaxed(&site->grain);
	if (rl_load_relaxed(&site->id) == 0)
		rl_wishes_get(&wishes, site->name, &grain);
	unlock_registry(read_just_now);
	return grain;
}

struct rl_site *rl_site_at(uint16_t id)
{
	struct rl_site *site = NULL;

	rl_guard_lock(&registry, NULL);
	if (id >= 1 && id <= nr_sites)
		site = sites[id - 1];
	rl_guard_unlock(&registry);
	return site;
}

/* No guard: an entry is fixed before a request can have its number (S1). */
const char *rl_site_name(uint16_t id)
{
	return id ? sites[id - 1]->name : "(no site)";
}

static struct rl_site *find_guarded(const char *name)
{
	for (uint32_t i = 0; i < nr_sites; i++)
		if (strcmp(sites[i]->name, name) == 0)
			return sites[i];
	return NULL;
}

struct rl_site *rl_site_find(const char *name)
{
	struct rl_site *site;

	if (!name)
		return NULL;
	rl_guard_lock(&registry, NULL);
	site = find_guarded(name);
	rl_guard_unlock(&registry);
	return site;
}

bool rl_sites_next_unknown(size_t *at, char name[RL_SITE_NAME])
{
	bool is_found = false;

	rl_guard_lock(&registry, NULL);
	while (*at < wishes.n && !is_found) {
		const char *wish = wishes.of[(*at)++].name;

		if (!find_guarded(wish)) {
			memcpy(name, wish, strlen(wish) + 1);
			is_found = true;
		}
	}
	rl_guard_unlock(&registry);
	return is_found;
}

/* The first entry that cannot be applied, in e; counts a new name that stands
 * twice as two. */
static bool has_bad_entry_guarded(const char *text, struct rl_site_entry *e)
{
	size_t nr_new = 0;
	enum rl_grain grain;

	while (rl_site_entry_next(&text, e)) {
		if (!e->why && !rl_wishes_get(&wishes, e->name, &grain) &&
		    wishes.n + ++nr_new > RL_WISHES_MAX)
			e->why = "there are too many names";
		if (e->why)
			return true;
	}
	return false;
}

static void apply_guarded(const char *text)
{
	struct rl_site_entry e;

	while (rl_site_entry_next(&text, &e)) {
		rl_wishes_put(&wishes, &e);
		for (uint32_t i = 0; i < nr_sites; i++)
			if (strcmp(sites[i]->name, e.name) == 0)
				rl_store_relaxed(&sites[i]->grain, e.grain);
	}
}

int rl_sites_configure(const char *text, char *why, size_t size)
{
	struct rl_site_entry e;
	bool read_just_now, is_bad;

	if (why && size)
		why[0] = '\0';
	if (!text)
		return EINVAL;
	read_just_now = lock_registry();
	is_bad = has_bad_entry_guarded(text, &e);
	if (!is_bad)
		apply_guarded(text);
	unlock_registry(read_just_now);
	if (is_bad && why && size)
		snprintf(why, size, "\"%.*s\": %s", (int)e.length, e.text,
			 e.why);
	return is_bad ? EINVAL : 0;
}

void rl_site_abort_on_misuse(int yes)
{
	bool read_just_now = lock_registry();

	rl_store_relaxed(&aborts_on_misuse, yes != 0);	/* a lone switch */
	unlock_registry(read_just_now);
}

/* Of a range that the caller holds; others may be moving it to the tree. */
static void declared_range(const struct rl_range *r, uint64_t *start,
			   uint64_t *end)
{
	/* Relaxed: the caller holds it. */
	bool is_inline = rl_load_relaxed(&r->state) == RL_INLINE;

	if (!(r->bare & RL_BARE_DECLARED)) {
		*start = r->declared_start;
		*end = r->declared_end;
	} else if (is_inline && r->bare & RL_BARE_NODE) {
		*start = rl_inline_start(r);
		*end = rl_inline_end(r);
	} else {
		*start = r->node.start;
		*end = r->node.end;
	}
}

static void note_misuse(const struct rl_range *r, uint64_t start, uint64_t end,
			uint64_t address, uint64_t length)
{
	struct rl_site *site = r->site ? sites[r->site - 1] : NULL;

	if (site)
		rl_add_relaxed(&site->nr_misused, 1);	/* only a sum */
	if (!rl_load_relaxed(&aborts_on_misuse))
		return;
	fprintf(stderr,
		"rangelock: site %s declared [%#" PRIx64 ", %#" PRIx64
		") and touches %" PRIu64 " bytes at %#" PRIx64 "\n",
		rl_site_name(r->site), start, end, length, address);
	rl_fail(site && site->file ? site->file : __FILE__,
		site && site->file ? (int)site->line : __LINE__,
		"address lies in the declared range");
}

int rl_site_check(struct rangelock *lk, const struct rl_range *r,
		  uint64_t address, uint64_t length)
{
	uint64_t start, end;

	if (!lk || !r)
		return EINVAL;
	/* relaxed: the caller holds it, or sees that he does not. */
	RL_REQUIRE(rl_says_held(r) ||
		   (rl_load_relaxed(&r->state) == RL_MEMBER &&
		    rl_says_held(rl_range_leader(r))));
	RL_REQUIRE(rl_range_is_of(lk, r));

	if (length == 0)
		return 0;
	declared_range(r, &start, &end);
	if (address >= start && address < end && length <= end - address)
		return 0;
	note_misuse(r, start, end, address, length);
	return ERANGE;
}

void rl_sites_fork_child(void)
{
	/* relaxed: there is one thread.  Whatever was half done is not seen:
	 * the counts of sites and wishes are raised last. */
	rl_store_relaxed(&registry, 0);
}
