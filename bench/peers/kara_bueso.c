/*
 * kara_bueso.c - one spin lock over one interval tree, with blocker counts
 *
 * Written afresh from the published description of Kara's and Bueso's range
 * lock, over the library's own interval tree.  Who arrives counts the requests
 * in the tree that overlap and conflict, held or waiting, enters the tree, and
 * sleeps until the count is zero; who leaves counts each of them down and wakes
 * those that reach zero.  First come, first served among overlapping requests.
 * The reader-writer form: readers count writers only.
 *
 * Like theirs: no spinning before the sleep, exact wake-ups outside the spin
 * lock, and a look at the tree's outermost bounds that spares the search where
 * nothing can overlap.  Unlike theirs the spin lock, which is a word that is
 * tested before it is set, gives the CPU away after a while: user space has no
 * way to forbid preemption.
 * Weak spots: every call takes the spin lock; a request waits for waiting ones,
 * so a waiting wide request stops disjoint ones behind it.
 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/atomics.h"
#include "bench/bench.h"
#include "rangelock/tree/itree.h"

struct range_tree {
	uint32_t guard;
	struct rl_node *root;
	uint64_t next_seq;
};

struct request {
	struct rl_node node;		/* first: a node is its request */
	uint64_t seq;
	struct request *next_woken;
	uint32_t nr_blockers;		/* futex word of whom it blocks */
	uint32_t mode;
};

static void guard_lock(uint32_t *guard)
{
	unsigned int nr_spins = 0;

	while (swap_acquire(guard, 1))
		while (load_relaxed(guard))
			spin_politely(&nr_spins);
}

static void guard_unlock(uint32_t *guard)
{
	store_release(guard, 0);
}

/* Nothing of the tree can overlap if it ends before, as most often it is empty. */
static struct rl_node *first_overlap(const struct range_tree *t, uint64_t start,
				     uint64_t end)
{
	if (!t->root || t->root->max_end <= start)
		return NULL;
	return rl_itree_first_overlap(t->root, start, end);
}

static void sleep_until_zero(uint32_t *nr_blockers)
{
	uint32_t n;

	while ((n = load_acquire(nr_blockers)))
		syscall(SYS_futex, nr_blockers, FUTEX_WAIT_PRIVATE, n, NULL, NULL, 0);
}

static void enter(struct range_tree *t, struct request *q, uint32_t mode,
		  uint64_t start, uint64_t end)
{
	uint32_t nr_blockers = 0;
	struct rl_node *n;

	q->node.start = start;
	q->node.end = end;
	q->mode = mode;
	guard_lock(&t->guard);
	for (n = first_overlap(t, start, end); n;
	     n = rl_itree_next_overlap(n, start, end))
		nr_blockers += mode == WRITE ||
			       ((struct request *)n)->mode == WRITE;
	q->nr_blockers = nr_blockers;
	q->seq = t->next_seq++;
	rl_itree_insert(&t->root, &q->node);
	guard_unlock(&t->guard);
	if (nr_blockers)
		sleep_until_zero(&q->nr_blockers);
}

/* Zero is the last touch of a request that is not ours: its owner may return
 * and its stack be used again, so who is woken is remembered by address. */
static void wake_all(struct request *woken)
{
	struct request *next;

	for (; woken; woken = next) {
		next = woken->next_woken;
		store_release(&woken->nr_blockers, 0);
		syscall(SYS_futex, &woken->nr_blockers, FUTEX_WAKE_PRIVATE,
			INT_MAX, NULL, NULL, 0);
	}
}

/* Everybody left who overlaps and conflicts and came later had counted us; who
 * came earlier and is still there did not conflict.  Those with one blocker
 * keep the count of one until wake_all(). */
static void kara_bueso_unlock(void *lock, struct handle *handle)
{
	struct request *q = (struct request *)handle, *woken = NULL, *other;
	struct range_tree *t = lock;
	struct rl_node *n;

	guard_lock(&t->guard);
	rl_itree_erase(&t->root, &q->node);
	for (n = first_overlap(t, q->node.start, q->node.end); n;
	     n = rl_itree_next_overlap(n, q->node.start, q->node.end)) {
		other = (struct request *)n;
		if (other->seq < q->seq ||
		    (q->mode == READ && other->mode == READ))
			continue;
		if (other->nr_blockers > 1) {
			store_relaxed(&other->nr_blockers, other->nr_blockers - 1);
		} else {
			other->next_woken = woken;
			woken = other;
		}
	}
	guard_unlock(&t->guard);
	if (woken)
		wake_all(woken);
}

static void kara_bueso_read(void *lock, struct handle *h, uint64_t start,
			    uint64_t end)
{
	enter(lock, (struct request *)h, READ, start, end);
}

static void kara_bueso_write(void *lock, struct handle *h, uint64_t start,
			     uint64_t end)
{
	enter(lock, (struct request *)h, WRITE, start, end);
}

_Static_assert(sizeof(struct request) <= sizeof(struct handle), "room");

const struct peer peer_kara_bueso = {
	.name = "kara_bueso",
	.what = "spin lock, interval tree, blocker counts",
	.traits = RANGES | EXACT | SHARED,
	.lock_bytes = sizeof(struct range_tree),
	.handle_bytes = sizeof(struct request),
	.lock = { kara_bueso_read, kara_bueso_write },
	.unlock = { kara_bueso_unlock, kara_bueso_unlock },
};
