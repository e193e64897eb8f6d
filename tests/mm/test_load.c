/*
 * Goal: every workload runs on real threads under every scheme, sound and
 * complete: what was done is what the turns make, and nothing is left.  What
 * does not add up is told.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <string.h>

#include "minimm/load/threads.h"
#include "minimm/scheme/scheme.h"

#define THREADS	3u

static char reports[2048];
static struct load_result result;

static void keep(void *arg, const char *text)
{
	size_t length = strlen(reports);

	(void)arg;
	snprintf(reports + length, sizeof(reports) - length, "%s\n", text);
}

static void run(struct load_options options)
{
	reports[0] = '\0';
	options.report = keep;
	check_eq(load_run_threads(&options, &result), 0);
}

static void check_sound(const struct load_options *options)
{
	run(*options);
	check_msg(result.nr_missed == 0 && result.nr_violations == 0,
		  "%s under %s: %s", options->load->name, options->scheme->name,
		  reports);
}

/* So small that many turns are few calls. */
static struct load_sizes small_sizes(const struct load *load)
{
	return (struct load_sizes){ .pages = 12,
				    .vmas = load->has_vmas ? 3 : 1 };
}

static void check_load(const struct load *load)
{
	for (size_t i = 0; mm_schemes[i]; i++) {
		struct load_options o = {
			.load = load, .scheme = mm_schemes[i],
			.sizes = small_sizes(load), .nr_threads = THREADS,
			.turns = test_rounds(300), .is_watched = true,
		};
		struct load_counts a_turn = load->adds(&o.sizes);

		if (mm_schemes[i]->is_hidden)
			continue;
		check_sound(&o);
		check_eq(result.nr_turns, THREADS * o.turns);
		check_eq(result.nr_operations,
			 a_turn.nr_operations * result.nr_turns);
		o.is_watched = false;
		o.files_are_fine = mm_schemes[i]->files_are_fine;
		check_sound(&o);
	}
}

Test(load, page_fault1_is_sound_under_every_scheme)
{
	check_load(load_find("page_fault1"));
}

Test(load, mmap1_is_sound_under_every_scheme)
{
	check_load(load_find("mmap1"));
}

Test(load, mmap2_is_sound_under_every_scheme)
{
	check_load(load_find("mmap2"));
}

Test(load, malloc1_is_sound_under_every_scheme)
{
	check_load(load_find("malloc1"));
}

Test(load, spf_test_is_sound_under_every_scheme)
{
	check_load(load_find("spf_test"));
}

Test(load, turns_are_whole_when_time_ends_a_run)
{
	for (size_t i = 0; load_list[i]; i++) {
		struct load_options o = {
			.load = load_list[i], .scheme = &mm_scheme_range_full,
			.sizes = small_sizes(load_list[i]),
			.nr_threads = THREADS, .run_ns = 2000000,
		};

		check_sound(&o);
		check_le(2000000, result.ns);
		check_le(result.nr_operations, result.counts.nr_operations);
	}
}

/* What a turn makes by default; that the loops do so the tests above show. */
Test(load, a_turn_is_the_loop_of_the_original)
{
	static const struct {
		const char *name;
		uint64_t operations, maps, faults;
	} cases[] = {
		{ "page_fault1", 32768, 1, 32768 },
		{ "mmap1", 1, 1, 0 },
		{ "mmap2", 1, 1, 0 },
		{ "malloc1", 1, 1, 1 },
		{ "spf_test", 10, 10, 100 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct load *load = load_find(cases[i].name);
		struct load_counts turn;

		check(load);
		turn = load->adds(&load->sizes);
		check_eq(turn.nr_operations, cases[i].operations);
		check_eq(turn.nr_calls[MM_MMAP], cases[i].maps);
		check_eq(turn.nr_calls[MM_MUNMAP], cases[i].maps);
		check_eq(turn.nr_calls[MM_FAULT], cases[i].faults);
		check_eq(turn.nr_installed, cases[i].faults);
		check_eq(turn.nr_cleared, cases[i].faults);
		check_eq(load_calls_of_turn(load, &load->sizes),
			 2 * cases[i].maps + cases[i].faults);
	}
	check(!load_find("mmap"));
	check(!load_find(""));
}

/* ---- What does not add up ---- */

static bool map_only(struct load_thread *t)
{
	t->op = (struct mm_op){ .kind = MM_MMAP, .len = MM_PAGE_SIZE,
				.prot = MM_VM_READ,
				.flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS };
	load_count(t);
	return load_do(t) > 0;
}

static bool fault_on_nothing(struct load_thread *t)
{
	t->op = (struct mm_op){ .kind = MM_FAULT, .addr = 0x1000 };
	return load_do(t) == 0;
}

static struct load_counts adds_one_map(const struct load_sizes *sizes)
{
	(void)sizes;
	return (struct load_counts){ .nr_operations = 1,
				     .nr_calls = { [MM_MMAP] = 1 } };
}

static struct load_counts adds_more(const struct load_sizes *sizes)
{
	struct load_counts adds = load_find("malloc1")->adds(sizes);

	adds.nr_operations++;
	adds.nr_calls[MM_FAULT]++;
	adds.nr_installed++;
	adds.nr_cleared++;
	return adds;
}

static void run_broken(bool (*turn)(struct load_thread *),
		       struct load_counts (*adds)(const struct load_sizes *))
{
	const struct load load = { .name = "broken", .turn = turn,
				   .adds = adds };

	run((struct load_options){ .load = &load, .turns = 2, .nr_threads = 2,
				   .scheme = &mm_scheme_coarse,
				   .sizes = { .pages = 4, .vmas = 1 } });
}

Test(load, a_mapping_that_is_left_is_told)
{
	run_broken(map_only, adds_one_map);
	check_str_eq(reports, "mappings left: 1, but the threads' turns make "
		     "0\n");
	check_eq(result.nr_violations, 1);
}

Test(load, every_count_that_is_off_is_told)
{
	run_broken(load_find("malloc1")->turn, adds_more);
	check_str_eq(reports,
		     "operations: 4, but the threads' turns make 8\n"
		     "fault: 4, but the threads' turns make 8\n"
		     "pages installed: 4, but the threads' turns make 8\n"
		     "pages cleared: 4, but the threads' turns make 8\n");
	check_eq(result.nr_violations, 4);
}

Test(load, a_call_that_fails_is_told_and_ends_its_thread)
{
	run_broken(fault_on_nothing, adds_one_map);
	check(strstr(reports, "thread 0: fault 1000 says -SEGV_MAPERR\n"));
	check(strstr(reports, "thread 1: fault 1000 says -SEGV_MAPERR\n"));
	check_eq(result.nr_violations, 2);
	check_eq(result.nr_turns, 0);
}
