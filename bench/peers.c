/*
 * peers.c - the table of contestants
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

_Thread_local unsigned int thread_index;

/* Ours first.  The order is that of every table that is printed. */
const struct peer *const peers[] = {
	&peer_compact,
	&peer_compact_plain,
	&peer_forest,
	&peer_forest_plain,
	&peer_forest_biased,
	&peer_floor,
	&peer_floor_read,
	&peer_none,
	&peer_rwlock,
	&peer_mutex,
	&peer_ck_rwlock,
	&peer_ck_pflock,
	&peer_kara_bueso,
	&peer_kogan,
	&peer_segments,
	&peer_ofd,
	&peer_rocksdb,
};
const size_t nr_peers = NR(peers);

const struct peer *peer_find(const char *name)
{
	for (size_t i = 0; i < nr_peers; i++)
		if (!strcmp(peers[i]->name, name))
			return peers[i];
	return NULL;
}

const char *peer_missing(const struct peer *p)
{
	return p->missing ? p->missing() : NULL;
}

lock_fn *peer_lock_fn(const struct peer *p, enum mode mode, bool coarse)
{
	if (coarse && p->lock_coarse[mode])
		return p->lock_coarse[mode];
	return p->lock[mode];
}

/* Whole pages, so that no peer shares a line, or a prefetch, with another. */
void *peer_room(const struct peer *p)
{
	size_t bytes = (p->lock_bytes + PAGE - 1) / PAGE * PAGE;
	void *lock = aligned_alloc(PAGE, bytes);

	if (lock)
		memset(lock, 0, bytes);
	return lock;
}

void *peer_new(const struct peer *p)
{
	void *lock = peer_room(p);

	if (lock && p->init && p->init(lock)) {
		free(lock);
		return NULL;
	}
	return lock;
}

void peer_delete(const struct peer *p, void *lock)
{
	if (lock && p->destroy)
		p->destroy(lock);
	free(lock);
}
