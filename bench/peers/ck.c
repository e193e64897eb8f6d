/*
 * ck.c - Concurrency Kit's spinning reader-writer locks, the whole object
 *
 * Without its header (HAVE_CK) the two are listed and cannot run.  They spin and
 * never give the CPU away: with more threads than CPUs they stand still for
 * whole time slices, so cases like that leave them out.
 */
#include "bench/bench.h"

#ifdef HAVE_CK
#include <ck_pflock.h>
#include <ck_rwlock.h>

static const char *missing(void)
{
	return NULL;
}

static int rwlock_init(void *lock)
{
	ck_rwlock_init(lock);
	return 0;
}

static void rwlock_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	ck_rwlock_read_lock(lock);
}

static void rwlock_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	ck_rwlock_write_lock(lock);
}

static void rwlock_read_unlock(void *lock, struct handle *h)
{
	(void)h;
	ck_rwlock_read_unlock(lock);
}

static void rwlock_write_unlock(void *lock, struct handle *h)
{
	(void)h;
	ck_rwlock_write_unlock(lock);
}

static int pflock_init(void *lock)
{
	ck_pflock_init(lock);
	return 0;
}

static void pflock_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	ck_pflock_read_lock(lock);
}

static void pflock_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	(void)h;
	(void)start;
	(void)end;
	ck_pflock_write_lock(lock);
}

static void pflock_read_unlock(void *lock, struct handle *h)
{
	(void)h;
	ck_pflock_read_unlock(lock);
}

static void pflock_write_unlock(void *lock, struct handle *h)
{
	(void)h;
	ck_pflock_write_unlock(lock);
}

#define RWLOCK_BYTES	sizeof(ck_rwlock_t)
#define PFLOCK_BYTES	sizeof(ck_pflock_t)
#define BOTH(read, write)	{ read, write }

#else

static const char *missing(void)
{
	return "built without ck_rwlock.h (Debian: libck-dev)";
}

#define RWLOCK_BYTES	8
#define PFLOCK_BYTES	16
#define BOTH(read, write)	{ NULL, NULL }
#define rwlock_init	NULL
#define pflock_init	NULL

#endif

const struct peer peer_ck_rwlock = {
	.name = "ck_rwlock",
	.what = "Concurrency Kit, spinning, the whole object",
	.traits = SHARED | ASIDE | SPINS,
	.lock_bytes = RWLOCK_BYTES,
	.missing = missing,
	.init = rwlock_init,
	.lock = BOTH(rwlock_read, rwlock_write),
	.unlock = BOTH(rwlock_read_unlock, rwlock_write_unlock),
};

const struct peer peer_ck_pflock = {
	.name = "ck_pflock",
	.what = "Concurrency Kit, phase-fair, spinning, the whole object",
	.traits = SHARED | ASIDE | SPINS,
	.lock_bytes = PFLOCK_BYTES,
	.missing = missing,
	.init = pflock_init,
	.lock = BOTH(pflock_read, pflock_write),
	.unlock = BOTH(pflock_read_unlock, pflock_write_unlock),
};
