/*
 * Goal: the page table keeps what is put where it was put, over the borders of
 * its tables, and forgets exactly what is zapped.
 */
#include "tests/backend.h"

#include "minimm/pt/pt.h"

#define PAGE	UINT64_C(4096)
#define TABLE	(PAGE * MM_TABLE_ENTRIES)

static struct mm_table *root;

static void put(uint64_t addr, uint64_t pte)
{
	struct mm_leaf *leaf = mm_pt_leaf(&root, addr);

	mm_leaf_lock(leaf);
	mm_leaf_set(leaf, addr, pte);
	mm_leaf_unlock(leaf);
}

static uint64_t add_cow(void *arg, uint64_t addr, uint64_t pte)
{
	uint64_t *sum = arg;

	*sum += addr / PAGE;
	return pte | MM_PTE_COW;
}

Test(pt, an_empty_table_has_nothing)
{
	root = NULL;
	check_eq(mm_pt_read(&root, 0x1000), 0u);
	check_eq(mm_pt_zap(&root, 0, UINT64_C(0x7ffffffff000)), 0u);
	mm_pt_destroy(root);
}

Test(pt, a_zap_takes_its_range_and_no_more)
{
	uint64_t base = UINT64_C(0x10000000000) + TABLE - 3 * PAGE;

	root = NULL;
	for (uint64_t i = 0; i < 6; i++)
		put(base + i * PAGE, MM_PTE_PRESENT | MM_PTE_STAMP(i));
	check_eq(mm_pt_count(&root, 0, UINT64_C(0x7ffffffff000)), 6u);
	check_eq(mm_pt_zap(&root, base + PAGE, base + 5 * PAGE), 4u);
	check_eq(mm_pt_read(&root, base), MM_PTE_PRESENT | MM_PTE_STAMP(0));
	check_eq(mm_pt_read(&root, base + 5 * PAGE),
		 MM_PTE_PRESENT | MM_PTE_STAMP(5));
	for (uint64_t i = 1; i < 5; i++)
		check_eq(mm_pt_read(&root, base + i * PAGE), 0u);
	mm_pt_destroy(root);
	root = NULL;
}

Test(pt, a_change_meets_each_entry_once)
{
	uint64_t sum = 0;

	root = NULL;
	put(3 * PAGE, MM_PTE_PRESENT);
	put(TABLE * 512 * 512 - PAGE, MM_PTE_PRESENT);
	put(TABLE * 512 * 512, MM_PTE_PRESENT);
	check_eq(mm_pt_change(&root, 0, UINT64_MAX, add_cow, &sum), 3u);
	check_eq(sum, 3 + 2 * (TABLE * 512 * 512 / PAGE) - 1);
	check_eq(mm_pt_read(&root, 3 * PAGE), MM_PTE_PRESENT | MM_PTE_COW);
	mm_pt_destroy(root);
	root = NULL;
}
