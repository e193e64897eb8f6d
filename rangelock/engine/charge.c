/*
 * charge.c - waits by pair of sites, in a fixed table without a guard
 *
 * Open addressing.  A pair claims its slot by a compare-and-swap of the key and
 * keeps it for ever; the counters are zero from the start and only added to, so
 * nothing needs to be published and every access is relaxed: each counter is
 * exact, and a reader may see one of two counters of the same wait.
 *
 * Cost: a multiplication, usually one slot, two additions; a wait has ended, so
 * a park is behind us.
 * Weak spot: a pair that finds MAX_PROBES slots taken goes into one common
 * entry; with RL_SITES_MAX sites there can be more pairs than slots.
 */
#include "rangelock/engine/charge.h"

#include "rangelock/base/atomic.h"

#define SLOT_BITS	11u
#define NR_SLOTS	(1u << SLOT_BITS)
#define MAX_PROBES	64u

static struct rl_charge slots[NR_SLOTS];
static struct rl_charge overflow;

static struct rl_charge *slot_of(uint32_t key)
{
	uint32_t first = (key * UINT32_C(2654435761)) >> (32 - SLOT_BITS);

	for (uint32_t i = 0; i < MAX_PROBES; i++) {
		struct rl_charge *c = &slots[(first + i) % NR_SLOTS];
		uint32_t there = rl_load_relaxed(&c->key);

		if (there == key)
			return c;
		if (there)
			continue;
		/* Who loses may have lost to the same pair. */
		if (rl_cas_relaxed(&c->key, 0, key) ||
		    rl_load_relaxed(&c->key) == key)
			return c;
	}
	return &overflow;
}

void rl_charge_wait(uint16_t waiter_site, uint16_t blocker_site, bool is_true,
		    unsigned int wide, uint64_t wait_ns)
{
	uint32_t key = ((uint32_t)waiter_site << 16 | blocker_site) + 1;
	struct rl_charge *c = slot_of(key);

	if (is_true) {
		rl_add_relaxed64(&c->nr_true, 1);
		rl_add_relaxed64(&c->true_ns, wait_ns);
	} else {
		rl_add_relaxed64(&c->nr_false[wide & 3], 1);
		rl_add_relaxed64(&c->false_ns[wide & 3], wait_ns);
	}
}

/* Returns: false if nothing was charged there. */
static bool copy_counters(const struct rl_charge *c, struct rl_charge *copy)
{
	uint64_t any;

	copy->key = rl_load_relaxed(&c->key);
	copy->unused = 0;
	copy->nr_true = any = rl_load_relaxed64(&c->nr_true);
	copy->true_ns = rl_load_relaxed64(&c->true_ns);
	for (unsigned int i = 0; i < 4; i++) {
		copy->nr_false[i] = rl_load_relaxed64(&c->nr_false[i]);
		copy->false_ns[i] = rl_load_relaxed64(&c->false_ns[i]);
		any |= copy->nr_false[i];
	}
	return any != 0;
}

bool rl_charge_next(size_t *at, struct rl_charge *copy)
{
	while (*at < NR_SLOTS)
		if (copy_counters(&slots[(*at)++], copy))
			return true;
	return false;
}

void rl_charge_overflow(struct rl_charge *copy)
{
	copy_counters(&overflow, copy);
}

static void zero_counters(struct rl_charge *c)
{
	rl_store_relaxed64(&c->nr_true, 0);
	rl_store_relaxed64(&c->true_ns, 0);
	for (unsigned int i = 0; i < 4; i++) {
		rl_store_relaxed64(&c->nr_false[i], 0);
		rl_store_relaxed64(&c->false_ns[i], 0);
	}
}

void rl_charge_reset(void)
{
	for (size_t i = 0; i < NR_SLOTS; i++)
		zero_counters(&slots[i]);
	zero_counters(&overflow);
}
