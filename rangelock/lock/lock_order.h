/*
 * lock_order.h - were two locks ever locked in both orders?
 *
 * Only with RL_LOCK_ORDER (the debug variant); else nothing of it is compiled.
 * Locks are told apart by their names (those of one name are of one class), or by
 * their addresses.  When a thread that holds something of class a is about to wait
 * for something of class b, a comes before b.  The first time that b comes before
 * a, too, a warning is written, with both names and both places: two threads that
 * do so at the same time can wait for each other for ever.
 *
 * Every range counts as the whole lock.  A trylock that holds comes before what is
 * locked after it, but behind nothing.  Submitted requests are not followed.
 */
#ifndef RL_LOCK_LOCK_ORDER_H
#define RL_LOCK_LOCK_ORDER_H

#include <rangelock.h>

#ifdef RL_LOCK_ORDER

/* The calling thread is about to lock, and may wait. */
void rl_order_ask(const struct rangelock *lk);

/* r, or the first of several, is held now; is not any more; is given away. */
void rl_order_hold(const struct rangelock *lk, const struct rl_range *r);
void rl_order_let_go(const struct rangelock *lk, const struct rl_range *r);
void rl_order_give(const struct rangelock *lk, const struct rl_range *r,
		   uint64_t owner);

/* The lock is destroyed: another one may get its address. */
void rl_order_forget(const struct rangelock *lk);

/* Whatever was held of it is not held any more. */
void rl_order_empty(const struct rangelock *lk);

/* For tests, while nothing is held: begin with empty tables, and write warnings
 * there; NULL: to stderr. */
void rl_order_warn_to(rl_write_fn *write, void *arg);

#else

static inline void rl_order_ask(const struct rangelock *lk)
{
	(void)lk;
}

static inline void rl_order_hold(const struct rangelock *lk,
				 const struct rl_range *r)
{
	(void)lk;
	(void)r;
}

static inline void rl_order_let_go(const struct rangelock *lk,
				   const struct rl_range *r)
{
	(void)lk;
	(void)r;
}

static inline void rl_order_give(const struct rangelock *lk,
				 const struct rl_range *r, uint64_t owner)
{
	(void)lk;
	(void)r;
	(void)owner;
}

static inline void rl_order_forget(const struct rangelock *lk)
{
	(void)lk;
}

static inline void rl_order_empty(const struct rangelock *lk)
{
	(void)lk;
}

#endif
#endif
