/*
 * Goal: ten thousand requests for one range, a thousand threads, and a million
 * ranges held are as right as three: each is let in once, in its turn, and a shard
 * with a million ranges closes without a look at any of them.
 */
#include "tests/conformance/engines.h"

#include <sys/mman.h>

#include "rangelock/engine/request.h"
#include "rangelock/engine/shards.h"

static struct rl_range *handles;
static uint64_t nr_handles;

/* Zeroed, and of whole pages. */
static size_t size_of_handles(void)
{
	size_t size = nr_handles * sizeof(*handles);

	return (size + 4095) & ~(size_t)4095;
}

static void make_handles(uint64_t nr)
{
	nr_handles = nr;
	handles = mmap(NULL, size_of_handles(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	check_ne((void *)handles, MAP_FAILED);
}

static void drop_handles(void)
{
	check_eq(munmap(handles, size_of_handles()), 0);
}

/* ---- Ten thousand queued on one range ---- */

#define CROWD	10000

static struct rangelock *crowded;
static uint64_t nr_crowd, nr_called;

/* How the i-th ends: it is cancelled, called back, or polled. */
enum end { CANCELLED, CALLED, POLLED };

static enum end end_of(uint64_t i)
{
	return i % 7 == 3 ? CANCELLED : i / 100 % 2 ? CALLED : POLLED;
}

static void pass_on(struct rl_range *r)
{
	check_eq(end_of((uint64_t)(r - handles)), CALLED);
	check_le(handles + nr_called, r);	/* in order of arrival */
	nr_called = (uint64_t)(r - handles) + 1;
	rl_unlock(crowded, r);
}

static void queue_crowd(struct rangelock *lk, struct rl_range *first)
{
	crowded = lk;
	nr_called = 0;
	make_handles(nr_crowd);
	check_eq(rl_write_lock(lk, first, 0, 10), 0);
	for (uint64_t i = 0; i < nr_crowd; i++)
		check_eq(rl_write_submit(lk, &handles[i], 0, 10,
					 end_of(i) == CALLED ? pass_on : NULL),
			 EINPROGRESS);
	check_eq(nr_waiting(lk), nr_crowd);
}

/* One at a time, and each of them once. */
static void let_crowd_in(struct rangelock *lk)
{
	struct rl_range first = RL_RANGE_INIT;
	struct rl_range *holder = &first;

	queue_crowd(lk, &first);
	for (uint64_t i = 0; i < nr_crowd; i++)
		if (end_of(i) == CANCELLED)
			check_eq(rl_cancel(lk, &handles[i]), 0);
	for (uint64_t i = 0; i < nr_crowd; i++) {
		if (end_of(i) != POLLED)
			continue;
		check_eq(rl_poll(lk, &handles[i]), EINPROGRESS);
		rl_unlock(lk, holder);		/* and all callbacks before i */
		holder = &handles[i];
		check_eq(rl_poll(lk, holder), 0);
		if (i % 1000 == 0)
			check_eq(nr_held(lk), 1);
	}
	rl_unlock(lk, holder);
	check_eq(nr_held(lk), 0);
	check_eq(nr_waiting(lk), 0);
	for (uint64_t i = 0; i < nr_crowd; i++)
		check_eq(handles[i].state == RL_CANCELED,
			 end_of(i) == CANCELLED);
	drop_handles();
}

/* A crowd costs the square of its size. */
Test(crowds, ten_thousand_queued_on_one_range_come_in_one_by_one_in_order)
{
	struct rl_options o = strict_options;
	struct rangelock lk;

	nr_crowd = test_rounds(CROWD);
	check_eq(rl_init(&lk, &o), 0);
	let_crowd_in(&lk);
	check_eq(rl_destroy(&lk), 0);
}

StrictPromise(crowds, a_thousand_queued_on_one_range_do_so_too)
{
	nr_crowd = test_rounds(CROWD / 10);
	let_crowd_in(lk);
}

/* ---- A thousand threads ---- */

#define THREADS	1000

static struct {
	struct rangelock *lk;
	uint64_t sum;			/* plain: the range guards it */
} hall;

static void *add_one(void *arg)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_write_lock(hall.lk, &r, 0, 10), 0);
	hall.sum++;
	rl_unlock(hall.lk, &r);
	return arg;
}

static void crowd_of_threads(struct rangelock *lk)
{
	static pthread_t threads[THREADS];
	struct rl_range first = RL_RANGE_INIT;
	uint64_t nr = test_rounds(THREADS);
	pthread_attr_t small;

	hall.lk = lk;
	hall.sum = 0;
	check_eq(pthread_attr_init(&small), 0);
	check_eq(pthread_attr_setstacksize(&small, 256 * 1024), 0);
	check_eq(rl_write_lock(lk, &first, 0, 10), 0);
	for (uint64_t i = 0; i < nr; i++)
		check_eq(pthread_create(&threads[i], &small, add_one, NULL), 0);
	until(nr_waiting(lk) == nr);
	check_eq(hall.sum, 0);
	rl_unlock(lk, &first);
	for (uint64_t i = 0; i < nr; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	check_eq(hall.sum, nr);
	pthread_attr_destroy(&small);
}

/* Not on each engine: a thousand threads are slow to make. */
Test(crowds, a_thousand_threads_wait_for_one_range_and_each_gets_it)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct rangelock lk;

	check_eq(rl_init(&lk, &o), 0);
	crowd_of_threads(&lk);
	check_eq(rl_destroy(&lk), 0);
	o.chunk_size = UINT64_C(1) << 21;
	check_eq(rl_init(&lk, &o), 0);
	crowd_of_threads(&lk);
	check_eq(rl_destroy(&lk), 0);
}

/* ---- A million held ---- */

#define MILLION	1000000
#define STEP	UINT64_C(64)		/* from one range to the next */
#define CHUNK	UINT64_C(4096)
#define SHARDS	64u

static void hold_a_million(struct rangelock *lk)
{
	make_handles(test_rounds(MILLION));
	for (uint64_t i = 0; i < nr_handles; i++)
		check_eq((i % 2 ? rl_read_lock : rl_write_lock)(
				 lk, &handles[i], i * STEP, i * STEP + STEP / 2),
			 0);
}

/* A wide request waits for all of them, and for nobody else. */
static void meet_a_million(struct rangelock *lk)
{
	struct rl_range wide = RL_RANGE_INIT, behind = RL_RANGE_INIT,
			beside = RL_RANGE_INIT;
	uint64_t all = nr_handles * STEP;

	check_eq(rl_write_submit(lk, &wide, 0, all, NULL), EINPROGRESS);
	check_eq(wide.nr_blockers, nr_handles);
	check_eq(rl_write_trylock(lk, &beside, all, all + 1), 0);
	check_eq(rl_write_submit(lk, &behind, all - 1, all + 1, NULL),
		 EINPROGRESS);
	rl_unlock(lk, &beside);
	for (uint64_t i = 0; i < nr_handles; i++) {
		check_eq(wide.nr_blockers, nr_handles - i);
		check_eq(wide.state, RL_QUEUED);
		/* From both ends. */
		rl_unlock(lk, &handles[i % 2 ? nr_handles - 1 - i / 2 : i / 2]);
	}
	check_eq(rl_poll(lk, &wide), 0);
	check_eq(rl_poll(lk, &behind), EINPROGRESS);
	check_eq(nr_held(lk), 1);
	rl_unlock(lk, &wide);
	check_eq(rl_poll(lk, &behind), 0);
	rl_unlock(lk, &behind);
	drop_handles();
}

static void make_forest(struct rangelock *lk)
{
	struct rl_options o = strict_options;

	o.chunk_size = CHUNK;
	o.nr_shards = SHARDS;
	check_eq(rl_init(lk, &o), 0);
}

Test(crowds, a_wide_request_waits_for_each_of_a_million_in_a_compact_lock)
{
	struct rangelock lk;

	check_eq(rl_init(&lk, &strict_options), 0);
	hold_a_million(&lk);
	meet_a_million(&lk);
	check_eq(rl_destroy(&lk), 0);
}

/* Whoever comes while shards close waits for what a shard's closing takes.  It hands
 * over a tree: the two of each shard who stand in entries are moved to it before,
 * and from then on the handles cannot be read nor written. */
Test(crowds, a_shard_closes_and_opens_without_a_look_at_who_is_in_it)
{
	struct rangelock lk;

	make_forest(&lk);
	hold_a_million(&lk);
	rl_entries_evict_all(&lk, 0, RL_END);
	check_eq(mprotect(handles, size_of_handles(), PROT_NONE), 0);
	for (uint32_t s = 0; s < SHARDS; s++)
		rl_forest_close(&lk, s);
	check_eq(lk.forest->nr_open, 0);
	for (uint32_t s = 0; s < SHARDS; s++)
		rl_forest_open(&lk, s);
	check_eq(lk.forest->nr_open, SHARDS);
	check_eq(mprotect(handles, size_of_handles(), PROT_READ | PROT_WRITE), 0);
	meet_a_million(&lk);
	check_eq(rl_destroy(&lk), 0);
}
