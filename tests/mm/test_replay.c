/*
 * Goal: copies lie apart, every step runs once at the time that the rules give
 * it, results are those of the trace, and the same input gives the same run.
 */
#include "tests/backend.h"

#include <stdlib.h>
#include <string.h>

#include "minimm/replay/layout.h"
#include "minimm/replay/run.h"
#include "minimm/scheme/scheme.h"
#include "tests/mm/tracetext.h"

#define PAGE	MM_PAGE_SIZE
#define RW	(MM_VM_READ | MM_VM_WRITE)
#define ANON	(MM_MAP_PRIVATE | MM_MAP_ANONYMOUS)
#define FIXED	(ANON | MM_MAP_FIXED)
#define A	UINT64_C(0x7f0000000000)
#define IMAGE	UINT64_C(0x555555554000)
#define STACK	UINT64_C(0x7ffd12345000)

static struct tracetext t;
static struct mm_recording rec;
static struct mm_plan plan;
static struct mm_layout layout;
static struct sim_costs costs;
static struct mm_replay replay;
static char why[512];

static void prepare(unsigned int scale)
{
	trace_plan(&t, &rec, &plan);
	check_eq(mm_layout_make(&layout, &plan, scale, 1, why), 0);
	sim_costs_default(&costs);
	replay = (struct mm_replay){
		.plan = &plan,
		.layout = &layout,
		.costs = &costs,
		.nr_cpus = 2 * scale,
		.seed = 1,
	};
}

static void run(const struct mm_scheme *scheme, struct mm_replay_result *r)
{
	int error = mm_replay_run(&replay, scheme, r, why);

	check_msg(!error, "%s", why);
}

/* Under every scheme: nothing missed, nothing broken, all as recorded. */
static void check_all_schemes(uint64_t nr_operations)
{
	struct mm_replay_result r;

	for (size_t i = 0; mm_schemes[i]; i++) {
		if (mm_schemes[i]->is_hidden)
			continue;
		run(mm_schemes[i], &r);
		check_eq(r.nr_operations, nr_operations);
		check_eq(r.nr_missed, 0);
		check_eq(r.nr_violations, 0);
		check_eq(r.nr_older_refused, 0);
		check_eq(r.nr_answers_taken, 0);
		for (int kind = 0; kind < MM_NR_KINDS; kind++)
			check_msg(r.nr_mismatches[kind] == 0,
				  "%s: %llu results of %s differ",
				  mm_schemes[i]->name,
				  (unsigned long long)r.nr_mismatches[kind],
				  mm_kind_name((enum mm_kind)kind));
	}
}

static void done(void)
{
	mm_layout_free(&layout);
	mm_plan_free(&plan);
	mm_recording_free(&rec);
}

/* A program with a bit of everything: 3 threads, 20 operations. */
static void write_program(void)
{
	trace_fault(&t, 1, 1, IMAGE, 'x');
	trace_fault(&t, 1, 1, STACK, 'w');
	trace_brk(&t, 1, 1, 0, 0x600000);
	trace_brk(&t, 1, 1, 0x622000, 0x622000);
	trace_fault(&t, 1, 1, 0x621000, 'w');
	trace_mmap(&t, 1, 1, 0, 4 * PAGE, RW, ANON, A);
	trace_mmap(&t, 1, 1, 0, 9 * PAGE, MM_VM_READ, MM_MAP_PRIVATE,
		   A + 0x100000);
	trace_clone(&t, 1, 1, 1, 2);
	trace_clone(&t, 1, 1, 1, 3);
	trace_fault(&t, 1, 2, A, 'w');
	trace_fault(&t, 1, 3, A + PAGE, 'w');
	trace_fault(&t, 1, 3, A + 0x101000, 'r');
	trace_mprotect(&t, 1, 2, A, 2 * PAGE, MM_VM_READ);
	trace_fault(&t, 1, 1, A + PAGE, 'w');	/* -SEGV_ACCERR */
	trace_munmap(&t, 1, 3, A + 2 * PAGE, PAGE, 0);
	trace_fault(&t, 1, 1, 16, 'r');		/* -SEGV_MAPERR */
	trace_mmap(&t, 1, 2, 0, PAGE, RW, ANON, A + 2 * PAGE);
	trace_fault(&t, 1, 1, A + 2 * PAGE, 'w');
	trace_fault(&t, 1, 1, STACK - 0x50000, 'w');
	trace_brk(&t, 1, 1, 0x610000, 0x610000);
	trace_munmap(&t, 1, 1, A, 4 * PAGE, 0);
	trace_mmap(&t, 1, 1, 0, 0, RW, ANON, (uint64_t)-22);
	trace_line(&t, 1, 1, "syscalls:sys_enter_exit_group: "
			     "error_code: 0x00000000");
}

#define PROGRAM_OPERATIONS	20u

struct interval {
	uint64_t start, end;
	uint32_t part;
};

static int by_start(const void *a, const void *b)
{
	const struct interval *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Where a step of a part works; false: nowhere, or it fails anyway. */
static bool interval_of(const struct mm_step *step, uint32_t part,
			struct interval *at)
{
	struct mm_op op;
	uint64_t length = step->kind == MM_FAULT ? PAGE : step->len;

	if (step->what != MM_STEP_RUN || step->expected == MM_SEGV_MAPERR ||
	    step->kind == MM_BRK || step->kind == MM_FORK)
		return false;
	memset(&op, 0, sizeof(op));
	mm_step_op(step, layout.parts[part].offset, &op);
	at->start = (op.answer ? op.answer : op.addr) & MM_PAGE_MASK;
	at->end = at->start + length;
	at->part = part;
	return true;
}

static void check_apart(void)
{
	size_t nr = 0;
	struct interval *all =
		malloc(plan.nr_steps * layout.nr_parts * sizeof(*all));
	uint64_t reach = 0;
	uint32_t owner = 0;

	check(all != NULL);
	for (uint32_t part = 0; part < layout.nr_parts; part++) {
		uint64_t offset = layout.parts[part].offset;

		check_eq(offset % (UINT64_C(2) << 20), 0);
		check(part == 0 || (offset & (offset - 1)) != 0);
		for (size_t i = 0; i < plan.nr_steps; i++)
			nr += interval_of(&plan.steps[i], part, &all[nr]);
	}
	qsort(all, nr, sizeof(*all), by_start);
	for (size_t i = 0; i < nr; i++) {
		check(all[i].start > 0);
		check_le(all[i].end, MM_TASK_SIZE);
		check_msg(all[i].part == owner || all[i].start >= reach,
			  "parts %u and %u meet at 0x%llx", owner, all[i].part,
			  (unsigned long long)all[i].start);
		if (all[i].end > reach) {
			reach = all[i].end;
			owner = all[i].part;
		}
	}
	free(all);
}

Test(layout, copies_lie_apart_and_inside_the_space)
{
	static const unsigned int scales[] = { 2, 7, 16, 100 };

	for (size_t i = 0; i < 4; i++) {
		write_program();
		prepare(scales[i]);
		check_eq(layout.nr_parts, 2 * scales[i]);
		check_apart();
		done();
	}
}

Test(layout, a_copy_runs_every_step_once)
{
	write_program();
	prepare(16);
	for (uint32_t i = 0; i < layout.nr_parts; i += 2) {
		check(!layout.parts[i].follows);
		check_eq(layout.parts[i].to, plan.nr_steps);
		check(layout.parts[i + 1].follows);
		check_eq(layout.parts[i + 1].from, 0);
		check_eq(layout.parts[i + 1].to, layout.parts[i].from);
	}
	done();
}

Test(layout, gaps_keep_within_a_tenth_and_a_single_copy_keeps_them)
{
	write_program();
	prepare(2);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t gap = mm_layout_gap(&layout, 1, 1, i, 10000);

		check(gap >= 9000 && gap <= 11000);
	}
	check_eq(mm_layout_gap(&layout, 1, 1, 1, 9), 9);
	done();
	write_program();
	prepare(1);
	check_eq(mm_layout_gap(&layout, 1, 0, 1, 10000), 10000);
	done();
}

Test(layout, what_fills_the_space_cannot_be_copied)
{
	trace_mmap(&t, 1, 1, 0x10000, UINT64_C(0x600000000000), 0, FIXED,
		   0x10000);
	trace_plan(&t, &rec, &plan);
	check_eq(mm_layout_make(&layout, &plan, 2, 1, why), -1);
	check(strstr(why, "no room for 2 copies") != NULL);
	mm_plan_free(&plan);
	mm_recording_free(&rec);
}

Test(replay, one_copy_does_what_was_recorded)
{
	write_program();
	prepare(1);
	check_all_schemes(PROGRAM_OPERATIONS);
	done();
}

Test(replay, copies_do_what_was_recorded)
{
	write_program();
	prepare(5);
	check_all_schemes(5 * PROGRAM_OPERATIONS);
	done();
}

Test(replay, reasons_are_counted)
{
	struct mm_replay_result r;

	write_program();
	prepare(1);
	run(&mm_scheme_coarse, &r);
	check_eq(r.nr_failed, 1);
	check_eq(r.nr_segv, 2);
	check_eq(plan.nr_left_out[MM_LEFT_EXIT], 1);
	done();
}

Test(replay, the_same_input_gives_the_same_run)
{
	struct mm_replay_result a, b;

	for (int racy = 0; racy < 2; racy++) {
		write_program();
		prepare(6);
		replay.racy = racy;
		run(&mm_scheme_range, &a);
		run(&mm_scheme_range, &b);
		check_eq(memcmp(&a, &b, sizeof(a)), 0);
		replay.seed = 2;
		run(&mm_scheme_range, &b);
		check_ne(a.makespan_ns, b.makespan_ns);
		done();
	}
}

/* The fault comes right after the mapping that it needs, in another thread. */
static void write_dependence(void)
{
	trace_fault(&t, 1, 1, IMAGE, 'x');
	trace_fault(&t, 1, 2, IMAGE + PAGE, 'x');
	for (uint64_t i = 0; i < 50; i++) {
		trace_mmap(&t, 1, 1, A + i * PAGE, PAGE, RW, FIXED,
			   A + i * PAGE);
		trace_fault(&t, 1, 2, A + i * PAGE, 'w');
	}
}

Test(replay, the_programs_order_is_kept_and_its_time_counted_apart)
{
	struct mm_replay_result r;

	write_dependence();
	prepare(1);
	check_all_schemes(102);
	run(&mm_scheme_coarse, &r);
	check(r.nr_ordered > 0);
	check(r.ordered_ns > 0);
	done();
}

Test(replay, racy_does_not_keep_it)
{
	struct mm_replay_result r;

	write_dependence();
	prepare(1);
	replay.racy = true;
	costs.ns[MM_COST_SYSCALL] = 50000;
	run(&mm_scheme_coarse, &r);
	check_eq(r.ordered_ns, 0);
	check(r.nr_mismatches[MM_FAULT] > 0);
	check_eq(r.nr_missed, 0);
	done();
}

Test(replay, a_scheme_that_locks_nothing_is_found_out)
{
	struct mm_replay_result r;

	for (int i = 0; i < 200; i++) {
		trace_mmap(&t, 1, 1, A, 64 * PAGE, RW, FIXED, A);
		trace_mprotect(&t, 1, 2, A, 64 * PAGE, MM_VM_READ);
		trace_mprotect(&t, 1, 3, A, 64 * PAGE, RW);
	}
	prepare(1);
	replay.nr_cpus = 4;
	replay.racy = true;
	run(&mm_scheme_none, &r);
	check(r.nr_missed > 0);
	run(&mm_scheme_range_full, &r);
	check_eq(r.nr_missed, 0);
	check_eq(r.nr_violations, 0);
	check(r.nr_waits[ORACLE_TRUE] > 0);
	done();
}

Test(replay, a_single_thread_never_waits_and_takes_its_gaps_and_costs)
{
	struct mm_replay_result r;

	trace_mmap(&t, 1, 1, A, 64 * PAGE, RW, FIXED, A);
	t.now_ns += 1000000;
	trace_fault(&t, 1, 1, A, 'w');
	prepare(1);
	run(&mm_scheme_coarse, &r);
	check_eq(r.nr_waits[ORACLE_FALSE] + r.nr_waits[ORACLE_TRUE], 0);
	check_eq(r.makespan_ns, r.latency[MM_MMAP].max_ns + 1000100 +
					r.latency[MM_FAULT].max_ns);
	done();
}

Test(replay, durations_from_the_trace_are_spent_to_the_nanosecond)
{
	struct mm_replay_result r;

	trace_mmap(&t, 1, 1, A, 64 * PAGE, RW, FIXED, A);
	trace_line(&t, 1, 1, "syscalls:sys_enter_munmap: addr: "
			     "0x7f0000000000, len: 0x40000");
	t.now_ns += 54321;
	trace_line(&t, 1, 1, "syscalls:sys_exit_munmap: 0x0");
	prepare(1);
	replay.costs_from_trace = true;
	for (size_t i = 0; mm_schemes[i]; i++) {
		run(mm_schemes[i], &r);
		check_eq(r.latency[MM_MMAP].max_ns, 100);
		check_eq(r.latency[MM_MUNMAP].max_ns, 54421);
	}
	done();
}

Test(replay, a_fork_copies_and_execve_replaces_the_space)
{
	trace_fault(&t, 1, 1, IMAGE, 'x');
	trace_mmap(&t, 1, 1, 0, 4 * PAGE, RW, ANON, A);
	trace_fault(&t, 1, 1, A, 'w');
	trace_clone(&t, 1, 1, 5, 5);
	trace_fault(&t, 5, 5, A, 'w');
	trace_munmap(&t, 5, 5, A, 2 * PAGE, 0);
	trace_fault(&t, 1, 1, A, 'w');
	trace_line(&t, 5, 5, "syscalls:sys_enter_execve: filename: 0x1000");
	trace_line(&t, 5, 5, "syscalls:sys_exit_execve: 0x0");
	trace_fault(&t, 5, 5, IMAGE, 'w');
	trace_mmap(&t, 5, 5, 0, 4 * PAGE, RW, ANON, A);
	trace_munmap(&t, 1, 1, A, 4 * PAGE, 0);
	prepare(1);
	check_eq(rec.nr_spaces, 3);
	check_all_schemes(10);
	done();
}

Test(replay, forks_of_copies_are_processes_of_their_own)
{
	trace_fault(&t, 1, 1, IMAGE, 'x');
	trace_mmap(&t, 1, 1, 0, 4 * PAGE, RW, ANON, A);
	trace_fault(&t, 1, 1, A, 'w');
	trace_clone(&t, 1, 1, 5, 5);
	trace_fault(&t, 5, 5, A, 'w');
	trace_munmap(&t, 5, 5, A, 2 * PAGE, 0);
	trace_fault(&t, 1, 1, A, 'w');
	prepare(4);
	check_all_schemes(4 * 7);
	done();
}

Test(replay, a_cold_file_page_is_read_once_whoever_comes)
{
	struct mm_replay_result warm, cold;

	trace_mmap(&t, 1, 1, 0, 9 * PAGE, MM_VM_READ, MM_MAP_PRIVATE, A);
	trace_mmap(&t, 1, 1, 0, 9 * PAGE, MM_VM_READ, MM_MAP_PRIVATE,
		   A + 0x100000);
	trace_fault(&t, 1, 1, A + PAGE, 'r');
	trace_fault(&t, 1, 1, A + PAGE + 0x100000, 'r');
	prepare(1);
	check_eq(plan.nr_file_pages, 1);
	run(&mm_scheme_coarse, &warm);
	replay.cold = true;
	run(&mm_scheme_coarse, &cold);
	check_eq(cold.makespan_ns - warm.makespan_ns,
		 costs.ns[MM_COST_IO_PAGE]);
	done();
}
