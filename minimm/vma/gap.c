/*
 * gap.c - free addresses, and the check of a whole index
 *
 * Each entry of a node knows the largest gap between the VMAs below it, so that
 * a search goes down only where it will find something.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/env/atomic.h"
#include "minimm/vma/index.h"
#include "minimm/vma/node.h"

/* The space being searched, from one side to the other. */
struct search {
	uint64_t low, high;	/* what is left of it */
	uint64_t size;
	bool found;
};

static bool fits(const struct search *s, uint64_t from, uint64_t to)
{
	return to > from && to - from >= s->size;
}

/* s->high comes down, VMA by VMA, until the gap below it is large enough. */
static void search_down(const struct mm_index_node *n, struct search *s)
{
	for (unsigned int i = n->nr; i-- > 0 && !s->found;) {
		if (n->start[i] >= s->high)
			continue;
		if (n->end[i] < s->high) {
			uint64_t from = n->end[i] > s->low ? n->end[i] : s->low;

			if (fits(s, from, s->high)) {
				s->found = true;
				return;
			}
		}
		if (n->level > 0 && n->gap[i] >= s->size) {
			search_down(mm_node_child(n, i), s);
			if (s->found)
				return;
		}
		if (n->start[i] < s->high)
			s->high = n->start[i];
		if (s->high <= s->low || s->high - s->low < s->size)
			return;
	}
}

static uint64_t gap_below(const struct mm_index *index, uint64_t low,
			  uint64_t high, uint64_t size)
{
	const struct mm_index_node *root = mm_index_root(index);
	struct search s = { .low = low, .high = high, .size = size };

	if (root)
		search_down(root, &s);
	if (!s.found && fits(&s, s.low, s.high)) {
		/* What is left lies below every VMA, or beside them all. */
		s.found = true;
	}
	return s.found ? s.high : 0;
}

/*
 * As the kernel looks: only a gap that is large enough makes it ask what stands
 * above it, and if that is a stack, nothing but what lies below its guard gap is
 * searched any more.  A stack that stands on another VMA guards nothing.
 */
uint64_t mm_index_gap_below(const struct mm_index *index, uint64_t low,
			    uint64_t high, uint64_t size)
{
	for (;;) {
		uint64_t top = gap_below(index, low, high, size);
		const struct mm_vma *above = mm_index_find(index, top);

		if (top == 0 || !above || mm_vma_low(above) >= top)
			return top;
		high = mm_vma_low(above);
	}
}

uint64_t mm_index_gap_above(const struct mm_index *index, uint64_t low,
			    uint64_t high, uint64_t size)
{
	while (low < high && high - low >= size) {
		const struct mm_vma *vma = mm_index_find(index, low);

		if (!vma || (mm_vma_low(vma) >= low &&
			     mm_vma_low(vma) - low >= size))
			return low;
		low = vma->end;
	}
	return UINT64_MAX;
}

/* ---- Validity ---- */

struct audit {
	uint64_t last_end;
	uint64_t nr_vmas, nr_pages;
	const char *wrong;
};

static void audit_vma(const struct mm_vma *vma, struct audit *a)
{
	if (vma->start >= vma->end)
		a->wrong = "a VMA is empty";
	else if ((vma->start | vma->end) & ~MM_PAGE_MASK)
		a->wrong = "a VMA is not page aligned";
	else if (vma->start < a->last_end)
		a->wrong = "two VMAs overlap, or stand in the wrong order";
	a->last_end = vma->end;
	a->nr_vmas++;
	a->nr_pages += (vma->end - vma->start) >> MM_PAGE_SHIFT;
}

/* Returns the largest gap inside. */
static uint64_t audit_node(const struct mm_index_node *n, struct audit *a)
{
	uint64_t gap = 0;

	if (n->nr == 0)
		a->wrong = "a node is empty";
	for (unsigned int i = 0; i < n->nr && !a->wrong; i++) {
		const struct mm_index_node *child = n->entry[i];
		uint64_t inner = 0, before = 0;

		if (n->level == 0) {
			const struct mm_vma *vma = n->entry[i];

			audit_vma(vma, a);
			if (n->start[i] != vma->start ||
			    n->end[i] != vma->end)
				a->wrong = "a leaf does not say what its VMA is";
		} else {
			inner = audit_node(child, a);
			if (n->start[i] != child->start[0] ||
			    n->end[i] != child->end[child->nr - 1] ||
			    n->gap[i] != inner)
				a->wrong = "a node does not say what its child is";
		}
		if (i > 0)
			before = n->start[i] - n->end[i - 1];
		if (inner > gap)
			gap = inner;
		if (before > gap)
			gap = before;
	}
	return gap;
}

const char *mm_index_is_valid(const struct mm_index *index)
{
	const struct mm_index_node *root = mm_index_root(index);
	struct audit a = { .last_end = 0 };

	if (root)
		audit_node(root, &a);
	if (a.wrong)
		return a.wrong;
	if (a.nr_vmas != mm_load32_relaxed(&index->nr_vmas))
		return "the number of VMAs is wrong";
	if (a.nr_pages != index->nr_pages)
		return "the number of mapped pages is wrong";
	return NULL;
}
