/*
 * charge.h - who waited for whom, by site: a table for the whole process
 *
 * A site is its number in the registry (1 to RL_SITES_MAX), 0 is a request
 * without a site.  A wait is charged to the pair of the waiter's site and that
 * of the blocker which made it wait.  How the wait could have been spared is
 * told by who of the two locked more than he declared.
 */
#ifndef RL_ENGINE_CHARGE_H
#define RL_ENGINE_CHARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_WIDE_WAITER	1u
#define RL_WIDE_BLOCKER	2u

struct rl_charge {
	uint32_t key;			/* 0 is free; see rl_charge_waiter() */
	uint32_t unused;
	uint64_t nr_true, true_ns;
	uint64_t nr_false[4];		/* by RL_WIDE_... */
	uint64_t false_ns[4];
};

/* Charge a wait that has ended.  From any thread, under any guard or none. */
void rl_charge_wait(uint16_t waiter_site, uint16_t blocker_site, bool is_true,
		    unsigned int wide, uint64_t wait_ns);

static inline uint16_t rl_charge_waiter(const struct rl_charge *c)
{
	return (uint16_t)((c->key - 1) >> 16);
}

static inline uint16_t rl_charge_blocker(const struct rl_charge *c)
{
	return (uint16_t)((c->key - 1) & 0xffff);
}

/*
 * Copy the next pair that has been charged, from *at on (0 at first), and move
 * *at behind it.  Returns: false when there is none.
 */
bool rl_charge_next(size_t *at, struct rl_charge *copy);

/* What found no room in the table; it has no key. */
void rl_charge_overflow(struct rl_charge *copy);

void rl_charge_reset(void);

#endif
