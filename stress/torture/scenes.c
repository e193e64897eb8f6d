/*
 * scenes.c - the list of scenes
 */
#include "stress/torture/torture.h"

/* clang-format off */
const struct tt_scene tt_scenes[] = {
	{ "spread", "short ranges anywhere",
	  .pattern = TT_SPREAD, .percent_many = 5, .percent_site = 5,
	  .percent_async = 25, .percent_read = 50, .work = tt_work_mixed },
	{ "border", "everything around one chunk border",
	  .pattern = TT_BORDER, .percent_many = 5, .percent_site = 5,
	  .percent_async = 25, .percent_read = 50, .work = tt_work_mixed },
	{ "shard", "everything in one chunk",
	  .pattern = TT_SHARD, .percent_many = 0, .percent_site = 0,
	  .percent_async = 25, .percent_read = 50, .work = tt_work_mixed },
	{ "wide", "long and whole ranges among short ones",
	  .pattern = TT_WIDE, .percent_many = 10, .percent_site = 5,
	  .percent_async = 25, .percent_read = 60, .work = tt_work_mixed },
	{ "coarse", "a program that is not converted yet",
	  .pattern = TT_COARSE, .percent_many = 1, .percent_site = 5,
	  .percent_async = 10, .percent_read = 80, .work = tt_work_mixed },
	{ "sites", "call sites whose grain is switched in flight",
	  .pattern = TT_SPREAD, .percent_many = 10, .percent_site = 90,
	  .percent_async = 20, .percent_read = 60, .work = tt_work_mixed },
	{ "many", "several ranges at once",
	  .pattern = TT_SPREAD, .percent_many = 80, .percent_site = 10,
	  .percent_async = 25, .percent_read = 50, .work = tt_work_mixed },
	{ "blocking", "locks that are waited for, and little else",
	  .pattern = TT_BORDER, .percent_many = 0, .percent_site = 0,
	  .percent_async = 0, .percent_read = 40, .work = tt_work_mixed },
	{ "calm", "each thread in its own pages, seldom in everybody's",
	  .pattern = TT_OWN, .percent_many = 1, .percent_site = 2,
	  .percent_async = 2, .percent_read = 30, .work = tt_work_mixed },
	{ "storm", "a signal every millisecond, and trylocks in its handler",
	  .pattern = TT_WIDE, .percent_many = 5, .percent_site = 5,
	  .percent_async = 20, .percent_read = 50, .has_signals = true,
	  .work = tt_work_mixed },
	{ "fifo", "one CPU, half of the threads SCHED_FIFO",
	  .pattern = TT_WIDE, .percent_many = 5, .percent_site = 5,
	  .percent_async = 20, .percent_read = 50, .has_fifo = true,
	  .work = tt_work_mixed },
	{ "fair", "equal writers of one range: their shares",
	  .pattern = TT_SHARD, .work = tt_work_fair },
	{ "sprint", "short holds in two chunks, one after the other",
	  .pattern = TT_BORDER, .percent_many = 2, .percent_site = 2,
	  .percent_async = 5, .percent_read = 50, .is_sprint = true,
	  .work = tt_work_sprint },
	{ "own-sprint", "the same, each thread in its own pages, seldom in others'",
	  .pattern = TT_OWN, .percent_many = 1, .percent_site = 1,
	  .percent_async = 2, .percent_read = 40, .is_sprint = true,
	  .work = tt_work_sprint },
	{ "all-sprint", "the same, with long and whole ranges in between",
	  .pattern = TT_WIDE, .percent_many = 2, .percent_site = 2,
	  .percent_async = 2, .percent_read = 80, .is_sprint = true,
	  .work = tt_work_sprint },
	{ "writer", "one writer among readers who never leave a gap",
	  .pattern = TT_SPREAD, .percent_read = 100, .work = tt_work_writer },
};
/* clang-format on */

const unsigned int tt_nr_scenes = sizeof(tt_scenes) / sizeof(tt_scenes[0]);

struct rl_site tt_sites[TT_SITES] = {
	RL_SITE_INIT("torture-1", RL_FINE),
	RL_SITE_INIT("torture-2", RL_SHADOW),
	RL_SITE_INIT("torture-3", RL_COARSE),
	RL_SITE_INIT("torture-4", RL_FINE),
};
