/*
 * weaken.c - are the orders needed, and would the scenarios tell?
 *
 * A place is a line of the source with its order; what a header's line compiles to
 * in several objects is one.  A place that nobody misses is an order that is not
 * needed, or a scenario that is.
 */
#include "tests/explore/weaken.h"

#include <stdio.h>
#include <string.h>

#include "tests/explore/engine.h"

extern struct ex_site __start_ex_sites[];
extern struct ex_site __stop_ex_sites[];

static bool is_same(const struct ex_site *a, const struct ex_site *b)
{
	return a->line == b->line && a->order == b->order &&
	       !strcmp(a->file, b->file);
}

static bool is_first(const struct ex_site *site)
{
	for (const struct ex_site *s = __start_ex_sites; s < site; s++)
		if (is_same(s, site))
			return false;
	return true;
}

static void set_weak(const struct ex_site *like, bool is_weak)
{
	for (struct ex_site *s = __start_ex_sites; s < __stop_ex_sites; s++)
		if (is_same(s, like))
			s->is_weak = is_weak;
}

static bool is_candidate(const struct ex_site *site, const char *part)
{
	char where[256];

	if (site->order == EX_RELAXED || site->order == EX_KERNEL ||
	    strstr(site->file, "explore") || !is_first(site))
		return false;
	snprintf(where, sizeof(where), "%s:%d %s", site->file, site->line,
		 site->function);
	return !part || strstr(where, part);
}

bool weaken_place(const char *place)
{
	bool found = false;

	for (struct ex_site *s = __start_ex_sites; s < __stop_ex_sites; s++)
		if (is_candidate(s, place)) {
			set_weak(s, true);
			found = true;
		}
	return found;
}

void weaken_each(const char *part, bool (*is_noticed)(void))
{
	static const char *const names[] = {
		"relaxed", "acquire", "release", "acq_rel", "full"
	};
	unsigned int nr = 0, nr_noticed = 0;

	for (const struct ex_site *s = __start_ex_sites; s < __stop_ex_sites; s++) {
		bool noticed;

		if (!is_candidate(s, part))
			continue;
		set_weak(s, true);
		noticed = is_noticed();
		set_weak(s, false);
		nr++;
		nr_noticed += noticed;
		printf("%-9s %s:%d %s(): %s\n", noticed ? "noticed" : "NOT MISSED",
		       s->file, s->line, s->function, names[s->order]);
		fflush(stdout);
	}
	printf("%u weakened, %u noticed\n", nr, nr_noticed);
}
