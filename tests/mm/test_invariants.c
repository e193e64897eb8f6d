/*
 * Goal: what must not happen is noticed: each invariant's check fires when a
 * scheme, or a hand in the wrong place, breaks it.
 */
#include "tests/backend.h"

#include <string.h>

#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"
#include "tests/mm/space_of.h"

#define BASE	UINT64_C(0x10000000000)
#define PAGE	MM_PAGE_SIZE
#define MAP	"mmap 0x10000000000 0x4000 rw- private,anonymous,noreserve,fixed"

static struct space s;

static void expect_violation(const char *number)
{
	check_msg(strncmp(s.violation, number, strlen(number)) == 0,
		  "%s was expected, not: %s", number, s.violation);
	s.violation[0] = '\0';
	s.nr_violations = 0;
}

static void put_entry(uint64_t addr, uint64_t pte)
{
	struct mm_leaf *leaf = mm_pt_leaf(&s.mm->root, addr);

	mm_leaf_lock(leaf);
	mm_leaf_set(leaf, addr, pte);
	mm_leaf_unlock(leaf);
}

Test(invariants, a_page_outside_of_all_mappings_is_noticed)
{
	space_open(&s, &mm_scheme_coarse, NULL);
	put_entry(BASE, MM_PTE_PRESENT);
	check_ne(mm_check(s.mm), 0u);
	expect_violation("I1");
	space_do(&s, MAP);
	expect_violation("I1");
	put_entry(BASE, 0);
	space_close(&s);
}

Test(invariants, a_page_of_an_older_mapping_is_noticed)
{
	space_open(&s, &mm_scheme_coarse, NULL);
	space_do(&s, MAP);
	space_do(&s, "munmap 0x10000000000 0x4000");
	space_do(&s, MAP);
	put_entry(BASE, MM_PTE_PRESENT | MM_PTE_STAMP(1));
	space_do(&s, "fault 0x10000000000 r");
	expect_violation("I4");
	put_entry(BASE, 0);
	space_close(&s);
}

Test(invariants, a_page_that_can_be_written_and_should_not_is_noticed)
{
	space_open(&s, &mm_scheme_coarse, NULL);
	space_do(&s, MAP);
	space_do(&s, "fault 0x10000000000 w");
	space_do(&s, "mprotect 0x10000000000 0x1000 r--");
	put_entry(BASE, mm_pt_read(&s.mm->root, BASE) | MM_PTE_WRITE);
	space_do(&s, "fault 0x10000000000 r");
	expect_violation("I3");
	mm_check(s.mm);
	expect_violation("I3");
	put_entry(BASE, mm_pt_read(&s.mm->root, BASE) & ~(uint64_t)MM_PTE_WRITE);
	space_close(&s);
}

/* ---- The second look of a fault ---- */

/* While the page is read in somebody else runs line. */
static const char *meanwhile;

static void run_meanwhile(void *ctx, uint64_t pages)
{
	struct space *space = ctx;
	const char *line = meanwhile;

	(void)pages;
	meanwhile = NULL;
	if (line)
		space_do(space, line);
}

static int64_t fault_with_io(const struct mm_scheme *scheme, const char *line)
{
	struct mm_op fault = { .kind = MM_FAULT, .addr = BASE,
			       .access = MM_ACCESS_WRITE, .needs_io = true };

	space_open(&s, scheme, NULL);
	s.env.io = run_meanwhile;
	space_do(&s, MAP);
	meanwhile = line;
	mm_run(s.mm, &fault);
	return fault.result;
}

Test(invariants, a_fault_that_dropped_its_lock_looks_again)
{
	check_eq(fault_with_io(&mm_scheme_coarse_mitigated,
			       "munmap 0x10000000000 0x1000"), MM_SEGV_MAPERR);
	space_close(&s);
	check_eq(fault_with_io(&mm_scheme_coarse_mitigated,
			       "mprotect 0x10000000000 0x1000 r--"),
		 MM_SEGV_ACCERR);
	space_close(&s);
	check_eq(fault_with_io(&mm_scheme_coarse_mitigated, NULL), 0);
	check_eq(s.mm->nr_entries, 1u);
	space_close(&s);
}

Test(invariants, a_mapping_that_goes_under_a_fault_is_noticed)
{
	check_eq(fault_with_io(&mm_scheme_none, "munmap 0x10000000000 0x1000"),
		 MM_SEGV_MAPERR);
	expect_violation("I1");
	space_close(&s);
	check_eq(fault_with_io(&mm_scheme_none,
			       "mprotect 0x10000000000 0x1000 r--"),
		 MM_SEGV_ACCERR);
	expect_violation("I2");
	space_close(&s);
}

/* ---- Markers ---- */

Test(invariants, a_pending_range_is_given_to_nobody_else)
{
	struct mm_op a = { .kind = MM_MMAP, .len = 2 * PAGE, .prot = MM_VM_READ,
			   .flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS };
	struct mm_op b = a;

	space_open(&s, &mm_scheme_none, NULL);
	check_eq(mm_pick_address(s.mm, &a, true), 0);
	check_eq(mm_pick_address(s.mm, &b, true), 0);
	check(a.is_marked && b.is_marked);
	check_eq(b.target, a.target - 2 * PAGE);
	/* A hint onto it is not taken either. */
	mm_unpick(s.mm, &b);
	b.addr = a.target;
	check_eq(mm_pick_address(s.mm, &b, true), 0);
	check_eq(b.target, a.target - 2 * PAGE);
	mm_unpick(s.mm, &a);
	mm_unpick(s.mm, &b);
	space_close(&s);
}

/* A scheme that loses its marker to a fixed mapping, once. */
static void pick_and_lose(struct mm *mm, struct mm_op *op)
{
	if (!mm_op_picks(op))
		return;
	mm_pick_address(mm, op, true);
	if (op->nr_retries == 0)
		rl_pending_supersede(&mm->pending, op->target, op->target + PAGE);
}

static const struct mm_scheme loser = {
	.name = "loser",
	.begin = { [MM_MMAP] = pick_and_lose },
};

Test(invariants, who_lost_his_marker_starts_over)
{
	space_open(&s, &loser, NULL);
	space_do(&s, "mmap 0 0x2000 rw- private,anonymous");
	check_eq(s.nr_aborted, 1u);
	check_eq(mm_nr_vmas(s.mm), 1u);
	space_close(&s);
}

Test(invariants, a_marker_that_is_left_is_noticed)
{
	struct mm_op a = { .kind = MM_MMAP, .len = PAGE,
			   .flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS };

	space_open(&s, &mm_scheme_none, NULL);
	mm_pick_address(s.mm, &a, true);
	mm_check(s.mm);
	expect_violation("I7");
	mm_unpick(s.mm, &a);
	space_close(&s);
}

/* ---- The short lock ---- */

Test(invariants, long_work_under_the_short_lock_is_noticed)
{
	struct mm_op op = { .kind = MM_MUNMAP };

	space_open(&s, &mm_scheme_coarse, NULL);
	mm_short_lock(s.mm, &op);
	mm_spend(s.mm, &op, MM_COST_VMA_UPDATE, 1);
	check_str_eq(s.violation, "");
	mm_spend(s.mm, &op, MM_COST_ZAP_PAGE, 1);
	expect_violation("I16");
	mm_io(s.mm, &op, 1);
	expect_violation("I16");
	mm_short_unlock(s.mm, &op);
	space_close(&s);
}

Test(invariants, waiting_for_a_range_under_the_short_lock_is_noticed)
{
	struct mm_op op = { .kind = MM_MUNMAP };

	space_open(&s, &mm_scheme_coarse, NULL);
	mm_short_lock(s.mm, &op);
	mm_lock(s.mm, &op, 0, MM_SITE_MUNMAP, RL_WRITE, BASE, BASE + PAGE);
	expect_violation("I13");
	mm_unlock_all(s.mm, &op);
	mm_short_unlock(s.mm, &op);
	space_close(&s);
}
