/*
 * Goal: in each scenario of the conflict matrix each scheme waits as the matrix
 * says, or as docs/SCHEMES.md explains; converting a site converts its waits.
 */
#include "tests/backend.h"

#include <string.h>

#include <rangelock/site.h>

#include "minimm/scheme/scheme.h"
#include "tests/mm/stage.h"

#define A	UINT64_C(0x100000000)	/* 4 GiB, and so on: far apart */
#define B	UINT64_C(0x200000000)
#define C	UINT64_C(0x300000000)
#define BIG	(64 * MIB)
#define LONG_NS	UINT64_C(15000)		/* I/O, or a zap of many pages */

static const struct mm_scheme *const four[] = {
	&mm_scheme_coarse, &mm_scheme_coarse_mitigated, &mm_scheme_range,
	&mm_scheme_range_full,
};

static struct stage stage;

/*
 * s: nobody waits, but for short locks.  t: only true waits.
 * B: false waits, all together short.  L: long ones.
 */
static char cell_of(const struct oracle_result *r)
{
	if (r->wait_ns[ORACLE_FALSE] >= LONG_NS)
		return 'L';
	if (r->nr_waits[ORACLE_FALSE])
		return 'B';
	return r->nr_waits[ORACLE_TRUE] ? 't' : 's';
}

/* Play a scenario under the four schemes; want has a letter for each. */
static void check_row(void (*scenario)(void), const char *want,
		      uint64_t fault_window, uint64_t top)
{
	char got[5] = "";

	for (unsigned int i = 0; i < 4; i++) {
		stage_open(&stage, four[i], fault_window, top);
		scenario();
		got[i] = cell_of(&stage.result);
		stage_close(&stage);
	}
	check_str_eq(got, want);
}

static void map(uint64_t addr, uint64_t len, bool populate)
{
	stage_do(&stage, (struct mm_op)MAP_AT(addr, len,
				populate ? MM_MAP_POPULATE : 0));
}

/* ---- 1: fault in A, munmap of a big B ---- */

static void fault_and_big_munmap(void)
{
	struct actor unmapper = { .ops = { UNMAP(B, BIG), NO_OP } };
	struct actor faulter = { .ops = { FAULT(A), NO_OP } };

	map(A, 4 * PAGE, false);
	map(B, BIG, true);
	stage_cast(&stage, &unmapper);
	stage_cast(&stage, &faulter);
	stage_play(&stage);
	check_eq(faulter.results[0], 0);
}

Test(scheme, s1_a_fault_waits_for_a_big_munmap_elsewhere)
{
	check_row(fault_and_big_munmap, "LBLs", 0, 0);
}

/* ---- 2: faults in A, mmap and munmap elsewhere ---- */

static void faults_and_map_loop(void)
{
	struct actor mapper = { .rounds = 100, .follows_address = true,
		.ops = { MAP_ANYWHERE(16 * PAGE), UNMAP(0, 16 * PAGE), NO_OP } };
	struct actor faulter = { .rounds = 100, .stride = PAGE,
		.ops = { FAULT(A), NO_OP } };

	map(A, 100 * PAGE, false);
	stage_cast(&stage, &mapper);
	stage_cast(&stage, &faulter);
	stage_play(&stage);
}

Test(scheme, s2_faults_wait_for_mappings_elsewhere)
{
	check_row(faults_and_map_loop, "LLLs", 0, 0);
}

Test(scheme, s2_under_range_only_munmap_is_in_the_way)
{
	struct oracle_pair pairs[8];
	size_t n;

	stage_open(&stage, &mm_scheme_range, 0, 0);
	faults_and_map_loop();
	n = oracle_pairs(stage.oracle, pairs, 8);
	for (size_t i = 0; i < n; i++)
		check(pairs[i].waiter == MM_MUNMAP ||
		      pairs[i].blocker == MM_MUNMAP);
	stage_close(&stage);
}

/* ---- 5: fault in the left half, munmap of the right half of one VMA ---- */

static void fault_left_munmap_right(void)
{
	struct actor unmapper = { .ops = { UNMAP(A + BIG, BIG), NO_OP } };
	struct actor faulter = { .ops = { FAULT(A), NO_OP } };

	map(A, 2 * BIG, false);
	stage_do(&stage, (struct mm_op){ .kind = MM_MLOCK, .addr = A + BIG,
					 .len = BIG });
	stage_do(&stage, (struct mm_op){ .kind = MM_MUNLOCK, .addr = A + BIG,
					 .len = BIG });
	check_eq(mm_nr_vmas(stage.mm), 1);
	stage_cast(&stage, &unmapper);
	stage_cast(&stage, &faulter);
	stage_play(&stage);
	check_eq(faulter.results[0], 0);
}

Test(scheme, s5_one_vma_is_no_reason_to_wait_for_its_other_half)
{
	check_row(fault_left_munmap_right, "LBLs", 0, 0);
}

/* ---- 6: mprotect A, mprotect B ---- */

static void two_mprotects(void)
{
	struct actor one = { .ops = { PROTECT(A, 4 * PAGE, MM_VM_READ), NO_OP } };
	struct actor two = { .at_ns = 100,
		.ops = { PROTECT(B, 4 * PAGE, MM_VM_READ), NO_OP } };

	map(A, 8 * PAGE, true);
	map(B, 8 * PAGE, true);
	stage_cast(&stage, &one);
	stage_cast(&stage, &two);
	stage_play(&stage);
}

Test(scheme, s6_mprotect_waits_for_mprotect_elsewhere)
{
	check_row(two_mprotects, "BBBs", 0, 0);
}

Test(scheme, s6_converting_one_site_by_hand_is_enough_under_coarse)
{
	stage_open(&stage, &mm_scheme_coarse, 0, 0);
	rl_site_set_grain(mm_site_of(MM_SITE_MPROTECT), RL_FINE);
	two_mprotects();
	check_eq(cell_of(&stage.result), 's');
	stage_close(&stage);
}

/* ---- 7: munmap A, munmap B, both big ---- */

static void two_big_munmaps(void)
{
	struct actor one = { .ops = { UNMAP(A, BIG), NO_OP } };
	struct actor two = { .at_ns = 100, .ops = { UNMAP(B, BIG), NO_OP } };

	map(A, BIG, true);
	map(B, BIG, true);
	stage_cast(&stage, &one);
	stage_cast(&stage, &two);
	stage_play(&stage);
}

Test(scheme, s7_a_downgrade_does_not_let_two_zaps_run_together)
{
	check_row(two_big_munmaps, "LLLs", 0, 0);
}

/* ---- 8: many mmap of unknown address ---- */

static void many_maps(void)
{
	static struct actor mappers[16];

	for (unsigned int i = 0; i < 16; i++) {
		mappers[i] = (struct actor){ .rounds = 20,
			.ops = { MAP_ANYWHERE(4 * PAGE), NO_OP } };
		stage_cast(&stage, &mappers[i]);
	}
	stage_play(&stage);
	check_eq(stage.mm->index.nr_pages, 16 * 20 * 4);
}

Test(scheme, s8_markers_let_all_mmaps_run_together)
{
	check_row(many_maps, "LLss", 0, 0);
}

/* ---- 9: thread spawn: 2 mmaps, 10 pages of each touched ---- */

static void spawn_threads(void)
{
	static struct actor mappers[16], touchers[16];

	for (unsigned int i = 0; i < 16; i++) {
		uint64_t stack = A + i * 16 * MIB;

		map(stack, 10 * PAGE, false);
		mappers[i] = (struct actor){ .at_ns = i * 300,
			.ops = { MAP_AT(stack + 8 * MIB, 10 * PAGE, 0),
				 MAP_AT(stack + 12 * MIB, 10 * PAGE, 0), NO_OP } };
		touchers[i] = (struct actor){ .at_ns = i * 300, .rounds = 10,
			.stride = PAGE, .ops = { FAULT(stack), NO_OP } };
		stage_cast(&stage, &mappers[i]);
		stage_cast(&stage, &touchers[i]);
	}
	stage_play(&stage);
}

Test(scheme, s9_spawning_threads_meet_only_at_coarse_locks)
{
	check_row(spawn_threads, "LLss", 0, 0);
}

/* The stacks of 10 pages are chosen side by side: some fifty share a window. */
static void spawn_small_stacks(void)
{
	static struct actor spawners[16];

	for (unsigned int i = 0; i < 16; i++) {
		spawners[i] = (struct actor){ .at_ns = i * 300,
			.follows_address = true, .rounds = 2,
			.ops = { MAP_ANYWHERE(10 * PAGE), FAULT(0),
				 FAULT(PAGE) } };
		stage_cast(&stage, &spawners[i]);
	}
	stage_play(&stage);
}

Test(scheme, s9_small_stacks_share_a_window_of_2_mib)
{
	check_row(spawn_small_stacks, "LLLs", 0, 0);
	check_row(spawn_small_stacks, "LLss", PAGE, 0);
}

/* ---- 10: ps, with the arguments on a disk ---- */

static void ps_and_writer_and_faults(void)
{
	struct actor ps = { .ops = { READ_ARGS(C, 2 * PAGE), NO_OP } };
	struct actor writer = { .at_ns = 500,
		.ops = { MAP_AT(B, 4 * PAGE, 0), NO_OP } };
	struct actor faulter = { .at_ns = 1000, .rounds = 5, .stride = PAGE,
		.ops = { FAULT(A), NO_OP } };

	map(A, 5 * PAGE, false);
	map(C, 2 * PAGE, false);
	stage_cast(&stage, &ps);
	stage_cast(&stage, &writer);
	stage_cast(&stage, &faulter);
	stage_play(&stage);
}

Test(scheme, s10_ps_stops_a_writer_and_through_him_all_faults)
{
	check_row(ps_and_writer_and_faults, "LLLs", 0, 0);
}

/* ---- 14: R holds X, W waits for X, R arrives at Y ---- */

static void head_of_line(void)
{
	struct actor holder = { .ops = { IO_FAULT(A), NO_OP } };
	struct actor waiter = { .at_ns = 1500, .ops = { UNMAP(A, PAGE), NO_OP } };
	struct actor third = { .at_ns = 2500, .ops = { FAULT(B), NO_OP } };

	map(A, PAGE, false);
	map(B, PAGE, false);
	stage_cast(&stage, &holder);
	stage_cast(&stage, &waiter);
	stage_cast(&stage, &third);
	stage_play(&stage);
}

Test(scheme, s14_who_conflicts_with_a_waiter_only_may_pass)
{
	/* coarse-mitigated: nobody holds anything over I/O */
	check_row(head_of_line, "Lstt", 0, 0);
}

/* ---- 17: fault with I/O, munmap of that page ---- */

static void io_fault_and_munmap(void)
{
	struct actor faulter = { .ops = { IO_FAULT(A), NO_OP } };
	struct actor unmapper = { .at_ns = 1500, .ops = { UNMAP(A, PAGE), NO_OP } };

	map(A, PAGE, false);
	stage_cast(&stage, &faulter);
	stage_cast(&stage, &unmapper);
	stage_play(&stage);
	check_eq(unmapper.results[0], 0);
	check(faulter.results[0] == 0 || faulter.results[0] == MM_SEGV_MAPERR);
	check_eq(mm_nr_vmas(stage.mm), 0);
}

Test(scheme, s17_munmap_waits_for_the_disk_or_the_fault_starts_over)
{
	check_row(io_fault_and_munmap, "tstt", 0, 0);
}

/* ---- 18: write fault, mprotect(PROT_READ) of that page ---- */

static void fault_and_mprotect(void)
{
	struct actor faulter = { .ops = { FAULT(A), NO_OP } };
	struct actor protector = { .at_ns = 700,
		.ops = { PROTECT(A, PAGE, MM_VM_READ), NO_OP } };

	map(A, 2 * PAGE, false);
	stage_cast(&stage, &faulter);
	stage_cast(&stage, &protector);
	stage_play(&stage);
}

Test(scheme, s18_mprotect_of_a_page_under_fault_waits_truly)
{
	check_row(fault_and_mprotect, "tttt", 0, 0);
}

/* ---- 19: MAP_FIXED over a range that is pending ---- */

static void fixed_over_pending(void)
{
	/* A fault keeps the window over I/O; the fixed mapping queues for a
	 * range in it, then an mmap chooses the same one and marks it. */
	struct actor holder = { .ops = { IO_FAULT(A + MIB), NO_OP } };
	struct actor fixed = { .at_ns = 1500,
		.ops = { MAP_AT(A + MIB - 4 * PAGE, 4 * PAGE, 0), NO_OP } };
	struct actor picker = { .at_ns = 2500,
		.ops = { MAP_ANYWHERE(4 * PAGE), NO_OP } };

	map(A + MIB, PAGE, false);
	stage_cast(&stage, &holder);
	stage_cast(&stage, &fixed);
	stage_cast(&stage, &picker);
	stage_play(&stage);
	check_eq(fixed.results[0], (int64_t)(A + MIB - 4 * PAGE));
	check_ne(picker.results[0], fixed.results[0]);
}

static void check_lost_marker(const struct mm_scheme *scheme,
			      unsigned int nr_aborts, unsigned int nr_fallbacks)
{
	stage_open(&stage, scheme, 2 * MIB, A + MIB);
	fixed_over_pending();
	check_eq(stage.result.nr_aborts[ORACLE_TRUE], nr_aborts);
	check_eq(stage.result.nr_fallbacks[ORACLE_TRUE], nr_fallbacks);
	check_eq(stage.result.nr_aborts[ORACLE_FALSE], 0);
	check_eq(stage.result.nr_fallbacks[ORACLE_FALSE], 0);
	stage_close(&stage);
}

Test(scheme, s19_a_lost_marker_is_noticed_and_told_as_true)
{
	check_lost_marker(&mm_scheme_coarse, 0, 0);
	check_lost_marker(&mm_scheme_range, 0, 1);
	check_lost_marker(&mm_scheme_range_full, 1, 0);
}

/* ---- 20: two mremaps that cross, and a fault elsewhere ---- */

static void crossing_mremaps(void)
{
	struct actor there = { .rounds = 10,
		.ops = { REMAP_TO(A, MIB, B), REMAP_TO(B, MIB, A), NO_OP } };
	struct actor back = { .rounds = 10, .at_ns = 50,
		.ops = { REMAP_TO(B, MIB, A), REMAP_TO(A, MIB, B), NO_OP } };
	struct actor faulter = { .at_ns = 100, .rounds = 20, .stride = PAGE,
		.ops = { FAULT(C), NO_OP } };

	map(A, MIB, true);
	map(C, 20 * PAGE, false);
	stage_cast(&stage, &there);
	stage_cast(&stage, &back);
	stage_cast(&stage, &faulter);
	stage_play(&stage);
	check_eq(stage.mm->index.nr_pages, 256 + 20);
}

Test(scheme, s20_crossing_mremaps_do_not_deadlock_nor_stop_others)
{
	check_row(crossing_mremaps, "LLLt", 0, 0);
}

/* ---- No bytes, but inside a page: its page ---- */

static void munlock_of_no_bytes(void)
{
	struct actor locker = { .ops = { MAP_AT(A, MIB, MM_MAP_LOCKED), NO_OP } };
	struct actor unlocker = { .at_ns = 10000,
		.ops = { { .kind = MM_MUNLOCK, .addr = A + MIB / 2 + 1 }, NO_OP } };

	stage_cast(&stage, &locker);
	stage_cast(&stage, &unlocker);
	stage_play(&stage);
	check_eq(unlocker.results[0], 0);
	check_eq(mm_nr_vmas(stage.mm), 3);
}

Test(scheme, a_munlock_of_no_bytes_inside_a_page_locks_the_page)
{
	check_row(munlock_of_no_bytes, "tttt", 0, 0);
}
