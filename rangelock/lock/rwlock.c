/*
 * rwlock.c - locks without handles: the thread has a few of its own
 *
 * A slot is free while its lock is NULL.  Slots are let go in any order, so
 * each remembers when it was taken; an unlock looks for the last of its lock.
 * The sites declare everything: nobody has said yet what they need.
 *
 * Cost: a look at up to RL_RWLOCK_DEPTH slots of the thread.
 * Weak spot: a thread that ends while it holds a lock leaves it locked by a
 * handle that is gone, as a thread that leaves a handle's stack frame does.
 */
#include "rangelock/lock/rwlock.h"

#include <errno.h>
#include <string.h>

#include <rangelock/rwlock.h>

struct slot {
	struct rl_range range;
	struct rangelock *lk;
	uint64_t taken;			/* larger is later; 0: not held yet */
};

struct slots {
	struct slot of[RL_RWLOCK_DEPTH];
	uint64_t nr_taken;
};

/* Not in the static TLS block: too large for a library that dlopen() loads. */
static _Thread_local struct slots mine
	__attribute__((tls_model("global-dynamic")));

static struct slot *free_slot(struct slots *slots)
{
	for (unsigned int i = 0; i < RL_RWLOCK_DEPTH; i++)
		if (!slots->of[i].lk)
			return &slots->of[i];
	return NULL;
}

static struct slot *last_held(struct slots *slots, const struct rangelock *lk)
{
	struct slot *last = NULL;

	for (unsigned int i = 0; i < RL_RWLOCK_DEPTH; i++) {
		struct slot *s = &slots->of[i];

		if (s->lk == lk && s->taken && (!last || s->taken > last->taken))
			last = s;
	}
	return last;
}

/* Take a slot; it is not held yet.  Callbacks that run in this thread meanwhile
 * may take others. */
static int begin(struct slot **s, struct rangelock *lk, enum rl_mode mode)
{
	if (!lk || (mode != RL_READ && mode != RL_WRITE))
		return EINVAL;
	*s = free_slot(&mine);
	if (!*s)
		return EAGAIN;
	(*s)->lk = lk;
	(*s)->taken = 0;
	return 0;
}

static int finish(struct slot *s, int error)
{
	if (error)
		s->lk = NULL;
	else
		s->taken = ++mine.nr_taken;
	return error;
}

int rl_rwlock_lock_at_until(struct rangelock *lk, enum rl_mode mode,
			    struct rl_site *site, uint64_t deadline_ns)
{
	struct slot *s;
	int error = begin(&s, lk, mode);

	if (error)
		return error;
	if (mode == RL_READ)
		error = rl_read_lock_at_until(lk, &s->range, site, 0, RL_END,
					      deadline_ns);
	else
		error = rl_write_lock_at_until(lk, &s->range, site, 0, RL_END,
					       deadline_ns);
	return finish(s, error);
}

int rl_rwlock_lock_at(struct rangelock *lk, enum rl_mode mode,
		      struct rl_site *site)
{
	return rl_rwlock_lock_at_until(lk, mode, site, RL_NO_DEADLINE);
}

int rl_rwlock_trylock_at(struct rangelock *lk, enum rl_mode mode,
			 struct rl_site *site)
{
	struct slot *s;
	int error = begin(&s, lk, mode);

	if (error)
		return error;
	if (mode == RL_READ)
		error = rl_read_trylock_at(lk, &s->range, site, 0, RL_END);
	else
		error = rl_write_trylock_at(lk, &s->range, site, 0, RL_END);
	return finish(s, error);
}

int rl_rwlock_unlock(struct rangelock *lk)
{
	struct rl_deferred callbacks = { NULL, NULL };
	struct slot *s;

	if (!lk)
		return EINVAL;
	s = last_held(&mine, lk);
	if (!s)
		return EPERM;
	rl_unlock_deferred(lk, &s->range, &callbacks);
	s->lk = NULL;
	rl_run_deferred(&callbacks);
	return 0;
}

void rl_rwlock_forget(const struct rangelock *lk)
{
	for (unsigned int i = 0; i < RL_RWLOCK_DEPTH; i++)
		if (mine.of[i].lk == lk)
			memset(&mine.of[i], 0, sizeof(mine.of[i]));
}
