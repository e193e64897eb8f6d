/*
 * pt.c - walks of the radix, down to leaves that exist
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/pt/pt.h"

#include <stdlib.h>

#include "minimm/env/atomic.h"
#include "minimm/env/memory.h"
#include "minimm/env/planted.h"

#define LEVELS		4	/* inner 3, 2, 1 and the leaves' 0 */
#define PAGE_SHIFT	12
#define LEVEL_BITS	9

struct mm_table {
	void *slots[MM_TABLE_ENTRIES];
};

static unsigned int slot_of(uint64_t addr, int level)
{
	return (addr >> (PAGE_SHIFT + LEVEL_BITS * level)) &
	       (MM_TABLE_ENTRIES - 1);
}

static void *load_slot(void *const *slot)
{
	/* (M2) acquire: a table that was made, zeroed.  Pairs with (M2) in
	 * fill_slot(). */
	return mm_pointer_load_acquire(slot);
}

static void *make_table(uint64_t addr, int level)
{
	void *made = mm_alloc_zeroed(level ? sizeof(struct mm_table)
					   : sizeof(struct mm_leaf));

	if (level == 0) {
		struct mm_leaf *leaf = made;

		pthread_mutex_init(&leaf->lock, NULL);
		leaf->base = addr & ~((UINT64_C(1) << (PAGE_SHIFT + LEVEL_BITS)) - 1);
	}
	return made;
}

/* Two may make one at once: the first stays. */
static void *fill_slot(void **slot, uint64_t addr, int level)
{
	void *made = make_table(addr, level), *now;

	/* (M2) release: the zeroed table.  Pairs with (M2) in load_slot(). */
	now = mm_pointer_install(slot, made);
	if (now != made)
		free(made);
	return now;
}

struct mm_leaf *mm_pt_leaf(struct mm_table **root, uint64_t addr)
{
	void **slot = (void **)root;

	for (int level = LEVELS - 1;; level--) {
		struct mm_table *table = load_slot(slot);

		if (!table)
			table = fill_slot(slot, addr, level);
		if (level == 0)
			return (struct mm_leaf *)(void *)table;
		slot = &table->slots[slot_of(addr, level)];
	}
}

struct mm_leaf *mm_pt_find_leaf(struct mm_table *const *root, uint64_t addr)
{
	void *const *slot = (void *const *)root;

	for (int level = LEVELS - 1;; level--) {
		struct mm_table *table = load_slot(slot);

		if (!table || level == 0)
			return (struct mm_leaf *)(void *)table;
		slot = &table->slots[slot_of(addr, level)];
	}
}

uint64_t mm_pt_read(struct mm_table *const *root, uint64_t addr)
{
	const struct mm_leaf *leaf = mm_pt_find_leaf(root, addr);

	return leaf ? mm_load_relaxed(&leaf->entries[slot_of(addr, 0)]) : 0;
}

uint64_t mm_leaf_get(const struct mm_leaf *leaf, uint64_t addr)
{
	return mm_load_relaxed(&leaf->entries[slot_of(addr, 0)]);
}

void mm_leaf_set(struct mm_leaf *leaf, uint64_t addr, uint64_t pte)
{
	uint64_t *entry = &leaf->entries[slot_of(addr, 0)];
	bool was = mm_load_relaxed(entry) & MM_PTE_PRESENT;

	leaf->nr_present += (pte & MM_PTE_PRESENT ? 1u : 0u) - (was ? 1u : 0u);
	mm_store_relaxed(entry, pte);
}

/* ---- Ranges ---- */

struct range_walk {
	uint64_t start, end;
	uint64_t (*fn)(void *arg, uint64_t addr, uint64_t pte);
	void *arg;
	uint64_t nr;
};

static void walk_leaf(struct range_walk *w, struct mm_leaf *leaf)
{
	uint64_t addr = leaf->base > w->start ? leaf->base : w->start;
	uint64_t end = leaf->base + MM_TABLE_ENTRIES * (UINT64_C(1) << PAGE_SHIFT);

	if (end > w->end)
		end = w->end;
	mm_leaf_lock(leaf);
	for (; addr < end && leaf->nr_present > 0; addr += 1u << PAGE_SHIFT) {
		uint64_t pte = mm_leaf_get(leaf, addr), changed;

		if (!(pte & MM_PTE_PRESENT))
			continue;
		w->nr++;
		if (!w->fn)
			continue;
		changed = w->fn(w->arg, addr, pte);
		if (changed != pte)
			mm_leaf_set(leaf, addr, changed);
	}
	mm_leaf_unlock(leaf);
}

static uint64_t cleared(void *arg, uint64_t addr, uint64_t pte)
{
	(void)arg;
	(void)addr;
	(void)pte;
	return 0;
}

static void drop_empty(struct mm_leaf *leaf, void **slot)
{
	if (leaf->nr_present)
		return;
	/* (M2) release: as any change of a slot.  Pairs with (M2) in
	 * load_slot(). */
	mm_pointer_store_release(slot, NULL);
	free(leaf);
}

static void walk_table(struct range_walk *w, struct mm_table *table,
		       uint64_t base, int level)
{
	uint64_t span = UINT64_C(1) << (PAGE_SHIFT + LEVEL_BITS * level);
	uint64_t first = w->start > base ? (w->start - base) / span : 0;

	for (uint64_t i = first; i < MM_TABLE_ENTRIES; i++) {
		void *child;

		if (base + i * span >= w->end)
			return;
		child = load_slot(&table->slots[i]);
		if (!child)
			continue;
		if (level > 1) {
			walk_table(w, child, base + i * span, level - 1);
			continue;
		}
		walk_leaf(w, child);
		if (MM_PLANTED(UNMAP_FREES_TABLE) && w->fn == cleared)
			drop_empty(child, &table->slots[i]);
	}
}

uint64_t mm_pt_change(struct mm_table *const *root, uint64_t start,
		      uint64_t end,
		      uint64_t (*fn)(void *arg, uint64_t addr, uint64_t pte),
		      void *arg)
{
	struct range_walk w = { .start = start, .end = end, .fn = fn,
				.arg = arg };
	struct mm_table *table = load_slot((void *const *)root);

	if (table && start < end)
		walk_table(&w, table, 0, LEVELS - 1);
	return w.nr;
}

uint64_t mm_pt_zap(struct mm_table *const *root, uint64_t start, uint64_t end)
{
	return mm_pt_change(root, start, end, cleared, NULL);
}

uint64_t mm_pt_count(struct mm_table *const *root, uint64_t start,
		     uint64_t end)
{
	return mm_pt_change(root, start, end, NULL, NULL);
}

static void destroy(void *table, int level)
{
	if (!table)
		return;
	if (level == 0) {
		pthread_mutex_destroy(&((struct mm_leaf *)table)->lock);
	} else {
		struct mm_table *t = table;

		for (unsigned int i = 0; i < MM_TABLE_ENTRIES; i++)
			destroy(t->slots[i], level - 1);
	}
	free(table);
}

void mm_pt_destroy(struct mm_table *root)
{
	destroy(root, LEVELS - 1);
}
