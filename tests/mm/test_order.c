/*
 * Goal: the predecessors are the program's own order: of two conflicting steps
 * of different threads the earlier comes first, and nothing else is kept.
 */
#include "tests/backend.h"

#include <string.h>

#include "minimm/replay/order.h"
#include "minimm/replay/random.h"
#include "minimm/replay/spanmap.h"
#include "tests/mm/tracetext.h"

#define PAGE		MM_PAGE_SIZE
#define A		UINT64_C(0x7f0000000000)
#define NR_THREADS	5
#define NR_STEPS	220
#define NR_PAGES	12

static struct tracetext t;
static struct mm_recording rec;
static struct mm_plan plan;
static struct mm_footprint footprints[NR_STEPS];
static bool before[NR_STEPS][NR_STEPS];	/* [later][earlier] */

static void random_step(uint64_t seed, uint32_t i)
{
	uint64_t r = mm_random(seed, 9, i, 0);
	uint32_t tid = 1 + (uint32_t)(r % NR_THREADS);
	uint64_t page = (r >> 8) % NR_PAGES;
	uint64_t nr = 1 + (r >> 16) % (NR_PAGES - page);
	uint64_t address = A + page * PAGE;

	switch ((r >> 24) % 8) {
	case 0:
		trace_mmap(&t, 1, tid, address, nr * PAGE, 3, 0x32, address);
		break;
	case 1:
		trace_munmap(&t, 1, tid, address, nr * PAGE, 0);
		break;
	case 2:
		trace_mprotect(&t, 1, tid, address, nr * PAGE, 3);
		break;
	case 3:
		trace_line(&t, 1, tid, "syscalls:sys_enter_madvise: start: "
			   "0x%llx, len_in: 0x%llx, behavior: 0x4",
			   (unsigned long long)address,
			   (unsigned long long)(nr * PAGE));
		trace_line(&t, 1, tid, "syscalls:sys_exit_madvise: 0x0");
		break;
	default:
		trace_fault(&t, 1, tid, address + 8, r >> 40 & 1 ? 'w' : 'r');
	}
}

/* What the thread order and the predecessors imply. */
static void close_order(void)
{
	uint32_t last[NR_THREADS + 1];

	memset(before, 0, sizeof(before));
	memset(last, 0xff, sizeof(last));
	for (uint32_t i = 0; i < plan.nr_steps; i++) {
		const struct mm_step *step = &plan.steps[i];

		for (uint32_t k = 0; k <= step->nr_preds; k++) {
			uint32_t earlier = k < step->nr_preds ?
				plan.preds[step->first_pred + k] :
				last[step->thread];

			if (earlier == MM_NONE)
				continue;
			check_lt(earlier, i);
			before[i][earlier] = true;
			for (uint32_t e = 0; e < earlier; e++)
				before[i][e] |= before[earlier][e];
		}
		last[step->thread] = i;
	}
}

static void check_order(void)
{
	for (uint32_t i = 0; i < plan.nr_steps; i++) {
		const struct mm_step *step = &plan.steps[i];

		for (uint32_t e = 0; e < i; e++) {
			if (step->thread != plan.steps[e].thread &&
			    mm_footprints_conflict(&footprints[i],
						   &footprints[e]))
				check_msg(before[i][e], "line %u does not wait "
					  "for line %u", step->line,
					  plan.steps[e].line);
		}
		for (uint32_t k = 0; k < step->nr_preds; k++) {
			uint32_t e = plan.preds[step->first_pred + k];

			check_ne(plan.steps[e].thread, step->thread);
			check_msg(mm_footprints_conflict(&footprints[i],
							 &footprints[e]),
				  "line %u waits for line %u for no reason",
				  step->line, plan.steps[e].line);
		}
	}
}

Test(order, it_is_that_of_the_conflicts_among_random_operations)
{
	uint64_t seed = test_seed(), rounds = test_rounds(300);

	for (uint64_t round = 0; round < rounds; round++) {
		for (uint32_t i = 0; i < NR_STEPS; i++)
			random_step(seed + round, i);
		trace_plan(&t, &rec, &plan);
		check_le(plan.nr_steps, NR_STEPS);
		for (uint32_t i = 0; i < plan.nr_steps; i++) {
			struct mm_op op;

			memset(&op, 0, sizeof(op));
			mm_step_op(&plan.steps[i], 0, &op);
			mm_op_footprint(&op);
			footprints[i] = op.footprint;
		}
		close_order();
		check_order();
		mm_plan_free(&plan);
		mm_recording_free(&rec);
	}
}

Test(order, a_change_waits_for_the_readers_since_the_last_change)
{
	trace_mmap(&t, 1, 1, A, PAGE, 3, 0x32, A);
	trace_fault(&t, 1, 2, A, 'w');
	trace_fault(&t, 1, 3, A, 'r');
	trace_munmap(&t, 1, 1, A, PAGE, 0);
	trace_plan(&t, &rec, &plan);
	check_eq(plan.steps[1].nr_preds, 1);
	check_eq(plan.steps[2].nr_preds, 1);
	check_eq(plan.steps[3].nr_preds, 2);
	mm_plan_free(&plan);
	mm_recording_free(&rec);
}

Test(order, what_was_waited_for_once_is_not_waited_for_again)
{
	trace_mmap(&t, 1, 1, A, 9 * PAGE, 3, 0x32, A);
	for (uint64_t i = 0; i < 9; i++)
		trace_fault(&t, 1, 2, A + i * PAGE, 'w');
	trace_plan(&t, &rec, &plan);
	check_eq(plan.nr_preds, 1);
	mm_plan_free(&plan);
	mm_recording_free(&rec);
}

/* Borders against an array of flags. */
Test(spanmap, next_finds_the_borders_that_are_there)
{
	enum { N = 5000 };
	static bool is_border[N];
	uint64_t seed = test_seed();
	struct mm_spanmap map;

	check_eq(mm_spanmap_init(&map, N), 0);
	memset(is_border, 0, sizeof(is_border));
	is_border[0] = true;
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t r = mm_random(seed, 3, i, 0);
		uint32_t at = (uint32_t)(r % N);
		uint32_t next = at + 1;

		if (r >> 40 & 1) {
			mm_spanmap_cut(&map, at);
			is_border[at] = true;
		} else if (at && is_border[at]) {
			mm_spanmap_join(&map, at);
			is_border[at] = false;
		}
		while (next < N && !is_border[next])
			next++;
		check_eq(mm_spanmap_next(&map, at), next);
	}
	mm_spanmap_free(&map);
}

Test(spanmap, a_cut_keeps_what_its_stretch_says)
{
	struct mm_spanmap map;

	check_eq(mm_spanmap_init(&map, 1000), 0);
	map.spans[0].changer = 5;
	mm_spanmap_cut(&map, 700);
	check_eq(map.spans[700].changer, 5);
	map.spans[700].changer = 6;
	mm_spanmap_cut(&map, 900);
	check_eq(map.spans[900].changer, 6);
	check_eq(map.spans[0].changer, 5);
	mm_spanmap_free(&map);
}
