/*
 * Goal: a wide request closes what it touches whoever stands in an entry there,
 * a shard opens only when nobody central touches it, and the checker of F2 and F3
 * sees each way to break them.
 */
#include "tests/backend.h"

#include <errno.h>

#include <rangelock.h>

#include "rangelock/engine/shards.h"

#define CHUNK	UINT64_C(16)
#define PAIRS	1000u		/* more than a calm period */

static struct rangelock lk;
static struct rl_range a, b, c, wide;
static struct rl_arbiter *first, *second;	/* of chunks 0 and 1 */

static void begin_on(const struct rl_host *host)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.host = host;
	o.chunk_size = CHUNK;
	o.nr_shards = 4;
	o.bypass_ns = 0;
	check_eq(rl_init(&lk, &o), 0);
	a = b = c = wide = (struct rl_range)RL_RANGE_INIT;
	first = rl_tree_of(&lk, &(struct rl_range){ .node = { .end = 1 } });
	second = rl_shard(lk.forest, rl_shard_of(lk.forest, CHUNK, CHUNK + 1));
	check_ne(first, second);
}

static void begin(void)
{
	begin_on(NULL);
}

static uint32_t number_of(const struct rl_arbiter *shard)
{
	return (uint32_t)(shard - rl_shard(lk.forest, 0));
}

static void finish(void)
{
	struct rl_arbiter *arbiter;

	check(rl_forest_is_valid(&lk));
	for (uint32_t i = 0; (arbiter = rl_lock_arbiter(&lk, i)); i++)
		check(!(arbiter->guard &
			(RL_GUARD_TAKEN | RL_PINS | RL_MOVED_ANY)));
	check_eq(lk.forest->nr_crowded, 0);
	check_eq(lk.central.nr_waiting, 0);
	check_eq(rl_destroy(&lk), 0);
}

static bool is_in_entry(const struct rl_range *r, const struct rl_arbiter *at)
{
	return r->state == RL_INLINE && rl_entry_arbiter(r->entry) == at &&
	       !(r->flags & RL_F_HELD);
}

static bool was_moved(const struct rl_range *r, const struct rl_arbiter *at)
{
	return r->state == RL_INLINE && rl_entry_arbiter(r->entry) == at &&
	       r->flags & RL_F_HELD;
}

/* ---- Closing ---- */

Test(shards, closing_moves_who_stands_in_an_entry_to_the_shard_s_tree)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_read_lock(&lk, &b, 4, 8), 0);
	check(is_in_entry(&a, first));
	check(is_in_entry(&b, first));
	rl_forest_close(&lk, number_of(first));
	check(was_moved(&a, first));
	check(was_moved(&b, first));
	check(rl_shard_is_closed(first));
	check_eq(first->guard & (RL_PINS | RL_MOVED_ANY), RL_MOVED_ANY);
	check(first->root != NULL);
	check_eq(lk.central.root, NULL);
	check_eq(lk.forest->nr_crowded, 1);
	check_eq(lk.forest->nr_open, 3);
	check_eq(second->guard, 0);		/* not touched */
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	check_eq(first->guard & RL_MOVED_ANY, RL_MOVED(1));
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &b);
	check_eq(first->root, NULL);
	finish();
}

Test(shards, closing_twice_changes_nothing)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	rl_forest_close(&lk, number_of(first));
	rl_forest_close(&lk, number_of(first));
	check_eq(lk.forest->nr_open, 3);
	check_eq(lk.forest->nr_crowded, 1);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	finish();
}

/* A mover of the shard's own is between its two holds of the guard. */
Test(shards, a_shard_closes_under_a_mover_which_finds_nobody_left)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	rl_guard_lock(&first->guard, NULL);
	rl_entries_pin(first);
	rl_guard_unlock(&first->guard);
	rl_forest_close(&lk, number_of(first));
	check(was_moved(&a, first));
	check_eq(first->guard & RL_PINS, RL_PIN);
	check(rl_forest_is_valid(&lk));
	rl_guard_lock(&first->guard, NULL);
	rl_entries_move(&lk, first);
	rl_entries_unpin(first);
	rl_guard_unlock(&first->guard);
	check(rl_shard_is_closed(first));
	check_eq(lk.forest->nr_crowded, 1);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	finish();
}

Test(shards, a_wide_submit_waits_for_entries_in_two_shards)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_read_lock(&lk, &b, CHUNK, CHUNK + 4), 0);
	check_eq(rl_write_submit(&lk, &wide, 2, CHUNK + 2, NULL), EINPROGRESS);
	check_eq(wide.nr_held_blockers, 2);
	check(was_moved(&a, first));
	check(was_moved(&b, second));
	check_eq(lk.central.nr_waiting, 1);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &wide), EINPROGRESS);
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &wide), 0);
	rl_unlock(&lk, &wide);
	finish();
}

Test(shards, a_wide_try_that_meets_an_entry_is_EBUSY_and_pins_nothing)
{
	const struct rl_span spans[] = { { 0, 1, RL_READ },
					 { CHUNK, CHUNK + 1, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_lock(&lk, &b, CHUNK, CHUNK + 4), 0);
	check_eq(rl_write_trylock_coarse(&lk, &wide), EBUSY);
	check_eq(rl_read_trylock(&lk, &wide, 0, CHUNK + 1), EBUSY);
	check_eq(rl_trylock_many(&lk, many, 2, spans), EBUSY);
	check_eq((first->guard | second->guard | lk.central.guard) & RL_PINS,
		 0);
	check_eq(wide.state, RL_IDLE);
	check(is_in_entry(&b, second));
	check(!rl_shard_is_closed(second));
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &b);
	check_eq(rl_trylock_many(&lk, many, 2, spans), 0);	/* beside a */
	check(was_moved(&a, first));
	check(rl_forest_is_valid(&lk));
	rl_unlock_many(&lk, many, 2);
	rl_unlock(&lk, &a);
	finish();
}

Test(shards, a_change_that_leaves_its_chunk_closes_what_it_comes_to_touch)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_lock(&lk, &b, CHUNK + 8, CHUNK + 9), 0);
	check_eq(rl_tryextend(&lk, &a, 0, CHUNK + 8), 0);
	check(was_moved(&b, second));
	check(rl_shard_is_closed(first));
	check(rl_shard_is_closed(second));
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &a);
	finish();
}

/* A reader who goes to the other shard, and comes there often enough to open it,
 * each time that the closer of both waits for him. */
#define ROUNDS	20u		/* then he stays, and is moved */
#define OFTEN	32u

static struct {
	uint64_t self, chunk;
	unsigned int nr_rounds;
	bool is_on;
} walker;

static uint64_t walker_or_closer(void *ctx)
{
	(void)ctx;
	return walker.self;
}

static void walk(void *ctx)
{
	(void)ctx;
	if (!walker.is_on || walker.nr_rounds == ROUNDS)
		return;
	walker.is_on = false;		/* while this is on its way */
	walker.nr_rounds++;
	walker.self = 2;
	walker.chunk = CHUNK - walker.chunk;
	for (unsigned int i = 0; i < OFTEN; i++) {
		rl_unlock(&lk, &b);
		check_eq(rl_read_lock(&lk, &b, walker.chunk, walker.chunk + 4),
			 0);
	}
	walker.self = 1;
	walker.is_on = true;
}

Test(shards, a_wide_request_has_closed_though_one_goes_from_shard_to_shard)
{
	static const struct rl_host host = {
		.self = walker_or_closer, .relax = walk,
	};

	walker.self = 2;
	walker.chunk = walker.nr_rounds = 0;
	begin_on(&host);
	check_eq(rl_read_lock(&lk, &b, 0, 4), 0);
	check(is_in_entry(&b, first));
	walker.self = 1;
	walker.is_on = true;
	check_eq(rl_read_lock(&lk, &wide, 0, 2 * CHUNK), 0);
	walker.is_on = false;
	check_eq(walker.nr_rounds, 1);
	check(rl_shard_is_closed(first));
	check(rl_shard_is_closed(second));
	check_eq(lk.forest->nr_closing, 0);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &wide);
	finish();
}

/* ---- Opening ---- */

static bool opens(struct rl_arbiter *shard)
{
	rl_forest_open(&lk, number_of(shard));
	check(rl_forest_is_valid(&lk));
	return !rl_shard_is_closed(shard);
}

static void pass_wide(uint64_t first_chunk)
{
	check_eq(rl_write_lock(&lk, &wide, first_chunk * CHUNK,
			       (first_chunk + 2) * CHUNK), 0);
	rl_unlock(&lk, &wide);
}

static bool is_chunk_closed(uint64_t chunk)
{
	return rl_shard_is_closed(rl_shard(lk.forest,
		rl_shard_of_chunk(&lk.geometry, chunk)));
}

/* Who comes to them need not look at their shards. */
Test(shards, the_run_of_closed_chunks_grows_by_those_beside_it_alone)
{
	uint64_t elsewhere = 8;

	begin();
	pass_wide(0);
	rl_forest_close(&lk, rl_shard_of_chunk(&lk.geometry, 2));
	check_eq(lk.forest->closed_to, 2);
	pass_wide(1);
	check_eq(lk.forest->closed_from, 0);
	check_eq(lk.forest->closed_to, 3);
	check_eq(lk.forest->nr_open, 1);
	while (!is_chunk_closed(elsewhere) || !is_chunk_closed(elsewhere + 1))
		elsewhere++;
	pass_wide(elsewhere);
	check_eq(lk.forest->closed_from, 0);
	check_eq(lk.forest->closed_to, 3);
	check_eq(lk.forest->nr_open, 1);
	finish();
}

Test(shards, a_shard_stays_closed_under_a_wide_one_in_an_entry)
{
	begin();
	check_eq(rl_read_lock(&lk, &wide, 2, CHUNK + 2), 0);
	check(is_in_entry(&wide, &lk.central));
	check(!opens(first));
	check(!opens(second));
	check(is_in_entry(&wide, &lk.central));
	rl_unlock(&lk, &wide);
	check(opens(first));
	check(opens(second));
	finish();
}

Test(shards, a_shard_stays_closed_under_a_coarse_one_in_an_entry)
{
	begin();
	check_eq(rl_read_lock_coarse(&lk, &wide), 0);
	check(is_in_entry(&wide, &lk.central));
	check(!opens(first));
	rl_unlock(&lk, &wide);
	check(opens(first));
	finish();
}

Test(shards, a_shard_stays_closed_under_a_narrow_one_in_a_central_entry)
{
	begin();
	rl_forest_close(&lk, number_of(first));
	rl_forest_close(&lk, number_of(second));
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check(is_in_entry(&a, &lk.central));
	check(!opens(first));
	check(opens(second));
	rl_unlock(&lk, &a);
	check(opens(first));
	finish();
}

/* It was moved to its shard's tree, which is under another guard by now. */
Test(shards, who_stood_in_a_central_entry_leaves_an_open_shard)
{
	begin();
	rl_forest_close(&lk, number_of(first));
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_submit(&lk, &b, 2, 6, NULL), EINPROGRESS);
	check(was_moved(&a, &lk.central));
	check(opens(first));
	check_eq(first->nr_waiting, 1);
	check_eq(lk.central.nr_waiting, 0);
	check(lk.central.guard & RL_MOVED(0));
	rl_unlock(&lk, &a);
	check(!(lk.central.guard & RL_MOVED_ANY));
	check_eq(rl_poll(&lk, &b), 0);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &b);
	finish();
}

Test(shards, who_stood_in_a_shard_s_entry_changes_in_a_closed_shard)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	rl_forest_close(&lk, number_of(first));
	check_eq(rl_read_submit(&lk, &b, 2, 6, NULL), EINPROGRESS);
	rl_write_downgrade(&lk, &a);
	check_eq(a.state, RL_HELD);
	check(!(first->guard & RL_MOVED_ANY));
	check_eq(rl_poll(&lk, &b), 0);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish();
}

Test(shards, an_open_shard_s_entries_are_used_again)
{
	unsigned int i = 0;

	begin();
	check_eq(rl_write_lock_coarse(&lk, &wide), 0);
	rl_unlock(&lk, &wide);
	do {
		check_lt(i++, PAIRS);
		check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
		rl_unlock(&lk, &a);
	} while (rl_shard_is_closed(first));
	check_eq(first->guard, 0);		/* nobody had to be moved */
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check(is_in_entry(&a, first));
	rl_unlock(&lk, &a);
	finish();
}

/* ---- Whose guard ---- */

Test(shards, a_tree_is_under_its_own_guard_or_the_central_one)
{
	struct rl_arbiter *taken;

	begin();
	taken = rl_guard_tree(&lk, first);
	check_eq(taken, first);
	rl_guard_unlock(&taken->guard);
	rl_forest_close(&lk, number_of(first));
	taken = rl_guard_tree(&lk, first);
	check_eq(taken, &lk.central);
	check(!rl_guard_is_taken(&first->guard));
	rl_guard_unlock(&taken->guard);
	taken = rl_guard_tree(&lk, &lk.central);
	check_eq(taken, &lk.central);
	rl_guard_unlock(&taken->guard);
	finish();
}

/* ---- The checker ---- */

static void see(uint32_t *number)
{
	++*number;
	check(!rl_forest_is_valid(&lk));
	--*number;
	check(rl_forest_is_valid(&lk));
}

Test(shards, a_wrong_count_is_seen)
{
	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 4), 0);
	rl_forest_close(&lk, number_of(first));
	see(&lk.forest->nr_open);
	see(&lk.forest->nr_crowded);
	see(&lk.forest->nr_all);
	see(&lk.central.nr_waiting);
	see(&second->nr_waiting);
	rl_unlock(&lk, &a);
	finish();
}

static void set_flags(struct rl_arbiter *arbiter, uint32_t flags)
{
	rl_guard_lock(&arbiter->guard, NULL);
	rl_guard_set_flags(&arbiter->guard, flags);
	rl_guard_unlock(&arbiter->guard);
}

/* Open (or closed), as if by mistake; the counts follow. */
static void see_flags(struct rl_arbiter *shard, uint32_t flags)
{
	uint32_t was = shard->guard, nr_open = lk.forest->nr_open;

	lk.forest->nr_open += flags & RL_CLOSED ? -1u : 1;
	set_flags(shard, flags);
	check(!rl_forest_is_valid(&lk));
	set_flags(shard, was);
	lk.forest->nr_open = nr_open;
	check(rl_forest_is_valid(&lk));
}

Test(shards, a_shard_that_is_open_under_somebody_central_is_seen)
{
	begin();
	check_eq(rl_read_lock(&lk, &wide, 2, CHUNK + 2), 0);
	check(is_in_entry(&wide, &lk.central));
	see_flags(first, RL_SLOW);
	see_flags(second, 0);
	check_eq(rl_write_submit(&lk, &b, 0, CHUNK + 1, NULL), EINPROGRESS);
	check(was_moved(&wide, &lk.central));
	see_flags(first, RL_SLOW);		/* F3 for the tree, too */
	rl_unlock(&lk, &wide);
	rl_unlock(&lk, &b);
	finish();
}

Test(shards, who_is_in_an_entry_of_a_closed_shard_is_seen)
{
	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 4), 0);
	check(is_in_entry(&a, first));
	see_flags(first, RL_CLOSED | RL_SLOW);
	rl_unlock(&lk, &a);
	finish();
}
