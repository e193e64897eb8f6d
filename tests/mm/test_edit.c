/*
 * Goal: records split and merge as the kernel's do: the shapes of its own tests,
 * as tables.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <string.h>

#include "minimm/vma/edit.h"

#define PAGE	MM_PAGE_SIZE
#define RW	(MM_VM_READ | MM_VM_WRITE)

static struct mm_index index_;

static struct mm_vma private_at(uint64_t first, uint64_t end, uint32_t flags)
{
	return (struct mm_vma){ .start = first * PAGE, .end = end * PAGE,
				.flags = flags, .pgoff = first };
}

static void begin(void)
{
	mm_index_init(&index_);
}

static void put(struct mm_vma vma)
{
	mm_index_splice(&index_, vma.start, vma.end, &vma, 1);
}

static void insert(struct mm_vma vma)
{
	struct mm_edit edit;

	mm_edit_insert(&index_, &vma, &edit);
	mm_edit_apply(&index_, &edit);
}

static void change(uint64_t first, uint64_t end, uint32_t flags)
{
	const struct mm_vma *vma = mm_index_find(&index_, first * PAGE);
	struct mm_edit edit;

	mm_edit_change(&index_, vma, first * PAGE, end * PAGE, flags, &edit);
	mm_edit_apply(&index_, &edit);
}

static bool print(void *arg, const struct mm_vma *vma)
{
	char *text = arg;
	size_t length = strlen(text);

	snprintf(text + length, 200 - length, "%s%u-%u%s", length ? " " : "",
		 (unsigned int)(vma->start / PAGE),
		 (unsigned int)(vma->end / PAGE),
		 vma->flags & MM_VM_WRITE ? "w" : "");
	return true;
}

static const char *all(void)
{
	static char text[200];

	text[0] = '\0';
	mm_index_visit(&index_, 0, print, text);
	check(mm_index_is_valid(&index_) == NULL);
	return text;
}

Test(edit, a_new_mapping_merges_with_what_it_touches, .timeout = 10)
{
	begin();
	put(private_at(0, 2, RW));
	put(private_at(3, 4, RW));
	put(private_at(11, 12, RW));
	insert(private_at(7, 9, RW));
	check_str_eq(all(), "0-2w 3-4w 7-9w 11-12w");
	insert(private_at(2, 3, RW));
	check_str_eq(all(), "0-4w 7-9w 11-12w");
	insert(private_at(4, 5, RW));
	check_str_eq(all(), "0-5w 7-9w 11-12w");
	insert(private_at(6, 7, RW));
	check_str_eq(all(), "0-5w 6-9w 11-12w");
	insert(private_at(5, 6, RW));
	check_str_eq(all(), "0-9w 11-12w");
	insert(private_at(10, 11, RW));
	check_str_eq(all(), "0-9w 10-12w");
	insert(private_at(9, 10, RW));
	check_str_eq(all(), "0-12w");
	mm_index_destroy(&index_);
}

/* P and N have been changed already; V is what changes to be like them. */
static const struct shape {
	uint64_t v, v_end, n_end, first, end;
	bool has_p, has_n;
	const char *want;
} shapes[] = {
	{ 2, 6, 9, 3, 6, false, true, "2-3w 3-9" },	/* right, a part */
	{ 2, 6, 9, 2, 6, false, true, "2-9" },		/* right, all */
	{ 3, 7, 0, 3, 6, true, false, "0-6 6-7w" },	/* left, a part */
	{ 3, 7, 0, 3, 7, true, false, "0-7" },		/* left, all */
	{ 3, 7, 9, 3, 7, true, true, "0-9" },		/* both */
	{ 3, 7, 9, 4, 6, true, true, "0-3 3-4w 4-6 6-7w 7-9" },
};

Test(edit, a_change_merges_at_the_ends_of_its_record_only)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];

		begin();
		if (s->has_p)
			put(private_at(0, 3, MM_VM_READ));
		put(private_at(s->v, s->v_end, RW));
		if (s->has_n)
			put(private_at(s->v_end, s->n_end, MM_VM_READ));
		change(s->first, s->end, MM_VM_READ);
		check_str_eq(all(), s->want);
		mm_index_destroy(&index_);
	}
}

Test(edit, an_offset_that_does_not_go_on_keeps_two_apart)
{
	struct mm_vma b = private_at(2, 4, RW);

	begin();
	put(private_at(0, 2, RW));
	b.pgoff = 7;
	insert(b);
	check_str_eq(all(), "0-2w 2-4w");
	mm_index_destroy(&index_);
}

Test(edit, two_owners_of_pages_keep_two_apart)
{
	struct mm_vma a = private_at(0, 2, RW), b = private_at(3, 5, RW);

	begin();
	a.anon_id = 1;
	b.anon_id = 2;
	put(a);
	put(b);
	insert(private_at(2, 3, RW));
	/* It could go with either, and goes with the one before. */
	check_str_eq(all(), "0-3w 3-5w");
	mm_index_destroy(&index_);

	begin();
	b.anon_id = 1;
	put(a);
	put(b);
	insert(private_at(2, 3, RW));
	check_str_eq(all(), "0-5w");
	mm_index_destroy(&index_);
}

Test(edit, an_inherited_owner_keeps_to_itself)
{
	struct mm_vma a = private_at(0, 2, RW);

	begin();
	a.anon_id = 1;
	a.anon_is_inherited = true;
	put(a);
	insert(private_at(2, 3, RW));
	check_str_eq(all(), "0-2w 2-3w");
	mm_index_destroy(&index_);
}

Test(edit, removing_the_middle_leaves_both_ends)
{
	struct mm_edit edit;

	begin();
	put(private_at(0, 9, RW));
	mm_edit_remove(&index_, 3 * PAGE, 5 * PAGE, &edit);
	mm_edit_apply(&index_, &edit);
	check_str_eq(all(), "0-3w 5-9w");
	check_eq(mm_index_find(&index_, 5 * PAGE)->pgoff, 5u);
	mm_index_destroy(&index_);
}

Test(edit, a_first_page_shares_the_owner_of_a_like_neighbour)
{
	struct mm_vma a = private_at(0, 2, RW), b = private_at(2, 3, MM_VM_READ);

	begin();
	a.anon_id = 5;
	put(a);
	put(b);
	check_eq(mm_anon_for(&index_, mm_index_find(&index_, 2 * PAGE), 9), 5u);
	b.pgoff = 77;
	put(b);
	check_eq(mm_anon_for(&index_, mm_index_find(&index_, 2 * PAGE), 9), 9u);
	mm_index_destroy(&index_);
}
