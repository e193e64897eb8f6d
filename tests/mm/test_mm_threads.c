/*
 * Goal: on real threads, under every scheme, operations on the same few pages
 * break no invariant, and nothing is left behind.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "minimm/env/atomic.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/scheme.h"

#define BASE	UINT64_C(0x10000000000)
#define PAGE	MM_PAGE_SIZE
#define PAGES	16u
#define THREADS	4

static struct mm *mm;
static uint64_t seed, nr_broken;
static uint64_t rounds;

static void count_violation(void *ctx, struct mm_op *op, const char *text)
{
	(void)ctx;
	if (mm_add_relaxed(&nr_broken, 1) < 5)
		fprintf(stderr, "%s: %s\n", op ? mm_kind_name(op->kind) : "check",
			text);
}

static const struct mm_observer observer = { .violation = count_violation };

struct worker {
	pthread_t thread;
	uint64_t state;
};

static uint64_t rnd(struct worker *w, uint64_t n)
{
	w->state ^= w->state << 13;
	w->state ^= w->state >> 7;
	w->state ^= w->state << 17;
	return (w->state >> 11) % n;
}

static void choose(struct worker *w, struct mm_op *op)
{
	static const enum mm_kind kinds[] = {
		MM_FAULT, MM_FAULT, MM_FAULT, MM_FAULT, MM_FAULT, MM_FAULT,
		MM_MMAP, MM_MMAP, MM_MUNMAP, MM_MUNMAP, MM_MPROTECT,
		MM_MPROTECT, MM_MADVISE, MM_MREMAP, MM_MLOCK, MM_MUNLOCK,
		MM_BRK, MM_MAPS, MM_PS, MM_FORK,
	};

	*op = (struct mm_op){
		.kind = kinds[rnd(w, sizeof(kinds) / sizeof(kinds[0]))],
		.access = (enum mm_access)rnd(w, 2),
		.addr = BASE + rnd(w, PAGES) * PAGE,
		.len = (1 + rnd(w, 4)) * PAGE,
		.prot = rnd(w, 3) ? MM_VM_READ | MM_VM_WRITE : MM_VM_READ,
		.needs_io = rnd(w, 8) == 0,
		.advice = MM_ADV_DONTNEED,
	};
	if (op->kind == MM_MMAP) {
		op->flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS;
		if (rnd(w, 2))
			op->flags |= MM_MAP_FIXED;
		else if (rnd(w, 4))
			op->addr = 0;
	} else if (op->kind == MM_MREMAP) {
		op->new_len = (1 + rnd(w, 4)) * PAGE;
		op->flags = (uint32_t)rnd(w, 4);
		op->new_addr = BASE + rnd(w, PAGES) * PAGE;
	} else if (op->kind == MM_BRK) {
		op->addr = MM_DEFAULT_BREAK + rnd(w, 8) * PAGE;
	} else if (op->kind == MM_FORK && rnd(w, 10)) {
		op->kind = MM_FAULT;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct mm_op op;

	for (uint64_t n = 0; n < rounds; n++) {
		choose(w, &op);
		mm_run(mm, &op);
		if (op.child) {
			mm_check(op.child);
			mm_destroy(op.child);
		}
		/* Choices would pile up. */
		if (op.kind == MM_MMAP && op.result > 0 &&
		    op.result >= (int64_t)(BASE + 2 * PAGES * PAGE)) {
			struct mm_op back = { .kind = MM_MUNMAP,
					      .addr = (uint64_t)op.result,
					      .len = op.len };

			mm_run(mm, &back);
		}
	}
	return NULL;
}

static void run_threads(const struct mm_scheme *scheme)
{
	const struct mm_config config = { .scheme = scheme,
					  .observer = &observer };
	struct worker workers[THREADS];

	seed = test_seed() | 1;
	rounds = test_rounds(5000);
	nr_broken = 0;
	mm = mm_create(&config);
	check(mm);
	for (int i = 0; i < THREADS; i++) {
		workers[i].state = seed * UINT64_C(0x2545f4914f6cdd1d) +
				   (uint64_t)i * 77777 + 1;
		check_eq(pthread_create(&workers[i].thread, NULL, work,
					&workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		check_eq(pthread_join(workers[i].thread, NULL), 0);
	mm_check(mm);
	check_eq(nr_broken, 0u);
	mm_destroy(mm);
}

Test(mm_threads, coarse_breaks_nothing)
{
	run_threads(&mm_scheme_coarse);
}

Test(mm_threads, coarse_mitigated_breaks_nothing)
{
	run_threads(&mm_scheme_coarse_mitigated);
}

Test(mm_threads, range_breaks_nothing)
{
	run_threads(&mm_scheme_range);
}

Test(mm_threads, range_full_breaks_nothing)
{
	run_threads(&mm_scheme_range_full);
}
