/*
 * Goal: whoever looks at a shard, lets go and looks again copes with all that others
 * can do in between: close it, open it, keep its guard, move the range that is
 * looked for.
 *
 * Who comes to a guard that is taken says so through the host's relax: there the
 * next step of the others is done.
 */
#include "tests/conformance/engines.h"

#include "rangelock/base/atomic.h"
#include "rangelock/engine/shards.h"
#include "rangelock/engine/wait.h"

#define CHUNK	UINT64_C(16)

static struct rangelock lk;
static struct rl_range a, b, wide;
static struct rl_arbiter *first, *second;	/* of chunks 0 and 1 */

/* What others do, each at one call of relax. */
static struct {
	void (*steps[2])(void);
	unsigned int next, nr_parks;
} others;

static void do_next(void *ctx)
{
	(void)ctx;
	if (others.next < 2 && others.steps[others.next])
		others.steps[others.next++]();
}

static void count_park(void *ctx, const uint32_t *word, uint32_t expected,
		       uint64_t deadline_ns)
{
	(void)ctx;
	(void)word;
	(void)expected;
	(void)deadline_ns;
	others.nr_parks++;
}

static const struct rl_host stepping = { .relax = do_next };
static const struct rl_host still = { .park = count_park };

static void begin(const struct rl_host *host, void (*one)(void),
		  void (*two)(void))
{
	struct rl_options o = strict_options;

	o.host = host;
	o.chunk_size = CHUNK;
	o.nr_shards = 4;
	check_eq(rl_init(&lk, &o), 0);
	a = b = wide = (struct rl_range)RL_RANGE_INIT;
	first = rl_shard(lk.forest, rl_shard_of(lk.forest, 0, 1));
	second = rl_shard(lk.forest, rl_shard_of(lk.forest, CHUNK, CHUNK + 1));
	others.steps[0] = one;
	others.steps[1] = two;
	others.next = others.nr_parks = 0;
}

static void finish(unsigned int nr_steps)
{
	struct rl_arbiter *arbiter;

	check_eq(others.next, nr_steps);
	check(rl_forest_is_valid(&lk));
	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(&lk, i)); i++)
		check(!(arbiter->guard &
			(RL_GUARD_TAKEN | RL_PINS | RL_MOVED_ANY)));
	check_eq(lk.forest->nr_closing, 0);
	check_eq(rl_destroy(&lk), 0);
}

static void take(struct rl_arbiter *arbiter)
{
	rl_guard_lock(&arbiter->guard, NULL);
}

static void let_go(struct rl_arbiter *arbiter)
{
	rl_guard_unlock(&arbiter->guard);
}

static uint32_t number_of(const struct rl_arbiter *shard)
{
	return (uint32_t)(shard - rl_shard(lk.forest, 0));
}

static void close_first(void)
{
	rl_forest_close(&lk, number_of(first));
}

static void open_first(void)
{
	rl_forest_open(&lk, number_of(first));
	check(!rl_shard_is_closed(first));
}

/* ---- A tree's guard ---- */

static void close_first_before_it_is_taken(void)
{
	let_go(first);
	close_first();
}

Test(between, a_shard_that_closed_is_under_the_central_guard)
{
	begin(&stepping, close_first_before_it_is_taken, NULL);
	take(first);
	check_eq(rl_guard_tree(&lk, first), &lk.central);
	let_go(&lk.central);
	finish(1);
}

static void close_first_and_stay(void)
{
	close_first_before_it_is_taken();
	take(&lk.central);
}

static void open_first_and_leave(void)
{
	let_go(&lk.central);
	open_first();
}

Test(between, a_shard_that_closed_and_opened_is_under_its_own_guard)
{
	begin(&stepping, close_first_and_stay, open_first_and_leave);
	take(first);
	check_eq(rl_guard_tree(&lk, first), first);
	let_go(first);
	finish(2);
}

Test(between, a_narrow_request_whose_shard_closes_comes_to_the_centre)
{
	begin(&stepping, close_first_before_it_is_taken, NULL);
	take(first);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check(rl_shard_is_closed(first));
	rl_unlock(&lk, &a);
	finish(1);
}

/* ---- A range's guard ---- */

static void hold_a_in_tree(void)
{
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	rl_entries_evict_all(&lk, 0, RL_END);
}

static void move_a_to_second(void)
{
	let_go(first);
	check_eq(rl_tryextend(&lk, &a, 0, CHUNK + 4), 0);
	check_eq(rl_narrow(&lk, &a, CHUNK, CHUNK + 4), 0);
	open_first();
}

static void move_a_to_second_and_open_it(void)
{
	move_a_to_second();
	rl_forest_open(&lk, number_of(second));
	check(!rl_shard_is_closed(second));
}

Test(between, a_range_that_went_to_a_closed_shard_is_under_the_central_guard)
{
	begin(&stepping, move_a_to_second, NULL);
	hold_a_in_tree();
	take(first);
	check_eq(rl_guard_home(&lk, &a), &lk.central);
	let_go(&lk.central);
	rl_unlock(&lk, &a);
	finish(1);
}

Test(between, a_range_that_went_to_an_open_shard_is_under_its_guard)
{
	begin(&stepping, move_a_to_second_and_open_it, NULL);
	hold_a_in_tree();
	take(first);
	check_eq(rl_guard_home(&lk, &a), second);
	let_go(second);
	rl_unlock(&lk, &a);
	finish(1);
}

Test(between, a_range_that_closed_with_its_shard_is_under_the_central_guard)
{
	begin(&stepping, close_first_before_it_is_taken, NULL);
	hold_a_in_tree();
	take(first);
	check_eq(rl_guard_home(&lk, &a), &lk.central);
	let_go(&lk.central);
	rl_unlock(&lk, &a);
	finish(1);
}

/* Its two ends are read one after the other, while its owner changes them. */
Test(between, a_range_that_is_seen_half_changed_is_looked_for_in_the_centre)
{
	begin(NULL, NULL, NULL);
	b.node.start = b.node.end = 8;
	check_eq(rl_guard_home(&lk, &b), &lk.central);
	let_go(&lk.central);
	finish(0);
}

/* Whoever kept a guard looks whether it is still the one. */
Test(between, the_right_guard_is_the_open_shard_s_or_the_centre_s)
{
	begin(NULL, NULL, NULL);
	a.node.start = 0;
	a.node.end = 4;
	wide.node.start = 8;
	wide.node.end = CHUNK + 8;
	check(rl_guard_is_right(&lk, first, &a));
	check(!rl_guard_is_right(&lk, second, &a));
	check(!rl_guard_is_right(&lk, &lk.central, &a));
	check(!rl_guard_is_right(&lk, first, &wide));
	check(!rl_guard_is_right(&lk, &lk.central, &wide));
	close_first();
	check(rl_guard_is_right(&lk, &lk.central, &a));
	check(!rl_guard_is_right(&lk, first, &a));
	check(!rl_guard_is_right(&lk, &lk.central, &wide));
	rl_forest_close(&lk, number_of(second));
	check(rl_guard_is_right(&lk, &lk.central, &wide));
	finish(0);
}

/* ---- Closing ---- */

Test(between, a_shard_that_another_closed_is_unpinned)
{
	begin(&stepping, close_first, NULL);
	check_eq(rl_read_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_read_lock(&lk, &wide, 0, 2 * CHUNK), 0);
	check_eq(first->guard & RL_PINS, 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &wide);
	finish(1);
}

static void take_centre(void)
{
	take(&lk.central);
}

/* Nobody comes between its two looks at the entry, so it need not wait for him. */
Test(between, a_wide_try_keeps_the_centre_until_it_has_closed_its_shards)
{
	begin(&stepping, take_centre, NULL);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_trylock(&lk, &wide, 8, CHUNK + 8), 0);
	check(rl_shard_is_closed(first));
	check_eq(first->guard & RL_PINS, 0);
	rl_unlock(&lk, &wide);
	rl_unlock(&lk, &a);
	finish(0);
}

Test(between, a_try_of_several_that_does_not_get_the_centre_is_EBUSY)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	begin(NULL, NULL, NULL);
	take(&lk.central);
	check_eq(rl_trylock_many(&lk, many, 2, spans), EBUSY);
	let_go(&lk.central);
	check_eq(rl_trylock_many(&lk, many, 2, spans), 0);
	rl_unlock_many(&lk, many, 2);
	finish(0);
}

/* A host that cannot spin does not look at entries: it has the barrier. */
Test(between, without_relax_a_wide_request_moves_who_stands_in_an_entry)
{
	begin(&still, NULL, NULL);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_submit(&lk, &wide, 2, CHUNK + 2, NULL), EINPROGRESS);
	check(a.flags & RL_F_HELD);
	check_eq(others.nr_parks, 0);
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &wide), 0);
	rl_unlock(&lk, &wide);
	finish(0);
}

/* The first entry is free again, the second is not. */
Test(between, whoever_stands_in_the_second_entry_alone_is_moved)
{
	begin(NULL, NULL, NULL);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_lock(&lk, &b, 4, 8), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_write_submit(&lk, &wide, 0, CHUNK + 2, NULL), EINPROGRESS);
	check(b.flags & RL_F_HELD);
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &wide), 0);
	rl_unlock(&lk, &wide);
	finish(0);
}

/* The centre's entries know nothing of those. */
Test(between, a_wide_request_finds_who_is_in_the_trees_of_closed_shards)
{
	begin(NULL, NULL, NULL);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	close_first();
	check_eq(lk.forest->nr_crowded, 1);
	check_eq(rl_write_trylock(&lk, &wide, 2, CHUNK + 2), EBUSY);
	check_eq(rl_write_trylock(&lk, &wide, 4, CHUNK + 2), 0);
	check_eq(rl_write_trylock(&lk, &b, CHUNK, 2 * CHUNK + 2), EBUSY);
	rl_unlock(&lk, &wide);
	rl_unlock(&lk, &a);
	finish(0);
}

/* Of runs that do not touch the last one counts. */
Test(between, the_run_of_chunks_that_was_closed_last_is_known)
{
	begin(NULL, NULL, NULL);
	check_eq(rl_write_lock(&lk, &a, 22 * CHUNK, 24 * CHUNK), 0);
	check_eq(lk.forest->closed_from, 22);
	check_eq(lk.forest->closed_to, 24);
	check_eq(rl_write_lock(&lk, &b, 2 * CHUNK, 4 * CHUNK), 0);
	check_eq(lk.forest->closed_from, 2);
	check_eq(lk.forest->closed_to, 4);
	check_eq(lk.forest->nr_open, 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish(0);
}

/* ---- Opening ---- */

Test(between, a_try_that_does_not_get_the_guard_of_a_shard_leaves_it_closed)
{
	begin(NULL, NULL, NULL);
	close_first();
	lk.forest->nr_since_wide = 1000;
	take(first);
	check_eq(rl_write_trylock(&lk, &a, 0, 4), 0);
	let_go(first);
	check(rl_shard_is_closed(first));
	rl_unlock(&lk, &a);
	finish(0);
}

static void open_first_and_keep_it(void)
{
	open_first_and_leave();
	take(first);
}

Test(between, a_try_that_does_not_get_the_guard_of_an_open_shard_is_EBUSY)
{
	begin(&stepping, open_first_and_keep_it, NULL);
	close_first();
	take(&lk.central);
	check_eq(rl_write_trylock(&lk, &a, 0, 4), EBUSY);
	let_go(first);
	check_eq(rl_write_trylock(&lk, &a, 0, 4), 0);
	rl_unlock(&lk, &a);
	finish(1);
}

/* ---- An entry in the way ---- */

static void unlock_a(void)
{
	rl_unlock(&lk, &a);
}

Test(between, who_leaves_while_it_is_looked_at_is_not_moved)
{
	begin(&stepping, unlock_a, NULL);
	lk.bypass_bias_ns = 0;
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_lock(&lk, &b, 0, 4), 0);
	check_eq(b.state, RL_INLINE);
	check_eq(first->guard, 0);
	rl_unlock(&lk, &b);
	finish(1);
}

static void pin_too_often(void *arg)
{
	take(arg);
	rl_guard_set_flags(&((struct rl_arbiter *)arg)->guard, RL_PINS | RL_SLOW);
	rl_entries_pin(arg);
}

Test(between, more_movers_than_can_be_counted_abort)
{
	begin(NULL, NULL, NULL);
	check_aborts(pin_too_often, first, "(flags & RL_PINS) != RL_PINS");
	finish(0);
}

/* ---- Letting in ---- */

/* Two threads: whoever lets in the second of two readers waits, after it has let in
 * the first, until the other one parks to see the second. */
static uint32_t nr_parked, is_granting;		/* atomic */

static void park_and_say(void *ctx, const uint32_t *word, uint32_t expected,
			 uint64_t deadline_ns)
{
	(void)ctx;
	(void)word;
	(void)expected;
	(void)deadline_ns;
	rl_add_relaxed(&nr_parked, 1);
	sched_yield();
}

static void wake_when_one_parks(void *ctx, const uint32_t *word)
{
	(void)ctx;
	(void)word;
	rl_store_release(&is_granting, 1);
	until(rl_load_relaxed(&nr_parked));
}

static void relax(void *ctx)
{
	(void)ctx;
}

static const struct rl_host slow_hosts[] = {
	{ .park = park_and_say, .wake = wake_when_one_parks },
	{ .park = park_and_say, .wake = wake_when_one_parks, .relax = relax },
};

static void *unlock_wide(void *arg)
{
	rl_unlock(&lk, arg);
	return NULL;
}

static void let_in_slowly(pthread_t *thread, const struct rl_host *host)
{
	begin(host, NULL, NULL);
	nr_parked = is_granting = 0;
	check_eq(rl_write_lock(&lk, &wide, 0, 4), 0);
	check_eq(rl_read_submit(&lk, &a, 0, 4, NULL), EINPROGRESS);
	check_eq(rl_read_submit(&lk, &b, 0, 4, NULL), EINPROGRESS);
	rl_store_relaxed(&a.state, RL_PARKED);
	check_eq(pthread_create(thread, NULL, unlock_wide, &wide), 0);
	until(rl_load_acquire(&is_granting));
	check_eq(rl_poll(&lk, &b), EINPROGRESS);
}

static void end_slowly(pthread_t thread)
{
	check_lt(0, nr_parked);
	check_eq(rl_poll(&lk, &b), 0);
	check_eq(pthread_join(thread, NULL), 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish(0);
}

Test(between, a_cancel_of_what_is_being_let_in_waits_until_it_is)
{
	pthread_t thread;

	for (unsigned int i = 0; i < 2; i++) {
		let_in_slowly(&thread, &slow_hosts[i]);
		check_eq(rl_cancel(&lk, &b), EBUSY);
		end_slowly(thread);
	}
}

/* It was called, and is granted before it claims. */
Test(between, a_claim_of_what_is_being_let_in_waits_until_it_is)
{
	pthread_t thread;

	for (unsigned int i = 0; i < 2; i++) {
		let_in_slowly(&thread, &slow_hosts[i]);
		rl_store_relaxed(&b.state, RL_CALLED);
		check_eq(rl_await(&lk, &b, RL_NO_DEADLINE, true), 0);
		end_slowly(thread);
	}
}

Test(between, who_was_queued_elsewhere_is_not_withdrawn_here)
{
	struct rangelock other = RANGELOCK_INIT;

	begin(NULL, NULL, NULL);
	check_eq(rl_write_lock(&other, &a, 0, 4), 0);
	check_eq(rl_write_submit(&other, &b, 0, 4, NULL), EINPROGRESS);
	check_eq(rl_withdraw(&lk, &b), EINVAL);
	check_eq(rl_poll(&other, &b), EINPROGRESS);
	check_eq(rl_cancel(&other, &b), 0);
	rl_unlock(&other, &a);
	check_eq(rl_destroy(&other), 0);
	finish(0);
}

/* ---- Calling ---- */

#define SLEEPERS	(RL_CALLS + 2)

/* More sleepers than a pass calls: the others are granted as they sleep. */
Test(between, of_many_sleepers_some_are_called_and_the_others_granted)
{
	static struct rl_range r[SLEEPERS];
	unsigned int nr_called = 0;

	check_eq(rl_init(&lk, &lax_options), 0);
	a = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		rl_range_init(&r[i]);
		check_eq(rl_read_submit(&lk, &r[i], 0, 4, NULL), EINPROGRESS);
		r[i].flags |= RL_F_AWAITED;	/* as if in rl_await() */
		rl_store_relaxed(&r[i].state, RL_PARKED);
	}
	rl_unlock(&lk, &a);
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		uint32_t state = rl_load_relaxed(&r[i].state);

		check(state == RL_HELD || rl_state_is_queued(state));
		nr_called += state == RL_CALLED;
	}
	check_eq(nr_called, RL_CALLS);
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		check_eq(rl_await(&lk, &r[i], RL_NO_DEADLINE, true), 0);
		check_eq(rl_poll(&lk, &r[i]), 0);
	}
	check_eq(nr_held(&lk), SLEEPERS);
	for (unsigned int i = 0; i < SLEEPERS; i++)
		rl_unlock(&lk, &r[i]);
	check_eq(rl_destroy(&lk), 0);
}

/* It is nobody's, so nobody sleeps for another request of his. */
Test(between, what_nobody_owns_may_pass)
{
	struct rl_range early = RL_RANGE_INIT, late = RL_RANGE_INIT;

	check_eq(rl_init(&lk, &lax_options), 0);
	a = b = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 20, 30), 0);
	check_eq(rl_write_submit(&lk, &early, 5, 25, NULL), EINPROGRESS);
	check_eq(rl_write_submit(&lk, &late, 22, 24, NULL), EINPROGRESS);
	late.owner = RL_NOBODY;
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &late), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &early), EINPROGRESS);
	rl_unlock(&lk, &late);
	check_eq(rl_poll(&lk, &early), 0);
	rl_unlock(&lk, &early);
	check_eq(rl_destroy(&lk), 0);
}
