/*
 * Goal: the VMA index finds, splices and searches gaps as a plain array would,
 * and a reader keeps the version that it began with.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "minimm/env/atomic.h"
#include "minimm/env/rcu.h"
#include "minimm/vma/index.h"

#define PAGE	MM_PAGE_SIZE
#define PAGES	400u

static uint64_t state;

static uint64_t rnd(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

/* The plain array: which VMA (its number, from 1) covers a page. */
static uint32_t owner[PAGES];

static struct mm_vma plain(uint64_t first, uint64_t end, uint64_t tag)
{
	return (struct mm_vma){ .start = first * PAGE, .end = end * PAGE,
				.pgoff = tag };
}

static void compare(const struct mm_index *index)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		const struct mm_vma *v = mm_index_find(index, page * PAGE);
		uint32_t want = owner[page];

		if (v && v->start > page * PAGE)
			v = NULL;
		check_eq(v ? (uint32_t)v->pgoff : 0u, want);
	}
}

static void compare_before(const struct mm_index *index, uint64_t page)
{
	const struct mm_vma *v = mm_index_find_before(index, page * PAGE);
	uint64_t last = page;

	while (last > 0 && !owner[last - 1])
		last--;
	check_eq(v ? v->pgoff : 0u, last ? owner[last - 1] : 0u);
}

static void compare_gap(const struct mm_index *index, uint64_t size)
{
	uint64_t want = 0, run = 0;
	uint64_t got = mm_index_gap_below(index, 0, PAGES * PAGE, size * PAGE);
	uint64_t up = mm_index_gap_above(index, 0, PAGES * PAGE, size * PAGE);

	for (uint64_t page = PAGES; page-- > 0 && !want;) {
		run = owner[page] ? 0 : run + 1;
		if (run == size)
			want = page + size;
	}
	/* A gap is taken from its top. */
	while (want && want < PAGES && !owner[want])
		want++;
	check_eq(got, want * PAGE);
	check_eq(up != UINT64_MAX, want != 0);
	for (uint64_t page = 0; want && page < size; page++)
		check_eq(owner[up / PAGE + page], 0u);
}

Test(index, agrees_with_an_array_under_random_splices)
{
	struct mm_index index;
	uint32_t tag = 0;

	state = test_seed() | 1;
	memset(owner, 0, sizeof(owner));
	mm_index_init(&index);
	for (uint64_t n = test_rounds(4000); n-- > 0;) {
		uint64_t first = rnd(PAGES - 1), end = first + 1 + rnd(9);
		struct mm_vma added[3];
		unsigned int nr = (unsigned int)rnd(3), i = 0;
		const struct mm_vma *v;

		if (end > PAGES)
			end = PAGES;
		/* Whole VMAs go: widen to their borders. */
		v = mm_index_find(&index, first * PAGE);
		if (v && v->start < first * PAGE)
			first = v->start / PAGE;
		v = mm_index_find(&index, end * PAGE - 1);
		if (v && v->start < end * PAGE && v->end > end * PAGE)
			end = v->end / PAGE;
		memset(&owner[first], 0, (end - first) * sizeof(owner[0]));
		for (uint64_t at = first; i < nr && at < end; i++) {
			uint64_t to = at + 1 + rnd(end - at);

			added[i] = plain(at, to, ++tag);
			while (at < to)
				owner[at++] = tag;
			at += rnd(2);
		}
		mm_index_splice(&index, first * PAGE, end * PAGE, added, i);
		if (n % 16 == 0) {
			check_str_eq(mm_index_is_valid(&index) ?: "valid", "valid");
			compare(&index);
			compare_before(&index, rnd(PAGES));
			compare_gap(&index, 1 + rnd(12));
		}
	}
	mm_index_destroy(&index);
}

Test(index, a_thousand_mappings_come_and_go)
{
	struct mm_index index;

	mm_index_init(&index);
	for (uint64_t i = 0; i < 1000; i++) {
		struct mm_vma v = plain(2 * i, 2 * i + 1, i + 1);

		mm_index_splice(&index, v.start, v.end, &v, 1);
	}
	check_eq(index.nr_vmas, 1000u);
	check(mm_index_is_valid(&index) == NULL);
	mm_index_splice(&index, 0, 1998 * PAGE, NULL, 0);
	check_eq(index.nr_vmas, 1u);
	check(mm_index_is_valid(&index) == NULL);
	mm_index_splice(&index, 0, 2000 * PAGE, NULL, 0);
	check(mm_index_find(&index, 0) == NULL);
	mm_index_destroy(&index);
}

Test(index, a_gap_keeps_clear_of_the_guard_below_a_stack)
{
	struct mm_index index;
	struct mm_vma stack = plain(1000, 1010, 1);

	mm_index_init(&index);
	stack.flags = MM_VM_GROWSDOWN;
	mm_index_splice(&index, stack.start, stack.end, &stack, 1);
	check_eq(mm_index_gap_below(&index, 0, 1010 * PAGE, PAGE),
		 (1000 - 256) * PAGE);
	check_eq(mm_index_gap_above(&index, 700 * PAGE, 2000 * PAGE, 100 * PAGE),
		 1010 * PAGE);
	mm_index_destroy(&index);
}

Test(index, a_stack_that_stands_on_another_mapping_guards_nothing)
{
	struct mm_index index;
	struct mm_vma stack = plain(1000, 1010, 1), below = plain(998, 1000, 2);

	mm_index_init(&index);
	stack.flags = MM_VM_GROWSDOWN;
	mm_index_splice(&index, stack.start, stack.end, &stack, 1);
	mm_index_splice(&index, below.start, below.end, &below, 1);
	check_eq(mm_index_gap_below(&index, 0, 1010 * PAGE, PAGE), 998 * PAGE);
	/* One page between them: too small a gap is not looked at ... */
	below = plain(997, 999, 2);
	mm_index_splice(&index, 997 * PAGE, 1000 * PAGE, &below, 1);
	check_eq(mm_index_gap_below(&index, 0, 1010 * PAGE, 2 * PAGE), 997 * PAGE);
	/* ... and a large enough one sends the search below the guard. */
	check_eq(mm_index_gap_below(&index, 0, 1010 * PAGE, PAGE),
		 (1000 - 256) * PAGE);
	check(mm_index_is_valid(&index) == NULL);
	mm_index_destroy(&index);
}

Test(index, a_guard_that_would_begin_below_0_begins_at_0)
{
	struct mm_index index;
	struct mm_vma stack = plain(100, 110, 1);

	mm_index_init(&index);
	stack.flags = MM_VM_GROWSDOWN;
	mm_index_splice(&index, stack.start, stack.end, &stack, 1);
	check_eq(mm_index_gap_below(&index, 0, 110 * PAGE, PAGE), 0u);
	mm_index_destroy(&index);
}

Test(index, a_broken_order_is_noticed)
{
	struct mm_index index;
	struct mm_vma wrong[2] = { plain(5, 9, 1), plain(7, 12, 2) };

	mm_index_init(&index);
	mm_index_splice(&index, 5 * PAGE, 12 * PAGE, wrong, 2);
	check(mm_index_is_valid(&index) != NULL);
	mm_index_destroy(&index);
}

/* ---- Readers beside a writer ---- */

static struct mm_index shared;
static uint32_t stop;

static bool sum_up(void *arg, const struct mm_vma *vma)
{
	uint64_t *sum = arg;

	/* In every version the VMAs fill pages 0 to 64, without a hole. */
	check_eq(vma->start, *sum);
	*sum = vma->end;
	return true;
}

static void *read_on(void *unused)
{
	(void)unused;
	while (!mm_load32_relaxed(&stop)) {
		uint64_t sum = 0;

		mm_rcu_read_lock();
		mm_index_visit(&shared, 0, sum_up, &sum);
		mm_rcu_read_unlock();
		check_eq(sum, 64 * PAGE);
	}
	return NULL;
}

Test(index, readers_see_whole_versions)
{
	struct mm_vma all = plain(0, 64, 1);
	pthread_t readers[2];

	state = test_seed() | 1;
	mm_index_init(&shared);
	mm_index_splice(&shared, 0, 64 * PAGE, &all, 1);
	mm_store32_relaxed(&stop, 0);
	for (int i = 0; i < 2; i++)
		check_eq(pthread_create(&readers[i], NULL, read_on, NULL), 0);
	for (uint64_t n = test_rounds(20000); n-- > 0;) {
		uint64_t cut = 1 + rnd(62);
		struct mm_vma parts[3] = {
			plain(0, cut, 1), plain(cut, cut + 1, 2),
			plain(cut + 1, 64, 3),
		};

		mm_index_splice(&shared, 0, 64 * PAGE, parts, 3);
	}
	mm_store32_relaxed(&stop, 1);
	for (int i = 0; i < 2; i++)
		check_eq(pthread_join(readers[i], NULL), 0);
	mm_index_destroy(&shared);
}
