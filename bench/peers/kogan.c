/*
 * kogan.c - a lock-free list of held ranges, the reader-writer form
 *
 * Written afresh from the paper: Kogan, Dice, Issa, "Scalable range locks for
 * scalable address spaces and beyond", EuroSys 2020 (arXiv 2006.12144).  A list
 * sorted by start holds what is held.  Who arrives walks it, waits at a node
 * that conflicts until that is marked, and inserts itself with one
 * compare-and-swap; who leaves marks its own link with one fetch-and-add; whoever
 * walks by unlinks marked nodes.  Overlapping readers may lie side by side, so
 * after inserting a reader walks on to wait for writers, and a writer walks from
 * the head: if it meets an overlapping reader it withdraws and starts again.
 *
 * The paper's fast path: an empty list takes the node with a marked head, and
 * as long as nobody came by, leaving puts the head back, with no walk and the
 * node at once free for reuse.  Others first take the mark from the head.
 * The paper's pools: a thread allocates from its own; nodes that it unlinked go
 * to its second pool; the pools change places when the first is empty and
 * everybody who was inside the list has left.  Unlike the paper's, a thread
 * whose patience ends there allocates fresh nodes, as waiting could deadlock
 * with a range held.  The optional fairness (an auxiliary lock) is left out.
 *
 * Weak spots: cost grows with what is held; the head is one hot line; nobody is
 * served in order; waiting is spinning.
 */
#include <stdlib.h>

#include "bench/atomics.h"
#include "bench/bench.h"

#define MARK		((uintptr_t)1)
#define POOL_NODES	64
#define PATIENCE	1024

/* Links are integers: a pointer, plus MARK.  In a node: it is left.  In the
 * head: taken by the fast path. */
struct node {
	_Alignas(LINE) uintptr_t next;
	uint64_t start, end;
	uint32_t mode;
	struct node *next_free;
};

/* Odd: inside the list. */
struct member {
	_Alignas(LINE) uint64_t epoch;
	struct node *active, *reclaimed;
	struct node *blocks;		/* what was allocated, to free it */
};

struct list {
	_Alignas(LINE) uintptr_t head;
	struct member members[MAX_THREADS];
};

static struct node *node_of(uintptr_t link)
{
	return (struct node *)(link & ~MARK);
}

static uintptr_t link_to(const struct node *n)
{
	return (uintptr_t)n;
}

/* ---- Pools ---- */

/* A block's first node is the link of the list of blocks. */
static void allocate_block(struct member *m)
{
	struct node *block = aligned_alloc(LINE, (POOL_NODES + 1) * sizeof(*block));

	if (!block)
		abort();
	block->next_free = m->blocks;
	m->blocks = block;
	for (size_t i = 1; i <= POOL_NODES; i++) {
		block[i].next_free = m->active;
		m->active = &block[i];
	}
}

/* Has everybody been outside since now?  False: somebody stays inside. */
static bool everybody_left(struct list *l, const struct member *self)
{
	for (size_t i = 0; i < MAX_THREADS; i++) {
		struct member *m = &l->members[i];
		uint64_t epoch = load_seq_cst(&m->epoch);
		unsigned int nr_spins = 0;

		while (m != self && (epoch & 1) && load_acquire(&m->epoch) == epoch) {
			if (nr_spins > PATIENCE)
				return false;
			spin_politely(&nr_spins);
		}
	}
	return true;
}

static void refill(struct list *l, struct member *m)
{
	if (m->reclaimed && everybody_left(l, m)) {
		m->active = m->reclaimed;
		m->reclaimed = NULL;
	} else {
		allocate_block(m);
	}
}

/* Called outside the list only: the epoch may be waited for. */
static struct node *node_get(struct list *l, struct member *m)
{
	struct node *n = m->active;

	if (!n) {
		refill(l, m);
		n = m->active;
	}
	m->active = n->next_free;
	return n;
}

static void list_enter(struct member *m)
{
	swap_seq_cst(&m->epoch, m->epoch + 1);
}

static void list_leave(struct member *m)
{
	store_release(&m->epoch, m->epoch + 1);
}

/* ---- The list ---- */

/* Take a marked node out; true: the link now leads past it. */
static bool unlink_node(struct member *m, uintptr_t *link, struct node *n)
{
	uintptr_t expected = link_to(n);

	if (!cas_seq_cst(link, &expected, load_acquire(&n->next) & ~MARK))
		return false;
	n->next_free = m->reclaimed;
	m->reclaimed = n;
	return true;
}

static bool is_left(const struct node *n)
{
	return load_acquire(&n->next) & MARK;
}

static void wait_until_left(const struct node *n)
{
	unsigned int nr_spins = 0;

	while (!is_left(n))
		spin_politely(&nr_spins);
}

enum place {
	BEFORE,		/* the node stands before ours */
	CONFLICT,
	AFTER,
};

static enum place place_of(const struct node *n, const struct node *own)
{
	if (!n || n->start >= own->end)
		return AFTER;
	if (own->start >= n->end)
		return BEFORE;
	if (n->mode == READ && own->mode == READ)
		return own->start >= n->start ? BEFORE : AFTER;
	return CONFLICT;
}

/* Walk once from the head and insert; false: start again. */
static bool insert_once(struct list *l, struct member *m, struct node *own)
{
	uintptr_t *link = &l->head, next = load_acquire(link);

	for (;;) {
		struct node *n = node_of(next);

		if (next & MARK) {
			/* The head's mark is lifted; a node's: it has left. */
			if (link != &l->head)
				return false;
			if (cas_seq_cst(link, &next, next & ~MARK))
				next &= ~MARK;
			continue;
		}
		if (n && is_left(n)) {
			if (!unlink_node(m, link, n))
				return false;
			next = load_acquire(link);
			continue;
		}
		switch (place_of(n, own)) {
		case BEFORE:
			link = &n->next;
			next = load_acquire(link);
			break;
		case CONFLICT:
			wait_until_left(n);
			break;
		case AFTER:
			store_relaxed(&own->next, next);
			if (cas_seq_cst(link, &next, link_to(own)))
				return true;
			break;
		}
	}
}

/* A reader waits for the writers behind it that it overlaps. */
static void validate_reader(struct member *m, struct node *own)
{
	uintptr_t *link = &own->next;
	struct node *n = node_of(load_acquire(link));

	while (n && n->start < own->end) {
		if (is_left(n)) {
			/* If this fails somebody else has done it, or the
			 * link's owner has left: go on behind it all the same. */
			if (unlink_node(m, link, n))
				n = node_of(load_acquire(link));
			else
				n = node_of(load_acquire(&n->next));
		} else if (n->mode == READ) {
			link = &n->next;
			n = node_of(load_acquire(link));
		} else {
			wait_until_left(n);
		}
	}
}

/* A writer looks at all before it; false: a reader overlaps, it has withdrawn. */
static bool validate_writer(struct list *l, struct member *m, struct node *own)
{
	uintptr_t *link = &l->head;
	struct node *n = node_of(load_acquire(link));

	while (n != own) {
		/* Only by losing its way: a link that it stood on has left. */
		if (!n) {
			link = &l->head;
			n = node_of(load_acquire(link));
		} else if (is_left(n)) {
			if (!unlink_node(m, link, n))
				link = &l->head;
			n = node_of(load_acquire(link));
		} else if (n->end <= own->start) {
			link = &n->next;
			n = node_of(load_acquire(link));
		} else {
			add_acq_rel(&own->next, MARK);
			return false;
		}
	}
	return true;
}

struct kogan_handle {
	struct node *node;
};

static struct node *node_new(struct list *l, struct member *m, enum mode mode,
			     uint64_t start, uint64_t end)
{
	struct node *n = node_get(l, m);

	n->start = start;
	n->end = end;
	n->mode = mode;
	store_relaxed(&n->next, 0);
	return n;
}

/* The node that holds in the end: a withdrawn one stays behind in the list. */
static struct node *lock_slow(struct list *l, struct member *m, enum mode mode,
			      struct node *own)
{
	uint64_t start = own->start, end = own->end;
	unsigned int nr_spins = 0;

	for (;;) {
		bool held = true;

		list_enter(m);
		while (!insert_once(l, m, own))
			;
		if (mode == READ)
			validate_reader(m, own);
		else
			held = validate_writer(l, m, own);
		list_leave(m);
		if (held)
			return own;
		spin_politely(&nr_spins);
		own = node_new(l, m, mode, start, end);
	}
}

static inline void kogan_lock(struct list *l, struct handle *h, enum mode mode,
			      uint64_t start, uint64_t end)
{
	struct member *m = &l->members[thread_index];
	struct node *own = node_new(l, m, mode, start, end);
	uintptr_t nothing = 0;

	if (load_relaxed(&l->head) ||
	    !cas_seq_cst(&l->head, &nothing, link_to(own) | MARK))
		own = lock_slow(l, m, mode, own);
	((struct kogan_handle *)h)->node = own;
}

static void kogan_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	kogan_lock(lock, h, READ, start, end);
}

static void kogan_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	kogan_lock(lock, h, WRITE, start, end);
}

static void kogan_unlock(void *lock, struct handle *h)
{
	struct node *own = ((struct kogan_handle *)h)->node;
	uintptr_t fast = link_to(own) | MARK;
	struct list *l = lock;

	if (load_relaxed(&l->head) == fast && cas_release(&l->head, &fast, 0)) {
		struct member *m = &l->members[thread_index];

		own->next_free = m->active;
		m->active = own;
		return;
	}
	add_release(&own->next, MARK);
}

static void kogan_destroy(void *lock)
{
	struct list *l = lock;

	for (size_t i = 0; i < MAX_THREADS; i++)
		for (struct node *b = l->members[i].blocks, *next; b; b = next) {
			next = b->next_free;
			free(b);
		}
}

const struct peer peer_kogan = {
	.name = "kogan",
	.what = "lock-free list of held ranges, reader-writer",
	.traits = RANGES | EXACT | SHARED,
	.lock_bytes = sizeof(struct list),
	.handle_bytes = sizeof(struct kogan_handle),
	.destroy = kogan_destroy,
	.lock = { kogan_read, kogan_write },
	.unlock = { kogan_unlock, kogan_unlock },
};
