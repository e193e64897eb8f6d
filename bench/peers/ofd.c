/*
 * ofd.c - the kernel's file lock, owned by an open file description
 *
 * F_OFD_SETLKW on an unlinked temporary file, which each thread opens for
 * itself: locks of one description never conflict with each other.  A thread's
 * neighbouring ranges of one mode merge into one, so what a case holds belongs
 * to a description of its own (HOLDER).  Ends at 2^63 - 1, as files do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"

struct ofd {
	int fd[MAX_THREADS];
};

struct ofd_handle {
	struct flock lock;
};

static void ofd_destroy(void *lock)
{
	struct ofd *o = lock;

	for (size_t i = 0; i < MAX_THREADS; i++)
		if (o->fd[i] >= 0)
			close(o->fd[i]);
}

/* Opening it again through /proc gives a description of its own. */
static int ofd_init(void *lock)
{
	char path[] = "/tmp/rlbench.XXXXXX", again[40];
	struct ofd *o = lock;

	for (size_t i = 0; i < MAX_THREADS; i++)
		o->fd[i] = -1;
	o->fd[0] = mkstemp(path);
	if (o->fd[0] < 0)
		return errno;
	unlink(path);
	snprintf(again, sizeof(again), "/proc/self/fd/%d", o->fd[0]);
	for (size_t i = 1; i < MAX_THREADS; i++) {
		o->fd[i] = open(again, O_RDWR | O_CLOEXEC);
		if (o->fd[i] < 0) {
			int error = errno;

			ofd_destroy(o);
			return error;
		}
	}
	return 0;
}

static void lock_range(struct ofd *o, struct ofd_handle *h, short type,
		       uint64_t start, uint64_t end)
{
	h->lock = (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)start,
		.l_len = end == WHOLE_END ? 0 : (off_t)(end - start),
	};
	while (fcntl(o->fd[thread_index], F_OFD_SETLKW, &h->lock))
		if (errno != EINTR)
			abort();
}

static void ofd_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	lock_range(lock, (struct ofd_handle *)h, F_RDLCK, start, end);
}

static void ofd_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	lock_range(lock, (struct ofd_handle *)h, F_WRLCK, start, end);
}

static void ofd_unlock(void *lock, struct handle *handle)
{
	struct ofd_handle *h = (struct ofd_handle *)handle;
	struct ofd *o = lock;

	h->lock.l_type = F_UNLCK;
	h->lock.l_pid = 0;
	if (fcntl(o->fd[thread_index], F_OFD_SETLK, &h->lock))
		abort();
}

const struct peer peer_ofd = {
	.name = "ofd",
	.what = "fcntl(F_OFD_SETLKW), one description a thread",
	.traits = RANGES | EXACT | SHARED | SLOW | ASIDE,
	.lock_bytes = sizeof(struct ofd),
	.handle_bytes = sizeof(struct ofd_handle),
	.max_held = 1000,
	.init = ofd_init,
	.destroy = ofd_destroy,
	.lock = { ofd_read, ofd_write },
	.unlock = { ofd_unlock, ofd_unlock },
};
