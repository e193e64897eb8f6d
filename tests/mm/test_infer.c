/*
 * Goal: what is older than the trace is found from what the trace needs, and
 * every record knows the result that it must have.
 */
#include "tests/backend.h"

#include <string.h>

#include "minimm/replay/areas.h"
#include "minimm/replay/infer.h"
#include "minimm/replay/older.h"
#include "tests/mm/tracetext.h"

#define ANON	(MM_MAP_PRIVATE | MM_MAP_ANONYMOUS)
#define RW	(MM_VM_READ | MM_VM_WRITE)
#define PAGE	MM_PAGE_SIZE
#define IMAGE	UINT64_C(0x555555554000)
#define A	UINT64_C(0x7f0000000000)
#define STACK	UINT64_C(0x7ffd12345000)

static struct tracetext t;
static struct mm_recording rec;
static struct mm_plan plan;

static const struct mm_older *older_at(uint64_t address)
{
	for (size_t i = 0; i < plan.inferred.nr_older; i++) {
		const struct mm_older *older = &plan.inferred.older[i];

		if (older->start <= address && address < older->end)
			return older;
	}
	return NULL;
}

static void done(void)
{
	mm_plan_free(&plan);
	mm_recording_free(&rec);
}

Test(areas, a_change_cuts_what_it_meets_and_joins_what_is_alike)
{
	struct mm_areas areas = { NULL, 0, 0 };
	struct mm_area area = { .start = 10, .end = 50, .prot = RW,
				.is_mapped = true };
	uint64_t start = 0, end;

	check_eq(mm_areas_set(&areas, &area), 0);
	check_eq(mm_areas_protect(&areas, 20, 30, MM_VM_READ), 0);
	check_eq(areas.nr, 3);
	check_eq(mm_areas_find(&areas, 20)->prot, MM_VM_READ);
	check_eq(mm_areas_find(&areas, 30)->prot, RW);
	check_eq(mm_areas_protect(&areas, 0, 100, RW), 0);
	check_eq(areas.nr, 1);
	check(mm_areas_next_unknown(&areas, &start, 100, &end));
	check_eq(start, 0);
	check_eq(end, 10);
	start = end;
	check(mm_areas_next_unknown(&areas, &start, 100, &end));
	check_eq(start, 50);
	check_eq(end, 100);
	mm_areas_free(&areas);
}

Test(infer, pages_of_one_kind_that_are_close_are_one_mapping)
{
	trace_fault(&t, 7, 7, IMAGE, 'r');
	trace_fault(&t, 7, 7, IMAGE + 0x10000, 'x');
	trace_fault(&t, 7, 7, IMAGE + 0x30000, 'x');
	trace_fault(&t, 7, 7, IMAGE + 0x40000, 'w');
	trace_plan(&t, &rec, &plan);
	check_eq(plan.inferred.nr_older, 3);
	check_eq(older_at(IMAGE)->prot, MM_VM_READ);
	check_eq(older_at(IMAGE + 0x20000)->prot, MM_VM_READ | MM_VM_EXEC);
	check_eq(older_at(IMAGE + 0x20000)->file, MM_FILE_IMAGE);
	check_eq(older_at(IMAGE + 0x40000)->prot, RW);
	check_eq(plan.inferred.nr_remarks, 0);
	done();
}

Test(infer, a_mapping_does_not_reach_over_what_the_trace_maps)
{
	trace_mmap(&t, 7, 7, 0, PAGE, RW, ANON, IMAGE + 0x8000);
	trace_fault(&t, 7, 7, IMAGE, 'x');
	trace_fault(&t, 7, 7, IMAGE + 0x10000, 'x');
	trace_plan(&t, &rec, &plan);
	check_eq(plan.inferred.nr_older, 2);
	check(older_at(IMAGE + 0x8000) == NULL);
	done();
}

Test(infer, a_page_has_the_rights_of_all_that_is_done_to_it)
{
	trace_fault(&t, 7, 7, A, 'r');
	trace_fault(&t, 7, 7, A, 'w');
	trace_mprotect(&t, 7, 7, A, PAGE, MM_VM_READ);
	trace_fault(&t, 7, 7, A, 'w');
	trace_plan(&t, &rec, &plan);
	check_eq(older_at(A)->prot, RW);
	check_eq(plan.steps[1].expected, 0);
	check_eq(plan.steps[3].expected, MM_SEGV_ACCERR);
	done();
}

Test(infer, the_stack_begins_small_and_grows)
{
	const struct mm_older *stack;

	trace_fault(&t, 7, 7, STACK, 'w');
	trace_fault(&t, 7, 7, STACK + PAGE, 'w');
	trace_fault(&t, 7, 7, STACK - 0x40000, 'w');
	trace_fault(&t, 7, 7, STACK + 0x100000, 'x');
	trace_plan(&t, &rec, &plan);
	stack = older_at(STACK);
	check(stack && stack->grows_down);
	check_eq(stack->start, STACK - MM_STACK_BEGINS_WITH);
	check_eq(stack->end, STACK + 2 * PAGE);
	check(older_at(STACK - 0x40000) == NULL);
	check(!older_at(STACK + 0x100000)->grows_down);
	done();
}

Test(infer, what_a_call_needs_was_there_too)
{
	trace_mprotect(&t, 7, 7, A, 4 * PAGE, MM_VM_READ);
	trace_munmap(&t, 7, 7, A + 8 * PAGE, PAGE, 0);
	trace_plan(&t, &rec, &plan);
	check(older_at(A + 3 * PAGE) != NULL);
	check(older_at(A + 8 * PAGE) == NULL);
	done();
}

Test(infer, what_a_child_needs_belongs_to_its_parent)
{
	trace_fault(&t, 7, 7, IMAGE, 'x');
	trace_clone(&t, 7, 7, 9, 9);
	trace_fault(&t, 9, 9, A, 'w');
	trace_plan(&t, &rec, &plan);
	check_eq(older_at(A)->space, 0);
	done();
}

Test(infer, a_fault_on_what_the_trace_unmapped_is_said_with_its_line)
{
	trace_mmap(&t, 7, 7, 0, PAGE, RW, ANON, A);
	trace_munmap(&t, 7, 7, A, PAGE, 0);
	trace_fault(&t, 7, 7, A + 8, 'r');
	trace_fault(&t, 7, 7, 8, 'r');
	trace_plan(&t, &rec, &plan);
	check_eq(plan.inferred.nr_remarks, 1);
	check_eq(plan.inferred.remarks[0].line, 5);
	check_str_eq(plan.inferred.remarks[0].text,
		     "a fault at 0x7f0000000008, where nothing is mapped");
	check_eq(plan.steps[2].expected, MM_SEGV_MAPERR);
	check_eq(plan.steps[3].expected, MM_SEGV_MAPERR);
	done();
}

Test(infer, what_leaves_the_address_space_is_left_out_and_said)
{
	trace_mmap(&t, 7, 7, 0, UINT64_MAX, RW, ANON, A);
	trace_mmap(&t, 7, 7, 0, PAGE, RW, ANON, UINT64_C(0x7ffffffff000));
	trace_mmap(&t, 7, 7, 0, PAGE, RW, ANON, UINT64_C(0x7fffffffe000));
	trace_munmap(&t, 7, 7, UINT64_MAX, 1, 0);
	trace_munmap(&t, 7, 7, 0, UINT64_C(0x7ffffffff000), 0);
	trace_fault(&t, 7, 7, UINT64_MAX, 'r');
	trace_plan(&t, &rec, &plan);
	check_eq(plan.inferred.nr_remarks, 4);
	check_eq(plan.nr_left_out[MM_LEFT_IMPOSSIBLE], 3);
	check_eq(plan.nr_steps, 3);
	done();
}

Test(plan, calls_that_failed_have_no_effect)
{
	trace_mmap(&t, 7, 7, 0, PAGE, RW, ANON, (uint64_t)-12);
	trace_brk(&t, 7, 7, 0, IMAGE);
	trace_brk(&t, 7, 7, IMAGE + PAGE, IMAGE);
	trace_plan(&t, &rec, &plan);
	check_eq(plan.nr_failed, 2);
	check_eq(plan.steps[0].what, MM_STEP_FAIL);
	check_eq(plan.steps[1].what, MM_STEP_RUN);
	check_eq(plan.steps[2].what, MM_STEP_FAIL);
	done();
}

Test(plan, gaps_are_the_time_between_a_threads_calls)
{
	trace_munmap(&t, 7, 7, A, PAGE, 0);		/* 100 to 200 */
	trace_clone(&t, 7, 7, 7, 8);			/* 300 */
	t.now_ns += 1000;
	trace_fault(&t, 7, 8, A + PAGE, 'w');		/* 1600 */
	trace_munmap(&t, 7, 7, A, PAGE, 0);		/* 1700 */
	trace_plan(&t, &rec, &plan);
	check_eq(plan.steps[0].gap_ns, 0);
	check_eq(plan.steps[1].gap_ns, 100);
	check_eq(plan.steps[2].gap_ns, 1300);
	check_eq(plan.steps[3].gap_ns, 1400);
	check_eq(plan.threads[1].clone, 1);
	check_eq(plan.steps[1].first_child, 1);
	done();
}

Test(plan, durations_are_capped_at_the_99th_percentile_of_their_kind)
{
	for (int i = 0; i < 200; i++) {
		trace_line(&t, 7, 7, "syscalls:sys_enter_munmap: addr: "
				     "0x7f0000000000, len: 0x1000");
		t.now_ns += i < 197 ? 0 : 5000;
		trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0x0");
	}
	trace_line(&t, 7, 7, "syscalls:sys_enter_madvise: start: "
			     "0x7f0000000000, len_in: 0x0, behavior: 0x4");
	t.now_ns += 900000;
	trace_line(&t, 7, 7, "syscalls:sys_exit_madvise: 0x0");
	trace_plan(&t, &rec, &plan);
	check_eq(plan.steps[0].duration_ns, 100);
	check_eq(plan.steps[199].duration_ns, 5100);
	check_eq(plan.steps[200].duration_ns, 900100);
	done();
	for (int i = 0; i < 200; i++) {
		trace_line(&t, 7, 7, "syscalls:sys_enter_munmap: addr: "
				     "0x7f0000000000, len: 0x1000");
		t.now_ns += i < 199 ? 0 : 5000;
		trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0x0");
	}
	trace_plan(&t, &rec, &plan);
	check_eq(plan.steps[199].duration_ns, 100);
	done();
}
