/*
 * Goal: markers never overlap, are superseded whole, and tell their owners; a
 * child of fork() can begin anew.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rangelock/pending.h>

#include "rangelock/lock/pending.h"
#include "rangelock/tree/itree.h"

Test(pending, marker_stands_until_it_is_ended)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p = RL_PENDING_INIT;

	check(!rl_pending_still(&p));
	check_eq(rl_pending_mark(&set, &p, RL_PENDING_MAP, 10, 20), 0);
	check(rl_pending_still(&p));
	check_eq(set.nr_markers, 1);
	check_eq(rl_pending_commit(&p), 0);
	check(!rl_pending_still(&p));
	check_eq(set.nr_markers, 0);
	check_eq(rl_pending_mark(&set, &p, RL_PENDING_UNMAP, 0, RL_END), 0);
	check_eq(rl_pending_abandon(&p), 0);
	check_eq(set.nr_markers, 0);
	check_eq(set.nr_marked, 2);
	check_eq(set.nr_superseded, 0);
}

Test(pending, markers_do_not_overlap)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending a = RL_PENDING_INIT, b = RL_PENDING_INIT;

	check_eq(rl_pending_mark(&set, &a, RL_PENDING_MAP, 10, 20), 0);
	check_eq(rl_pending_mark(&set, &b, RL_PENDING_MAP, 19, 30), EBUSY);
	check_eq(rl_pending_mark(&set, &b, RL_PENDING_MAP, 0, 11), EBUSY);
	check_eq(rl_pending_mark(&set, &b, RL_PENDING_MAP, 20, 30), 0);
	check_eq(rl_pending_commit(&b), 0);
	check_eq(rl_pending_commit(&a), 0);
	check_eq(rl_pending_mark(&set, &a, RL_PENDING_UNMAP, 10, 20), 0);
	check_eq(rl_pending_mark(&set, &b, RL_PENDING_MAP, 10, 20), EBUSY);
	check_eq(rl_pending_mark(&set, &b, RL_PENDING_UNMAP, 10, 20), EBUSY);
	check(!rl_pending_still(&b));
	check_eq(rl_pending_abandon(&a), 0);
}

Test(pending, unmap_over_maps_supersedes_all_of_them)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending maps[3], unmap = RL_PENDING_INIT;

	memset(maps, 0, sizeof(maps));
	for (uint64_t i = 0; i < 3; i++)
		check_eq(rl_pending_mark(&set, &maps[i], RL_PENDING_MAP,
					 10 * i, 10 * i + 10), 0);
	check_eq(rl_pending_mark(&set, &unmap, RL_PENDING_UNMAP, 5, 15), 0);
	check(!rl_pending_still(&maps[0]));
	check(!rl_pending_still(&maps[1]));
	check(rl_pending_still(&maps[2]));
	check_eq(rl_pending_commit(&maps[0]), ESTALE);
	check_eq(rl_pending_abandon(&maps[1]), ESTALE);
	check_eq(rl_pending_commit(&maps[2]), 0);
	check_eq(set.nr_superseded, 2);
	check_eq(rl_pending_commit(&unmap), 0);
	check_eq(set.root, (struct rl_node *)NULL);
}

Test(pending, refused_unmap_supersedes_nothing)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending map = RL_PENDING_INIT, unmap = RL_PENDING_INIT;
	struct rl_pending late = RL_PENDING_INIT;

	check_eq(rl_pending_mark(&set, &map, RL_PENDING_MAP, 0, 10), 0);
	check_eq(rl_pending_mark(&set, &unmap, RL_PENDING_UNMAP, 10, 20), 0);
	check_eq(rl_pending_mark(&set, &late, RL_PENDING_UNMAP, 5, 15), EBUSY);
	check(rl_pending_still(&map));
	check_eq(rl_pending_commit(&map), 0);
	check_eq(rl_pending_commit(&unmap), 0);
}

Test(pending, supersede_ends_maps_and_leaves_unmaps)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p[4];

	memset(p, 0, sizeof(p));
	for (uint64_t i = 0; i < 4; i++)
		check_eq(rl_pending_mark(&set, &p[i],
					 i == 1 ? RL_PENDING_UNMAP
						: RL_PENDING_MAP,
					 10 * i, 10 * i + 10), 0);
	check_eq(rl_pending_supersede(&set, 0, 30), 2);
	check_eq(rl_pending_supersede(&set, 0, 30), 0);
	check(!rl_pending_still(&p[0]));
	check(rl_pending_still(&p[1]));
	check(!rl_pending_still(&p[2]));
	check(rl_pending_still(&p[3]));
	check_eq(set.nr_superseded, 2);
	check_eq(rl_pending_commit(&p[1]), 0);
	check_eq(rl_pending_commit(&p[2]), ESTALE);
	check_eq(rl_pending_supersede(&set, 5, 5), 0);
	check_eq(rl_pending_supersede(NULL, 0, 5), 0);
}

Test(pending, bad_arguments_are_refused)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p = RL_PENDING_INIT;

	check_eq(rl_pending_mark(NULL, &p, RL_PENDING_MAP, 0, 1), EINVAL);
	check_eq(rl_pending_mark(&set, NULL, RL_PENDING_MAP, 0, 1), EINVAL);
	check_eq(rl_pending_mark(&set, &p, RL_PENDING_MAP, 1, 1), EINVAL);
	check_eq(rl_pending_mark(&set, &p, RL_PENDING_MAP, 2, 1), EINVAL);
	check_eq(rl_pending_mark(&set, &p, (enum rl_pending_kind)2, 0, 1),
		 EINVAL);
	check_eq(rl_pending_commit(NULL), EINVAL);
	check(!rl_pending_still(NULL));
}

Test(pending, marking_twice_aborts, .signal = SIGABRT)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p = RL_PENDING_INIT;

	check_eq(rl_pending_mark(&set, &p, RL_PENDING_MAP, 0, 1), 0);
	rl_pending_mark(&set, &p, RL_PENDING_MAP, 5, 6);
}

Test(pending, ending_twice_aborts, .signal = SIGABRT)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending p = RL_PENDING_INIT;

	check_eq(rl_pending_mark(&set, &p, RL_PENDING_MAP, 0, 1), 0);
	check_eq(rl_pending_commit(&p), 0);
	rl_pending_commit(&p);
}

/* What the header asks of a child. */
static void begin_anew(struct rl_pending_set *set, struct rl_pending *mine)
{
	struct rl_pending other = RL_PENDING_INIT;

	*set = (struct rl_pending_set)RL_PENDING_SET_INIT;
	*mine = (struct rl_pending)RL_PENDING_INIT;
	check(!rl_pending_still(mine));
	check_eq(rl_pending_mark(set, mine, RL_PENDING_MAP, 0, 30), 0);
	check_eq(rl_pending_mark(set, &other, RL_PENDING_MAP, 29, 40), EBUSY);
	check_eq(rl_pending_commit(mine), 0);
	check_eq(set->nr_markers, 0);
}

/* The guard is another thread's, and so is a marker: it is not in the child. */
Test(pending, a_child_that_zeroes_set_and_markers_begins_anew)
{
	struct rl_pending_set set = RL_PENDING_SET_INIT;
	struct rl_pending mine = RL_PENDING_INIT, others = RL_PENDING_INIT;
	int status;
	pid_t child;

	check_eq(rl_pending_mark(&set, &mine, RL_PENDING_MAP, 0, 10), 0);
	check_eq(rl_pending_mark(&set, &others, RL_PENDING_UNMAP, 20, 30), 0);
	rl_pending_set_lock(&set);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		begin_anew(&set, &mine);
		_exit(0);
	}
	rl_pending_set_unlock(&set);
	check_eq(waitpid(child, &status, 0), child);
	check_eq(status, 0);
	check_eq(rl_pending_commit(&mine), 0);
	check_eq(rl_pending_commit(&others), 0);
}

#define NR_THREADS	4
#define SPACE		64

/* Whose byte it is; only the one whose marker stood at commit writes. */
static struct rl_pending_set shared_set;
static struct rangelock shared_lock = RANGELOCK_INIT;
static uint32_t owner_of[SPACE];
static uint64_t nr_rounds;

/* Allocate a gap, and give it back by a pending unmap. */
static void map_and_unmap(uint32_t me, uint64_t size)
{
	struct rl_gap_query query = { .high = SPACE, .size = size,
				      .end = me & 1 ? RL_LOWEST : RL_HIGHEST };
	struct rl_pending p = RL_PENDING_INIT, unmap = RL_PENDING_INIT;
	struct rl_range r = RL_RANGE_INIT;
	uint64_t start;
	int error;

	if (rl_pending_mark_gap(&shared_set, &p, &query, &start) != 0)
		return;
	check_eq(rl_write_lock(&shared_lock, &r, start, start + size), 0);
	if (!rl_pending_still(&p)) {
		check_eq(rl_pending_abandon(&p), ESTALE);
		rl_unlock(&shared_lock, &r);
		return;
	}
	for (uint64_t i = start; i < start + size; i++) {
		check_eq(owner_of[i], 0);
		owner_of[i] = me;
	}
	for (uint64_t i = start; i < start + size; i++)
		owner_of[i] = 0;
	/* Nobody can have superseded it: they need this range lock. */
	check_eq(rl_pending_commit(&p), 0);
	error = rl_pending_mark(&shared_set, &unmap, RL_PENDING_UNMAP, start,
				start + size);
	rl_unlock(&shared_lock, &r);
	if (error)	/* another's unmapping has not finished yet */
		check_eq(error, EBUSY);
	else
		check_eq(rl_pending_commit(&unmap), 0);
}

/* A fixed mapping: lock, supersede who has not locked yet, write. */
static void map_fixed(uint32_t me, uint64_t start, uint64_t end)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_write_lock(&shared_lock, &r, start, end), 0);
	rl_pending_supersede(&shared_set, start, end);
	for (uint64_t i = start; i < end; i++)
		owner_of[i] = me;
	for (uint64_t i = start; i < end; i++)
		owner_of[i] = 0;
	rl_unlock(&shared_lock, &r);
}

static void *allocate(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	for (uint64_t i = 0; i < nr_rounds; i++) {
		if (i % 4 == me % 4)
			map_fixed(me, (i * 7) % 50, (i * 7) % 50 + 1 + i % 13);
		else
			map_and_unmap(me, 1 + (i + me) % 9);
	}
	return NULL;
}

Test(pending, threads_never_use_overlapping_ranges)
{
	pthread_t threads[NR_THREADS];

	nr_rounds = test_rounds(5000);
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_create(&threads[i], NULL, allocate,
			       (void *)(uintptr_t)(i + 1));
	for (size_t i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	check_eq(shared_set.root, (struct rl_node *)NULL);
	check_eq(shared_set.nr_markers, 0);
	check_eq(rl_destroy(&shared_lock), 0);
}
