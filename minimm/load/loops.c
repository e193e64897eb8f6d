/*
 * loops.c - the loops of will-it-scale and of spf_test, and their table
 *
 * A thread's memory is its own: no two operations here really conflict but over
 * which address is free.  Whatever waiting there is, the scheme makes.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/load/load.h"

#include <string.h>

#include "minimm/env/atomic.h"

#define RW		(MM_VM_READ | MM_VM_WRITE)
#define MIB_128		(UINT64_C(128) << 20 >> MM_PAGE_SHIFT)

int64_t load_do(struct load_thread *t)
{
	struct load_counts *counts = &t->counts;
	struct mm_op *op = &t->op;

	mm_run(t->mm, op);
	counts->nr_calls[op->kind]++;
	if (op->kind == MM_FAULT)
		counts->nr_installed += op->nr_pages;
	else if (op->kind == MM_MUNMAP)
		counts->nr_cleared += op->nr_pages;
	counts->nr_aborts += op->nr_aborts;
	counts->nr_fallbacks += op->nr_fallbacks;
	return op->result;
}

void load_count(struct load_thread *t)
{
	/* Relaxed: a number that is looked at, nothing hangs on it. */
	mm_store_relaxed(&t->nr_published, ++t->counts.nr_operations);
}

void load_counts_add(struct load_counts *sum, const struct load_counts *more,
		     uint64_t times)
{
	sum->nr_operations += times * more->nr_operations;
	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		sum->nr_calls[i] += times * more->nr_calls[i];
	sum->nr_installed += times * more->nr_installed;
	sum->nr_cleared += times * more->nr_cleared;
	sum->nr_aborts += times * more->nr_aborts;
	sum->nr_fallbacks += times * more->nr_fallbacks;
}

uint64_t load_calls_of_turn(const struct load *load,
			    const struct load_sizes *sizes)
{
	struct load_counts adds = load->adds(sizes);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		sum += adds.nr_calls[i];
	return sum;
}

/* ---- What the loops are made of ---- */

/* mmap(NULL, ...), private, of the thread's file if it has one. */
static bool map(struct load_thread *t, uint64_t pages, uint64_t *addr)
{
	t->op = (struct mm_op){
		.kind = MM_MMAP,
		.len = pages << MM_PAGE_SHIFT,
		.prot = RW,
		.flags = MM_MAP_PRIVATE | (t->file ? 0 : MM_MAP_ANONYMOUS),
		.file = t->file,
	};
	load_do(t);
	*addr = (uint64_t)t->op.result;
	return t->op.result > 0;
}

static bool unmap(struct load_thread *t, uint64_t addr, uint64_t pages)
{
	t->op = (struct mm_op){ .kind = MM_MUNMAP, .addr = addr,
				.len = pages << MM_PAGE_SHIFT };
	return load_do(t) == 0;
}

static bool touch(struct load_thread *t, uint64_t addr)
{
	t->op = (struct mm_op){ .kind = MM_FAULT, .addr = addr,
				.access = MM_ACCESS_WRITE };
	return load_do(t) == 0;
}

static bool touch_all(struct load_thread *t, uint64_t addr, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		if (!touch(t, addr + (i << MM_PAGE_SHIFT)))
			return false;
	return true;
}

static struct load_counts counts_of(uint64_t operations, uint64_t mappings,
				    uint64_t pages)
{
	return (struct load_counts){
		.nr_operations = operations,
		.nr_calls = { [MM_MMAP] = mappings, [MM_FAULT] = pages,
			      [MM_MUNMAP] = mappings },
		.nr_installed = pages,
		.nr_cleared = pages,
	};
}

/* ---- will-it-scale ---- */

static bool page_fault1(struct load_thread *t)
{
	uint64_t addr;

	if (!map(t, t->sizes.pages, &addr))
		return false;
	for (uint64_t i = 0; i < t->sizes.pages; i++) {
		if (!touch(t, addr + (i << MM_PAGE_SHIFT)))
			return false;
		load_count(t);
	}
	return unmap(t, addr, t->sizes.pages);
}

static struct load_counts page_fault1_adds(const struct load_sizes *sizes)
{
	return counts_of(sizes->pages, 1, sizes->pages);
}

/* mmap1, and mmap2: the same with a file. */
static bool map_and_unmap(struct load_thread *t)
{
	uint64_t addr;

	if (!map(t, t->sizes.pages, &addr) || !unmap(t, addr, t->sizes.pages))
		return false;
	load_count(t);
	return true;
}

static struct load_counts map_and_unmap_adds(const struct load_sizes *sizes)
{
	(void)sizes;
	return counts_of(1, 1, 0);
}

/* So large a block is a mapping of its own, with a page more for the
 * allocator's header, which malloc() writes. */
static bool malloc1(struct load_thread *t)
{
	uint64_t addr;

	if (!map(t, t->sizes.pages + 1, &addr) || !touch(t, addr) ||
	    !unmap(t, addr, t->sizes.pages + 1))
		return false;
	load_count(t);
	return true;
}

static struct load_counts malloc1_adds(const struct load_sizes *sizes)
{
	(void)sizes;
	return counts_of(1, 1, 1);
}

/* ---- spf_test ---- */

/* The original ends with its last touch; a loop must give its memory back. */
static bool spf_test(struct load_thread *t)
{
	for (uint64_t i = 0; i < t->sizes.vmas; i++) {
		if (!map(t, t->sizes.pages, &t->places[i]) ||
		    !touch_all(t, t->places[i], t->sizes.pages))
			return false;
		load_count(t);
	}
	for (uint64_t i = 0; i < t->sizes.vmas; i++)
		if (!unmap(t, t->places[i], t->sizes.pages))
			return false;
	return true;
}

static struct load_counts spf_test_adds(const struct load_sizes *sizes)
{
	return counts_of(sizes->vmas, sizes->vmas, sizes->vmas * sizes->pages);
}

/* ---- The table ---- */

static const struct load load_page_fault1 = {
	.name = "page_fault1",
	.summary = "mmap 128 MiB of anonymous memory; write to each page; munmap",
	.operation = "a page touched",
	.sizes = { .pages = MIB_128, .vmas = 1 },
	.touches_all = true,
	.turn = page_fault1,
	.adds = page_fault1_adds,
};

static const struct load load_mmap1 = {
	.name = "mmap1",
	.summary = "mmap 128 MiB of anonymous memory; munmap",
	.operation = "an mmap and its munmap",
	.sizes = { .pages = MIB_128, .vmas = 1 },
	.turn = map_and_unmap,
	.adds = map_and_unmap_adds,
};

static const struct load load_mmap2 = {
	.name = "mmap2",
	.summary = "mmap 128 MiB of a file of the thread's own, private; munmap",
	.operation = "an mmap and its munmap",
	.sizes = { .pages = MIB_128, .vmas = 1 },
	.has_files = true,
	.turn = map_and_unmap,
	.adds = map_and_unmap_adds,
};

static const struct load load_malloc1 = {
	.name = "malloc1",
	.summary = "malloc 128 MiB; free",
	.operation = "a malloc and its free",
	.sizes = { .pages = MIB_128, .vmas = 1 },
	.turn = malloc1,
	.adds = malloc1_adds,
};

static const struct load load_spf_test = {
	.name = "spf_test",
	.summary = "mmap V times P pages, each touched at once; munmap all",
	.operation = "a mapping, touched all over",
	.sizes = { .pages = 10, .vmas = 10 },
	.has_vmas = true,
	.touches_all = true,
	.turn = spf_test,
	.adds = spf_test_adds,
};

const struct load *const load_list[] = {
	&load_page_fault1, &load_mmap1, &load_mmap2, &load_malloc1,
	&load_spf_test, NULL,
};

const struct load *load_find(const char *name)
{
	for (size_t i = 0; load_list[i]; i++)
		if (strcmp(load_list[i]->name, name) == 0)
			return load_list[i];
	return NULL;
}
