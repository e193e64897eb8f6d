/*
 * site_config.h - "do_mmap=fine,munmap=coarse": wishes for sites by name
 */
#ifndef RL_LOCK_SITE_CONFIG_H
#define RL_LOCK_SITE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "rangelock/lock/site.h"

/* One entry of a text, without the blanks around it. */
struct rl_site_entry {
	const char *text;
	size_t length;
	const char *why;		/* NULL, or why it makes no sense */
	char name[RL_SITE_NAME];
	enum rl_grain grain;
};

/* Cut the next entry off *text; empty ones are left out.  Returns: false at
 * the end. */
bool rl_site_entry_next(const char **text, struct rl_site_entry *e);

/* The wishes that stand, guarded by the registry's guard. */
#define RL_WISHES_MAX	RL_SITES_MAX

struct rl_wishes {
	size_t n;
	struct {
		char name[RL_SITE_NAME];
		enum rl_grain grain;
	} of[RL_WISHES_MAX];
};

/* Returns: false if there is no room for another name. */
bool rl_wishes_put(struct rl_wishes *w, const struct rl_site_entry *e);

/* Returns: false, and *grain as it was, if nobody has asked for that name. */
bool rl_wishes_get(const struct rl_wishes *w, const char *name,
		   enum rl_grain *grain);

#endif
