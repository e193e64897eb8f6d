/*
 * doors.h - what the library's base becomes under the explorer
 *
 * over/rangelock/base/ is found before the real one and turns every atomic
 * access, guard, park and barrier of the library into a call of these: each is a
 * visible step of the calling fiber, and so a point where another one may run.
 * Outside of an execution (set-up, checks) they act on memory at once.
 */
#ifndef RL_TESTS_EXPLORE_DOORS_H
#define RL_TESTS_EXPLORE_DOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ex_order {
	EX_RELAXED,
	EX_ACQUIRE,
	EX_RELEASE,
	EX_ACQ_REL,
	EX_SC,				/* fences only */
	EX_KERNEL,			/* a system call's own fences */
};

/* A place in the source where something ordered happens; all lie in a section of
 * their own, so that they can be listed, and weakened one at a time. */
struct ex_site {
	const char *file, *function;
	int line;
	uint8_t order;			/* enum ex_order */
	uint8_t is_weak;		/* relaxed instead, or left out */
	uint8_t unused[2];
} __attribute__((aligned(32)));		/* no gaps in their section */

#define EX_SITE(order_)							\
	(__extension__({						\
		static struct ex_site site_				\
			__attribute__((section("ex_sites"), used)) = {	\
			__FILE__, __func__, __LINE__, (order_), 0, { 0, 0 } }; \
		&site_;							\
	}))

enum ex_rmw {
	EX_SWAP,
	EX_ADD,
	EX_OR,
	EX_AND,
};

uint64_t ex_load(const void *p, unsigned int size, const struct ex_site *site);
void ex_store(void *p, unsigned int size, uint64_t v,
	      const struct ex_site *site);
uint64_t ex_modify(void *p, unsigned int size, enum ex_rmw how, uint64_t v,
		   const struct ex_site *site);
/* The same, of 32 bits; a function, for callers who drop the result. */
static inline uint32_t ex_modify32(void *p, enum ex_rmw how, uint64_t v,
				   const struct ex_site *site)
{
	return (uint32_t)ex_modify(p, 4, how, v, site);
}

bool ex_cas(void *p, unsigned int size, uint64_t expected, uint64_t v,
	    const struct ex_site *site);
void ex_fence(const struct ex_site *site);

/* A fence of the caller's, one forced on each other thread, in any order and
 * with anything in between, and one more of the caller's. */
void ex_heavy(const struct ex_site *site);

/* The next access of this thread waits until no bit of mask is set in *p: who
 * spins for a guard is not run in vain.  caller: for the printed trace. */
void ex_await(const void *p, uint64_t mask, const struct ex_site *caller);

/* Of the next value that this thread reads in *p only these bits matter, and
 * nothing is learnt from it about other memory: so stores that leave these bits
 * as they are need not be told apart. */
void ex_look_at(const void *p, uint64_t mask);

/* A guard is about to be let go, and was: moments to check invariants. */
void ex_releasing(const uint32_t *guard);
void ex_released(void);

/* Sleep while *p == expected; returns for any of the reasons a futex knows.
 * Wakes up to n sleepers on p. */
void ex_park(const void *p, uint32_t expected, uint64_t deadline_ns,
	     const struct ex_site *site);
unsigned int ex_wake(const void *p, unsigned int n, const struct ex_site *site);

uint64_t ex_clock(const struct ex_site *site);
unsigned int ex_self(void);

#endif
