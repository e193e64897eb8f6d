/*
 * entries.h - the real one, but an arbiter is fast again at once
 *
 * After a barrier it stays slow for some hundred pairs: no scenario is as long,
 * and what happens when SLOW is cleared would never be seen.  And who frees an
 * entry looks at SLOW alone.
 */
#ifndef EX_ENGINE_ENTRIES_H
#define EX_ENGINE_ENTRIES_H

#include_next "rangelock/engine/entries.h"

#undef RL_CALM_AFTER_BARRIER
#undef RL_CALM_AFTER_SHUT
#define RL_CALM_AFTER_BARRIER	0u
#define RL_CALM_AFTER_SHUT	0u

#define rl_entry_free(entry, a)						\
	(ex_look_at(&(a)->guard, RL_SLOW), rl_entry_free((entry), (a)))

#endif
