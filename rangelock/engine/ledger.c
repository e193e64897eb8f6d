/*
 * ledger.c - statistics of slow paths, and a static store of them
 *
 * A lock that no init call has prepared cannot allocate, so it takes a ledger
 * from a fixed store when somebody waits in it for the first time.  The last
 * ledger of the store belongs to all who come too late.  Those hold different
 * guards, and so do the arbiters of one forest; so all are counted with relaxed
 * atomics: the figures are sums, and nothing is published through them.
 *
 * Cost: a claim looks at up to RL_LEDGERS words; a count is one atomic addition.
 * Weak spot: what is counted in the shared one at the instant in which its last
 * user leaves may be lost; a read of it while others count may be torn.
 */
#include "rangelock/engine/ledger.h"

#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/engine/hist.h"

#define SHARED	(RL_LEDGERS - 1)

static struct rl_ledger store[RL_LEDGERS];

static bool is_shared(const struct rl_ledger *l)
{
	return l == &store[SHARED];
}

static bool is_stored(const struct rl_ledger *l)
{
	uintptr_t at = (uintptr_t)l, first = (uintptr_t)store;

	return first <= at && at < first + sizeof(store);
}

void rl_ledger_bump(uint64_t *counter, uint64_t n)
{
	rl_add_relaxed64(counter, n);	/* relaxed: only a sum */
}

static void raise_to(uint64_t *peak, uint64_t value)
{
	uint64_t old;

	do {
		old = rl_load_relaxed64(peak);
	} while (old < value && !rl_cas_relaxed64(peak, old, value));
}

static void zero(uint64_t *counters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rl_store_relaxed64(&counters[i], 0);
}

static uint64_t value_of(const uint64_t *counter)
{
	return rl_load_relaxed64(counter);
}

void rl_ledger_init(struct rl_ledger *l)
{
	memset(l, 0, sizeof(*l));
}

struct rl_ledger *rl_ledger_claim(void)
{
	struct rl_ledger *l;

	for (l = store; l < &store[SHARED]; l++) {
		if (rl_load_relaxed(&l->nr_users))	/* only a hint */
			continue;
		/* (L1) acquire: sees it emptied by its last user. */
		if (rl_swap_acquire(&l->nr_users, 1) == 0)
			return l;
	}
	/* relaxed: its counters are atomic, and it is the same for all. */
	rl_add_relaxed(&l->nr_users, 1);
	return l;
}

bool rl_ledger_release(struct rl_ledger *l)
{
	if (is_shared(l)) {
		/* relaxed: nobody reads anything else because of it. */
		if (rl_add_relaxed(&l->nr_users, UINT32_MAX) == 1)
			rl_ledger_reset(l);
		return true;
	}
	if (!is_stored(l))
		return false;
	rl_ledger_reset(l);
	/* (L1) release: emptied before the next one claims it. */
	rl_store_release(&l->nr_users, 0);
	return true;
}

void rl_ledger_reset(struct rl_ledger *l)
{
	zero(l->nr_contended[RL_READ], 2);
	zero(l->nr_contended[RL_WRITE], 2);
	zero(l->nr_waits, 2);
	zero(l->wait_ns, 2);
	zero(&l->wait_ns_max, 1);
	zero(&l->wait_ns_min_gap, 1);
	zero(&l->nr_bypasses, 1);
	zero(&l->nr_cancels, 1);
	zero(&l->nr_timeouts, 1);
	zero(&l->nr_deadlocks, 1);
	zero(&l->nr_cycles, 1);
	zero(l->wait_hist, RL_HIST_BUCKETS);
}

void rl_ledger_note_wait(struct rl_ledger *l, bool is_true, uint64_t wait_ns)
{
	unsigned int kind = is_true ? 0 : 1;

	rl_ledger_bump(&l->nr_waits[kind], 1);
	rl_ledger_bump(&l->wait_ns[kind], wait_ns);
	rl_ledger_bump(&l->wait_hist[rl_hist_bucket(wait_ns)], 1);
	raise_to(&l->wait_ns_max, wait_ns);
	raise_to(&l->wait_ns_min_gap, UINT64_MAX - wait_ns);
}

static void read_waits(const struct rl_ledger *l, struct rl_stats *stats)
{
	for (unsigned int i = 0; i < 2; i++) {
		stats->nr_waits[i] = value_of(&l->nr_waits[i]);
		stats->wait_ns[i] = value_of(&l->wait_ns[i]);
		for (unsigned int mode = 0; mode < 2; mode++)
			stats->nr_contended[mode][i] =
				value_of(&l->nr_contended[mode][i]);
	}
	for (unsigned int b = 0; b < RL_HIST_BUCKETS; b++)
		stats->wait_hist[b] = value_of(&l->wait_hist[b]);
	stats->wait_ns_min = 0;
	stats->wait_ns_max = value_of(&l->wait_ns_max);
	if (stats->nr_waits[0] || stats->nr_waits[1])
		stats->wait_ns_min = UINT64_MAX -
				     value_of(&l->wait_ns_min_gap);
}

void rl_ledger_read(const struct rl_ledger *l, struct rl_stats *stats)
{
	static const struct rl_ledger nothing;

	if (!l)
		l = &nothing;
	stats->shared = is_shared(l);
	read_waits(l, stats);
	stats->nr_bypasses = value_of(&l->nr_bypasses);
	stats->nr_cancels = value_of(&l->nr_cancels);
	stats->nr_timeouts = value_of(&l->nr_timeouts);
	stats->nr_deadlocks = value_of(&l->nr_deadlocks);
	stats->nr_cycles = value_of(&l->nr_cycles);
}
