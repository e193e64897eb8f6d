/*
 * annotate.h - what helgrind and DRD cannot see by themselves
 *
 * They take only LOCK-prefixed instructions for atomic and know no orders, so a
 * correct release store looks like a race.  Built with RL_HELGRIND, every
 * atomic word is taken out of their checking and every release and acquire is
 * told as the edge that it is.  Nothing else in the library is annotated: plain
 * accesses stay checked.
 *
 * In VARIANT=tokens it is the other way round: what the library does is hidden,
 * and its users' tools are told of ranges (rangelock/tokens/).
 */
#ifndef RL_BASE_ANNOTATE_H
#define RL_BASE_ANNOTATE_H

#ifdef RL_HELGRIND
#include <valgrind/helgrind.h>

#define rl_annotate_atomic(p, size)	VALGRIND_HG_DISABLE_CHECKING(p, size)
#define rl_annotate_release(p)		ANNOTATE_HAPPENS_BEFORE(p)
#define rl_annotate_acquire(p)		ANNOTATE_HAPPENS_AFTER(p)
#else
#define rl_annotate_atomic(p, size)	((void)(p))
#define rl_annotate_release(p)		((void)(p))
#define rl_annotate_acquire(p)		((void)(p))
#endif

/* The callback of r is about to be called; a thread's stack has something that
 * other threads will look at. */
#ifdef RL_RANGE_TOKENS
#include <stddef.h>
struct rl_range;
void rl_tell_called(struct rl_range *r);
void rl_hide(const void *memory, size_t size);
#define rl_annotate_called(r)		rl_tell_called(r)
#define rl_annotate_shared(p, size)	rl_hide(p, size)
#else
#define rl_annotate_called(r)		((void)(r))
#define rl_annotate_shared(p, size)	((void)(p))
#endif

#endif
