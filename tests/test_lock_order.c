/*
 * Goal: the first time that two classes of locks are taken in both orders is
 * warned of, once, with names and places; and nothing else is ever warned of.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangelock/base/spin.h"
#include "rangelock/lock/lock_order.h"
#include "tests/capture.h"

static struct capture said;
static struct rangelock a, b;
static struct rl_range ra, rb, rc;

static void begin(const char *name_a, const char *name_b)
{
	struct rl_options o = RL_OPTIONS_INIT;

	memset(&said, 0, sizeof(said));
	rl_order_warn_to(capture_write, &said);
	ra = rb = rc = (struct rl_range)RL_RANGE_INIT;
	o.name = name_a;
	check_eq(rl_init(&a, &o), 0);
	o.name = name_b;
	check_eq(rl_init(&b, &o), 0);
}

static void end(void)
{
	rl_order_warn_to(NULL, NULL);
	check_eq(rl_destroy(&a), 0);
	check_eq(rl_destroy(&b), 0);
}

static void take_both(struct rangelock *first, struct rangelock *second)
{
	check_eq(rl_write_lock(first, &ra, 0, 10), 0);
	check_eq(rl_read_lock(second, &rb, 20, 30), 0);
	rl_unlock(second, &rb);
	rl_unlock(first, &ra);
}

static bool has_said(const char *what)
{
	return strstr(said.text, what) != NULL;
}

Test(lock_order, a_reversed_order_is_warned_of_once)
{
	begin("apple", "bread");
	take_both(&a, &b);
	take_both(&a, &b);
	check_eq(said.used, 0);
	take_both(&b, &a);
	check_msg(has_said("the order of apple and bread is reversed"),
		  "said: %s", said.text);
	check_msg(has_said("  bread locked while apple was held, at\n    ") &&
			  has_said("  and now apple while bread is held, at\n    "),
		  "said: %s", said.text);
	check(has_said("(+0x"));
	memset(&said, 0, sizeof(said));
	take_both(&b, &a);
	take_both(&a, &b);
	check_eq(said.used, 0);
	end();
}

Test(lock_order, locks_of_one_name_are_of_one_class)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct rangelock other;

	begin("cherry", "date");
	o.name = "cherry";
	check_eq(rl_init(&other, &o), 0);
	take_both(&other, &b);
	take_both(&a, &other);			/* of one class: not looked at */
	take_both(&other, &a);
	check_eq(said.used, 0);
	take_both(&b, &a);
	check(has_said("the order of cherry and date is reversed"));
	check_eq(rl_destroy(&other), 0);
	end();
}

Test(lock_order, several_ranges_of_one_lock_have_no_order)
{
	const struct rl_span spans[] = { { 0, 1, RL_WRITE }, { 4, 5, RL_READ } };
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	begin("elder", "fig");
	take_both(&a, &a);
	check_eq(rl_lock_many(&a, many, 2, spans), 0);
	check_eq(rl_write_lock(&b, &rb, 0, 1), 0);
	check_eq(rl_write_lock(&a, &rc, 8, 9), 0);	/* the first reversal */
	check(has_said("elder"));
	memset(&said, 0, sizeof(said));
	rl_unlock(&a, &rc);
	rl_unlock(&b, &rb);
	rl_unlock_many(&a, many, 2);
	take_both(&b, &a);				/* nothing is held */
	check_eq(said.used, 0);
	end();
}

Test(lock_order, a_trylock_comes_behind_nothing)
{
	begin("grape", "honey");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	check_eq(rl_write_trylock(&a, &ra, 0, 10), 0);
	check_eq(rl_read_trylock_coarse(&a, &rc), EBUSY);
	rl_unlock(&a, &ra);
	check_eq(rl_write_submit(&a, &ra, 0, 10, NULL), 0);
	rl_unlock(&a, &ra);
	rl_unlock(&b, &rb);
	check_eq(said.used, 0);
	/* But before what is locked after it. */
	check_eq(rl_write_trylock(&b, &rb, 0, 10), 0);
	check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
	check(has_said("the order of grape and honey is reversed"));
	rl_unlock(&a, &ra);
	rl_unlock(&b, &rb);
	end();
}

Test(lock_order, what_was_let_go_comes_before_nothing)
{
	begin("iris", "juniper");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	rl_unlock(&b, &rb);
	check_eq(rl_write_lock_coarse(&a, &ra), 0);
	rl_unlock(&a, &ra);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	rl_give(&b, &rb, RL_NOBODY);
	check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
	rl_unlock(&a, &ra);
	rl_give(&b, &rb, rl_self(&b));
	check_eq(said.used, 0);
	check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
	check(has_said("the order of iris and juniper is reversed"));
	rl_unlock(&a, &ra);
	rl_unlock(&b, &rb);
	end();
}

static void *let_b_go(void *arg)
{
	(void)arg;
	rl_unlock(&b, &rb);
	return NULL;
}

Test(lock_order, another_thread_may_unlock)
{
	pthread_t thread;

	begin("kale", "lemon");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	check_eq(pthread_create(&thread, NULL, let_b_go, NULL), 0);
	check_eq(pthread_join(thread, NULL), 0);
	check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
	rl_unlock(&a, &ra);
	check_eq(said.used, 0);
	end();
}

Test(lock_order, who_waited_in_vain_holds_nothing)
{
	begin("mango", "nut");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	rl_give(&b, &rb, RL_NOBODY);
	check_eq(rl_write_lock_until(&b, &rc, 0, 10, 0), ETIMEDOUT);
	check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
	rl_unlock(&a, &ra);
	rl_unlock(&b, &rb);
	check_eq(said.used, 0);
	end();
}

Test(lock_order, a_lock_without_a_name_is_known_by_its_address)
{
	char address[32];

	begin(NULL, "olive");
	take_both(&a, &b);
	check_eq(rl_destroy(&a), 0);		/* and forgotten */
	check_eq(rl_init(&a, NULL), 0);
	take_both(&b, &a);
	check_eq(said.used, 0);
	take_both(&a, &b);
	snprintf(address, sizeof(address), "%p", (void *)&a);
	check(has_said(address));
	end();
}

Test(lock_order, the_tables_may_be_full)
{
	struct rl_options o = RL_OPTIONS_INIT;
	char name[8];

	begin("rice", "salt");
	check_eq(rl_destroy(&b), 0);
	for (unsigned int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		o.name = name;
		check_eq(rl_init(&b, &o), 0);
		take_both(&a, &b);
		check_eq(said.used, 0);
		if (i < 62) {
			take_both(&b, &a);
			check(has_said(name));
			memset(&said, 0, sizeof(said));
		}
		check_eq(rl_destroy(&b), 0);
	}
	o.name = "salt";		/* too late */
	check_eq(rl_init(&b, &o), 0);
	take_both(&a, &b);
	take_both(&b, &a);
	check_eq(said.used, 0);
	end();
}

Test(lock_order, of_a_lock_that_a_child_has_emptied_nothing_is_held)
{
	pid_t child;
	int status;

	begin("thyme", "urchin");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	rl_guard_lock(&b.central.guard, NULL);	/* somebody is inside */
	fflush(NULL);
	child = fork();
	if (!child) {
		check_eq(rl_fork_child(&b), EOWNERDEAD);
		check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
		_exit(said.used ? 1 : 0);
	}
	rl_guard_unlock(&b.central.guard);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	rl_unlock(&b, &rb);
	end();
}

Test(lock_order, a_child_holds_what_its_thread_held)
{
	pid_t child;
	int status;

	begin("pear", "quince");
	take_both(&a, &b);
	check_eq(rl_write_lock(&b, &rb, 0, 10), 0);
	fflush(NULL);
	child = fork();
	if (!child) {
		check_eq(rl_write_lock(&a, &ra, 0, 10), 0);
		_exit(has_said("the order of pear and quince") ? 0 : 1);
	}
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	rl_unlock(&b, &rb);
	end();
}
