/*
 * Goal: who may enter an entry and who may not, what moves a holder from there
 * to the tree, and that the arbiter is fast again when nothing needs it slow.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rangelock.h>

#include "rangelock/engine/arbiter.h"
#include "rangelock/engine/entries.h"
#include "rangelock/lock/ask.h"

#define GIB4	(UINT64_C(1) << 32)
#define CALM	(RL_CALM_AFTER_BARRIER / RL_CALM_ONE)

static struct rangelock lk;
static struct rl_arbiter *const central = &lk.central;
static struct rl_range a, b, c, d;

static void begin(void)
{
	lk = (struct rangelock)RANGELOCK_INIT;
	a = b = c = d = (struct rl_range)RL_RANGE_INIT;
}

/* Nobody is left, in whatever place. */
static void finish(void)
{
	check(!rl_entry_holder(central, 0));
	check(!rl_entry_holder(central, 1));
	check(!(central->guard & (RL_GUARD_TAKEN | RL_MOVED_ANY | RL_PINS)));
	check_eq(central->root, NULL);
	check_eq(rl_destroy(&lk), 0);
}

static bool is_valid(void)
{
	bool valid;

	rl_guard_lock(&central->guard, NULL);
	valid = rl_arbiter_is_valid(&lk, central);
	rl_guard_unlock(&central->guard);
	return valid;
}

static bool is_entered(const struct rl_range *r, unsigned int i)
{
	return r->state == RL_INLINE && r->entry == &central->entry_holder[i] &&
	       rl_entry_range(rl_entry_holder(central, i)) == r;
}

static bool is_in_tree(const struct rl_range *r)
{
	const struct rl_node *n = rl_itree_first_overlap(central->root,
							 0, RL_END);

	for (; n; n = rl_itree_next_overlap((struct rl_node *)(uintptr_t)n, 0,
					    RL_END))
		if (n == &r->node)
			return r->flags & RL_F_HELD;
	return false;
}

/* ---- E1 and E3: entering and leaving ---- */

Test(entries, two_enter_and_the_third_goes_to_the_tree)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 10, 20), 0);
	check_eq(rl_read_lock(&lk, &c, 20, 30), 0);
	check(is_entered(&a, 0));
	check(is_entered(&b, 1));
	check_eq(c.state, RL_HELD);
	check(is_in_tree(&c));
	check_eq(central->guard, 0);
	check(is_valid());
	rl_unlock(&lk, &c);
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &a);
	check_eq(central->guard, 0);
	finish();
}

Test(entries, a_place_that_is_free_again_is_taken_again)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 10, 20), 0);
	check_eq(rl_read_lock(&lk, &c, 20, 30), 0);
	rl_unlock(&lk, &a);
	check_eq(rl_read_lock(&lk, &d, 25, 40), 0);	/* beside the reader */
	check(is_entered(&d, 0));
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &d);
	check_eq(rl_write_trylock(&lk, &a, 29, 31), EBUSY);	/* in the tree */
	check_eq(rl_write_trylock(&lk, &a, 30, 31), 0);
	check(is_entered(&a, 0));
	check(is_valid());
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &c);
	check_eq(central->guard, 0);
	finish();
}

static void check_fits(uint64_t start, uint64_t end, bool fits)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, start, end), 0);
	check_eq(is_entered(&a, 0), fits);
	check_eq(is_in_tree(&a), !fits);
	if (fits) {
		check_eq(central->entry_start[0], start);
		check_eq(rl_entry_end(central, 0), end);
	}
	check_eq(rl_read_trylock(&lk, &b, start, start + 1), EBUSY);
	check_eq(rl_read_trylock(&lk, &b, end - 1, end), EBUSY);
	if (start) {
		check_eq(rl_read_trylock(&lk, &b, 0, start), 0);
		rl_unlock(&lk, &b);
	}
	if (end != RL_END) {
		check_eq(rl_read_trylock(&lk, &b, end, RL_END), 0);
		rl_unlock(&lk, &b);
	}
	rl_unlock(&lk, &a);
	check_eq(central->guard, 0);
	finish();
}

Test(entries, a_range_of_4_GiB_or_more_enters_only_if_it_ends_at_RL_END)
{
	check_fits(5, 6, true);
	check_fits(5, 5 + GIB4 - 1, true);
	check_fits(5, 5 + GIB4, false);
	check_fits(0, GIB4 + 1, false);
	check_fits(0, RL_END - 1, false);
	check_fits(0, RL_END, true);
	check_fits(77, RL_END, true);
	check_fits(RL_END - 1, RL_END, true);
	check_fits(RL_END - GIB4, RL_END, true);
	check_fits(RL_END - GIB4, RL_END - 1, true);
}

Test(entries, who_shares_enters_and_who_conflicts_does_not)
{
	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	check(is_entered(&a, 0));
	check(is_entered(&b, 1));
	check(rl_entries_conflict(central, 0, 1, RL_WRITE));
	check(rl_entries_conflict(central, 14, 99, RL_WRITE));
	check(!rl_entries_conflict(central, 15, 99, RL_WRITE));
	check(!rl_entries_conflict(central, 0, 15, RL_READ));
	rl_unlock(&lk, &a);
	check_eq(rl_write_trylock(&lk, &c, 5, 6), EBUSY);
	check_eq(rl_write_trylock(&lk, &c, 0, 5), 0);
	check(is_entered(&c, 0));
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &c);
	finish();
}

Test(entries, a_pair_that_nobody_meets_leaves_no_flags)
{
	begin();
	for (unsigned int i = 0; i < 100; i++) {
		check_eq(rl_write_lock(&lk, &a, i, i + 1), 0);
		check_eq(central->guard, 0);
		rl_unlock(&lk, &a);
		check_eq(central->guard, 0);
		check_eq(a.state, RL_IDLE);
	}
	finish();
}

Test(entries, a_trylock_that_meets_one_is_EBUSY_and_leaves_no_flags)
{
	const struct rl_span spans[] = { { 20, 21, RL_READ },
					 { 9, 11, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_trylock(&lk, &b, 9, 10), EBUSY);
	check_eq(rl_write_trylock_coarse(&lk, &b), EBUSY);
	check_eq(rl_trylock_many(&lk, many, 2, spans), EBUSY);
	check_eq(central->guard, 0);
	check(is_entered(&a, 0));
	check_eq(b.state, RL_IDLE);
	check_eq(many[0].state, RL_IDLE);
	rl_unlock(&lk, &a);
	check_eq(rl_trylock_many(&lk, many, 2, spans), 0);
	rl_unlock_many(&lk, many, 2);
	finish();
}

Test(entries, plain_locks_have_nobody_in_one)
{
	struct rl_options o = RL_OPTIONS_INIT;

	begin();
	o.flags = RL_PLAIN;
	check_eq(rl_init(&lk, &o), 0);
	for (unsigned int i = 0; i < 2 * CALM; i++) {
		check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
		check_eq(a.state, RL_HELD);
		check(is_in_tree(&a));
		check_eq(rl_read_submit(&lk, &b, 0, 10, NULL), EINPROGRESS);
		check(!(central->guard & (RL_CALM | RL_PINS | RL_MOVED_ANY)));
		rl_unlock(&lk, &a);
		check_eq(rl_poll(&lk, &b), 0);
		rl_unlock(&lk, &b);
		check_eq(central->guard, RL_SLOW | RL_STAYS_SLOW);
	}
	finish();
}

/* ---- E2 and E4: moved ---- */

/* a is in an entry, b comes to wait for it. */
static void meet(void)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check(is_entered(&a, 0));
	check_eq(rl_write_submit(&lk, &b, 5, 15, NULL), EINPROGRESS);
}

Test(entries, a_submit_that_meets_one_waits_for_its_unlock)
{
	meet();
	check(is_entered(&a, 0));		/* its owner knows nothing */
	check(is_in_tree(&a));
	check(!rl_entry_is_used(central, 0));
	check(central->guard & RL_MOVED(0));
	check(central->guard & RL_SLOW);
	check(!(central->guard & RL_PINS));
	check_eq(b.nr_held_blockers, 1);
	check_lt(a.seq, b.seq);
	check_lt(0, a.seq);
	check(is_valid());
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	check(!(central->guard & RL_MOVED_ANY));
	check(central->guard & RL_SLOW);
	check(is_valid());
	rl_unlock(&lk, &b);
	finish();
}

Test(entries, whom_nobody_must_know_is_not_moved)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 20, 30), 0);
	check_eq(rl_write_lock(&lk, &c, 40, 50), 0);
	check_eq(rl_write_submit(&lk, &d, 45, 60, NULL), EINPROGRESS);
	check(rl_entry_is_used(central, 0));	/* c alone is waited for */
	check(rl_entry_is_used(central, 1));
	check_eq(central->guard, RL_SLOW);
	check(is_valid());
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &d), EINPROGRESS);
	rl_unlock(&lk, &c);
	check_eq(rl_poll(&lk, &d), 0);
	rl_unlock(&lk, &d);
	check_eq(central->guard, 0);		/* no barrier was paid for */
	finish();
}

/* A pair elsewhere, and where its holder stood. */
static bool enters_elsewhere(void)
{
	bool is_inline;

	check_eq(rl_write_lock(&lk, &d, 1000, 1001), 0);
	is_inline = d.state == RL_INLINE;
	check_ne(is_inline, is_in_tree(&d));
	rl_unlock(&lk, &d);
	return is_inline;
}

Test(entries, after_a_calm_period_they_are_used_again)
{
	unsigned int nr = 0;

	meet();
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	for (; !enters_elsewhere(); nr++)
		check_le(nr, 2 * CALM);
	check_le(CALM / 2, nr);
	check_eq(central->guard, 0);
	finish();
}

Test(entries, as_long_as_a_moved_one_holds_they_are_not_used)
{
	meet();
	check_eq(rl_cancel(&lk, &b), 0);
	for (unsigned int i = 0; i < 3 * CALM; i++)
		check(!enters_elsewhere());
	check(central->guard & RL_MOVED(0));
	check(central->guard & RL_SLOW);
	rl_unlock(&lk, &a);
	check(!(central->guard & RL_MOVED_ANY));
	for (unsigned int i = 0; !enters_elsewhere(); i++)
		check_le(i, CALM);
	finish();
}

Test(entries, as_long_as_somebody_waits_whom_nobody_may_pass_they_are_not_used)
{
	meet();
	lk.bypass_bias_ns = 0 - RL_BYPASS_NS;
	rl_unlock(&lk, &a);
	check_eq(rl_read_submit(&lk, &c, 5, 15, NULL), EINPROGRESS);
	for (unsigned int i = 0; i < 3 * CALM; i++)
		check(!enters_elsewhere());
	check_eq(rl_cancel(&lk, &c), 0);
	rl_unlock(&lk, &b);
	for (unsigned int i = 0; !enters_elsewhere(); i++)
		check_le(i, CALM);
	finish();
}

/* A mover between its two holds of the guard: others lock and unlock. */
Test(entries, as_long_as_a_mover_is_about_they_are_not_used)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 10, 20), 0);
	rl_guard_lock(&central->guard, NULL);
	rl_entries_pin(central);
	rl_guard_unlock(&central->guard);
	for (unsigned int i = 0; i < 3 * CALM; i++)
		check(!enters_elsewhere());
	check(central->guard & RL_SLOW);
	rl_unlock(&lk, &a);			/* leaves without a trace */
	check(!rl_entry_holder(central, 0));
	check_eq(a.state, RL_IDLE);

	rl_guard_lock(&central->guard, NULL);
	rl_entries_move(&lk, central);
	rl_entries_unpin(central);
	rl_guard_unlock(&central->guard);
	check(is_in_tree(&b));
	check(!is_in_tree(&a));
	check_eq(central->guard & (RL_MOVED_ANY | RL_PINS), RL_MOVED(1));
	check(is_valid());
	rl_unlock(&lk, &b);
	finish();
}

Test(entries, two_movers_move_each_holder_once)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	rl_guard_lock(&central->guard, NULL);
	rl_entries_pin(central);
	rl_entries_evict(&lk, central);		/* another one, all of it */
	check(is_in_tree(&a));
	check_eq(central->guard & RL_PINS, RL_PIN);
	rl_entries_move(&lk, central);
	rl_entries_unpin(central);
	check(rl_arbiter_is_valid(&lk, central));
	rl_guard_unlock(&central->guard);
	check(is_in_tree(&a));
	rl_unlock(&lk, &a);
	finish();
}

Test(entries, who_looks_moves_the_holder_and_knows_its_owner)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check(rl_is_held(&lk, 0, 10, RL_WRITE));
	check(is_in_tree(&a));
	check_eq(a.owner, rl_self(&lk));
	check_eq(rl_write_lock(&lk, &b, 0, 1), EDEADLK);
	rl_unlock(&lk, &a);
	finish();
}

Test(entries, a_lock_of_an_entry_of_its_own_thread_is_EDEADLK)
{
	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 9, 20), EDEADLK);
	check_eq(b.state, RL_IDLE);
	check_eq(rl_write_lock_until(&lk, &b, 9, 20, 0), EDEADLK);
	check(is_valid());
	rl_unlock(&lk, &a);
	finish();
}

/* ---- The owner itself leaves for the tree ---- */

static void check_settled(enum rl_mode mode, uint64_t start, uint64_t end)
{
	check_eq(a.state, RL_HELD);
	check(is_in_tree(&a));
	check(!rl_entry_holder(central, 0));
	check_eq(rl_range_mode(&a), mode);
	check_eq(a.node.start, start);
	check_eq(a.node.end, end);
	check(rl_range_is_of(&lk, &a));
	check(!(central->guard & RL_MOVED_ANY));
	check(is_valid());
}

static void settle_each(bool is_moved)
{
	static const char *const what[] = { "downgrade", "upgrade", "narrow",
					    "extend", "give" };

	for (unsigned int i = 0; i < sizeof(what) / sizeof(*what); i++) {
		bool reads = i == 1;

		begin();
		check_eq((reads ? rl_read_lock : rl_write_lock)(&lk, &a, 10, 20),
			 0);
		check(is_entered(&a, 0));
		if (is_moved)
			check_eq(rl_write_submit(&lk, &b, 15, 16, NULL),
				 EINPROGRESS);
		switch (i) {
		case 0:
			rl_write_downgrade(&lk, &a);
			check_settled(RL_READ, 10, 20);
			break;
		case 1:
			check_eq(rl_read_tryupgrade(&lk, &a), 0);
			check_settled(RL_WRITE, 10, 20);
			break;
		case 2:
			check_eq(rl_narrow(&lk, &a, 12, 18), 0);
			check_settled(RL_WRITE, 12, 18);
			break;
		case 3:
			check_eq(rl_tryextend(&lk, &a, 5, 30), 0);
			check_settled(RL_WRITE, 5, 30);
			break;
		default:
			rl_give(&lk, &a, 77);
			check_settled(RL_WRITE, 10, 20);
			check_eq(a.owner, 77);
			break;
		}
		if (!is_moved)
			check_eq(central->guard, 0);
		check_eq(rl_write_trylock(&lk, &c, 17, 18), EBUSY);
		rl_unlock(&lk, &a);
		if (is_moved) {
			check_eq(rl_poll(&lk, &b), 0);
			rl_unlock(&lk, &b);
		}
		finish();
	}
}

Test(entries, whoever_changes_what_it_holds_stands_in_the_tree_then)
{
	settle_each(false);
}

Test(entries, whoever_was_moved_and_changes_leaves_its_entry_too)
{
	settle_each(true);
}

Test(entries, an_extension_into_another_entry_is_EBUSY)
{
	begin();
	check_eq(rl_write_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_write_lock(&lk, &b, 20, 30), 0);
	check_eq(rl_tryextend(&lk, &a, 0, 21), EBUSY);
	check_eq(rl_tryextend(&lk, &a, 0, 20), 0);
	check(is_entered(&b, 1));
	check(is_valid());
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish();
}

Test(entries, an_upgrade_beside_a_reader_in_another_entry_is_EBUSY)
{
	begin();
	check_eq(rl_read_lock(&lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(&lk, &b, 5, 15), 0);
	check_eq(rl_read_tryupgrade(&lk, &a), EBUSY);
	check(is_entered(&b, 1));
	rl_unlock(&lk, &b);
	check_eq(rl_read_tryupgrade(&lk, &a), 0);
	rl_unlock(&lk, &a);
	finish();
}

Test(entries, a_submitted_one_that_holds_at_once_is_polled_and_waited_for)
{
	begin();
	check_eq(rl_write_submit(&lk, &a, 0, 10, NULL), 0);
	check(is_entered(&a, 0));
	check_eq(rl_poll(&lk, &a), 0);
	check(is_entered(&a, 0));
	check_eq(rl_cancel(&lk, &a), EBUSY);
	check_eq(rl_wait(&lk, &a), 0);
	check_eq(a.state, RL_HELD);
	check_eq(rl_cancel(&lk, &a), EBUSY);
	rl_unlock(&lk, &a);
	check_eq(rl_cancel(&lk, &a), EINVAL);
	finish();
}

/* ---- Threads: unlocks by a plain store against movers ---- */

static uint64_t sum;			/* plain: the lock protects it */
static uint32_t stop;

static void *add_up(void *arg)
{
	uint64_t rounds = test_rounds(100000);
	struct rl_range r = RL_RANGE_INIT;

	(void)arg;
	for (uint64_t i = 0; i < rounds; i++) {
		check_eq(rl_write_lock(&lk, &r, 0, 1), 0);
		sum++;
		rl_unlock(&lk, &r);
	}
	return NULL;
}

static void *look_on(void *arg)
{
	(void)arg;
	while (!rl_load_relaxed(&stop))
		check(!rl_is_held(&lk, 0, 1, RL_WRITE));
	return NULL;
}

Test(entries, unlocks_and_movers_agree_on_who_is_there)
{
	pthread_t threads[3];

	begin();
	sum = 0;
	rl_store_relaxed(&stop, 0);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(pthread_create(&threads[i], NULL,
					i < 2 ? add_up : look_on, NULL), 0);
	for (unsigned int i = 0; i < 2; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	rl_store_relaxed(&stop, 1);
	check_eq(pthread_join(threads[2], NULL), 0);
	check_eq(sum, 2 * test_rounds(100000));
	finish();
}
