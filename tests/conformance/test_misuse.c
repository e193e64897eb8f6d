/*
 * Goal: a bad argument is EINVAL, and a broken duty aborts and says which.
 */
#include "tests/conformance/engines.h"

#include <string.h>

#include <rangelock/site.h>

static struct rl_range a, b, many[2];
static struct rangelock *the_lock;

static void fresh(struct rangelock *lk)
{
	the_lock = lk;
	a = b = many[0] = many[1] = (struct rl_range)RL_RANGE_INIT;
}

Promise(misuse, an_empty_or_missing_range_is_EINVAL)
{
	fresh(lk);
	check_eq(rl_read_lock(lk, &a, 5, 5), EINVAL);
	check_eq(rl_write_lock(lk, &a, 6, 5), EINVAL);
	check_eq(rl_read_trylock(NULL, &a, 0, 1), EINVAL);
	check_eq(rl_write_trylock(lk, NULL, 0, 1), EINVAL);
	check_eq(rl_read_lock_until(lk, &a, RL_END, RL_END, 0), EINVAL);
	check_eq(rl_write_lock_until(lk, NULL, 0, 1, 0), EINVAL);
	check_eq(rl_read_lock_coarse(NULL, &a), EINVAL);
	check_eq(rl_write_lock_coarse(lk, NULL), EINVAL);
	check_eq(rl_read_submit(lk, &a, 1, 0, NULL), EINVAL);
	check_eq(rl_write_submit_coarse(lk, NULL, NULL), EINVAL);
	check_eq(rl_tryextend(lk, NULL, 0, 1), EINVAL);
	check_eq(rl_narrow(lk, NULL, 0, 1), EINVAL);
}

Promise(misuse, options_that_make_no_sense_are_EINVAL)
{
	struct rl_options good = RL_OPTIONS_INIT, o = good;
	struct rangelock other;

	fresh(lk);
	check_eq(rl_init(NULL, &o), EINVAL);
	o.size--;
	check_eq(rl_init(&other, &o), EINVAL);
	o = good;
	o.flags = RL_READER_BIAS << 1;
	check_eq(rl_init(&other, &o), EINVAL);
	o.flags = RL_READER_BIAS | RL_PLAIN;
	check_eq(rl_init(&other, &o), EINVAL);
	check_eq(rl_init((struct rangelock *)((uintptr_t)&other + 16), &good),
		 EINVAL);
	o = good;
	o.chunk_size = 4095;
	check_eq(rl_init(&other, &o), EINVAL);
	o = good;
	o.nr_shards = 3;
	check_eq(rl_init(&other, &o), EINVAL);
	o.nr_shards = 2048;
	check_eq(rl_init(&other, &o), EINVAL);
	o.nr_shards = 1024;
	check_eq(rl_init(&other, &o), 0);
	check_eq(rl_destroy(&other), 0);
	check_eq(rl_init(&other, NULL), 0);
	check_eq(rl_destroy(&other), 0);
	check_eq(rl_destroy(NULL), EINVAL);
}

Promise(misuse, destroy_is_EBUSY_while_something_is_held)
{
	fresh(lk);
	check_eq(rl_write_lock(lk, &a, 0, 1), 0);
	check_eq(rl_destroy(lk), EBUSY);
	check_eq(rl_write_trylock(lk, &b, 0, 1), EBUSY);	/* untouched */
	rl_unlock(lk, &a);
}

static void unlock_idle(void *arg)
{
	(void)arg;
	rl_unlock(the_lock, &a);
}

static void lock_twice(void *arg)
{
	(void)arg;
	rl_read_lock(the_lock, &a, 100, 101);
}

static void unlock_twice(void *arg)
{
	(void)arg;
	rl_unlock(the_lock, &a);
	rl_unlock(the_lock, &a);
}

static void unlock_foreign(void *arg)
{
	static struct rangelock other = RANGELOCK_INIT;

	(void)arg;
	rl_unlock(&other, &a);
}

static void unlock_null(void *arg)
{
	(void)arg;
	rl_unlock(the_lock, NULL);
}

static void unlock_in_no_lock(void *arg)
{
	(void)arg;
	rl_unlock(NULL, &a);
}

static void unlock_queued(void *arg)
{
	(void)arg;
	rl_write_submit(the_lock, &b, 0, 10, NULL);
	rl_unlock(the_lock, &b);
}

Promise(misuse, an_unlock_of_what_is_not_held_here_aborts)
{
	fresh(lk);
	check_aborts(unlock_idle, NULL, "broken: rl_says_held(r)");
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_aborts(unlock_twice, NULL, "rl_says_held(r)");
	check_aborts(unlock_queued, NULL, "rl_says_held(r)");
	check_aborts(unlock_foreign, NULL, "rl_range_is_of(lk, r)");
	check_aborts(unlock_null, NULL, "r != NULL");
	check_aborts(unlock_in_no_lock, NULL, "lk != NULL");
	rl_unlock(lk, &a);
}

Promise(misuse, a_handle_that_is_in_use_aborts)
{
	fresh(lk);
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_aborts(lock_twice, NULL, "rl_range_is_free(r)");
	rl_unlock(lk, &a);
}

static void downgrade(void *arg)
{
	(void)arg;
	rl_write_downgrade(the_lock, &a);
}

static void upgrade(void *arg)
{
	(void)arg;
	rl_read_tryupgrade(the_lock, &a);
}

static void narrow(void *arg)
{
	rl_narrow(the_lock, arg, 1, 2);
}

static void extend(void *arg)
{
	rl_tryextend(the_lock, arg, 0, 100);
}

static void give(void *arg)
{
	rl_give(the_lock, arg, RL_NOBODY);
}

Promise(misuse, a_change_of_what_is_not_held_so_aborts)
{
	fresh(lk);
	check_aborts(downgrade, NULL, "rl_says_held(r)");
	check_aborts(upgrade, NULL, "rl_says_held(r)");
	check_aborts(narrow, &a, "rl_says_held(r)");
	check_aborts(extend, &a, "rl_says_held(r)");
	check_aborts(give, &a, "rl_says_held(r)");
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_aborts(downgrade, NULL, "r->mode == RL_WRITE");
	rl_unlock(lk, &a);
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_aborts(upgrade, NULL, "r->mode == RL_READ");
	rl_unlock(lk, &a);
}

static void unlock_one(void *arg)
{
	rl_unlock(the_lock, arg);
}

static void unlock_too_few(void *arg)
{
	(void)arg;
	rl_unlock_many(the_lock, many, 1);
}

Promise(misuse, one_of_several_is_not_changed_alone)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };

	fresh(lk);
	check_eq(rl_lock_many(lk, many, 2, spans), 0);
	check_aborts(unlock_one, &many[0], "!rl_range_is_several(r)");
	check_aborts(unlock_one, &many[1], "broken:");
	check_aborts(narrow, &many[0], "!rl_range_is_several(r)");
	check_aborts(extend, &many[0], "!rl_range_is_several(r)");
	check_aborts(unlock_too_few, NULL, "rl_range_is_several(r)");
	rl_unlock_many(lk, many, 2);
}

static void unlock_wrong_many(void *arg)
{
	(void)arg;
	rl_unlock_many(the_lock, &a, 1);
}

static void fork_parent_alone(void *arg)
{
	(void)arg;
	rl_fork_parent(the_lock);
}

static void ignore(void *arg, const struct rl_range *blocker, int held)
{
	(void)arg;
	(void)blocker;
	(void)held;
}

static void visit_elsewhere(void *arg)
{
	static struct rangelock other = RANGELOCK_INIT;

	(void)arg;
	rl_write_submit(the_lock, &b, 0, 10, NULL);
	rl_visit_blockers(&other, &b, ignore, NULL);
}

static void wait_for_a_lock_call(void *arg)
{
	(void)arg;
	rl_wait(the_lock, &a);
}

static void defer_nowhere(void *arg)
{
	(void)arg;
	rl_unlock_deferred(the_lock, &a, NULL);
}

Promise(misuse, other_broken_duties_abort_too)
{
	fresh(lk);
	check_aborts(unlock_wrong_many, NULL, "rl_says_held(r)");
	check_aborts(fork_parent_alone, NULL, "RL_FORKING");
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_aborts(visit_elsewhere, NULL, "broken:");
	check_aborts(wait_for_a_lock_call, NULL, "broken:");
	check_aborts(defer_nowhere, NULL, "d != NULL");
	rl_unlock(lk, &a);
}

static void wait_idle(void *arg)
{
	(void)arg;
	rl_wait(the_lock, &a);
}

static void poll_idle(void *arg)
{
	(void)arg;
	rl_poll(the_lock, &a);
}

static void never(struct rl_range *r)
{
	(void)r;
}

static void wait_for_callback(void *arg)
{
	(void)arg;
	rl_write_submit(the_lock, &b, 0, 10, never);
	rl_wait(the_lock, &b);
}

static void poll_callback(void *arg)
{
	(void)arg;
	rl_write_submit(the_lock, &b, 0, 10, never);
	rl_poll(the_lock, &b);
}

static void submit_several(void)
{
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };

	rl_submit_many(the_lock, many, 2, spans);
}

static void wait_for_member(void *arg)
{
	(void)arg;
	submit_several();
	rl_wait(the_lock, &many[1]);
}

static void poll_member(void *arg)
{
	(void)arg;
	submit_several();
	rl_poll(the_lock, &many[1]);
}

Promise(misuse, a_wait_for_what_was_not_submitted_aborts)
{
	fresh(lk);
	check_aborts(wait_idle, NULL, "!= RL_IDLE");
	check_aborts(poll_idle, NULL, "!= RL_IDLE");
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_aborts(wait_for_callback, NULL, "RL_BARE_CALLBACK");
	check_aborts(poll_callback, NULL, "RL_BARE_CALLBACK");
	rl_unlock(lk, &a);
	check_aborts(wait_for_callback, NULL, "RL_BARE_CALLBACK");	/* held */
	check_aborts(poll_callback, NULL, "RL_BARE_CALLBACK");
	check_aborts(wait_for_member, NULL, "!= RL_MEMBER");
	check_aborts(poll_member, NULL, "!= RL_MEMBER");
}

/* Each call looks at its arguments itself. */
Promise(misuse, each_call_refuses_no_lock_no_handle_and_no_bytes)
{
	static int (*const calls[])(struct rangelock *, struct rl_range *,
				    uint64_t, uint64_t) = {
		rl_read_lock, rl_write_lock, rl_read_trylock, rl_write_trylock,
		rl_narrow, rl_tryextend,
	};
	static int (*const coarse[])(struct rangelock *, struct rl_range *) = {
		rl_read_lock_coarse, rl_write_lock_coarse,
		rl_read_trylock_coarse, rl_write_trylock_coarse,
		rl_read_tryupgrade, rl_wait, rl_poll, rl_cancel,
	};

	fresh(lk);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		check_eq(calls[i](NULL, &a, 0, 1), EINVAL);
		check_eq(calls[i](lk, NULL, 0, 1), EINVAL);
		check_eq(calls[i](lk, &a, 7, 7), EINVAL);
		check_eq(calls[i](lk, &a, 7, 6), EINVAL);
	}
	for (size_t i = 0; i < sizeof(coarse) / sizeof(*coarse); i++) {
		check_eq(coarse[i](NULL, &a), EINVAL);
		check_eq(coarse[i](lk, NULL), EINVAL);
	}
	check_eq(a.state, 0);
}

Promise(misuse, several_ranges_that_make_no_sense_are_EINVAL)
{
	static struct rl_site site = RL_SITE_INIT("misuse", RL_FINE);
	const struct rl_span good[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };
	const struct rl_span bad[] = { { 0, 3, RL_WRITE }, { 2, 9, RL_READ } };

	fresh(lk);
	check_eq(rl_lock_many_at(lk, many, NULL, 2, good), EINVAL);
	check_eq(rl_lock_many_at(lk, many, &site, 2, bad), EINVAL);
	check_eq(rl_lock_many_at(lk, many, &site, 0, good), EINVAL);
	check_eq(rl_submit_many_at(NULL, many, &site, 2, good), EINVAL);
	check_eq(rl_lock_many_at(lk, many, &site, 2, good), 0);
	rl_unlock_many(lk, many, 2);
}

static void unlock_many_in(void *arg)
{
	rl_unlock_many(arg, many, 2);
}

static void unlock_many_null(void *arg)
{
	(void)arg;
	rl_unlock_many(the_lock, NULL, 2);
}

static void unlock_too_many(void *arg)
{
	(void)arg;
	rl_unlock_many(the_lock, many, 3);
}

static void unlock_one_as_two(void *arg)
{
	(void)arg;
	rl_unlock_many(the_lock, &a, 2);
}

static void lock_many_again(void *arg)
{
	const struct rl_span span = { 50, 60, RL_READ };

	(void)arg;
	rl_lock_many(the_lock, many, 1, &span);
}

Promise(misuse, several_are_let_go_as_they_were_locked)
{
	static struct rangelock other = RANGELOCK_INIT;
	const struct rl_span spans[] = { { 0, 3, RL_WRITE }, { 5, 9, RL_READ } };

	fresh(lk);
	check_eq(rl_lock_many(lk, many, 2, spans), 0);
	check_eq(rl_read_lock(lk, &a, 20, 30), 0);
	check_aborts(unlock_many_in, NULL, "lk != NULL");
	check_aborts(unlock_many_in, &other, "rl_range_is_of(lk, r)");
	check_aborts(unlock_many_null, NULL, "r != NULL");
	check_aborts(unlock_too_many, NULL, "r->group == n");
	check_aborts(unlock_one_as_two, NULL, "r->group == n");
	check_aborts(lock_many_again, NULL, "rl_range_is_free(&r[i])");
	rl_unlock(lk, &a);
	rl_unlock_many(lk, many, 2);
}

static void give_in(void *arg)
{
	rl_give(arg, &a, RL_NOBODY);
}

static void give_null(void *arg)
{
	(void)arg;
	rl_give(the_lock, NULL, RL_NOBODY);
}

static void wait_in(void *arg)
{
	rl_wait(arg, &a);
}

static void run_nothing(void *arg)
{
	rl_run_deferred(arg);
}

Promise(misuse, what_is_of_another_lock_aborts)
{
	static struct rangelock other = RANGELOCK_INIT;

	fresh(lk);
	check_eq(rl_read_lock(lk, &a, 20, 30), 0);
	check_aborts(give_in, NULL, "lk != NULL");
	check_aborts(give_in, &other, "rl_range_is_of(lk, r)");
	check_aborts(give_null, NULL, "r != NULL");
	check_aborts(wait_in, &other, "rl_range_is_of(lk, r)");
	check_aborts(run_nothing, NULL, "d != NULL");
	rl_unlock(lk, &a);
}
