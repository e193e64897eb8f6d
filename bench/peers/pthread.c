/*
 * pthread.c - the C library's locks: a range means the whole object
 */
#include <pthread.h>

#include "bench/bench.h"

static int rwlock_init(void *lock)
{
	return pthread_rwlock_init(lock, NULL);
}

static void rwlock_destroy(void *lock)
{
	pthread_rwlock_destroy(lock);
}

static void rwlock_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	pthread_rwlock_rdlock(lock);
}

static void rwlock_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	pthread_rwlock_wrlock(lock);
}

static void rwlock_unlock(void *lock, struct handle *h)
{
	(void)h;
	pthread_rwlock_unlock(lock);
}

const struct peer peer_rwlock = {
	.name = "pthread_rwlock",
	.what = "glibc, the whole object",
	.traits = SHARED,
	.lock_bytes = sizeof(pthread_rwlock_t),
	.init = rwlock_init,
	.destroy = rwlock_destroy,
	.lock = { rwlock_read, rwlock_write },
	.unlock = { rwlock_unlock, rwlock_unlock },
};

static int mutex_init(void *lock)
{
	return pthread_mutex_init(lock, NULL);
}

static void mutex_destroy(void *lock)
{
	pthread_mutex_destroy(lock);
}

static void mutex_lock(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	pthread_mutex_lock(lock);
}

static void mutex_unlock(void *lock, struct handle *h)
{
	(void)h;
	pthread_mutex_unlock(lock);
}

const struct peer peer_mutex = {
	.name = "pthread_mutex",
	.what = "glibc, the whole object, readers too",
	.lock_bytes = sizeof(pthread_mutex_t),
	.bars_cases = { "narrow write" },
	.init = mutex_init,
	.destroy = mutex_destroy,
	.lock = { mutex_lock, mutex_lock },
	.unlock = { mutex_unlock, mutex_unlock },
};
