/*
 * rwlock.h - day one of a conversion: a rangelock in the shape of a rwlock
 *
 * Replace pthread_rwlock_ (or pthread_mutex_) by rl_rwlock_ (rl_mutex_) and the
 * type by struct rangelock, and a program runs much as before: every call locks
 * everything.  But each call site is a site of its own (site.h), named after its
 * function, so the reports say which of them to convert first.  Converting one
 * is giving it a handle and a range: rl_write_lock_at().
 *
 * What such a program must know:
 *
 * - The handles live in the calling thread: at most RL_RWLOCK_DEPTH of these
 *   locks are held by one thread at a time (EAGAIN), and the thread that locked
 *   is the one that unlocks (EPERM), as POSIX has it.
 * - A thread that ends while it holds such a lock breaks it.  The handle ends with
 *   the thread, the lock still refers to it: nobody can unlock it, and once its
 *   memory is used again others may come in, or hang.  Unlock before the end
 *   (pthread_cleanup_push()).  What is to outlive its thread is locked with a
 *   handle that does, rl_write_lock_at(), and given away, rl_give().
 * - Locks return EDEADLK (G8), so look at what they return.  A thread that
 *   read-locks a second time while a writer has waited for bypass_ns (1 ms) gets
 *   it, where pthread_rwlock by default lets it pass that writer.
 * - The lock is aligned to 64 bytes.  One in a struct from malloc() is not:
 *   rl_rwlock_init() returns EINVAL; use aligned_alloc().
 * - rl_rwlock_init() takes options or NULL, no attributes.  The _timed calls take
 *   nanoseconds of CLOCK_MONOTONIC (rl_now()), no timespec.
 * - A mutex that is used with a condition variable stays a pthread_mutex.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef RANGELOCK_RWLOCK_H
#define RANGELOCK_RWLOCK_H

#include <rangelock/site.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RL_RWLOCK_DEPTH	16

RL_API int rl_rwlock_lock_at(struct rangelock *lk, enum rl_mode mode,
			     struct rl_site *site);
RL_API int rl_rwlock_trylock_at(struct rangelock *lk, enum rl_mode mode,
				struct rl_site *site);
RL_API int rl_rwlock_lock_at_until(struct rangelock *lk, enum rl_mode mode,
				   struct rl_site *site, uint64_t deadline_ns);

/* Lets go the last one that this thread locked of lk.  Returns: 0; EPERM; EINVAL.
 * Runs callbacks, as the locks do that may wait. */
RL_API int rl_rwlock_unlock(struct rangelock *lk);

/* One static site for each place in the source where the macro stands. */
#define RL_HERE_(call)							\
	__extension__ ({						\
		static struct rl_site rl_here_ =			\
			RL_SITE_INIT(__func__, RL_COARSE);		\
		call;							\
	})

#define rl_rwlock_init(lk, options)	rl_init(lk, options)
#define rl_rwlock_destroy(lk)		rl_destroy(lk)
#define rl_rwlock_rdlock(lk) \
	RL_HERE_(rl_rwlock_lock_at(lk, RL_READ, &rl_here_))
#define rl_rwlock_wrlock(lk) \
	RL_HERE_(rl_rwlock_lock_at(lk, RL_WRITE, &rl_here_))
#define rl_rwlock_tryrdlock(lk) \
	RL_HERE_(rl_rwlock_trylock_at(lk, RL_READ, &rl_here_))
#define rl_rwlock_trywrlock(lk) \
	RL_HERE_(rl_rwlock_trylock_at(lk, RL_WRITE, &rl_here_))
#define rl_rwlock_timedrdlock(lk, deadline_ns) \
	RL_HERE_(rl_rwlock_lock_at_until(lk, RL_READ, &rl_here_, deadline_ns))
#define rl_rwlock_timedwrlock(lk, deadline_ns) \
	RL_HERE_(rl_rwlock_lock_at_until(lk, RL_WRITE, &rl_here_, deadline_ns))

#define rl_mutex_init(lk, options)	rl_init(lk, options)
#define rl_mutex_destroy(lk)		rl_destroy(lk)
#define rl_mutex_lock(lk)		rl_rwlock_wrlock(lk)
#define rl_mutex_trylock(lk)		rl_rwlock_trywrlock(lk)
#define rl_mutex_timedlock(lk, deadline_ns) \
	rl_rwlock_timedwrlock(lk, deadline_ns)
#define rl_mutex_unlock(lk)		rl_rwlock_unlock(lk)

#ifdef __cplusplus
}
#endif

#endif
