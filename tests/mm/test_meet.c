/*
 * Goal: two operations inside together whose structure conflicts are a missed
 * conflict, whichever threads they are on; nothing else is.
 */
#include "tests/backend.h"

#include <string.h>

#include "minimm/oracle/meet.h"

#define PAGE	MM_PAGE_SIZE
#define BASE	UINT64_C(0x10000000000)

static struct meet *meet;
static const struct mm_observer *seen_by;
static char last_report[512];
static unsigned int nr_reports;

static void keep(void *arg, const char *text)
{
	(void)arg;
	nr_reports++;
	strncpy(last_report, text, sizeof(last_report) - 1);
}

static void begin(bool watches, unsigned int limit)
{
	struct meet_options options = { .nr_threads = 2, .report = keep,
					.watches_sections = watches,
					.nr_reports = limit };

	meet = meet_create(&options);
	check(meet);
	seen_by = meet_observer(meet);
	nr_reports = 0;
	last_report[0] = '\0';
}

static struct mm_op op_on(enum mm_kind kind, uint64_t page, uint64_t pages)
{
	struct mm_op op = { .kind = kind, .addr = BASE + page * PAGE,
			    .len = pages * PAGE };

	mm_op_footprint(&op);
	return op;
}

static void enter(struct mm_op *op)
{
	seen_by->enter(seen_by->ctx, op);
}

static void leave(struct mm_op *op)
{
	seen_by->leave(seen_by->ctx, op);
}

static void end_with(uint64_t missed, uint64_t violations)
{
	check_eq(meet_nr_missed(meet), missed);
	check_eq(meet_nr_violations(meet), violations);
	meet_destroy(meet);
}

Test(meet, who_conflicts_and_is_inside_too_is_found)
{
	struct mm_op one = op_on(MM_MUNMAP, 0, 4);
	struct mm_op two = op_on(MM_FAULT, 3, 1);

	begin(true, 0);
	enter(&one);
	enter(&two);
	check_str_eq(last_report, "missed conflict: fault 10000003000 runs "
		     "together with munmap 10000000000");
	leave(&one);
	enter(&one);
	end_with(2, 0);
}

Test(meet, who_has_left_or_is_elsewhere_is_not)
{
	struct mm_op one = op_on(MM_MUNMAP, 0, 4);
	struct mm_op beside = op_on(MM_MUNMAP, 4, 4);
	struct mm_op reader = op_on(MM_FAULT, 2, 1);
	struct mm_op too = op_on(MM_FAULT, 2, 1);

	begin(true, 0);
	enter(&one);
	enter(&beside);
	leave(&one);
	enter(&reader);
	leave(&beside);
	enter(&too);
	end_with(0, 0);
}

Test(meet, a_downgraded_one_lets_readers_in)
{
	struct mm_op one = op_on(MM_MUNMAP, 0, 4);
	struct mm_op reader = op_on(MM_FAULT, 2, 1);

	begin(true, 0);
	enter(&one);
	for (unsigned int i = 0; i < one.footprint.nr; i++)
		if (one.footprint.extents[i].aspect != MM_ENTRIES)
			one.footprint.extents[i].touch = MM_READS;
	seen_by->downgraded(seen_by->ctx, &one);
	enter(&reader);
	end_with(0, 0);
}

Test(meet, what_an_operation_becomes_is_its_own_until_it_says_so)
{
	struct mm_op one = op_on(MM_MUNMAP, 0, 4);
	struct mm_op reader = op_on(MM_FAULT, 2, 1);

	begin(true, 0);
	enter(&one);
	one.footprint.nr = 0;
	enter(&reader);
	end_with(1, 0);
}

Test(meet, more_operations_than_threads_are_a_violation)
{
	struct mm_op ops[3];

	begin(true, 0);
	for (unsigned int i = 0; i < 3; i++) {
		ops[i] = op_on(MM_MUNMAP, i, 1);
		enter(&ops[i]);
	}
	leave(&ops[2]);
	end_with(0, 1);
}

Test(meet, all_violations_are_counted_and_some_are_told)
{
	struct mm_op op = op_on(MM_FAULT, 1, 1);

	begin(false, 2);
	check(!seen_by->enter && !seen_by->leave && !seen_by->downgraded);
	seen_by->violation(seen_by->ctx, &op, "I1 broken");
	check_str_eq(last_report, "I1 broken (fault 10000001000)");
	seen_by->violation(seen_by->ctx, NULL, "I6 broken");
	check_str_eq(last_report, "I6 broken");
	meet_violation(meet, "another");
	check_eq(nr_reports, 2);
	end_with(0, 3);
}
