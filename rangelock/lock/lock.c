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

static struct rl_ask coarse(enum rl_mode mode, enum rl_patience patience)
{
	struct rl_ask ask = RL_ASK(0, RL_END, mode, patience);

	ask.grain = RL_COARSE;
	return ask;
}

int rl_read_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		 uint64_t end)
{
	return rl_ask(lk, r, &RL_ASK(start, end, RL_READ, RL_BLOCK));
}

int rl_write_lock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		  uint64_t end)
{
	return rl_ask(lk, r, &RL_ASK(start, end, RL_WRITE, RL_BLOCK));
}

int rl_read_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		    uint64_t end)
{
	return rl_ask(lk, r, &RL_ASK(start, end, RL_READ, RL_TRY));
}

int rl_write_trylock(struct rangelock *lk, struct rl_range *r, uint64_t start,
		     uint64_t end)
{
	return rl_ask(lk, r, &RL_ASK(start, end, RL_WRITE, RL_TRY));
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
	struct rl_ask ask = coarse(RL_READ, RL_BLOCK);

	return rl_ask(lk, r, &ask);
}

int rl_write_lock_coarse(struct rangelock *lk, struct rl_range *r)
{
	struct rl_ask ask = coarse(RL_WRITE, RL_BLOCK);

	return rl_ask(lk, r, &ask);
}

int rl_read_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	struct rl_ask ask = coarse(RL_READ, RL_TRY);

	return rl_ask(lk, r, &ask);
}

int rl_write_trylock_coarse(struct rangelock *lk, struct rl_range *r)
{
	struct rl_ask ask = coarse(RL_WRITE, RL_TRY);

	return rl_ask(lk, r, &ask);
}

int rl_read_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			      uint64_t deadline_ns)
{
	return ask_until(lk, r, coarse(RL_READ, RL_BLOCK), deadline_ns);
}

int rl_write_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
			       uint64_t deadline_ns)
{
	return ask_until(lk, r, coarse(RL_WRITE, RL_BLOCK), deadline_ns);
}

/* Take a held leader out, under the guard. */
static void let_go(struct rl_pass *pass, struct rangelock *lk,
		   struct rl_arbiter *a, struct rl_range *leader)
{
	RL_INVARIANT(leader->flags & RL_F_HELD);
	rl_pass_adopt(pass, lk, a);
	rl_arbiter_leave(pass, leader);
	/* Relaxed: the handle is its owner's again. */
	rl_store_relaxed(&leader->state, RL_IDLE);		/* Q6 */
}

void rl_unlock(struct rangelock *lk, struct rl_range *r)
{
	struct rl_arbiter *a;
	struct rl_pass pass;

	rl_require_held(lk, r);
	a = rl_guard_home(lk, r);
	if (!(lk->forest && a == &lk->central) &&
	    rl_arbiter_leave_quietly(a, r)) {
		/* Relaxed: the handle is its owner's again. */
		rl_store_relaxed(&r->state, RL_IDLE);		/* Q6 */
		rl_guard_unlock(&a->guard);
		return;
	}
	let_go(&pass, lk, a, r);
	rl_pass_end(&pass);
}

void rl_unlock_deferred(struct rangelock *lk, struct rl_range *r,
			struct rl_deferred *d)
{
	struct rl_pass pass;

	rl_require_held(lk, r);
	RL_REQUIRE(d != NULL);
	let_go(&pass, lk, rl_guard_home(lk, r), r);
	rl_pass_end_deferred(&pass, d);
}

void rl_run_deferred(struct rl_deferred *d)
{
	RL_REQUIRE(d != NULL);
	rl_run_callbacks(d);
}

void rl_unlock_many(struct rangelock *lk, struct rl_range *r, size_t n)
{
	struct rl_pass pass;

	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	/* Relaxed: who unlocks knows that it is held. */
	RL_REQUIRE(rl_load_relaxed(&r->state) == RL_HELD);
	RL_REQUIRE(r->lock_tag == rl_lock_tag(lk));
	RL_REQUIRE(n == 1 ? !rl_range_is_several(r) :
		   r->flags & RL_F_LEADER && r->group == n);
	let_go(&pass, lk, rl_guard_home(lk, r), r);
	rl_pass_end(&pass);
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
	/* Relaxed: who gives knows that it is held. */
	RL_REQUIRE(rl_load_relaxed(&r->state) == RL_HELD);
	RL_REQUIRE(r->lock_tag == rl_lock_tag(lk));
	rl_pass_begin_home(&pass, lk, r);
	r->owner = owner;
	rl_pass_end(&pass);
}
