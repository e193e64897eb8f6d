/*
 * env.h - the world that the model runs in
 *
 * The model does no work of its own: it says what an operation would cost and
 * where it would sleep, and the environment makes time of it.  Under the
 * simulator that is virtual time; in a script, and on real threads, nothing.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_ENV_ENV_H
#define MINIMM_ENV_ENV_H

#include <stdint.h>

#include <rangelock.h>

/* name, what one unit is.  The simulator's table of costs has a row for each. */
#define MM_COSTS(X)							\
	X(SYSCALL,	"syscall",	"entry and exit of a system call") \
	X(FAULT,	"fault",	"entry and exit of a page fault") \
	X(VMA_LOOKUP,	"vma_lookup",	"a walk down the index")	\
	X(VMA_UPDATE,	"vma_update",	"a record added, removed or changed") \
	X(GAP_SEARCH,	"gap_search",	"a search for a free address")	\
	X(ANON_VMA,	"anon_vma",	"the first anonymous page of a VMA") \
	X(ZERO_PAGE,	"zero_page",	"a page allocated and cleared")	\
	X(COPY_PAGE,	"copy_page",	"a page allocated and copied")	\
	X(MAP_PAGE,	"map_page",	"an entry set, for a page that is there") \
	X(WALK_PAGE,	"walk_page",	"an entry looked at or changed")	\
	X(MOVE_PAGE,	"move_page",	"an entry moved by mremap")	\
	X(ZAP_PAGE,	"zap_page",	"an entry cleared, its page freed") \
	X(FORK_PAGE,	"fork_page",	"an entry copied to a child")	\
	X(TLB_FLUSH,	"tlb_flush",	"the other CPUs told, once a change") \
	X(MAPS_LINE,	"maps_line",	"a line of maps printed")		\
	X(ARGS_PAGE,	"args_page",	"a page of arguments read by ps")	\
	X(IO_PAGE,	"io_page",	"a page read from a disk (slept)")

enum mm_cost {
#define MM_COST_ENUM(name, text, what)	MM_COST_##name,
	MM_COSTS(MM_COST_ENUM)
#undef MM_COST_ENUM
	MM_NR_COSTS
};

/*
 * spend: use a CPU for `count` units of `what`; IO_PAGE never comes here.
 * io:	  sleep, without a CPU, until `pages` pages have been read.
 * Both may switch to another logical thread.  NULL members cost nothing; a NULL
 * host means real threads.
 */
struct mm_env {
	const struct rl_host *host;	/* for every rangelock of the model */
	void (*spend)(void *ctx, enum mm_cost what, uint64_t count);
	void (*io)(void *ctx, uint64_t pages);
	void *ctx;
};

#endif
