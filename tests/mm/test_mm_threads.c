/*
 * Goal: on real threads, under every scheme, operations on the same few pages
 * break no invariant, no two that conflict are inside together, and nothing is
 * left behind.
 */
#include "tests/backend.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "minimm/mm/mm.h"
#include "minimm/oracle/meet.h"
#include "minimm/scheme/scheme.h"

#define BASE	UINT64_C(0x10000000000)
#define PAGE	MM_PAGE_SIZE
#define PAGES	16u
#define THREADS	4

static struct mm *mm;
static uint64_t rounds;

static void say(void *arg, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s\n", text);
}

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

static void play(const struct mm_scheme *scheme, bool watches_sections,
		 uint64_t seed)
{
	const struct meet_options options = {
		.nr_threads = THREADS, .nr_reports = 5, .report = say,
		.watches_sections = watches_sections,
	};
	struct meet *meet = meet_create(&options);
	struct mm_config config = { .scheme = scheme };
	struct worker workers[THREADS];

	check(meet);
	config.observer = meet_observer(meet);
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
	check_eq(meet_nr_missed(meet), 0);
	check_eq(meet_nr_violations(meet), 0);
	mm_destroy(mm);
	meet_destroy(meet);
}

/* Watched sections meet at a mutex; the other half of the rounds do not. */
static void run_threads(const struct mm_scheme *scheme)
{
	uint64_t seed = test_seed() | 1;

	rounds = test_rounds(2500);
	play(scheme, false, seed);
	play(scheme, true, seed);
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
