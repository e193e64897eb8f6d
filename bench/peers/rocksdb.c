/*
 * rocksdb.c - RocksDB's transactional range lock, if it was there to build with
 *
 * Without HAVE_ROCKSDB (Debian: librocksdb-dev, and a C++ compiler) it is listed
 * and cannot run.  What is measured is what its user pays: begin a transaction,
 * lock one range, roll back.
 */
#include <errno.h>

#include "bench/bench.h"
#include "bench/peers/rocksdb.h"

struct rocks_lock {
	struct rocks *rocks;
};

struct rocks_handle {
	void *transaction;
};

#ifdef HAVE_ROCKSDB

static const char *missing(void)
{
	return NULL;
}

static int init(void *lock)
{
	struct rocks_lock *l = lock;

	l->rocks = rocks_open();
	return l->rocks ? 0 : EIO;
}

static void destroy(void *lock)
{
	rocks_close(((struct rocks_lock *)lock)->rocks);
}

static void lock_range(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct rocks_handle *r = (struct rocks_handle *)h;

	r->transaction = rocks_lock(((struct rocks_lock *)lock)->rocks, start, end);
}

static void unlock(void *lock, struct handle *h)
{
	(void)lock;
	rocks_unlock(((struct rocks_handle *)h)->transaction);
}

#else

static const char *missing(void)
{
	return "built without rocksdb (Debian: librocksdb-dev)";
}

/* Never called: missing() says so. */
static int init(void *lock)
{
	(void)lock;
	return ENOSYS;
}

static void destroy(void *lock)
{
	(void)lock;
}

static void lock_range(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)lock;
	(void)h;
	(void)start;
	(void)end;
}

static void unlock(void *lock, struct handle *h)
{
	(void)lock;
	(void)h;
}

#endif

const struct peer peer_rocksdb = {
	.name = "rocksdb",
	.what = "RocksDB's range lock manager, a transaction a lock",
	.traits = RANGES | EXACT | SLOW | ASIDE,
	.lock_bytes = sizeof(struct rocks_lock),
	.handle_bytes = sizeof(struct rocks_handle),
	.missing = missing,
	.init = init,
	.destroy = destroy,
	.lock = { lock_range, lock_range },
	.unlock = { unlock, unlock },
};
