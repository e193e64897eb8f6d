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

/* Two who sleep behind one holder, and do not conflict: the second sleeps behind a
 * waiter, too. */
LaxPromise(calling, who_is_not_behind_the_first_is_called_too)
{
	a = c = d = s = g = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_write_lock(lk, &d, 20, 22), 0);
	check_eq(rl_write_lock(lk, &a, 0, 19), 0);
	submit_asleep(lk, &s, 0, 4);
	submit_asleep(lk, &c, 8, 21);		/* behind d as well */
	submit_asleep(lk, &g, 10, 12);
	rl_unlock(lk, &a);
	check_eq(state_of(&s), RL_CALLED);
	check_eq(state_of(&g), RL_CALLED);
	check_eq(state_of(&c), RL_PARKED);
	check_eq(rl_await(lk, &g, RL_NO_DEADLINE, true), 0);
	rl_unlock(lk, &g);
	rl_unlock(lk, &d);
	check_eq(rl_await(lk, &c, RL_NO_DEADLINE, true), 0);
	rl_unlock(lk, &c);
	check_eq(rl_await(lk, &s, RL_NO_DEADLINE, true), 0);
	rl_unlock(lk, &s);
}

/* ---- Who comes behind a holder in the tree ---- */

static struct rangelock own;
static void (*steps[2])(void);
static unsigned int nr_steps;

/* Whoever looks again lets the next step be done first. */
static void do_next(void *ctx)
{
	(void)ctx;
	if (nr_steps < 2 && steps[nr_steps])
		steps[nr_steps++]();
}

static void unlock_a(void)
{
	rl_unlock(&own, &a);
}

static void unlock_s(void)
{
	rl_unlock(&own, &s);
}

static void begin_behind_a(void (*one)(void), void (*two)(void))
{
	static const struct rl_host host = { .relax = do_next };
	struct rl_options o = lax_options;

	o.host = &host;
	check_eq(rl_init(&own, &o), 0);
	a = c = s = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_write_lock(&own, &a, 0, 4), 0);
	rl_give(&own, &a, RL_NOBODY);
	steps[0] = one;
	steps[1] = two;
	nr_steps = 0;
}

static void submit_s_of_nobody(void)
{
	submit_asleep(&own, &s, 0, 4);
	s.owner = RL_NOBODY;
}

Test(calling, who_looks_until_a_sleeper_is_called_passes_him)
{
	begin_behind_a(unlock_a, NULL);
	submit_s_of_nobody();
	check_eq(rl_write_lock(&own, &c, 0, 4), 0);
	check_eq(nr_steps, 1);
	check_eq(state_of(&s), RL_CALLED);
	rl_unlock(&own, &c);
	check_eq(rl_await(&own, &s, RL_NO_DEADLINE, true), 0);
	rl_unlock(&own, &s);
	check_eq(rl_destroy(&own), 0);
}

Test(calling, who_looks_in_vain_is_queued)
{
	begin_behind_a(unlock_a, unlock_s);
	submit_s_of_nobody();
	s.flags = (uint16_t)(s.flags & ~RL_F_AWAITED);	/* it holds at once */
	rl_store_relaxed(&s.state, RL_QUEUED);
	check_eq(rl_write_lock(&own, &c, 0, 4), 0);
	check_eq(nr_steps, 2);
	rl_unlock(&own, &c);
	check_eq(rl_destroy(&own), 0);
}

static void do_nothing(void)
{
}

/* And looks there whether it is let in. */
Test(calling, who_is_behind_holders_alone_is_queued_at_once)
{
	begin_behind_a(unlock_a, NULL);
	check_eq(rl_write_lock(&own, &c, 2, 6), 0);
	check_eq(nr_steps, 1);
	rl_unlock(&own, &c);
	check_eq(rl_destroy(&own), 0);
	begin_behind_a(do_nothing, unlock_a);
	check_eq(rl_write_lock(&own, &c, 2, 6), 0);
	check_eq(nr_steps, 2);
	rl_unlock(&own, &c);
	check_eq(rl_destroy(&own), 0);
}
