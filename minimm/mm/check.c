/*
 * check.c - what must hold of a whole space while nothing runs
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/env/atomic.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

struct checking {
	struct mm *mm;
	struct mm_vma before;
	uint64_t nr_entries;	/* in VMAs */
	unsigned int nr_wrong;
};

static uint64_t check_entry(void *arg, uint64_t addr, uint64_t pte)
{
	struct checking *c = arg;
	const struct mm_vma *vma = &c->before;
	unsigned long long at = addr;

	c->nr_entries++;
	if (pte & MM_PTE_WRITE && !(vma->flags & MM_VM_WRITE)) {
		c->nr_wrong++;
		mm_violation(c->mm, NULL, "I3 %llx can be written", at);
	}
	if (MM_PTE_STAMP_OF(pte) < vma->born) {
		c->nr_wrong++;
		mm_violation(c->mm, NULL, "I4 %llx has an older page", at);
	}
	if (pte & MM_PTE_ANON && !vma->anon_id) {
		c->nr_wrong++;
		mm_violation(c->mm, NULL, "I14 %llx: a page, no owner", at);
	}
	return pte;
}

static bool check_vma(void *arg, const struct mm_vma *vma)
{
	struct checking *c = arg;

	c->before = *vma;
	mm_pt_change(&c->mm->root, vma->start, vma->end, check_entry, c);
	return true;
}

/*
 * Neighbours that could be one are one?  Not always, in the kernel either: a
 * change merges only at the ends of what it changed, and the first anonymous
 * page of a VMA merges nothing.  So this is asked only of spaces on which each
 * change was followed by none of those: by the tests.
 */
static void check_index(struct checking *c)
{
	const char *wrong = mm_index_is_valid(&c->mm->index);

	if (wrong) {
		c->nr_wrong++;
		mm_violation(c->mm, NULL, "I6 %s", wrong);
	}
}

unsigned int mm_check(struct mm *mm)
{
	struct checking c = { .mm = mm };
	uint64_t all = mm_pt_count(&mm->root, 0, MM_TASK_SIZE);

	check_index(&c);
	mm_index_visit(&mm->index, 0, check_vma, &c);
	if (all != c.nr_entries) {
		c.nr_wrong++;
		mm_violation(mm, NULL, "I1 %llu entries outside of all VMAs",
			     (unsigned long long)(all - c.nr_entries));
	}
	if (all != mm_load_relaxed(&mm->nr_entries)) {
		c.nr_wrong++;
		mm_violation(mm, NULL, "I14 %llu entries, but %llu were counted",
			     (unsigned long long)all,
			     (unsigned long long)mm->nr_entries);
	}
	if (mm->pending.nr_markers) {
		c.nr_wrong++;
		mm_violation(mm, NULL, "I7 %u markers are left",
			     mm->pending.nr_markers);
	}
	return c.nr_wrong;
}
