/*
 * Goal: a sleeper that is called, and not granted, is passed and claims, in vain or
 * not, and nobody behind it is forgotten.
 *
 * Sleepers here are submitted requests whose words say that somebody sleeps for
 * them: so each step comes in a chosen place.
 */
#include "tests/conformance/engines.h"

#include "rangelock/base/atomic.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait.h"

static struct rl_range a, c, d, s, g;

static uint32_t state_of(const struct rl_range *r)
{
	return rl_load_relaxed(&r->state);
}

/* As if in rl_await(). */
static void submit_asleep(struct rangelock *lk, struct rl_range *r,
			  uint64_t start, uint64_t end)
{
	check_eq(rl_write_submit(lk, r, start, end, NULL), EINPROGRESS);
	r->flags |= RL_F_AWAITED;
	rl_store_relaxed(&r->state, RL_PARKED);
}

static void claim(struct rangelock *lk, struct rl_range *r)
{
	struct rl_pass pass;

	rl_pass_begin_home(&pass, lk, r);
	rl_arbiter_claim(&pass, r);
	rl_pass_end(&pass);
}

/*
 *	a [0, 8), gone         d [9, 10)
 *	s [0, 9), is called
 *	c [0, 4), has passed   g [8, 10), sleeps behind s and d
 */
static void call_s(struct rangelock *lk)
{
	a = c = d = s = g = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_write_lock(lk, &a, 0, 8), 0);
	check_eq(rl_write_lock(lk, &d, 9, 10), 0);
	submit_asleep(lk, &s, 0, 9);
	submit_asleep(lk, &g, 8, 10);
	rl_unlock(lk, &a);
	check_eq(state_of(&s), RL_CALLED);
	check_eq(rl_write_trylock(lk, &c, 0, 4), 0);
}

/* It is not woken to pass who is called. */
static void let_g_wait_for_s_alone(struct rangelock *lk)
{
	call_s(lk);
	rl_unlock(lk, &d);
	check_eq(state_of(&g), RL_PARKED);
}

LaxPromise(calling, who_claims_in_vain_lets_those_behind_it_be_called)
{
	let_g_wait_for_s_alone(lk);
	check_eq(rl_await(lk, &s, 0, true), ETIMEDOUT);	/* c holds */
	check_eq(state_of(&g), RL_CALLED);
	check_eq(rl_await(lk, &g, RL_NO_DEADLINE, true), 0);
	rl_unlock(lk, &g);
	rl_unlock(lk, &c);
}

LaxPromise(calling, who_is_called_behind_a_waiter_claims_past_it)
{
	let_g_wait_for_s_alone(lk);
	claim(lk, &s);
	check_eq(state_of(&s), RL_QUEUED);
	check_eq(state_of(&g), RL_CALLED);
	check_eq(rl_await(lk, &g, RL_NO_DEADLINE, true), 0);
	check_eq(rl_poll(lk, &s), EINPROGRESS);
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &s), EINPROGRESS);
	rl_unlock(lk, &g);
	check_eq(rl_poll(lk, &s), 0);
	rl_unlock(lk, &s);
}

/* Who has waited for bypass_ns is not passed, though its passer was called. */
LaxPromise(calling, who_is_called_behind_a_waiter_that_is_old_by_now_waits_on)
{
	uint64_t lax = lk->bypass_bias_ns;

	let_g_wait_for_s_alone(lk);
	claim(lk, &s);
	check_eq(state_of(&g), RL_CALLED);
	lk->bypass_bias_ns = 0 - RL_BYPASS_NS;		/* strict */
	check_eq(rl_await(lk, &g, 0, true), ETIMEDOUT);
	lk->bypass_bias_ns = lax;
	rl_unlock(lk, &c);
	check_eq(rl_poll(lk, &s), 0);
	rl_unlock(lk, &s);
}

/* Nobody sleeps for g, or he is awake: then passing costs nothing. */
LaxPromise(calling, who_is_awake_passes_who_is_called)
{
	call_s(lk);
	rl_store_relaxed(&g.state, RL_QUEUED);
	rl_unlock(lk, &d);
	check_eq(rl_poll(lk, &g), 0);
	rl_unlock(lk, &g);
	rl_unlock(lk, &c);
	check_eq(rl_await(lk, &s, 0, true), 0);
	rl_unlock(lk, &s);

	call_s(lk);
	g.flags = (uint16_t)(g.flags & ~RL_F_AWAITED);
	rl_store_relaxed(&g.state, RL_QUEUED);
	g.owner = RL_NOBODY;
	rl_unlock(lk, &d);
	check_eq(rl_poll(lk, &g), 0);
	rl_unlock(lk, &g);
	rl_unlock(lk, &c);
	check_eq(rl_await(lk, &s, 0, true), 0);
	rl_unlock(lk, &s);
}

/* It leaves, or holds: then those behind it are looked at as always. */
LaxPromise(calling, who_is_called_and_cancelled_is_forgotten)
{
	let_g_wait_for_s_alone(lk);
	check_eq(rl_cancel(lk, &s), 0);
	check_eq(state_of(&g), RL_CALLED);
	check_eq(rl_await(lk, &s, 0, true), ECANCELED);
	check_eq(rl_await(lk, &g, 0, true), 0);
	rl_unlock(lk, &g);
	rl_unlock(lk, &c);
}
