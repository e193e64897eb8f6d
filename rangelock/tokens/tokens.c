/*
 * tokens.c - a table of tokens, and who releases and acquires which
 *
 * A token is an address about which a race detector is told "this thread releases
 * it" and "this one acquires it": an acquire comes after all releases before it.
 * Each block (span.h) of each lock has four: for what readers and what writers did
 * in the block as a whole, and in parts of it.  Who leaves a range releases, for
 * his mode, the token "whole" of each block that he held whole and the token
 * "part" of each of which he held a part.  Who enters acquires the tokens "whole"
 * of all these blocks and the tokens "part" of those that he holds whole: a reader
 * the writers' ones, a writer both.  So two holds are ordered for the tool if and
 * only if they share a byte and one of them writes, which is all that the lock
 * promises.
 *
 * The table is of fixed size: nothing is allocated after init.  A token that
 * finds no place shares one with others: orders that nobody promised then hide
 * races, and none is made up.
 * Cost: see span.h; a token that nobody has released yet is not acquired.
 * Weak spot: a lock at the address of a dead one inherits its tokens.
 */
#include "rangelock/tokens/tokens.h"

#include <stdbool.h>

#include <valgrind/helgrind.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/planted.h"
#include "rangelock/engine/entries.h"
#include "rangelock/engine/request.h"
#include "rangelock/lock/ask.h"
#include "rangelock/tokens/span.h"

#ifndef RL_TOKENS
#define RL_TOKENS	(UINT64_C(1) << 18)
#endif
#define NR_SHARED	UINT64_C(1024)
#define NR_LOOKS	16u

/* ThreadSanitizer's, where the program is built with it. */
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

/* The library's variables: mk/tokens.mk names the sections. */
extern char __start_rl_bss[] __attribute__((weak, visibility("hidden")));
extern char __stop_rl_bss[] __attribute__((weak, visibility("hidden")));
extern char __start_rl_data[] __attribute__((weak, visibility("hidden")));
extern char __stop_rl_data[] __attribute__((weak, visibility("hidden")));

enum part { WHOLE, PART, HANDLE };

static uint64_t keys[RL_TOKENS];	/* 0: free, for ever something else */
static uint64_t is_shared[NR_SHARED];	/* 1: somebody has released it */
static bool is_watched, is_valgrind;	/* set before main() */

__attribute__((constructor)) static void look_who_watches(void)
{
	is_valgrind = RUNNING_ON_VALGRIND;
	is_watched = is_valgrind || (__tsan_acquire && __tsan_release);
	rl_hide(__start_rl_bss, (size_t)(__stop_rl_bss - __start_rl_bss));
	rl_hide(__start_rl_data, (size_t)(__stop_rl_data - __start_rl_data));
}

static uint64_t mix(uint64_t h, uint64_t value)
{
	h = (h ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t key_of(uint64_t whose, uint64_t index, unsigned int what)
{
	uint64_t key = mix(mix(mix(1, whose), index), what);

	return key ? key : 1;
}

/*
 * The token of a key, or NULL if nobody has released it.  Relaxed, all: who must
 * find one has ordered itself by the lock after who made it.
 */
static uint64_t *token_of(uint64_t key, bool make)
{
	uint64_t *token, there;

	for (uint64_t i = 0; i < NR_LOOKS; i++) {
		token = &keys[(key + i) % RL_TOKENS];
		there = rl_load_relaxed64(token);
		if (!there && !make)
			return NULL;
		if (!there && rl_cas_relaxed64(token, 0, key))
			return token;
		if (rl_load_relaxed64(token) == key)
			return token;
	}
	token = &is_shared[key % NR_SHARED];
	if (make)
		rl_store_relaxed64(token, 1);
	return rl_load_relaxed64(token) ? token : NULL;
}

static void acquire(uint64_t key)
{
	uint64_t *token = token_of(key, false);

	if (!token)
		return;
	if (__tsan_acquire)
		__tsan_acquire(token);
	ANNOTATE_HAPPENS_AFTER(token);
}

static void release(uint64_t key)
{
	uint64_t *token = token_of(key, true);

	if (__tsan_release)
		__tsan_release(token);
	ANNOTATE_HAPPENS_BEFORE(token);
}

/* Whose block it is, and how it is held. */
struct hold {
	uint32_t lock_tag;
	enum rl_mode mode;
};

static uint64_t key_of_block(const struct hold *h, enum rl_mode mode,
			     enum part part, unsigned int level, uint64_t index)
{
	if (RL_PLANTED(TOKENS_ONE))
		return key_of(h->lock_tag, 0, mode);
	return key_of(h->lock_tag, index, level * 8 + part * 2 + mode);
}

static void release_block(void *arg, unsigned int level, uint64_t index,
			  bool is_whole)
{
	const struct hold *h = arg;

	if (RL_PLANTED(TOKENS_MUTE_READERS) && h->mode == RL_READ)
		return;
	release(key_of_block(h, h->mode, is_whole ? WHOLE : PART, level, index));
}

static void acquire_block(void *arg, unsigned int level, uint64_t index,
			  bool is_whole)
{
	const struct hold *h = arg;

	for (enum rl_mode m = RL_READ; m <= RL_WRITE; m++) {
		if (!rl_modes_conflict(h->mode, m) &&
		    !RL_PLANTED(TOKENS_ORDER_READERS))
			continue;
		acquire(key_of_block(h, m, WHOLE, level, index));
		if (is_whole && !RL_PLANTED(TOKENS_FORGET_PARTS))
			acquire(key_of_block(h, m, PART, level, index));
	}
}

/* What a range locks, for who holds it: see rl_site_check(). */
static void held_span(const struct rl_range *r, uint64_t *start, uint64_t *end)
{
	/* Relaxed: the caller holds it. */
	bool is_inline = rl_load_relaxed(&r->state) == RL_INLINE;

	if (rl_range_grain(rl_range_leader(r)) != RL_FINE &&
	    !RL_PLANTED(TOKENS_NARROW_COARSE)) {
		*start = 0;
		*end = RL_END;
	} else if (is_inline && r->bare & RL_BARE_NODE) {
		*start = rl_inline_start(r);
		*end = rl_inline_end(r);
	} else {
		*start = rl_range_declared_start(r);
		*end = rl_range_declared_end(r);
	}
}

static void visit_held(uint32_t lock_tag, const struct rl_range *r,
		       rl_block_fn *visit)
{
	for (unsigned int i = 0; i < rl_range_nr_nodes(r); i++) {
		struct hold h = { .lock_tag = lock_tag,
				  .mode = rl_range_mode(&r[i]) };
		uint64_t start, end;

		held_span(&r[i], &start, &end);
		rl_span_visit(start, end, visit, &h);
	}
}

void rl_tell_leaving(const struct rangelock *lk, const struct rl_range *r)
{
	if (is_watched && lk && r && rl_says_held(r))
		visit_held(rl_lock_tag(lk), r, release_block);
}

void rl_tell_held(const struct rangelock *lk, const struct rl_range *r)
{
	if (is_watched)
		visit_held(rl_lock_tag(lk), r, acquire_block);
}

void rl_tell_handed_over(const struct rl_range *r)
{
	if (is_watched && r)
		release(key_of((uintptr_t)r, 0, HANDLE * 2));
}

void rl_tell_taken_over(const struct rl_range *r)
{
	if (is_watched && !RL_PLANTED(TOKENS_NO_HANDOVER))
		acquire(key_of((uintptr_t)r, 0, HANDLE * 2));
}

int rl_tell_asked(const struct rangelock *lk, struct rl_range *r, size_t n,
		  int error)
{
	if (!error)
		rl_tell_held(lk, r);
	if (error == ECANCELED)
		rl_tell_taken_over(r);
	if (error && error != EINVAL && error != EINPROGRESS)
		rl_show(r, n * sizeof(*r));
	return error;
}

/* Declared in base/annotate.h: a callback is about to be called. */
void rl_tell_called(struct rl_range *r)
{
	if (!is_watched)
		return;
	rl_tell_taken_over(r);
	visit_held(r->lock_tag, r, acquire_block);
}

void rl_hide(const void *memory, size_t size)
{
	if (is_valgrind && memory && size)
		VALGRIND_HG_DISABLE_CHECKING(memory, size);
}

void rl_show(const void *memory, size_t size)
{
	if (!is_valgrind || !memory)
		return;
	VALGRIND_HG_ENABLE_CHECKING(memory, size);
	VALGRIND_HG_CLEAN_MEMORY(memory, size);
}

void rl_hide_lock(const struct rangelock *lk)
{
	rl_hide(lk, sizeof(*lk));
}

void rl_hide_handles(const struct rangelock *lk, const struct rl_range *r,
		     size_t n)
{
	rl_hide_lock(lk);
	if (n <= RL_MANY_MAX)
		rl_hide(r, n * sizeof(*r));
}
