/*
 * Goal: sites register once, have the grain that was asked for last, and know
 * what touches more than it declared.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rangelock/site.h>

#include "rangelock/lock/site.h"

#define PASSED	7	/* what a test with an environment of its own exits with */

static struct rl_site_stats stats_of(const char *name)
{
	static struct rl_site_stats all[RL_SITES_MAX];
	size_t n = rl_sites_read(all, RL_SITES_MAX);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i];
	test_fail(__FILE__, __LINE__, "no site %s is registered", name);
}

Test(site, registers_once_and_is_found)
{
	static struct rl_site a = RL_SITE_INIT("found", RL_COARSE);
	static struct rl_site b = RL_SITE_INIT("found", RL_FINE);
	static struct rl_site nameless = RL_SITE_INIT(NULL, RL_FINE);
	static struct rl_site empty = RL_SITE_INIT("", RL_FINE);

	check(!rl_site_find("found"));
	check_eq(rl_site_register(&a), 0);
	check_eq(rl_site_register(&b), 0);
	check_eq(rl_site_register(&a), 0);
	check_ne(a.id, b.id);
	check_eq(rl_site_find("found"), &a);
	check_eq(rl_site_at((uint16_t)a.id), &a);
	check_str_eq(rl_site_name((uint16_t)b.id), "found");
	check_eq(rl_site_register(NULL), EINVAL);
	check_eq(rl_site_register(&nameless), EINVAL);
	check_eq(rl_site_register(&empty), EINVAL);
	check(!rl_site_find("never"));
	check(!rl_site_find(NULL));
	check(!rl_site_at(0));
}

Test(site, counts_locks_by_mode_in_every_thread)
{
	static struct rl_site site = RL_SITE_INIT("counted", RL_FINE);
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	for (int i = 0; i < 5; i++) {
		check_eq(rl_read_lock_at(&lk, &r, &site, 0, 10), 0);
		rl_unlock(&lk, &r);
	}
	check_eq(rl_write_trylock_at(&lk, &r, &site, 0, 10), 0);
	rl_unlock(&lk, &r);
	check_eq(stats_of("counted").nr_locked[RL_READ], 5);
	check_eq(stats_of("counted").nr_locked[RL_WRITE], 1);
	check_str_eq(stats_of("counted").file, __FILE__);
	rl_sites_reset();
	check_eq(stats_of("counted").nr_locked[RL_READ], 0);
	check_eq(rl_destroy(&lk), 0);
}

static int locks_beside(struct rangelock *lk, struct rl_site *site)
{
	struct rl_range a = RL_RANGE_INIT, b = RL_RANGE_INIT;
	int error;

	check_eq(rl_write_trylock_at(lk, &a, site, 0, 10), 0);
	error = rl_write_trylock_at(lk, &b, site, 10, 20);
	if (!error)
		rl_unlock(lk, &b);
	rl_unlock(lk, &a);
	return error;
}

Test(site, grain_says_what_is_locked_from_the_next_call_on)
{
	static struct rl_site site = RL_SITE_INIT("switched", RL_COARSE);
	struct rangelock lk = RANGELOCK_INIT;

	check_eq(locks_beside(&lk, &site), EBUSY);
	check_eq(rl_site_set_grain(&site, RL_FINE), 0);
	check_eq((int)rl_site_grain(&site), RL_FINE);
	check_eq(locks_beside(&lk, &site), 0);
	check_eq(rl_site_set_grain(&site, RL_SHADOW), 0);
	check_eq(locks_beside(&lk, &site), EBUSY);
	check_eq(rl_sites_configure("switched=fine", NULL, 0), 0);
	check_eq(locks_beside(&lk, &site), 0);
	check_eq(rl_site_set_grain(&site, (enum rl_grain)3), EINVAL);
	check_eq(rl_site_set_grain(NULL, RL_FINE), EINVAL);
	check_eq(rl_destroy(&lk), 0);
}

Test(site, bad_text_is_named_and_nothing_is_applied)
{
	static struct rl_site site = RL_SITE_INIT("untouched", RL_COARSE);
	char why[64];

	check_eq(rl_site_register(&site), 0);
	check_eq(rl_sites_configure("untouched=fine,b=fin", why, sizeof(why)),
		 EINVAL);
	check(strstr(why, "\"b=fin\""));
	check_eq((int)rl_site_grain(&site), RL_COARSE);
	check_eq(rl_sites_configure("x", why, 4), EINVAL);
	check_eq(strlen(why), 3);
	check_eq(rl_sites_configure("x", NULL, 0), EINVAL);
	check_eq(rl_sites_configure(NULL, why, sizeof(why)), EINVAL);
	check_eq(rl_sites_configure("", why, sizeof(why)), 0);
	check_str_eq(why, "");
}

Test(site, wish_waits_for_a_site_that_registers_later)
{
	static struct rl_site site = RL_SITE_INIT("later", RL_COARSE);

	check_eq(rl_sites_configure("later=fine", NULL, 0), 0);
	check_eq((int)rl_site_grain(&site), RL_FINE);
	check_eq(rl_site_register(&site), 0);
	check_eq((int)rl_site_grain(&site), RL_FINE);
	check_eq(rl_site_set_grain(&site, RL_COARSE), 0);
	check_eq(rl_sites_configure("somebody_else=fine", NULL, 0), 0);
	check_eq((int)rl_site_grain(&site), RL_COARSE);
}

Test(site, environment_is_read_once_and_its_nonsense_left_out,
     .exit_code = PASSED)
{
	static struct rl_site a = RL_SITE_INIT("env_a", RL_COARSE);
	static struct rl_site b = RL_SITE_INIT("env_b", RL_FINE);
	static struct rl_site c = RL_SITE_INIT("env_c", RL_COARSE);
	char name[RL_SITE_NAME];
	size_t at = 0;

	setenv("RANGELOCK_SITES", "env_a=fine,nonsense,env_b=shadow,nobody=fine",
	       1);
	setenv("RANGELOCK_SHADOW", "perhaps", 1);
	check_eq((int)rl_site_grain(&a), RL_FINE);
	check_eq(rl_site_register(&a), 0);
	setenv("RANGELOCK_SITES", "env_c=fine", 1);
	check_eq(rl_site_register(&b), 0);
	check_eq(rl_site_register(&c), 0);
	check_eq((int)rl_site_grain(&a), RL_FINE);
	check_eq((int)rl_site_grain(&b), RL_SHADOW);
	check_eq((int)rl_site_grain(&c), RL_COARSE);
	check(rl_sites_next_unknown(&at, name));
	check_str_eq(name, "nobody");
	check(!rl_sites_next_unknown(&at, name));
	exit(PASSED);
}

/* An entry for each of n names, and then another one for the first. */
static void set_environment(const char *prefix, size_t n)
{
	static char text[32 * (RL_SITES_MAX + 2)];
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += (size_t)sprintf(text + used, "%s%zu=fine,", prefix, i);
	sprintf(text + used, "%s0=shadow", prefix);
	setenv("RANGELOCK_SITES", text, 1);
}

/* What rl_site_register() of site says on stderr. */
static const char *complaints(struct rl_site *site)
{
	static char text[512];
	FILE *capture = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	dup2(fileno(capture), STDERR_FILENO);
	check_eq(rl_site_register(site), 0);
	dup2(saved, STDERR_FILENO);
	rewind(capture);
	n = fread(text, 1, sizeof(text) - 1, capture);
	text[n] = '\0';
	fclose(capture);
	return text;
}

Test(site, entry_that_is_applied_is_not_said_to_be_ignored,
     .exit_code = PASSED)
{
	static struct rl_site first = RL_SITE_INIT("full0", RL_COARSE);

	set_environment("full", RL_SITES_MAX);
	check_str_eq(complaints(&first), "");
	check_eq((int)rl_site_grain(&first), RL_SHADOW);
	exit(PASSED);
}

Test(site, entry_that_has_no_room_is_said_to_be_ignored,
     .exit_code = PASSED)
{
	static struct rl_site first = RL_SITE_INIT("over0", RL_COARSE);
	static struct rl_site last = RL_SITE_INIT("over255", RL_COARSE);

	set_environment("over", RL_SITES_MAX + 1);
	check_str_eq(complaints(&first),
		     "rangelock: RANGELOCK_SITES: \"over255=fine\" is "
		     "ignored: there are too many names\n");
	check_eq((int)rl_site_grain(&first), RL_SHADOW);
	check_eq((int)rl_site_grain(&last), RL_COARSE);
	exit(PASSED);
}

Test(site, sites_beyond_the_last_work_coarse, .exit_code = PASSED)
{
	static struct rl_site sites[RL_SITES_MAX + 2];
	struct rangelock lk = RANGELOCK_INIT;

	for (size_t i = 0; i < RL_SITES_MAX + 2; i++) {
		struct rl_site *s = &sites[i];

		s->name = i < RL_SITES_MAX ? "listed" : "unlisted";
		s->grain = RL_FINE;
		check_eq(rl_site_register(s), i < RL_SITES_MAX ? 0 : ENOSPC);
	}
	check_eq(rl_site_register(&sites[RL_SITES_MAX]), ENOSPC);
	check_eq(locks_beside(&lk, &sites[0]), 0);
	check_eq(locks_beside(&lk, &sites[RL_SITES_MAX]), EBUSY);
	check_eq((int)rl_site_grain(&sites[RL_SITES_MAX]), RL_COARSE);
	check_eq(rl_site_set_grain(&sites[RL_SITES_MAX], RL_FINE), ENOSPC);
	check_eq(rl_sites_read(NULL, 0), RL_SITES_MAX);
	check(!rl_site_find("unlisted"));
	exit(PASSED);
}

Test(site, check_knows_both_ends_of_the_declared_range)
{
	static struct rl_site site = RL_SITE_INIT("shadowed", RL_SHADOW);
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_write_lock_at(&lk, &r, &site, 100, 200), 0);
	check_eq(rl_site_check(&lk, &r, 100, 100), 0);
	check_eq(rl_site_check(&lk, &r, 199, 1), 0);
	check_eq(rl_site_check(&lk, &r, 500, 0), 0);
	check_eq(rl_site_check(&lk, &r, 99, 1), ERANGE);
	check_eq(rl_site_check(&lk, &r, 199, 2), ERANGE);
	check_eq(rl_site_check(&lk, &r, 200, 1), ERANGE);
	check_eq(rl_site_check(&lk, &r, 150, UINT64_MAX), ERANGE);
	check_eq(rl_site_check(&lk, &r, UINT64_MAX, 101), ERANGE);
	check_eq(rl_site_check(NULL, &r, 150, 1), EINVAL);
	check_eq(rl_site_check(&lk, NULL, 150, 1), EINVAL);
	check_eq(stats_of("shadowed").nr_misused, 5);
	rl_unlock(&lk, &r);
	check_eq(rl_destroy(&lk), 0);
}

static void misuse(void)
{
	static struct rl_site site = RL_SITE_INIT("misused", RL_FINE);
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_write_lock_at(&lk, &r, &site, 100, 200), 0);
	check_eq(rl_site_check(&lk, &r, 0, 1), ERANGE);
	rl_unlock(&lk, &r);
}

Test(site, misuse_aborts_if_the_program_asks, .signal = SIGABRT)
{
	rl_site_abort_on_misuse(1);
	misuse();
}

Test(site, misuse_aborts_if_the_environment_asks, .signal = SIGABRT)
{
	setenv("RANGELOCK_SHADOW", "abort", 1);
	misuse();
}

Test(site, program_overrules_the_environment, .exit_code = PASSED)
{
	setenv("RANGELOCK_SHADOW", "abort", 1);
	rl_site_abort_on_misuse(0);
	misuse();
	exit(PASSED);
}

Test(site, check_of_what_is_not_held_aborts, .signal = SIGABRT)
{
	struct rangelock lk = RANGELOCK_INIT;
	struct rl_range r = RL_RANGE_INIT;

	rl_site_check(&lk, &r, 0, 1);
}

#define NR_THREADS	4

static struct rl_site raced[8] = {
	RL_SITE_INIT("raced", RL_COARSE), RL_SITE_INIT("raced", RL_COARSE),
	RL_SITE_INIT("raced", RL_COARSE), RL_SITE_INIT("raced", RL_COARSE),
	RL_SITE_INIT("raced", RL_COARSE), RL_SITE_INIT("raced", RL_COARSE),
	RL_SITE_INIT("raced", RL_COARSE), RL_SITE_INIT("raced", RL_COARSE),
};
static struct rangelock raced_lock = RANGELOCK_INIT;
static uint64_t nr_rounds, plain[8];

/* Everybody writes his own bytes; and the whole, under every grain. */
static void *lock_while_switched(void *arg)
{
	size_t me = (size_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < nr_rounds; i++) {
		struct rl_site *site = &raced[(i + me) % 8];
		struct rl_range r = RL_RANGE_INIT;
		uint64_t at = (i + me) % 8;

		rl_site_set_grain(site, (enum rl_grain)(i % 3));
		check_eq(rl_write_lock_at(&raced_lock, &r, site, at, at + 1),
			 0);
		plain[at]++;
		check_eq(rl_site_check(&raced_lock, &r, at, 1), 0);
		rl_unlock(&raced_lock, &r);
	}
	return NULL;
}

Test(site, switched_under_load_it_excludes_and_counts_all)
{
	pthread_t threads[NR_THREADS];
	uint64_t nr = 0, locked = 0;

	nr_rounds = test_rounds(5000);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, lock_while_switched,
			       (void *)(uintptr_t)i);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < 8; i++) {
		struct rl_site_stats s;

		nr += plain[i];
		rl_site_read((uint16_t)raced[i].id, &s);
		locked += s.nr_locked[RL_WRITE];
	}
	check_eq(nr, NR_THREADS * nr_rounds);
	check_eq(locked, NR_THREADS * nr_rounds);
	check_eq(rl_destroy(&raced_lock), 0);
}
