/*
 * Goal: the oracle judges by footprints: who waits for whom, truly or falsely,
 * why and how long; what an abort was owed to; sections that must not meet.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include "minimm/oracle/oracle.h"
#include "minimm/sim/sim.h"

#define PAGE	MM_PAGE_SIZE

static struct sim *sim;
static struct oracle *oracle;
static const struct mm_observer *seen_by;
static struct rangelock lk;
static struct oracle_result result;
static char last_report[512];

/* Stand-ins: the oracle never looks into an address space. */
static struct mm *const one_mm = (struct mm *)(uintptr_t)0x1000;
static struct mm *const other_mm = (struct mm *)(uintptr_t)0x2000;

static void keep(void *arg, const char *text)
{
	(void)arg;
	strncpy(last_report, text, sizeof(last_report) - 1);
}

static void begin(void)
{
	struct sim_options so = { .nr_cpus = 8 };
	struct oracle_options oo = { .report = keep };
	struct rl_options lo = RL_OPTIONS_INIT;

	sim = sim_create(&so);
	oo.host = sim_host(sim);
	oracle = oracle_create(&oo);
	seen_by = oracle_observer(oracle);
	lo.host = sim_host(sim);
	lo.bypass_ns = 0;
	check_eq(rl_init(&lk, &lo), 0);
	last_report[0] = '\0';
}

static void finish(void)
{
	check_eq(sim_run(sim), 0);
	oracle_read(oracle, &result);
}

static void clean_up(void)
{
	check_eq(rl_destroy(&lk), 0);
	oracle_destroy(oracle);
	sim_destroy(sim);
}

/* One operation: begin at at_ns, lock, hold, unlock, end. */
struct actor {
	struct mm_op op;
	struct mm *mm;
	uint64_t at_ns, hold_ns;
	uint64_t start, end;		/* what it locks; all if end is 0 */
	enum rl_mode mode;
	enum mm_wait_class class;
	const char *abort_why;		/* aborts when it holds */
	bool no_lock;
};

static int submit(struct actor *a, struct rl_range *r)
{
	uint64_t end = a->end ? a->end : RL_END;

	return a->mode == RL_READ ? rl_read_submit(&lk, r, a->start, end, NULL)
				  : rl_write_submit(&lk, r, a->start, end, NULL);
}

static void act(void *arg)
{
	struct actor *a = arg;
	struct mm_op *op = &a->op;
	struct rl_range *r = &op->locks[0].range;

	oracle_begin(oracle, a->mm ? a->mm : one_mm, op);
	op->locks[0].op = op;
	if (!a->no_lock && submit(a, r) == EINPROGRESS) {
		seen_by->queued(seen_by->ctx, op, &lk, r, a->class);
		check_eq(rl_wait(&lk, r), 0);
		seen_by->granted(seen_by->ctx, op, a->class);
	}
	seen_by->enter(seen_by->ctx, op);
	sim_spend(sim, a->hold_ns);
	if (a->abort_why)
		seen_by->aborted(seen_by->ctx, op, a->abort_why);
	seen_by->leave(seen_by->ctx, op);
	if (!a->no_lock)
		rl_unlock(&lk, r);
	oracle_end(oracle, op);
}

static void start(struct actor *a)
{
	sim_spawn(sim, a->at_ns, act, a);
}

static struct actor fault(uint64_t at_ns, uint64_t page)
{
	return (struct actor){
		.op = { .kind = MM_FAULT, .addr = page * PAGE },
		.at_ns = at_ns, .hold_ns = 100, .mode = RL_READ,
	};
}

static struct actor unmap(uint64_t at_ns, uint64_t page, uint64_t nr_pages)
{
	return (struct actor){
		.op = { .kind = MM_MUNMAP, .addr = page * PAGE,
			.len = nr_pages * PAGE },
		.at_ns = at_ns, .hold_ns = 1000, .mode = RL_WRITE,
	};
}

Test(oracle, a_wait_for_somebody_elsewhere_is_false)
{
	struct actor a = unmap(0, 10, 5), b = fault(200, 20);
	struct oracle_pair pair;

	begin();
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_waits[ORACLE_FALSE], 1);
	check_eq(result.wait_ns[ORACLE_FALSE], 800);
	check_eq(result.false_ns[ORACLE_GRAIN], 800);
	check_eq(result.nr_waits[ORACLE_TRUE], 0);
	check_eq(result.nr_operations, 2);
	check_eq(result.nr_missed, 0);
	check_eq(result.latency[MM_FAULT].max, 900);
	check_eq(oracle_pairs(oracle, &pair, 1), 1);
	check_eq(pair.waiter, MM_FAULT);
	check_eq(pair.blocker, MM_MUNMAP);
	check_eq(pair.wait_ns[ORACLE_FALSE], 800);
	clean_up();
}

Test(oracle, a_wait_for_the_same_page_is_true)
{
	struct actor a = unmap(0, 10, 5), b = fault(200, 14);

	begin();
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_waits[ORACLE_FALSE], 0);
	check_eq(result.nr_waits[ORACLE_TRUE], 1);
	check_eq(result.wait_ns[ORACLE_TRUE], 800);
	clean_up();
}

Test(oracle, the_page_behind_the_range_is_not_in_it)
{
	struct actor a = unmap(0, 10, 5), b = fault(200, 15), c = fault(300, 9);

	begin();
	start(&a);
	start(&b);
	start(&c);
	finish();
	check_eq(result.nr_waits[ORACLE_FALSE], 2);
	check_eq(result.nr_waits[ORACLE_TRUE], 0);
	clean_up();
}

Test(oracle, one_true_blocker_of_two_makes_it_true)
{
	struct actor a = unmap(0, 10, 1), b = unmap(100, 20, 1);
	struct actor c = fault(200, 20);

	begin();		/* c waits for a, who holds, and b, who waits */
	start(&a);
	start(&b);
	start(&c);
	finish();
	check_eq(result.nr_waits[ORACLE_TRUE], 1);
	check_eq(result.wait_ns[ORACLE_TRUE], 1800);
	check_eq(result.wait_ns[ORACLE_FALSE], 900);
	clean_up();
}

Test(oracle, a_window_that_is_too_large_is_told_from_a_coarse_lock)
{
	struct actor a = unmap(0, 10, 1), b = fault(200, 11);

	begin();
	a.start = 10 * PAGE;
	a.end = 11 * PAGE;
	b.start = 0;
	b.end = 512 * PAGE;
	start(&a);
	start(&b);
	finish();
	check_eq(result.false_ns[ORACLE_WINDOW], 800);
	check_eq(result.false_ns[ORACLE_GRAIN], 0);
	clean_up();
}

Test(oracle, waiting_behind_a_waiter_only_is_told_as_order)
{
	struct actor a = fault(0, 1), b = unmap(10, 5, 1), c = fault(20, 9);

	begin();
	start(&a);
	start(&b);
	start(&c);
	finish();
	check_eq(result.false_ns[ORACLE_ORDER], 1080);
	check_eq(result.false_ns[ORACLE_GRAIN], 90);
	clean_up();
}

Test(oracle, short_waits_stand_apart)
{
	struct actor a = unmap(0, 10, 5), b = fault(200, 14);

	begin();
	b.class = MM_WAIT_SHORT;
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_short, 1);
	check_eq(result.short_ns, 800);
	check_eq(result.nr_waits[ORACLE_TRUE] + result.nr_waits[ORACLE_FALSE], 0);
	clean_up();
}

static void check_abort(uint64_t unmapped, uint64_t faulted, uint64_t at_ns,
			enum oracle_truth want)
{
	struct actor a = unmap(0, unmapped, 1), b = fault(at_ns, faulted);
	struct oracle_cause cause;

	begin();
	a.hold_ns = 50;
	a.no_lock = b.no_lock = true;
	b.abort_why = "a test";
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_aborts[want], 1);
	check_eq(result.nr_aborts[!want], 0);
	check_eq(oracle_causes(oracle, &cause, 1), 1);
	check_str_eq(cause.why, "a test");
	check_eq(cause.kind, MM_FAULT);
	check_eq(cause.nr_aborts[want], 1);
	clean_up();
}

Test(oracle, an_abort_is_true_if_somebody_who_conflicts_ran_meanwhile)
{
	check_abort(10, 10, 20, ORACLE_TRUE);	/* ended since it began */
	check_abort(10, 11, 20, ORACLE_FALSE);	/* another page */
	check_abort(10, 10, 60, ORACLE_FALSE);	/* ended before it began */
}

Test(oracle, sections_that_conflict_and_meet_are_missed_and_named)
{
	struct actor a = unmap(0, 16, 2), b = fault(5, 17);

	begin();
	a.no_lock = b.no_lock = true;
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_missed, 1);
	check_str_eq(last_report, "missed conflict at 5 ns: fault [0x11000, "
		     "0x11001) runs together with munmap [0x10000, 0x12000)");
	clean_up();
}

Test(oracle, two_address_spaces_never_meet)
{
	struct actor a = unmap(0, 16, 2), b = fault(5, 17);

	begin();
	a.no_lock = b.no_lock = true;
	b.mm = other_mm;
	b.abort_why = "a test";
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_missed, 0);
	check_eq(result.nr_aborts[ORACLE_FALSE], 1);
	clean_up();
}

Test(oracle, two_faults_on_one_page_do_not_conflict)
{
	struct actor a = fault(0, 3), b = fault(5, 3);

	begin();
	a.no_lock = b.no_lock = true;
	start(&a);
	start(&b);
	finish();
	check_eq(result.nr_missed, 0);
	clean_up();
}

Test(oracle, violations_are_counted_and_reported)
{
	begin();
	oracle_violation(oracle, "I7 something");
	finish();
	check_eq(result.nr_violations, 1);
	check_str_eq(last_report, "I7 something");
	clean_up();
}
