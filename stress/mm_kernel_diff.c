/*
 * mm_kernel_diff.c - the model against the running kernel, step by step
 *
 * Goal: on random scripts inside a carve-out the model gives the same result
 * and the same mappings as this kernel after every step.
 *
 *	mm_kernel_diff [--scripts N] [--steps N] [--seed S] [--scheme NAME]
 *
 * A script that differs is made shorter and printed as `minimm script' input.
 * Faults are real accesses: the signal says what the kernel answered.  An
 * address that the system chose outside of the carve-out is given back at once
 * on both sides.  Weak spot: brk is not tried: the heap is this program's.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "minimm/cmd/script_line.h"
#include "minimm/scheme/scheme.h"
#include "tests/model/kernel_side.h"

#define STEPS_MAX	200

struct script {
	struct mm_op ops[STEPS_MAX];
	unsigned int nr;
};

/* ---- The model's side ---- */

static struct mm_config config;
static bool violated;

static void tell_violation(void *ctx, struct mm_op *op, const char *text)
{
	(void)ctx;
	(void)op;
	violated = true;
	printf("# violation of %s\n", text);
}

static const struct mm_observer observer = { .violation = tell_violation };

static void add_span(void *arg, const struct mm_vma *vma)
{
	struct picture *p = arg;
	struct span *s = &p->spans[p->nr];

	if (!kernel_inside(vma->start) || p->nr == KERNEL_LINES - 1)
		return;
	s->start = vma->start;
	s->end = vma->end;
	s->prot[0] = vma->flags & MM_VM_READ ? 'r' : '-';
	s->prot[1] = vma->flags & MM_VM_WRITE ? 'w' : '-';
	s->prot[2] = vma->flags & MM_VM_EXEC ? 'x' : '-';
	s->prot[3] = vma->flags & MM_VM_MAYSHARE ? 's' : 'p';
	s->prot[4] = '\0';
	p->nr++;
}

static int64_t on_model(struct mm *mm, const struct mm_op *arguments)
{
	struct mm_op op = *arguments;

	mm_run(mm, &op);
	mm_destroy(op.child);
	return op.result;
}

/* ---- The two side by side ---- */

/* A place of the system's own choice is as good as any other: give it back. */
static bool escapes(const struct mm_op *op, int64_t result)
{
	return (op->kind == MM_MMAP || op->kind == MM_MREMAP) && result > 0 &&
	       !kernel_inside((uint64_t)result);
}

static void give_back(struct mm *mm, const struct mm_op *op, int64_t kernel,
		      int64_t model)
{
	uint64_t len = op->kind == MM_MREMAP ? op->new_len : op->len;
	struct mm_op unmap = { .kind = MM_MUNMAP, .addr = (uint64_t)model,
			       .len = len };

	munmap((void *)(uintptr_t)kernel, len);
	mm_run(mm, &unmap);
}

static bool same_picture(const struct picture *a, const struct picture *b)
{
	if (a->nr != b->nr)
		return false;
	for (unsigned int i = 0; i < a->nr; i++)
		if (a->spans[i].start != b->spans[i].start ||
		    a->spans[i].end != b->spans[i].end ||
		    strcmp(a->spans[i].prot, b->spans[i].prot) != 0)
			return false;
	return true;
}

struct outcome {
	unsigned int step;	/* the first that differs */
	int64_t kernel, model;
	struct picture kernel_maps, model_maps;
};

/* Returns: do the two agree on all of it? */
static bool agree(const struct script *s, struct outcome *o)
{
	struct mm *mm = mm_create(&config);
	bool same = true;

	munmap((void *)(uintptr_t)KERNEL_BASE, KERNEL_SIZE);
	for (unsigned int i = 0; i < s->nr && same; i++) {
		o->step = i;
		o->kernel = kernel_run(&s->ops[i]);
		o->model = on_model(mm, &s->ops[i]);
		if (escapes(&s->ops[i], o->kernel) &&
		    escapes(&s->ops[i], o->model)) {
			give_back(mm, &s->ops[i], o->kernel, o->model);
			o->model = o->kernel;
		}
		kernel_picture(&o->kernel_maps);
		o->model_maps.nr = 0;
		mm_visit_vmas(mm, add_span, &o->model_maps);
		same = o->kernel == o->model &&
		       same_picture(&o->kernel_maps, &o->model_maps);
	}
	mm_check(mm);
	if (violated)
		same = false;
	violated = false;
	mm_destroy(mm);
	munmap((void *)(uintptr_t)KERNEL_BASE, KERNEL_SIZE);
	return same;
}

static void print_side(const char *who, int64_t result, const struct picture *p)
{
	char text[MM_RESULT_TEXT];

	printf("# %s: = %s\n", who, mm_result_text(result, text, sizeof(text)));
	for (unsigned int i = 0; i < p->nr; i++)
		printf("#   %" PRIx64 "-%" PRIx64 " %s\n", p->spans[i].start,
		       p->spans[i].end, p->spans[i].prot);
}

/* Leave out what is not needed for a difference, and print the rest. */
static void report(struct script *s, struct outcome *o)
{
	char line[MM_SCRIPT_LINE];

	s->nr = o->step + 1;
	for (unsigned int i = 0; i < s->nr;) {
		struct script *less = malloc(sizeof(*less));
		bool still;

		if (!less)
			break;
		*less = *s;
		memmove(&less->ops[i], &less->ops[i + 1],
			(less->nr - i - 1) * sizeof(less->ops[0]));
		less->nr--;
		still = less->nr > 0 && !agree(less, o);
		if (still) {
			*s = *less;
			s->nr = o->step + 1;
		} else {
			i++;
		}
		free(less);
	}
	agree(s, o);
	for (unsigned int i = 0; i < s->nr; i++)
		printf("%s\n", mm_script_write_line(&s->ops[i], line, sizeof(line)));
	print_side("kernel", o->kernel, &o->kernel_maps);
	print_side("model", o->model, &o->model_maps);
}

/* ---- Random scripts ---- */

static uint64_t random_state;

static uint64_t rnd(uint64_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % n;
}

static bool one_in(uint64_t n)
{
	return rnd(n) == 0;
}

/* How a script likes its addresses and its flags. */
struct taste {
	uint64_t unit;		/* pages that things are apart */
	uint64_t nr_units;
	bool shared, accounted, stacks, odd;
};

static uint32_t random_prot(void)
{
	static const uint32_t prots[] = {
		MM_VM_READ | MM_VM_WRITE, MM_VM_READ | MM_VM_WRITE,
		MM_VM_READ | MM_VM_WRITE, MM_VM_READ, MM_VM_READ, 0,
		MM_VM_READ | MM_VM_EXEC, MM_VM_EXEC, MM_VM_WRITE,
		MM_VM_ACCESS, MM_VM_WRITE | MM_VM_EXEC,
	};

	return prots[rnd(sizeof(prots) / sizeof(prots[0]))];
}

static uint64_t random_addr(const struct taste *t)
{
	return KERNEL_BASE + rnd(t->nr_units) * t->unit * MM_PAGE_SIZE;
}

static uint64_t random_len(const struct taste *t)
{
	uint64_t units = one_in(3) ? 1 : 1 + rnd(t->nr_units / 3);

	return units * t->unit * MM_PAGE_SIZE;
}

static uint64_t odd_number(uint64_t n)
{
	switch (rnd(6)) {
	case 0:
		return n + 1 + rnd(MM_PAGE_SIZE - 1);
	case 1:
		return n - 1 - rnd(MM_PAGE_SIZE - 1);
	case 2:
		return 0;
	case 3:
		return UINT64_MAX - rnd(3 * MM_PAGE_SIZE);
	case 4:
		return MM_TASK_SIZE - rnd(3) * MM_PAGE_SIZE;
	default:
		return n;
	}
}

static uint32_t random_map_flags(const struct taste *t)
{
	uint32_t flags = MM_MAP_ANONYMOUS;

	flags |= t->shared && one_in(4) ? MM_MAP_SHARED : MM_MAP_PRIVATE;
	if (!t->accounted || one_in(8))
		flags |= MM_MAP_NORESERVE;
	if (!one_in(6))
		flags |= MM_MAP_FIXED;
	else if (one_in(2))
		flags |= MM_MAP_NOREPLACE;
	if (one_in(12))
		flags |= MM_MAP_POPULATE;
	if (one_in(16))
		flags |= MM_MAP_LOCKED;
	if (one_in(16))
		flags |= MM_MAP_STACK;
	if (t->stacks && one_in(3))
		flags |= MM_MAP_GROWSDOWN;
	if (t->odd && one_in(20))
		flags ^= 1u << rnd(6);
	if (t->odd && one_in(20))
		flags |= one_in(2) ? MM_MAP_NONBLOCK : MM_MAP_SYNC;
	return flags;
}

static void random_remap(const struct taste *t, struct mm_op *op)
{
	op->kind = MM_MREMAP;
	op->new_len = one_in(3) ? op->len : random_len(t);
	op->new_addr = random_addr(t);
	switch (rnd(8)) {
	case 0:
	case 1:
		op->flags = 0;
		break;
	case 2:
		op->flags = MM_REMAP_MAYMOVE;
		break;
	case 3:
		op->flags = MM_REMAP_MAYMOVE | MM_REMAP_DONTUNMAP;
		if (one_in(2))
			op->flags |= MM_REMAP_FIXED;
		op->new_len = op->len;
		break;
	default:
		op->flags = MM_REMAP_MAYMOVE | MM_REMAP_FIXED;
		break;
	}
	if (t->shared && one_in(8))
		op->len = 0;
	if (t->odd && one_in(10))
		op->flags = (uint32_t)rnd(9);
	if (t->odd && one_in(10))
		op->new_len = odd_number(op->new_len);
	if (t->odd && one_in(10))
		op->new_addr = odd_number(op->new_addr);
}

static void random_fault(const struct taste *t, struct mm_op *op)
{
	op->kind = MM_FAULT;
	op->access = one_in(8) ? MM_ACCESS_EXEC
		     : one_in(3) ? MM_ACCESS_READ : MM_ACCESS_WRITE;
	op->addr += rnd(t->unit) * MM_PAGE_SIZE + 8 * rnd(500);
}

static struct mm_op random_op(const struct taste *t)
{
	static const int32_t advices[] = {
		MM_ADV_DONTNEED, MM_ADV_DONTNEED, MM_ADV_FREE, MM_ADV_FREE,
		MM_ADV_DONTDUMP, MM_ADV_DODUMP, MM_ADV_NOHUGEPAGE, 77, 0,
	};
	struct mm_op op = { .addr = random_addr(t), .len = random_len(t),
			    .prot = random_prot() };
	uint64_t kind = rnd(100);

	if (kind < 25) {
		op.kind = MM_MMAP;
		op.flags = random_map_flags(t);
	} else if (kind < 35) {
		op.kind = MM_MUNMAP;
	} else if (kind < 53) {
		op.kind = MM_MPROTECT;
	} else if (kind < 68) {
		random_remap(t, &op);
	} else if (kind < 74) {
		op.kind = MM_MADVISE;
		op.advice = advices[rnd(sizeof(advices) / sizeof(advices[0]))];
	} else if (kind < 78) {
		op.kind = MM_MLOCK;
	} else if (kind < 81) {
		op.kind = MM_MUNLOCK;
	} else if (kind < 99 || !one_in(3)) {
		random_fault(t, &op);
		return op;
	} else {
		op.kind = MM_FORK;
	}
	if (t->odd && one_in(12))
		op.len = odd_number(op.len);
	/* munmap and mprotect of an odd address would hit this program. */
	if (t->odd && one_in(12))
		op.addr += 1 + rnd(MM_PAGE_SIZE - 1);
	return op;
}

/* Nothing may reach beyond the carve-out but what fails. */
static bool stays_kernel_inside(const struct mm_op *op)
{
	uint64_t len = op->len;

	if (op->kind == MM_MREMAP) {
		if (op->new_len > len)
			len = op->new_len;
		if (op->flags & MM_REMAP_FIXED && !kernel_inside(op->new_addr) &&
		    op->new_addr < MM_TASK_SIZE)
			return false;
		if (op->flags & MM_REMAP_FIXED &&
		    op->new_len > KERNEL_BASE + KERNEL_SIZE - op->new_addr)
			return false;
	}
	/* Huge lengths: what wraps, and is refused. */
	return len > UINT64_MAX - 4 * MM_PAGE_SIZE ||
	       len <= KERNEL_BASE + KERNEL_SIZE - op->addr;
}

static void random_script(struct script *s, unsigned int nr_steps)
{
	struct taste t = { .unit = 1, .nr_units = 24 };

	t.shared = one_in(3);
	t.accounted = one_in(2);
	t.odd = one_in(4);
	if (one_in(4)) {
		t.unit = 100;
		t.nr_units = 20;
		t.stacks = true;
	}
	for (s->nr = 0; s->nr < nr_steps;) {
		s->ops[s->nr] = random_op(&t);
		if (stays_kernel_inside(&s->ops[s->nr]))
			s->nr++;
	}
	if (!one_in(3)) {
		/* Most of what follows shall meet a mapping. */
		s->ops[0] = (struct mm_op){
			.kind = MM_MMAP, .addr = KERNEL_BASE,
			.len = t.unit * t.nr_units * MM_PAGE_SIZE,
			.prot = MM_VM_READ | MM_VM_WRITE,
			.flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS |
				 MM_MAP_FIXED |
				 (t.accounted ? 0 : MM_MAP_NORESERVE),
		};
	}
}

static uint64_t option(int argc, char **argv, const char *name, uint64_t value)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return strtoull(argv[i + 1], NULL, 0);
	return value;
}

int main(int argc, char **argv)
{
	uint64_t nr_scripts = option(argc, argv, "--scripts", 2000);
	uint64_t nr_steps = option(argc, argv, "--steps", 50);
	uint64_t seed = option(argc, argv, "--seed", 0);
	struct outcome *o = malloc(sizeof(*o));
	struct script *s = malloc(sizeof(*s));
	unsigned int nr_failed = 0;
	uint64_t i = 0;

	if (!o || !s || nr_steps == 0 || nr_steps > STEPS_MAX)
		return 2;
	if (seed == 0 && getenv("RL_SEED"))
		seed = strtoull(getenv("RL_SEED"), NULL, 0);
	if (seed == 0)
		seed = (uint64_t)time(NULL);
	printf("seed %" PRIu64 " (rerun with --seed %" PRIu64 ")\n", seed, seed);
	fflush(stdout);
	config.scheme = &mm_scheme_coarse;
	config.observer = &observer;
	for (int k = 1; k + 1 < argc; k++)
		if (strcmp(argv[k], "--scheme") == 0)
			config.scheme = mm_scheme_find(argv[k + 1],
						       strlen(argv[k + 1]));
	mm_script_machine(&config);
	kernel_catch_signals();
	for (i = 0; i < nr_scripts && nr_failed < 5; i++) {
		random_state = (seed * UINT64_C(0x2545f4914f6cdd1d) +
				i * UINT64_C(0x9e3779b97f4a7c15)) | 1;
		for (int k = 0; k < 10; k++)
			rnd(2);
		random_script(s, (unsigned int)nr_steps);
		if (agree(s, o))
			continue;
		nr_failed++;
		printf("# script %" PRIu64 " differs:\n", i);
		report(s, o);
		fflush(stdout);
	}
	printf("%" PRIu64 " passed, %u failed\n", i - nr_failed, nr_failed);
	free(s);
	free(o);
	return nr_failed ? 1 : 0;
}
