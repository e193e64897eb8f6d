/*
 * edit.c - split and merge, as Linux 6.18 does them
 *
 * Two neighbours are one when flags, file and offset go on from one to the
 * other and their anonymous pages can have one owner (anon_id): one of them has
 * none yet, or they share it.  A record whose owner is shared with a parent
 * keeps to itself unless both have the very same.  A change of a part merges
 * only at the ends of the record that it is a part of.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/vma/edit.h"

#include "minimm/env/planted.h"

struct mm_vma mm_vma_part(const struct mm_vma *vma, uint64_t start,
			  uint64_t end)
{
	struct mm_vma part = *vma;

	part.start = start;
	part.end = end;
	part.pgoff += (start - vma->start) >> MM_PAGE_SHIFT;
	return part;
}

static bool attributes_go_on(const struct mm_vma *a, const struct mm_vma *b)
{
	if (a->flags != b->flags || a->file != b->file)
		return false;
	if (MM_PLANTED(MERGE_IGNORES_OFFSET))
		return true;
	return a->pgoff + ((a->end - a->start) >> MM_PAGE_SHIFT) == b->pgoff;
}

/* Can what is being added or changed become a part of its neighbour? */
static bool anon_goes_on(const struct mm_vma *neighbour,
			 const struct mm_vma *changed)
{
	if (MM_PLANTED(MERGE_IGNORES_ANON))
		return true;
	if (neighbour->anon_id == 0 && changed->anon_id != 0)
		return !changed->anon_is_inherited;
	if (neighbour->anon_id != 0 && changed->anon_id == 0)
		return !neighbour->anon_is_inherited;
	return neighbour->anon_id == changed->anon_id;
}

bool mm_vmas_mergeable(const struct mm_vma *a, const struct mm_vma *b)
{
	return a->end == b->start && attributes_go_on(a, b) &&
	       anon_goes_on(a, b);
}

static struct mm_vma merged(const struct mm_vma *a, const struct mm_vma *b)
{
	struct mm_vma both = *a;

	both.end = b->end;
	if (both.anon_id == 0) {
		both.anon_id = b->anon_id;
		both.anon_is_inherited = b->anon_is_inherited;
	}
	if (b->born != 0 && (both.born == 0 || b->born < both.born))
		both.born = b->born;
	return both;
}

static void put(struct mm_edit *edit, const struct mm_vma *vma)
{
	edit->vmas[edit->nr++] = *vma;
}

/* The records that reach over [start, end) or up to its borders. */
struct neighbours {
	struct mm_vma before, after;	/* cut at the borders */
	bool has_before, has_after;
	bool before_is_cut, after_is_cut;
};

static struct neighbours neighbours_of(const struct mm_index *index,
				       uint64_t start, uint64_t end)
{
	struct neighbours n = { .has_before = false };
	const struct mm_vma *v = mm_index_find_before(index, start);

	if (v && v->end >= start) {
		n.has_before = true;
		n.before_is_cut = v->end > start;
		n.before = mm_vma_part(v, v->start, start);
	}
	v = mm_index_find(index, end);
	if (v && v->start <= end) {
		n.has_after = true;
		n.after_is_cut = v->start < end;
		n.after = mm_vma_part(v, end, v->end);
	}
	return n;
}

static bool count_one(void *arg, const struct mm_vma *vma)
{
	struct mm_edit *edit = arg;

	if (vma->start >= edit->end)
		return false;
	edit->nr_before++;
	return true;
}

static void begin_edit(const struct mm_index *index, struct mm_edit *edit,
		       uint64_t start, uint64_t end)
{
	edit->start = start;
	edit->end = end;
	edit->nr = 0;
	edit->nr_before = 0;
	mm_index_visit(index, start, count_one, edit);
}

void mm_edit_remove(const struct mm_index *index, uint64_t start, uint64_t end,
		    struct mm_edit *edit)
{
	struct neighbours n = neighbours_of(index, start, end);

	begin_edit(index, edit, start, end);
	if (n.has_before && n.before_is_cut) {
		if (MM_PLANTED(SPLIT_OFF_BY_ONE))
			n.before.end += MM_PAGE_SIZE;
		put(edit, &n.before);
	}
	if (n.has_after && n.after_is_cut)
		put(edit, &n.after);
}

static void insert_among(const struct mm_index *index, struct neighbours n,
			 const struct mm_vma *added, struct mm_edit *edit)
{
	struct mm_vma whole = *added;
	uint64_t start = added->start, end = added->end;
	bool left, right;

	left = n.has_before && attributes_go_on(&n.before, added) &&
	       anon_goes_on(&n.before, added);
	right = n.has_after && attributes_go_on(added, &n.after) &&
		anon_goes_on(&n.after, added);
	if (left && right && n.before.anon_id != 0 && n.after.anon_id != 0 &&
	    n.before.anon_id != n.after.anon_id && !MM_PLANTED(MERGE_IGNORES_ANON))
		right = false;
	if (left) {
		whole = merged(&n.before, &whole);
		start = n.before.start;
	}
	if (right) {
		whole = merged(&whole, &n.after);
		end = n.after.end;
	}
	begin_edit(index, edit, start, end);
	if (!left && n.has_before && n.before_is_cut)
		put(edit, &n.before);
	put(edit, &whole);
	if (!right && n.has_after && n.after_is_cut)
		put(edit, &n.after);
}

void mm_edit_insert(const struct mm_index *index, const struct mm_vma *added,
		    struct mm_edit *edit)
{
	insert_among(index, neighbours_of(index, added->start, added->end),
		     added, edit);
}

void mm_edit_extend(const struct mm_index *index, const struct mm_vma *added,
		    uint64_t floor, struct mm_edit *edit)
{
	struct neighbours n = neighbours_of(index, added->start, added->end);

	n.has_after = false;
	if (n.before.end <= floor)
		n.has_before = false;
	insert_among(index, n, added, edit);
}

int mm_edit_change(const struct mm_index *index, const struct mm_vma *vma,
		   uint64_t start, uint64_t end, uint32_t flags,
		   struct mm_edit *edit)
{
	struct mm_vma middle = mm_vma_part(vma, start, end), part;
	struct neighbours n = neighbours_of(index, vma->start, vma->end);
	bool left, right;

	middle.flags = flags;
	left = start == vma->start && n.has_before &&
	       attributes_go_on(&n.before, &middle) &&
	       anon_goes_on(&n.before, &middle);
	right = end == vma->end && n.has_after &&
		attributes_go_on(&middle, &n.after) &&
		anon_goes_on(&n.after, &middle);
	if (left && right && n.before.anon_id != 0 && n.after.anon_id != 0 &&
	    n.before.anon_id != n.after.anon_id && !MM_PLANTED(MERGE_IGNORES_ANON))
		right = false;
	begin_edit(index, edit, left ? n.before.start : vma->start,
		   right ? n.after.end : vma->end);
	if (left)
		middle = merged(&n.before, &middle);
	if (right)
		middle = merged(&middle, &n.after);
	if (start > vma->start) {
		part = mm_vma_part(vma, vma->start, start);
		put(edit, &part);
	}
	put(edit, &middle);
	if (end < vma->end) {
		part = mm_vma_part(vma, end, vma->end);
		put(edit, &part);
	}
	return (int)edit->nr - (int)edit->nr_before;
}

/* Could they share the owner of their pages? */
static bool near_enough(const struct mm_vma *a, const struct mm_vma *b)
{
	struct mm_vma x = *a;

	x.flags = (a->flags & ~MM_VM_ACCESS) | (b->flags & MM_VM_ACCESS);
	return a->end == b->start && attributes_go_on(&x, b);
}

uint64_t mm_anon_for(const struct mm_index *index, const struct mm_vma *vma,
		     uint64_t fresh)
{
	const struct mm_vma *after = mm_index_find(index, vma->end);
	const struct mm_vma *before = mm_index_find_before(index, vma->start);

	if (after && after->anon_id != 0 && !after->anon_is_inherited &&
	    near_enough(vma, after))
		return after->anon_id;
	if (before && before->anon_id != 0 && !before->anon_is_inherited &&
	    near_enough(before, vma))
		return before->anon_id;
	return fresh;
}

void mm_edit_apply(struct mm_index *index, const struct mm_edit *edit)
{
	mm_index_splice(index, edit->start, edit->end, edit->vmas, edit->nr);
}
