/*
 * Goal: the rwlock-shaped calls behave as pthread_rwlock's, and each call site
 * is a site.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rangelock/rwlock.h>

#include "rangelock/lock/rwlock.h"

static struct rl_site here = RL_SITE_INIT("rwlock_test", RL_COARSE);

Test(rwlock, readers_share_and_writers_exclude)
{
	struct rangelock lk = RANGELOCK_INIT;

	check_eq(rl_rwlock_rdlock(&lk), 0);
	check_eq(rl_rwlock_tryrdlock(&lk), 0);
	check_eq(rl_rwlock_trywrlock(&lk), EBUSY);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_unlock(&lk), EPERM);
	check_eq(rl_rwlock_wrlock(&lk), 0);
	check_eq(rl_rwlock_tryrdlock(&lk), EBUSY);
	check_eq(rl_rwlock_rdlock(&lk), EDEADLK);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_destroy(&lk), 0);
}

Test(rwlock, several_locks_unlock_in_any_order)
{
	struct rangelock a = RANGELOCK_INIT, b = RANGELOCK_INIT;

	check_eq(rl_mutex_lock(&a), 0);
	check_eq(rl_mutex_lock(&b), 0);
	check_eq(rl_mutex_unlock(&a), 0);
	check_eq(rl_mutex_trylock(&a), 0);
	check_eq(rl_mutex_trylock(&b), EBUSY);
	check_eq(rl_mutex_unlock(&b), 0);
	check_eq(rl_mutex_unlock(&a), 0);
	check_eq(rl_mutex_destroy(&a), 0);
	check_eq(rl_mutex_destroy(&b), 0);
}

Test(rwlock, thread_holds_at_most_its_depth)
{
	struct rangelock lk = RANGELOCK_INIT;

	for (int i = 0; i < RL_RWLOCK_DEPTH; i++)
		check_eq(rl_rwlock_rdlock(&lk), 0);
	check_eq(rl_rwlock_rdlock(&lk), EAGAIN);
	check_eq(rl_rwlock_tryrdlock(&lk), EAGAIN);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_rdlock(&lk), 0);
	for (int i = 0; i < RL_RWLOCK_DEPTH; i++)
		check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_destroy(&lk), 0);
}

Test(rwlock, bad_arguments_are_refused_and_take_no_slot)
{
	struct rangelock lk = RANGELOCK_INIT;

	for (int i = 0; i < 2 * RL_RWLOCK_DEPTH; i++) {
		check_eq(rl_rwlock_lock_at(NULL, RL_READ, &here), EINVAL);
		check_eq(rl_rwlock_lock_at(&lk, RL_READ, NULL), EINVAL);
		check_eq(rl_rwlock_trylock_at(&lk, (enum rl_mode)5, &here),
			 EINVAL);
	}
	check_eq(rl_rwlock_unlock(NULL), EINVAL);
	check_eq(rl_rwlock_rdlock(&lk), 0);
	check_eq(rl_rwlock_unlock(&lk), 0);
}

static void *try_to_unlock(void *lk)
{
	return (void *)(intptr_t)rl_rwlock_unlock(lk);
}

static void *time_out(void *lk)
{
	struct rangelock *l = lk;
	int error = rl_rwlock_timedwrlock(l, 1);

	if (!error)
		rl_rwlock_unlock(l);
	return (void *)(intptr_t)error;
}

static intptr_t in_another_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	void *result;

	check_eq(pthread_create(&thread, NULL, run, arg), 0);
	check_eq(pthread_join(thread, &result), 0);
	return (intptr_t)result;
}

Test(rwlock, another_thread_may_not_unlock_and_gives_up_at_its_deadline)
{
	struct rangelock lk = RANGELOCK_INIT;

	check_eq(rl_rwlock_rdlock(&lk), 0);
	check_eq(in_another_thread(try_to_unlock, &lk), EPERM);
	check_eq(in_another_thread(time_out, &lk), ETIMEDOUT);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(in_another_thread(time_out, &lk), 0);
}

Test(rwlock, forgotten_locks_are_not_held)
{
	struct rangelock lk = RANGELOCK_INIT, other = RANGELOCK_INIT;

	check_eq(rl_rwlock_rdlock(&other), 0);
	check_eq(rl_rwlock_wrlock(&lk), 0);
	memset(&lk, 0, sizeof(lk));
	rl_rwlock_forget(&lk);
	check_eq(rl_rwlock_unlock(&lk), EPERM);
	check_eq(rl_rwlock_wrlock(&lk), 0);
	check_eq(rl_rwlock_unlock(&lk), 0);
	check_eq(rl_rwlock_unlock(&other), 0);
}

static struct rangelock shared_lock = RANGELOCK_INIT;
static uint64_t nr_rounds, guarded;

static void *count_up(void *arg)
{
	for (uint64_t i = 0; i < nr_rounds; i++) {
		rl_rwlock_wrlock(&shared_lock);
		guarded++;
		rl_rwlock_unlock(&shared_lock);
	}
	return arg;
}

Test(rwlock, threads_exclude_each_other_and_the_site_is_the_function)
{
	pthread_t threads[4];

	nr_rounds = test_rounds(5000);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, count_up, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check_eq(guarded, 4 * nr_rounds);
	check(rl_site_find("count_up"));
	check_eq(rl_rwlock_destroy(&shared_lock), 0);
}
