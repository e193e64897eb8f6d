/*
 * tokens.h - what the calls of the interface tell a race detector
 *
 * VARIANT=tokens only.  Each file beside this one is named as the one of lock/
 * that it stands before: its functions are the interface's, and call the others,
 * which are named untold_... in this variant (mk/tokens.mk).
 */
#ifndef RL_TOKENS_TOKENS_H
#define RL_TOKENS_TOKENS_H

#include <stddef.h>

#include <rangelock.h>

/* The function that does the work.  mk/tokens.mk reads these lines. */
#define RL_UNTOLD(name)	extern __typeof__(name) untold_##name

/*
 * Memory that the library reads and writes by rules of its own.  Valgrind's tools
 * look at it no more, and as at new memory when it is shown again.  (ThreadSanitizer
 * sees nothing that it has not compiled.)
 */
void rl_hide(const void *memory, size_t size);
void rl_show(const void *memory, size_t size);
void rl_hide_lock(const struct rangelock *lk);
void rl_hide_handles(const struct rangelock *lk, const struct rl_range *r,
		     size_t n);

/*
 * A lock call of n handles has returned error: what they hold begins to be held,
 * or they are the caller's again.  Returns: error.
 */
int rl_tell_asked(const struct rangelock *lk, struct rl_range *r, size_t n,
		  int error);

/* What r holds, all of several, is about to be let go, or to become less. */
void rl_tell_leaving(const struct rangelock *lk, const struct rl_range *r);

/* What r holds, all of several, is held, since now or before. */
void rl_tell_held(const struct rangelock *lk, const struct rl_range *r);

/* A handle goes from one thread to another: who submits or cancels it, and who
 * learns what became of it. */
void rl_tell_handed_over(const struct rl_range *r);
void rl_tell_taken_over(const struct rl_range *r);

#endif
