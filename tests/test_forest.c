/*
 * Goal: every request is under the guard that the invariants F1 to F3 name, and
 * stands where its guard finds it, while shards close and open at any moment.
 */
#include "tests/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <rangelock/stats.h>

#include "rangelock/engine/shards.h"

#define CHUNK	UINT64_C(16)

static struct rangelock lk;
static struct rl_range a, b, c, d;

static void begin(uint32_t nr_shards)
{
	struct rl_options o = RL_OPTIONS_INIT;

	o.chunk_size = CHUNK;
	o.nr_shards = nr_shards;
	o.bypass_ns = 0;
	check_eq(rl_init(&lk, &o), 0);
	rl_range_init(&a);
	rl_range_init(&b);
	rl_range_init(&c);
	rl_range_init(&d);
}

static void finish(void)
{
	check(rl_forest_is_valid(&lk));
	check_eq(rl_destroy(&lk), 0);
}

static uint32_t shard_at(uint64_t start)
{
	return rl_shard_of(lk.forest, start, start + 1);
}

static struct rl_arbiter *arbiter_at(uint64_t start)
{
	return rl_shard(lk.forest, shard_at(start));
}

/* Whose guard is it under?  Of a request in a tree. */
static struct rl_arbiter *home_of(const struct rl_range *r)
{
	struct rl_arbiter *home = rl_guard_home(&lk, r);

	rl_guard_unlock(&home->guard);
	return home;
}

/* Where does it stand: in a tree, or in which arbiter's entry? */
static struct rl_arbiter *entered_at(const struct rl_range *r)
{
	return r->state == RL_INLINE ? rl_entry_arbiter(r->entry) : NULL;
}

Test(forest, an_aligned_run_of_chunks_meets_every_shard_once)
{
	for (uint32_t nr = 1; nr <= RL_SHARDS_MAX; nr *= 2) {
		begin(nr);
		for (uint64_t base = 0; base < 7; base++) {
			static bool seen[RL_SHARDS_MAX];
			uint64_t first = base * nr * UINT64_C(0x1003);

			for (uint32_t i = 0; i < nr; i++)
				seen[i] = false;
			for (uint64_t i = 0; i < nr; i++) {
				uint32_t s = rl_shard_of_chunk(&lk.geometry,
							       first + i);

				check_lt(s, nr);
				check(!seen[s]);
				seen[s] = true;
			}
		}
		finish();
	}
}

/* glibc's arenas lie 64 MiB apart: 32 chunks of 2 MiB. */
Test(forest, chunks_that_lie_a_power_of_two_apart_do_not_meet_in_one_shard)
{
	for (unsigned int bits = 0; bits < 43; bits++) {
		uint64_t seen = 0;

		begin(64);
		for (uint64_t i = 0; i < 64; i++)
			seen |= UINT64_C(1)
				<< rl_shard_of_chunk(&lk.geometry, i << bits);
		check_lt(34, __builtin_popcountll(seen));
		finish();
	}
}

Test(forest, narrow_requests_never_come_to_the_central_arbiter)
{
	begin(64);
	check_eq(rl_write_lock(&lk, &a, 0, CHUNK), 0);
	check_eq(rl_read_lock(&lk, &b, 5 * CHUNK, 5 * CHUNK + 1), 0);
	check_eq(entered_at(&a), arbiter_at(0));
	check_eq(entered_at(&b), arbiter_at(5 * CHUNK));
	check_eq(rl_write_submit(&lk, &c, 1, 2, NULL), EINPROGRESS);
	check_eq(home_of(&a), arbiter_at(0));
	check_eq(home_of(&c), arbiter_at(0));
	check_eq(lk.central.guard, 0);
	check_eq(lk.central.nr_waiting, 0);
	check_eq(lk.central.root, NULL);
	check_eq(rl_cancel(&lk, &c), 0);
	rl_unlock(&lk, &a);
	rl_unlock(&lk, &b);
	finish();
}

Test(forest, a_wide_request_closes_just_the_shards_that_it_touches)
{
	begin(64);
	check_eq(rl_write_lock(&lk, &a, CHUNK - 1, CHUNK + 1), 0);
	for (uint64_t i = 0; i < 64; i++)
		check_eq(rl_shard_is_closed(arbiter_at(i * CHUNK)), i < 2);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_write_lock(&lk, &b, 2 * CHUNK, 3 * CHUNK), 0);
	check_eq(entered_at(&a), &lk.central);
	check_eq(entered_at(&b), arbiter_at(2 * CHUNK));
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &a);
	finish();
}

Test(forest, who_is_in_a_shard_comes_under_the_central_guard_when_it_closes)
{
	begin(2);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_submit(&lk, &b, 2, 6, NULL), EINPROGRESS);
	check_eq(rl_read_submit(&lk, &c, 4, 8, NULL), EINPROGRESS);
	check_eq(home_of(&a), arbiter_at(0));
	check_eq(home_of(&c), arbiter_at(0));
	check_eq(rl_write_submit_coarse(&lk, &d, NULL), EINPROGRESS);
	check_eq(home_of(&a), &lk.central);
	check_eq(home_of(&c), &lk.central);
	check_eq(lk.central.nr_waiting, 3);
	check_eq(d.nr_blockers, 3);		/* all of them, and it came last */
	check_eq(c.nr_blockers, 1);
	check(arbiter_at(0)->root != NULL);	/* nothing moved */
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	check_eq(rl_poll(&lk, &c), EINPROGRESS);
	rl_unlock(&lk, &b);
	check_eq(rl_poll(&lk, &c), 0);
	check_eq(rl_poll(&lk, &d), EINPROGRESS);
	rl_unlock(&lk, &c);
	check_eq(rl_poll(&lk, &d), 0);
	rl_unlock(&lk, &d);
	finish();
}

Test(forest, who_waits_under_the_central_guard_goes_back_when_its_shard_opens)
{
	begin(2);
	check_eq(rl_write_lock_coarse(&lk, &d), 0);
	rl_unlock(&lk, &d);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_submit(&lk, &b, 2, 6, NULL), EINPROGRESS);
	check_eq(home_of(&a), &lk.central);
	check_eq(home_of(&b), &lk.central);
	check_eq(lk.central.nr_waiting, 1);
	rl_forest_open(&lk, shard_at(0));
	check_eq(home_of(&a), arbiter_at(0));
	check_eq(home_of(&b), arbiter_at(0));
	check_eq(lk.central.nr_waiting, 0);
	check_eq(arbiter_at(0)->nr_waiting, 1);
	check(rl_forest_is_valid(&lk));
	rl_unlock(&lk, &a);
	check_eq(rl_poll(&lk, &b), 0);
	rl_unlock(&lk, &b);
	finish();
}

Test(forest, closed_shards_open_again_when_only_narrow_requests_come)
{
	begin(4);
	check_eq(rl_write_lock_coarse(&lk, &d), 0);
	check_eq(lk.forest->nr_open, 0);
	rl_unlock(&lk, &d);
	for (unsigned int i = 0; i < 1000 && lk.forest->nr_open < 4; i++) {
		check_eq(rl_write_lock(&lk, &a, i % 4 * CHUNK,
				       i % 4 * CHUNK + 1), 0);
		rl_unlock(&lk, &a);
	}
	check_eq(lk.forest->nr_open, 4);
	finish();
}

Test(forest, no_shard_opens_under_a_wide_request)
{
	begin(4);
	check_eq(rl_read_lock_coarse(&lk, &d), 0);
	for (unsigned int i = 0; i < 100; i++) {
		check_eq(rl_read_lock(&lk, &a, 0, 1), 0);
		check(rl_shard_is_closed(arbiter_at(0)));
		check_eq(entered_at(&a), &lk.central);
		rl_unlock(&lk, &a);
	}
	rl_unlock(&lk, &d);
	finish();
}

Test(forest, a_range_that_is_extended_out_of_its_chunk_becomes_wide)
{
	begin(4);
	check_eq(rl_write_lock(&lk, &a, 0, 4), 0);
	check_eq(rl_write_lock(&lk, &b, CHUNK + 8, CHUNK + 9), 0);
	check_eq(rl_tryextend(&lk, &a, 0, CHUNK + 9), EBUSY);
	check_eq(rl_tryextend(&lk, &a, 0, CHUNK + 8), 0);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_write_trylock(&lk, &c, CHUNK, CHUNK + 1), EBUSY);
	check_eq(rl_narrow(&lk, &a, 0, 1), 0);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_write_trylock(&lk, &c, CHUNK, CHUNK + 1), 0);
	rl_unlock(&lk, &c);
	rl_unlock(&lk, &b);
	rl_unlock(&lk, &a);
	finish();
}

/* Neither its tag nor its entry is of this lock. */
Test(forest, a_range_of_another_lock_is_not_cancelled_here)
{
	struct rangelock other = RANGELOCK_INIT;

	begin(64);
	check_eq(rl_write_lock(&other, &a, 0, 1), 0);
	check_eq(entered_at(&a), &other.central);
	check_eq(rl_cancel(&lk, &a), EINVAL);
	check_eq(rl_cancel(&other, &a), EBUSY);
	check_eq(rl_write_submit(&other, &b, 0, 1, NULL), EINPROGRESS);
	check_eq(rl_cancel(&lk, &a), EINVAL);
	check_eq(rl_cancel(&lk, &b), EINVAL);
	check_eq(rl_cancel(&other, &b), 0);
	rl_unlock(&other, &a);
	check_eq(rl_destroy(&other), 0);
	finish();
}

/* A preempted holder of a guard: the trylock spins a bounded time. */
Test(forest, a_trylock_gives_up_when_a_shard_cannot_be_closed_or_opened)
{
	struct rl_arbiter *shard;

	begin(4);
	shard = rl_lock_arbiter(&lk, shard_at(0) + 1);
	rl_guard_lock(&shard->guard, NULL);
	check_eq(rl_write_trylock_coarse(&lk, &a), EBUSY);
	rl_guard_unlock(&shard->guard);
	check(rl_forest_is_valid(&lk));
	check_eq(rl_write_trylock_coarse(&lk, &a), 0);
	rl_unlock(&lk, &a);
	lk.forest->nr_since_wide = 1000;
	check_eq(rl_write_trylock(&lk, &b, 0, 1), 0);
	rl_unlock(&lk, &b);
	finish();
}

/* ---- Threads, while shards close and open all the time ---- */

#define BYTES		160
#define WORKERS		4

static uint32_t readers[BYTES], writers[BYTES];
static uint32_t nr_working;

static uint64_t draw(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A held range and what it locks, as its owner knows it. */
struct held {
	struct rl_range r;
	uint64_t start, end;
	bool writes;
};

/* Relaxed: counters that ordered anything would hide what they look for. */
static void work_on(const struct held *h)
{
	for (uint64_t i = h->start; i < h->end; i++) {
		uint32_t *mine = h->writes ? &writers[i] : &readers[i];

		__atomic_fetch_add(mine, 1, __ATOMIC_RELAXED);
		check_eq(__atomic_load_n(&writers[i], __ATOMIC_RELAXED),
			 h->writes);
		if (h->writes)
			check_eq(__atomic_load_n(&readers[i], __ATOMIC_RELAXED),
				 0);
	}
	for (uint64_t i = h->start; i < h->end; i++)
		__atomic_fetch_sub(h->writes ? &writers[i] : &readers[i], 1,
				   __ATOMIC_RELAXED);
}

static int lock_some(struct held *h, uint64_t *state)
{
	uint64_t start = draw(state) % BYTES;
	uint64_t size = 1 + draw(state) % (draw(state) % 4 ? 6 : BYTES);
	uint64_t end = start + size < BYTES ? start + size : BYTES;
	uint64_t late = draw(state) % 2 ? rl_now(&lk) + draw(state) % 50000 :
					  RL_NO_DEADLINE;
	unsigned int pick = draw(state) % 8;

	h->start = start;
	h->end = end;
	h->writes = pick == 0 || (pick >= 2 && pick <= 4);
	switch (pick) {
	case 0:
		return rl_write_trylock(&lk, &h->r, start, end);
	case 1:
		return rl_read_lock_until(&lk, &h->r, start, end, late);
	case 2:
	case 3:
		return rl_write_lock(&lk, &h->r, start, end);
	case 4:
		return rl_write_lock_until(&lk, &h->r, start, end, late);
	default:
		return rl_read_lock(&lk, &h->r, start, end);
	}
}

static void change_some(struct held *h, uint64_t *state)
{
	uint64_t half = (h->end - h->start + 1) / 2;
	uint64_t more = h->end + half < BYTES ? h->end + half : BYTES;

	switch (draw(state) % 6) {
	case 0:
		check_eq(rl_narrow(&lk, &h->r, h->start, h->start + half), 0);
		h->end = h->start + half;
		break;
	case 1:
		if (rl_tryextend(&lk, &h->r, h->start, more) == 0)
			h->end = more;
		break;
	case 2:
		if (h->writes)
			rl_write_downgrade(&lk, &h->r);
		h->writes = false;
		break;
	case 3:
		if (!h->writes && rl_read_tryupgrade(&lk, &h->r) == 0)
			h->writes = true;
		break;
	default:
		break;
	}
}

/* Half of the time nobody looks, so that entries are used. */
static void *worker(void *arg)
{
	uint64_t state = *(const uint64_t *)arg;

	for (unsigned long i = 0; i < test_rounds(40000); i++) {
		struct held h = { .r = RL_RANGE_INIT };
		int error = lock_some(&h, &state);

		if (error) {
			check(error == EBUSY || error == ETIMEDOUT);
			continue;
		}
		work_on(&h);
		if (i & 1024) {
			check(rl_is_held(&lk, h.start, h.end, RL_READ));
			change_some(&h, &state);
			check(rl_is_held(&lk, h.start, h.end,
					 h.writes ? RL_WRITE : RL_READ));
			work_on(&h);
		}
		rl_unlock(&lk, &h.r);
	}
	__atomic_fetch_sub(&nr_working, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void shake(uint64_t seed, uint32_t nr_shards)
{
	uint64_t states[WORKERS], state = seed;
	pthread_t threads[WORKERS];

	begin(nr_shards);
	nr_working = WORKERS;
	for (unsigned int i = 0; i < WORKERS; i++) {
		states[i] = draw(&state);
		check_eq(pthread_create(&threads[i], NULL, worker, &states[i]),
			 0);
	}
	while (__atomic_load_n(&nr_working, __ATOMIC_RELAXED)) {
		uint32_t shard = (uint32_t)draw(&state) & (nr_shards - 1);

		if (draw(&state) % 3)
			rl_forest_open(&lk, shard);
		else
			rl_forest_close(&lk, shard);
		if (draw(&state) % 64 == 0)
			check(rl_forest_is_valid(&lk));
		/* Else who naps finds the central guard taken, again and again. */
		rl_guard_give_way(NULL);
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	finish();
}

Test(forest, ranges_exclude_while_shards_close_and_open_at_random)
{
	uint64_t seed = test_seed();

	shake(seed, 1);
	shake(seed + 1, 2);
	shake(seed + 2, 64);
}
