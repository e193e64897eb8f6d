/*
 * Goal: after the guard is let go everybody granted is let in, in order, and a
 * handle is not touched after its state says so.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "rangelock/base/spin.h"
#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/grant.h"

static struct rangelock lk;
static struct rl_range r[4];
static unsigned int nr_wakes;

/* Whoever is woken goes home, and his stack with him. */
static void take_home(void *ctx, const uint32_t *word)
{
	struct rl_range *woken = (struct rl_range *)
		((uintptr_t)word - offsetof(struct rl_range, state));

	(void)ctx;
	check(!rl_guard_is_taken(&lk.central.guard));
	check_eq(rl_load_relaxed(word), RL_HELD);
	check_eq(woken, &r[++nr_wakes]);
	rl_unlock(&lk, woken);
	memset(woken, 0, sizeof(*woken));
}

static const struct rl_host host = { .wake = take_home };

static void start(void)
{
	struct rl_options options = RL_OPTIONS_INIT;

	options.host = &host;
	options.bypass_ns = 0;
	check_eq(rl_init(&lk, &options), 0);
	memset(r, 0, sizeof(r));
	nr_wakes = 0;
	check_eq(rl_write_lock(&lk, &r[0], 0, 10), 0);
}

Test(grant, each_is_let_in_although_those_before_him_are_gone)
{
	start();
	for (unsigned int i = 1; i < 4; i++) {
		check_eq(rl_read_submit(&lk, &r[i], 0, 10, NULL), EINPROGRESS);
		r[i].state = RL_PARKED;
	}
	rl_unlock(&lk, &r[0]);
	check_eq(nr_wakes, 3);
	check_eq(rl_destroy(&lk), 0);
}

Test(grant, only_who_may_be_asleep_is_woken)
{
	start();
	for (unsigned int i = 1; i < 4; i++)
		check_eq(rl_read_submit(&lk, &r[i], 0, 10, NULL), EINPROGRESS);
	rl_unlock(&lk, &r[0]);
	check_eq(nr_wakes, 0);
	for (unsigned int i = 1; i < 4; i++) {
		check_eq(rl_poll(&lk, &r[i]), 0);
		rl_unlock(&lk, &r[i]);
	}
	check_eq(rl_destroy(&lk), 0);
}

static unsigned int nr_called;

static void on_granted(struct rl_range *it)
{
	check_eq(rl_load_relaxed(&it->state), RL_HELD);
	nr_called++;
	rl_unlock(&lk, it);
	memset(it, 0, sizeof(*it));
}

Test(grant, a_handle_may_be_gone_when_its_callback_returns)
{
	start();
	nr_called = 0;
	for (unsigned int i = 1; i < 4; i++)
		check_eq(rl_write_submit(&lk, &r[i], 0, 10, on_granted),
			 EINPROGRESS);
	rl_unlock(&lk, &r[0]);
	check_eq(nr_called, 3);
	check_eq(rl_destroy(&lk), 0);
}

Test(grant, running_nothing_runs_nothing)
{
	struct rl_deferred none = { NULL, NULL };

	rl_run_callbacks(&none);
	rl_run_deferred(&none);
	check(!none.head);
}

Test(grant, a_pass_reads_the_clock_at_most_once)
{
	struct rl_pass pass;
	uint64_t first;

	memset(&lk, 0, sizeof(lk));
	rl_guard_lock(&lk.central.guard, NULL);
	rl_pass_adopt(&pass, &lk, &lk.central);
	first = rl_pass_now(&pass);
	check_ne(first, 0);
	while (rl_clock(NULL) == first)
		;
	check_eq(rl_pass_now(&pass), first);
	rl_pass_end(&pass);
}
