/*
 * racy.c - the synthetic racing workload
 *
 * The pages lie right below mmap_top, so that unknown addresses are chosen among
 * them; the heap and a stack have a few pages of their own.  Weak spot: what a
 * thread does depends on its own generator alone, not on what it finds, so many
 * operations fail (which is a race worth having, too).
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/oracle/racy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/mm/mm.h"
#include "minimm/sim/sim.h"

#define TOP		UINT64_C(0x7f0000000000)
#define HEAP		UINT64_C(0x10000000)
#define HEAP_PAGES	8u
#define STACK_TOP	UINT64_C(0x20000000)
#define STACK_PAGES	16u
#define GAP_NS		3000u		/* the longest pause between operations */
#define LONGEST_RANGE	8u		/* pages */

struct racy {
	struct racy_options options;
	struct sim *sim;
	struct oracle *oracle;
	struct mm *mm;
	struct mm_file *files[2];	/* coarse and fine driver */
	uint64_t base;
};

struct racer {
	struct racy *racy;
	uint64_t state;
	struct mm_op op;
};

static const struct mm_vm_ops fine_file_ops = {
	.name = "fine-file",
	.fine_is_fine = true,
};

/* Below n; splitmix64. */
static uint64_t draw(struct racer *r, uint64_t n)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

static uint64_t draw_page(struct racer *r)
{
	return r->racy->base +
	       draw(r, r->racy->options.nr_pages) * MM_PAGE_SIZE;
}

/* addr and len: some pages of the race. */
static void draw_range(struct racer *r)
{
	uint64_t page = draw(r, r->racy->options.nr_pages);
	uint64_t left = r->racy->options.nr_pages - page;
	uint64_t n = 1 + draw(r, LONGEST_RANGE);

	r->op.addr = r->racy->base + page * MM_PAGE_SIZE;
	r->op.len = (n < left ? n : left) * MM_PAGE_SIZE;
}

static uint32_t draw_prot(struct racer *r)
{
	static const uint32_t prots[] = {
		MM_VM_READ | MM_VM_WRITE, MM_VM_READ | MM_VM_WRITE, MM_VM_READ,
		0, MM_VM_READ | MM_VM_EXEC,
	};

	return prots[draw(r, sizeof(prots) / sizeof(prots[0]))];
}

static void draw_mmap(struct racer *r)
{
	struct mm_op *op = &r->op;

	op->kind = MM_MMAP;
	op->flags = MM_MAP_PRIVATE | MM_MAP_NORESERVE;
	op->prot = draw_prot(r);
	draw_range(r);
	if (draw(r, 4)) {
		op->flags |= MM_MAP_ANONYMOUS;
	} else {
		op->file = r->racy->files[draw(r, 2)];
		op->offset = draw(r, 8) * MM_PAGE_SIZE;
	}
	if (!draw(r, 4))
		op->flags |= MM_MAP_POPULATE;
	switch (draw(r, 4)) {
	case 0:
		op->addr = 0;
		break;
	case 1:
		op->flags |= MM_MAP_NOREPLACE;
		break;
	default:
		op->flags |= MM_MAP_FIXED;
		break;
	}
}

static void draw_mremap(struct racer *r)
{
	struct mm_op *op = &r->op;

	op->kind = MM_MREMAP;
	draw_range(r);
	op->new_len = (1 + draw(r, LONGEST_RANGE)) * MM_PAGE_SIZE;
	op->flags = draw(r, 3) ? MM_REMAP_MAYMOVE : 0;
	if (op->flags && !draw(r, 2)) {
		op->flags |= MM_REMAP_FIXED;
		op->new_addr = draw_page(r);
		if (op->new_addr + op->new_len > TOP)
			op->new_addr = TOP - op->new_len;
	}
}

static void draw_fault(struct racer *r)
{
	struct mm_op *op = &r->op;

	op->kind = MM_FAULT;
	op->access = (enum mm_access)draw(r, 3);
	op->needs_io = !draw(r, 16);
	switch (draw(r, 16)) {
	case 0:
		op->addr = STACK_TOP - (1 + draw(r, STACK_PAGES)) * MM_PAGE_SIZE;
		break;
	case 1:
		op->addr = HEAP + draw(r, HEAP_PAGES) * MM_PAGE_SIZE;
		break;
	default:
		op->addr = draw_page(r) + draw(r, MM_PAGE_SIZE);
		break;
	}
}

static void draw_simple(struct racer *r, enum mm_kind kind)
{
	struct mm_op *op = &r->op;

	op->kind = kind;
	draw_range(r);
	if (kind == MM_MPROTECT)
		op->prot = draw_prot(r);
	if (kind == MM_MADVISE)
		op->advice = draw(r, 2) ? MM_ADV_DONTNEED : MM_ADV_NOHUGEPAGE;
}

static void draw_brk(struct racer *r)
{
	r->op.kind = MM_BRK;
	r->op.addr = HEAP + draw(r, HEAP_PAGES) * MM_PAGE_SIZE;
}

/* The stack goes away and comes back, as one page that may grow. */
static void draw_stack(struct racer *r)
{
	struct mm_op *op = &r->op;

	op->kind = MM_MMAP;
	op->flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS | MM_MAP_FIXED |
		    MM_MAP_GROWSDOWN | MM_MAP_NORESERVE;
	op->prot = MM_VM_READ | MM_VM_WRITE;
	op->addr = STACK_TOP - MM_PAGE_SIZE * STACK_PAGES;
	op->len = MM_PAGE_SIZE * STACK_PAGES;
	if (draw(r, 2)) {
		op->kind = MM_MUNMAP;
		op->len = MM_PAGE_SIZE * (STACK_PAGES - 1);
	} else {
		op->addr = STACK_TOP - MM_PAGE_SIZE;
		op->len = MM_PAGE_SIZE;
	}
}

static void draw_operation(struct racer *r)
{
	uint64_t x = draw(r, 200);

	r->op = (struct mm_op){ .kind = MM_FAULT };
	if (x < 90)
		draw_fault(r);
	else if (x < 120)
		draw_mmap(r);
	else if (x < 140)
		draw_simple(r, MM_MUNMAP);
	else if (x < 158)
		draw_simple(r, MM_MPROTECT);
	else if (x < 168)
		draw_simple(r, MM_MADVISE);
	else if (x < 172)
		draw_simple(r, MM_MLOCK);
	else if (x < 176)
		draw_simple(r, MM_MUNLOCK);
	else if (x < 184)
		draw_mremap(r);
	else if (x < 192)
		draw_brk(r);
	else if (x < 195)
		draw_stack(r);
	else if (x < 197)
		r->op.kind = MM_MAPS;
	else if (x < 199)
		draw_simple(r, MM_PS);
	else
		r->op.kind = MM_FORK;
}

static void race(void *arg)
{
	struct racer *r = arg;
	struct racy *racy = r->racy;

	for (unsigned int i = 0; i < racy->options.nr_operations; i++) {
		sim_sleep(racy->sim, draw(r, GAP_NS));
		draw_operation(r);
		oracle_run(racy->oracle, racy->mm, &r->op);
		if (r->op.child)
			mm_destroy(r->op.child);
	}
}

static void describe(void *arg, char *text, size_t size)
{
	const struct racer *r = arg;

	snprintf(text, size, "%s [0x%llx, +0x%llx)", mm_kind_name(r->op.kind),
		 (unsigned long long)r->op.addr, (unsigned long long)r->op.len);
}

/* ---- Running it ---- */

static void set_defaults(struct racy_options *o)
{
	if (!o->nr_threads)
		o->nr_threads = 16;
	if (!o->nr_cpus)
		o->nr_cpus = 8;
	if (!o->nr_operations)
		o->nr_operations = 200;
	if (!o->nr_pages)
		o->nr_pages = 48;
}

struct lines {
	struct racy *racy;
	char line[512];
	size_t used;
};

/* Report a dump line by line. */
static void report_lines(void *arg, const char *text, size_t length)
{
	struct lines *l = arg;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n' && l->used < sizeof(l->line) - 1) {
			l->line[l->used++] = text[i];
			continue;
		}
		l->line[l->used] = '\0';
		l->used = 0;
		if (l->racy->options.report)
			l->racy->options.report(l->racy->options.report_arg,
						l->line);
	}
}

static int run_racers(struct racy *racy, struct racer *racers)
{
	struct lines l = { .racy = racy };
	int error;

	for (unsigned int i = 0; i < racy->options.nr_threads; i++) {
		racers[i].racy = racy;
		racers[i].state = racy->options.seed * 1000003u + i;
		if (!sim_spawn(racy->sim, i, race, &racers[i]))
			return ENOMEM;
	}
	error = sim_run(racy->sim);
	if (error != EDEADLK) {
		mm_check(racy->mm);
		return error;
	}
	oracle_violation(racy->oracle, "deadlock: nobody can run");
	sim_dump(racy->sim, report_lines, &l);
	rl_dump(&racy->mm->lock, report_lines, &l);
	rl_dump(&racy->mm->vma_lock, report_lines, &l);
	return EDEADLK;
}

static int set_up(struct racy *racy, struct sim_env *env)
{
	struct mm_config config = {
		.scheme = racy->options.scheme,
		.env = &env->env,
		.low = racy->base,
		.mmap_top = TOP,
		.brk_start = HEAP,
		.fault_window = racy->options.fault_window,
	};
	struct oracle_options oo = {
		.host = env->env.host,
		.report = racy->options.report,
		.report_arg = racy->options.report_arg,
	};

	racy->oracle = oracle_create(&oo);
	if (!racy->oracle)
		return ENOMEM;
	config.observer = oracle_observer(racy->oracle);
	racy->mm = mm_create(&config);
	racy->files[0] = mm_file_create(1, 64, &mm_file_ops);
	racy->files[1] = mm_file_create(2, 64, &fine_file_ops);
	return racy->mm && racy->files[0] && racy->files[1] ? 0 : ENOMEM;
}

/* After a deadlock operations stand in the middle of the address space: it is
 * left behind, as their stacks are. */
static void tear_down(struct racy *racy, int error)
{
	if (racy->mm && error != EDEADLK) {
		mm_destroy(racy->mm);
		for (unsigned int i = 0; i < 2; i++)
			if (racy->files[i])
				mm_file_put(racy->files[i]);
	}
	if (racy->oracle)
		oracle_destroy(racy->oracle);
}

int racy_run(const struct racy_options *options, struct oracle_result *result,
	     uint64_t *makespan_ns)
{
	struct racy racy = { .options = *options };
	struct sim_options so = { .describe = describe };
	struct sim_costs costs;
	struct sim_env env;
	struct racer *racers;
	int error;

	set_defaults(&racy.options);
	so.nr_cpus = racy.options.nr_cpus;
	racy.base = TOP - racy.options.nr_pages * MM_PAGE_SIZE;
	sim_costs_default(&costs);
	if (options->costs)
		costs = *options->costs;
	so.slice_ns = costs.slice_ns;
	racers = calloc(racy.options.nr_threads, sizeof(*racers));
	racy.sim = sim_create(&so);
	if (!racers || !racy.sim) {
		free(racers);
		if (racy.sim)
			sim_destroy(racy.sim);
		return ENOMEM;
	}
	sim_env_init(&env, racy.sim, &costs);
	error = set_up(&racy, &env);
	if (!error)
		error = run_racers(&racy, racers);
	if (makespan_ns)
		*makespan_ns = sim_now(racy.sim);
	if (racy.oracle)
		oracle_read(racy.oracle, result);
	result->latency = NULL;
	tear_down(&racy, error);
	sim_destroy(racy.sim);
	free(racers);
	return error == EDEADLK ? 0 : error;
}
