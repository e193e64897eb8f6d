/*
 * Goal: each operation does to the mappings, and to the pages, what the kernel
 * does: the cases of its own tests and those that mm_kernel_diff found.
 */
#include "tests/backend.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/mm/space_of.h"

#define BASE	UINT64_C(0x10000000000)
#define PAGE	MM_PAGE_SIZE
#define ANON	"private,anonymous,noreserve,fixed"

static struct space s;

static void open_plain(void)
{
	space_open(&s, &mm_scheme_coarse, NULL);
}

static const char *maps(void)
{
	return space_maps(&s, BASE);
}

/* line with page numbers: @N is BASE + N pages, +N is N pages. */
static const char *run(const char *line)
{
	char text[200];
	size_t n = 0;

	for (; *line; line++) {
		bool at = *line == '@';
		unsigned int page;
		int used;

		if ((at || *line == '+') && sscanf(line + 1, "%u%n", &page, &used) == 1) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "0x%" PRIx64,
					      (at ? BASE : 0) + page * PAGE);
			line += used;
		} else {
			text[n++] = *line;
		}
	}
	text[n] = '\0';
	return space_do(&s, text);
}

Test(mm, mprotect_stops_at_a_hole_and_keeps_what_it_did)
{
	open_plain();
	run("mmap @0 +6 rw- " ANON);
	run("munmap @2 +2");
	check_str_eq(run("mprotect @1 +4 r--"), "-ENOMEM");
	check_str_eq(maps(), "0-1rw 1-2r 4-6rw");
	space_close(&s);
}

Test(mm, mprotect_takes_the_right_to_write_from_its_pages)
{
	open_plain();
	run("mmap @0 +4 rw- " ANON);
	run("fault @1 w");
	check_str_eq(run("mprotect @0 +4 r--"), "0");
	check_str_eq(run("fault @1 w"), "-SEGV_ACCERR");
	check_str_eq(run("fault @1 r"), "0");
	space_close(&s);
}

Test(mm, munmap_leaves_no_page_behind)
{
	open_plain();
	run("mmap @0 +8 rw- " ANON ",populate");
	check_eq(s.mm->nr_entries, 8u);
	run("munmap @2 +3");
	check_eq(s.mm->nr_entries, 5u);
	check_str_eq(run("fault @4 r"), "-SEGV_MAPERR");
	space_close(&s);
}

Test(mm, moved_memory_keeps_its_offset_once_it_has_a_page)
{
	open_plain();
	run("mmap @0 +1 rw- " ANON);
	run("mmap @9 +1 rw- " ANON);
	check_str_eq(run("mremap @9 +1 +1 maymove,fixed @1"), "0x10000001000");
	check_str_eq(maps(), "0-2rw");
	run("munmap @0 +2");
	run("mmap @0 +1 rw- " ANON);
	run("mmap @9 +1 rw- " ANON);
	run("fault @9 w");
	run("mremap @9 +1 +1 maymove,fixed @1");
	check_str_eq(maps(), "0-1rw 1-2rw");
	check_eq(s.mm->nr_entries, 1u);
	space_close(&s);
}

Test(mm, mremap_says_what_the_kernel_says)
{
	static const char *const cases[][2] = {
		{ "mremap @0 +0 +1 maymove", "-EINVAL" },
		{ "mremap @0 +1 +0 maymove", "-EINVAL" },
		{ "mremap @0 +1 +1 fixed @8", "-EINVAL" },
		{ "mremap @0 +2 +2 maymove,fixed @1", "-EINVAL" },
		{ "mremap @0 +4 +5 maymove", "-EFAULT" },
		{ "mremap @5 +1 +1 maymove", "-EFAULT" },
		{ "mremap @0 +4 +4 0", "0x10000000000" },
		{ "mremap @0 +2 +7 0", "-ENOMEM" },
		{ "mremap @1 +1 +4 0", "0x10000001000" },
		{ "mremap @0 +5 +2 0", "0x10000000000" },
	};

	open_plain();
	run("mmap @0 +2 rw- " ANON);
	run("mmap @6 +1 r-- " ANON);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_str_eq(run(cases[i][0]), cases[i][1]);
	check_str_eq(maps(), "0-2rw 6-7r");
	space_close(&s);
}

Test(mm, errors_of_mmap_come_in_the_kernels_order)
{
	static const char *const cases[][2] = {
		{ "mmap @0 +1 rw- private,fixed", "-EBADF" },
		{ "mmap @0 0 rw- private", "-EBADF" },
		{ "mmap @0 0 rw- anonymous", "-EINVAL" },
		{ "mmap @0 0xffffffffffffffff rw- private,anonymous", "-ENOMEM" },
		{ "mmap 0x7ffffffff001 +1 r-- anonymous,fixed", "-ENOMEM" },
		{ "mmap 0x10000000001 +1 r-- anonymous,fixed", "-EINVAL" },
		{ "mmap @0 +1 r-- " ANON, "0x10000000000" },
		{ "mmap @0 +1 r-- anonymous,noreplace", "-EEXIST" },
		{ "mmap @1 +1 r-- anonymous,noreplace", "-EINVAL" },
		{ "mmap @1 +1 r-- shared_validate,anonymous,fixed", "-EINVAL" },
		{ "mmap @1 +1 r-- shared,anonymous,growsdown,fixed", "-EINVAL" },
	};

	open_plain();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_str_eq(run(cases[i][0]), cases[i][1]);
	space_close(&s);
}

Test(mm, a_promise_of_memory_keeps_two_mappings_apart)
{
	open_plain();
	run("mmap @0 +1 r-- private,anonymous,fixed");
	run("mmap @1 +1 rw- private,anonymous,fixed");
	/* Nothing was written: the promise is taken back. */
	run("mprotect @1 +1 r--");
	check_str_eq(maps(), "0-2r");
	run("mprotect @1 +1 rw-");
	run("fault @1 w");
	run("mprotect @1 +1 r--");
	check_str_eq(maps(), "0-1r 1-2r");
	space_close(&s);
}

Test(mm, shared_memory_ends_where_it_was_made_to_end)
{
	open_plain();
	run("mmap @0 +1 rw- shared,anonymous,fixed");
	check_str_eq(run("mremap @0 +1 +3 0"), "0x10000000000");
	check_str_eq(run("fault @0 w"), "0");
	check_str_eq(run("fault @1 w"), "-SIGBUS");
	check_str_eq(run("mlock @0 +3"), "-ENOMEM");
	run("mmap @8 +1 rw- shared,anonymous,fixed");
	check_str_eq(maps(), "0-3rws 8-9rws");
	space_close(&s);
}

Test(mm, a_stack_grows_down_but_not_onto_its_neighbour)
{
	open_plain();
	run("mmap @1000 +1 rw- " ANON ",growsdown");
	check_str_eq(run("fault @900 w"), "0");
	check_str_eq(maps(), "900-1001rw");
	run("mmap @500 +1 rw- " ANON);
	check_str_eq(run("fault @700 w"), "-SEGV_MAPERR");
	check_str_eq(run("fault @757 w"), "0");
	run("mprotect @500 +1 ---");
	check_str_eq(run("fault @502 w"), "0");
	space_close(&s);
}

Test(mm, a_stack_stops_at_its_limit)
{
	open_plain();
	run("mmap @3000 +1 rw- " ANON ",growsdown");
	check_str_eq(run("fault @952 w"), "-SEGV_MAPERR");
	check_str_eq(run("fault @953 w"), "0");
	space_close(&s);
}

Test(mm, brk_grows_shrinks_and_stays)
{
	struct mm_config config = { .brk_start = BASE };

	space_open(&s, &mm_scheme_coarse, &config);
	check_str_eq(run("brk 0"), "0x10000000000");
	check_str_eq(run("brk @3"), "0x10000003000");
	check_str_eq(maps(), "0-3rw");
	check_str_eq(run("brk 0x10000003001"), "0x10000003001");
	check_str_eq(maps(), "0-4rw");
	check_str_eq(run("brk @1"), "0x10000001000");
	check_str_eq(maps(), "0-1rw");
	run("mmap @5 +1 r-- " ANON);
	check_str_eq(run("brk @5"), "0x10000001000");
	check_str_eq(run("brk @4"), "0x10000004000");
	check_str_eq(run("brk 1"), "0x10000004000");
	space_close(&s);
}

Test(mm, the_heap_does_not_become_one_with_what_lies_below_its_start)
{
	struct mm_config config = { .brk_start = BASE + 4 * PAGE };

	space_open(&s, &mm_scheme_coarse, &config);
	run("mmap @3 +1 rw- private,anonymous,fixed");
	run("brk @6");
	check_str_eq(maps(), "3-4rw 4-6rw");
	/* A mapping that comes later does, and then the heap goes on from it. */
	run("munmap @3 +1");
	run("mmap @3 +1 rw- private,anonymous,fixed");
	check_str_eq(maps(), "3-6rw");
	run("brk @7");
	check_str_eq(maps(), "3-7rw");
	space_close(&s);
}

Test(mm, after_fork_the_first_write_copies)
{
	open_plain();
	run("mmap @0 +2 rw- " ANON);
	run("fault @0 w");
	run("fork");
	s.spent[MM_COST_COPY_PAGE] = 0;
	check_str_eq(run("fault @0 w"), "0");
	check_eq(s.spent[MM_COST_COPY_PAGE], 1u);
	check_str_eq(run("fault @0 w"), "0");
	check_eq(s.spent[MM_COST_COPY_PAGE], 1u);
	space_close(&s);
}

Test(mm, a_child_has_its_own_mappings)
{
	struct mm_op fork = { .kind = MM_FORK };
	struct mm_op unmap = { .kind = MM_MUNMAP, .addr = BASE, .len = PAGE };

	open_plain();
	run("mmap @0 +2 rw- " ANON);
	run("fault @0 w");
	run("mlock @1 +1");
	mm_run(s.mm, &fork);
	check_eq(fork.result, 0);
	check_eq(mm_nr_vmas(fork.child), 2u);
	mm_run(fork.child, &unmap);
	check_eq(mm_check(fork.child), 0u);
	mm_destroy(fork.child);
	check_str_eq(maps(), "0-1rw 1-2rw");
	space_close(&s);
}

Test(mm, madvise_goes_over_holes_and_forgets_pages)
{
	open_plain();
	run("mmap @0 +4 rw- " ANON ",populate");
	run("munmap @1 +1");
	check_str_eq(run("madvise @0 +4 dontneed"), "-ENOMEM");
	check_eq(s.mm->nr_entries, 0u);
	run("mlock @2 +1");
	check_str_eq(run("madvise @0 +4 dontneed"), "-EINVAL");
	check_str_eq(run("madvise @0 0xffffffffffffffff dontneed"), "-EINVAL");
	check_str_eq(run("madvise @0 0 dontneed"), "0");
	space_close(&s);
}

Test(mm, mlock_marks_up_to_the_hole_and_fills_nothing_then)
{
	open_plain();
	run("mmap @0 +2 rw- " ANON);
	run("mmap @3 +1 rw- " ANON);
	check_str_eq(run("mlock @1 +3"), "-ENOMEM");
	check_str_eq(maps(), "0-1rw 1-2rw 3-4rw");
	check_eq(s.mm->nr_entries, 0u);
	check_str_eq(run("mlock @0 +2"), "0");
	check_eq(s.mm->nr_entries, 2u);
	check_str_eq(run("munlock @0 +2"), "0");
	space_close(&s);
}

Test(mm, an_exit_leaves_nothing)
{
	struct mm_op exit_op = { .kind = MM_EXIT };

	open_plain();
	run("mmap @0 +64 rw- " ANON ",populate");
	mm_run(s.mm, &exit_op);
	check_eq(exit_op.result, 0);
	check_eq(mm_nr_vmas(s.mm), 0u);
	check_eq(s.mm->nr_entries, 0u);
	space_close(&s);
}

static void count_line(void *arg, const struct mm_vma *vma)
{
	(void)vma;
	++*(unsigned int *)arg;
}

Test(mm, maps_prints_every_mapping_chunk_by_chunk)
{
	unsigned int nr = 0;
	struct mm_op maps_op = { .kind = MM_MAPS, .line = count_line,
				 .line_arg = &nr };
	char line[100];

	open_plain();
	for (unsigned int i = 0; i < 3 * MM_MAPS_CHUNK; i++) {
		snprintf(line, sizeof(line), "mmap @%u +1 r-- " ANON, 2 * i);
		run(line);
	}
	mm_run(s.mm, &maps_op);
	check_eq(nr, 3 * MM_MAPS_CHUNK);
	check_eq(maps_op.nr_lines, nr);
	space_close(&s);
}

Test(mm, too_many_mappings_are_refused)
{
	struct mm_config config = { .map_count_max = 3 };

	space_open(&s, &mm_scheme_coarse, &config);
	run("mmap @0 +9 rw- " ANON);
	check_str_eq(run("munmap @1 +1"), "0");
	check_str_eq(run("munmap @3 +1"), "0");
	check_str_eq(run("munmap @5 +1"), "-ENOMEM");
	check_str_eq(run("mprotect @5 +1 r--"), "-ENOMEM");
	check_str_eq(run("munmap @4 +1"), "0");
	space_close(&s);
}

Test(mm, a_choice_is_the_highest_gap_that_fits)
{
	struct mm_config config = { .mmap_top = BASE + 16 * PAGE };

	space_open(&s, &mm_scheme_coarse, &config);
	check_str_eq(run("mmap 0 +4 rw- private,anonymous"), "0x1000000c000");
	check_str_eq(run("mmap 0 +4 r-- private,anonymous"), "0x10000008000");
	run("munmap @13 +2");
	check_str_eq(run("mmap 0 +3 rw- private,anonymous"), "0x10000005000");
	check_str_eq(run("mmap 0 +2 rw- private,anonymous"), "0x1000000d000");
	/* A hint is taken if it is free, and rounded down. */
	check_str_eq(run("mmap 0x10000000123 +1 rw- private,anonymous"),
		     "0x10000000000");
	check_str_eq(run("mmap @0 +1 rw- private,anonymous"), "0x10000004000");
	space_close(&s);
}

Test(mm, private_memory_of_whole_huge_pages_is_aligned_if_there_is_room)
{
	struct mm_config config = { .mmap_top = BASE + 0x700000 };

	space_open(&s, &mm_scheme_coarse, &config);
	check_str_eq(run("mmap 0 +1 rw- private,anonymous"), "0x100006ff000");
	check_str_eq(run("mmap 0 +512 rw- shared,anonymous"), "0x100004ff000");
	check_str_eq(run("mmap 0 +512 rw- private,anonymous"), "0x10000200000");
	/* Aligned room without 2 MiB to spare is not seen. */
	run("munmap 0x10000200000 +512");
	run("mmap 0xffffe00000 +1024 r-- " ANON);
	check_str_eq(run("mmap 0 +512 rw- private,anonymous"), "0xffffc00000");
	/* What mremap moves is aligned as well. */
	run("mmap 0x10000700000 +1 r-- " ANON);
	check_str_eq(run("mremap 0x100006ff000 +1 +512 maymove"),
		     "0xffffa00000");
	space_close(&s);
}
