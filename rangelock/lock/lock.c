/*
 * lock.c - lock, trylock, deadline, coarse, unlock
 *
 * Each call names what it asks for; ask.c does it.
 */
#include "rangelock/engine/grant.h"
#include "rangelock/lock/ask.h"

static int ask_until(struct rangelock *lk, struct rl_range *r,
		     struct rl_ask ask, uint64_t deadline_ns)
{
	ask.deadline_ns = deadline_ns;
	return rl_ask(lk, r, &ask);
}

#define COARSE(mode_, patience_)					\
	((struct rl_ask){						\
		.start = 0, .end = RL_END, .mode = (mode_),		\
		.grain = RL_COARSE, .patience = (patience_),		\
		.deadline_ns = RL_NO_DEADLINE,				\
	})

/*
 * NAME_slowly() and NAME_aside() take the arguments of their caller in their places,
 * and one more, so that the common case saves none of them: *_quickly() is all that
 * is inline.
 */
#define SLOWLY(name, ask)						\
	static __attribute__((noinline)) int				\
	name##_slowly(struct rangelock *lk, struct rl_range *r,	\
		      uint64_t start, uint64_t end, struct rl_arbiter *a) \
	{								\
		(void)start;						\
		(void)end;						\
		return rl_ask_slowly(lk, a, r, &(ask));			\
	}								\
									\
	static __attribute__((noinline)) int				\
	name##_aside(struct rangelock *lk, struct rl_range *r,		\
		      uint64_t start, uint64_t end, struct rl_arbiter *a) \
	{								\
		if (rl_ask_biased(lk, a, r, &(ask)))			\
			return 0;					\
		return name##_slowly(lk, r, start, end, NULL);		\
	}								\
									\
	static RL_ALWAYS_INLINE int					\
	name##_lock(struct rangelock *lk, struct rl_range *r,		\
		    uint64_t start, uint64_t end)			\
	{								\
		struct rl_arbiter *a;					\
		enum rl_asked asked;					\
									\
		if (__builtin_expect(!lk, 0) || __builtin_expect(!r, 0) || \
		    __builtin_expect(start >= end, 0))			\
			return EINVAL;					\
		asked = rl_ask_quickly(lk, r, &(ask), &a);		\
		if (__builtin_expect(asked == RL_ASKED_HOLDS, 1))	\
			return 0;					\
		if (asked == RL_ASKED_ASIDE)				\
			return name##_aside(lk, r, start, end, a);	\
		return name##_slowly(lk, r, start, end, a);		\
	}

SLOWLY(read, RL_ASK(start, end, RL_READ, RL_BLOCK))
SLOWLY(write, RL_ASK(start, end, RL_WRITE, RL_BLOCK))
SLOWLY(read_try, RL_ASK(start, end, RL_READ, RL_TRY))
SLOWLY(write_try, RL_ASK(start, end, RL_WRITE, RL_TRY))
SLOWLY(read_coarse, COARSE(RL_READ, RL_BLOCK))
SLOWLY(write_coarse, COARSE(RL_WRITE, RL_BLOCK))

int rl_read_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		 uint64_t end)
{
	return read_lock(lk, r, start, end);
}

int rl_write_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		  uint64_t end)
{
	return write_lock(lk, r, start, end);
}

int rl_read_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		    uint64_t end)
{
	return read_try_lock(lk, r, start, end);
}

int rl_write_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		     uint64_t end)
{
	return write_try_lock(lk, r, start, end);
}

int rl_read_lock_until(struct rangelock *lk, struct rl_range *r,
		       uint64_t start, uint64_t end, uint64_t deadline_ns)
{
	return ask_until(lk, r, RL_ASK(start, end, RL_READ, RL_BLOCK),
			 deadline_ns);
}

int rl_write_lock_until(struct rangelock *lk, struct rl_range *r,
			uint64_t start, uint64_t end, uint64_t deadline_ns)
{
	return ask_until(lk, r, RL_ASK(start, end, RL_WRITE, RL_BLOCK),
			 deadline_ns);
}

int rl_read_lock_coarse(struct rangelock *lk, struct rl_range *r)
{
	return read_coarse_lock(lk, r, 0, RL_END);
}

int rl_write_lock_coarse(struct rangelock *lk, struct rl_range *r)
{
	return write_coarse_lock(lk, r, 0, RL_END);
}

int rl_read_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	return rl_ask(lk, r, &COARSE(RL_READ, RL_TRY));
}

int rl_write_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	return rl_ask(lk, r, &COARSE(RL_WRITE, RL_TRY));
}

int rl_read_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			      uint64_t deadline_ns)
{
	return ask_until(lk, r, COARSE(RL_READ, RL_BLOCK), deadline_ns);
}

int rl_write_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			       uint64_t deadline_ns)
{
	return ask_until(lk, r, COARSE(RL_WRITE, RL_BLOCK), deadline_ns);
}

/* Take a held leader out of the tree, under the guard. */
static void let_go(struct rl_pass *pass, struct rangelock *lk,
		   struct rl_arbiter *a, struct rl_range *leader)
{
	RL_INVARIANT(leader->flags & RL_F_HELD);
	rl_pass_adopt(pass, lk, a);
	rl_arbiter_leave(pass, leader);
	rl_arbiter_calm(a);
	rl_entries_open(pass);
}

static void unlock_held(struct rangelock *lk, struct rl_range *r,
			struct rl_deferred *deferred)
{
	struct rl_arbiter *a = rl_guard_home(lk, r);
	struct rl_pass pass;

	if (rl_arbiter_leave_quietly(lk, a, r)) {
		rl_arbiter_calm(a);
		rl_guard_unlock(&a->guard);
		return;
	}
	/* Beside some who have passed (entries.h). */
	if (rl_guard_flags(&a->guard) & RL_OPEN &&
	    !rl_frees_nobody(lk, a, r)) {
		rl_guard_unlock(&a->guard);
		rl_pass_begin_home(&pass, lk, r);
		a = pass.arbiter;
	}
	let_go(&pass, lk, a, r);
	if (deferred)
		rl_pass_end_deferred(&pass, deferred);
	else
		rl_pass_end(&pass);
}

/* Relaxed, twice: the handle is its owner's, who alone says so. */
static RL_ALWAYS_INLINE void unlock(struct rangelock *lk, struct rl_range *r,
				    struct rl_deferred *deferred)
{
	uint32_t state = rl_load_relaxed(&r->state);
	uint64_t *entry = r->entry;
	struct rl_arbiter *a;

	rl_order_let_go(lk, r);
	if (__builtin_expect(state == RL_INLINE, 1)) {
		a = rl_entry_arbiter(entry);
	} else if (state == RL_PUBLISHED) {
		a = rl_record_arbiter(entry);
	} else {
		rl_store_relaxed(&r->state, RL_IDLE);		/* Q6 */
		unlock_held(lk, r, deferred);
		return;
	}
	rl_store_relaxed(&r->state, RL_IDLE);			/* Q6 */
	if (__builtin_expect(!rl_entry_free(entry, a), 0))
		rl_entry_leave(lk, r, a, deferred);
}

static __attribute__((noinline)) void unlock_slowly(struct rangelock *lk,
						    struct rl_range *r)
{
	rl_require_held(lk, r);
	unlock(lk, r, NULL);
}

/* The common cases, a range in an entry of this lock (and so a lone one) and a
 * published one, are all in here. */
void rl_unlock(struct rangelock *lk, struct rl_range *r)
{
	struct rl_arbiter *a;
	uint64_t *entry;
	uint32_t state;

	if (__builtin_expect(!lk, 0) || __builtin_expect(!r, 0)) {
		unlock_slowly(lk, r);
		return;
	}
	entry = r->entry;
	state = rl_load_relaxed(&r->state);	/* relaxed: as in unlock() */
	if (__builtin_expect(state == RL_INLINE, 1)) {
		a = rl_entry_arbiter(entry);
	} else if (state == RL_PUBLISHED) {
		a = rl_record_arbiter(entry);
	} else {
		unlock_slowly(lk, r);
		return;
	}
	if (__builtin_expect(!rl_entry_is_of(lk, a), 0)) {
		unlock_slowly(lk, r);
		return;
	}
	rl_order_let_go(lk, r);
	rl_store_relaxed(&r->state, RL_IDLE);			/* Q6 */
	if (__builtin_expect(!rl_entry_free(entry, a), 0))
		rl_entry_leave(lk, r, a, NULL);
}

void rl_unlock_deferred(struct rangelock *lk, struct rl_range *r,
			struct rl_deferred *d)
{
	rl_require_held(lk, r);
	RL_REQUIRE(d != NULL);
	unlock(lk, r, d);
}

void rl_run_deferred(struct rl_deferred *d)
{
	RL_REQUIRE(d != NULL);
	rl_run_callbacks(d);
}

void rl_unlock_many(struct rangelock *lk, struct rl_range *r, size_t n)
{
	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	RL_REQUIRE(rl_says_held(r));
	RL_REQUIRE(rl_range_is_of(lk, r));
	RL_REQUIRE(n == 1 ? !rl_range_is_several(r) :
		   r->flags & RL_F_LEADER && r->group == n);
	unlock(lk, r, NULL);
}

uint64_t rl_self(const struct rangelock *lk)
{
	return rl_owner(lk ? lk->host : NULL);
}

uint64_t rl_now(const struct rangelock *lk)
{
	return rl_clock(lk ? lk->host : NULL);
}

void rl_give(struct rangelock *lk, struct rl_range *r, uint64_t owner)
{
	struct rl_pass pass;

	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	RL_REQUIRE(rl_says_held(r));
	RL_REQUIRE(rl_range_is_of(lk, r));
	rl_entry_settle(lk, r);
	rl_order_give(lk, r, owner);
	rl_pass_begin_home(&pass, lk, r);
	r->owner = owner;
	rl_pass_end(&pass);
}
