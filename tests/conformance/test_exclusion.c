/*
 * Goal: two held ranges that overlap are both read-locked (G1), and an unlock
 * happens-before the next conflicting lock (G7), with real threads and all
 * operations.  The counters of the oracle are relaxed and the data under the
 * lock is plain, so neither hides a missing order from a sanitizer.
 */
#include "tests/conformance/engines.h"

#include <string.h>

#include "rangelock/base/atomic.h"

#define PAGES		24u
#define THREADS		4u
#define WRITER		0x10000u	/* in users[]; readers count as 1 */

struct world {
	struct rangelock *lk;
	uint32_t users[PAGES];		/* atomic */
	uint64_t data[PAGES];		/* plain: the lock protects it */
	uint64_t seed, rounds;
	uint32_t nr_started;		/* atomic */
};

struct hold {
	struct rl_range r;
	uint64_t start, end;
	bool writes;
};

static void mark(struct world *w, const struct hold *h)
{
	for (uint64_t i = h->start; i < h->end; i++) {
		uint32_t was = rl_add_relaxed(&w->users[i],
					      h->writes ? WRITER : 1);

		check_msg(h->writes ? was == 0 : was < WRITER,
			  "page %u is used by %#x too", (unsigned int)i, was);
		if (h->writes)
			w->data[i]++;
		else
			check_ne(w->data[i], UINT64_MAX);
	}
}

static void unmark(struct world *w, const struct hold *h)
{
	for (uint64_t i = h->start; i < h->end; i++) {
		uint32_t n = h->writes ? WRITER : 1;

		check_le(n, rl_add_relaxed(&w->users[i], 0u - n));
	}
}

static void remark(struct world *w, struct hold *h, const struct hold *is)
{
	unmark(w, h);
	h->start = is->start;
	h->end = is->end;
	h->writes = is->writes;
	mark(w, h);
}

/* One of the ways to get it.  Returns: true if it is held. */
static bool get(struct world *w, struct hold *h, unsigned int how)
{
	struct rangelock *lk = w->lk;
	uint64_t s = h->start, e = h->end;
	struct rl_span span = { s, e, h->writes ? RL_WRITE : RL_READ };
	int error;

	switch (how % 8) {
	case 0:
		error = (h->writes ? rl_write_trylock : rl_read_trylock)(
			lk, &h->r, s, e);
		return !error;
	case 1:
		error = (h->writes ? rl_write_lock_until : rl_read_lock_until)(
			lk, &h->r, s, e, rl_now(lk) + 20000);
		return !error;
	case 2:
		error = (h->writes ? rl_write_submit : rl_read_submit)(
			lk, &h->r, s, e, NULL);
		if (error == EINPROGRESS && how & 8)
			error = rl_cancel(lk, &h->r) ? 0 : ECANCELED;
		if (error != ECANCELED)
			error = rl_wait(lk, &h->r);
		return !error;
	case 3:
		h->start = 0;
		h->end = PAGES;
		error = (h->writes ? rl_write_lock_coarse :
				     rl_read_lock_coarse)(lk, &h->r);
		break;
	case 4:
		error = rl_lock_many(lk, &h->r, 1, &span);
		break;
	default:
		error = (h->writes ? rl_write_lock : rl_read_lock)(lk, &h->r,
								   s, e);
		break;
	}
	check_eq(error, 0);
	return true;
}

/* One of the ways to change it while it is held. */
static void change(struct world *w, struct hold *h, unsigned int how)
{
	struct hold is = { .start = h->start, .end = h->end,
			   .writes = h->writes };
	uint64_t middle = h->start + (h->end - h->start) / 2;

	switch (how % 6) {
	case 0:
		if (!h->writes)
			break;
		is.writes = false;
		remark(w, h, &is);	/* the model first: it only gives */
		rl_write_downgrade(w->lk, &h->r);
		break;
	case 1:
		if (h->writes)
			break;
		is.writes = true;
		if (rl_read_tryupgrade(w->lk, &h->r) == 0)
			remark(w, h, &is);
		break;
	case 2:
		if (middle == h->start || h->end == PAGES)
			break;
		is.end = middle;
		remark(w, h, &is);
		check_eq(rl_narrow(w->lk, &h->r, is.start, is.end), 0);
		break;
	case 3:
		if (h->end == PAGES)
			break;
		is.end = h->end + 1;
		if (rl_tryextend(w->lk, &h->r, is.start, is.end) == 0)
			remark(w, h, &is);
		break;
	}
}

static void *use_ranges(void *arg)
{
	struct world *w = arg;
	uint64_t rng = w->seed + rl_add_relaxed(&w->nr_started, 1);
	struct hold h = { .r = RL_RANGE_INIT };

	for (uint64_t i = 0; i < w->rounds; i++) {
		uint64_t x = random_next(&rng);

		h.start = x % PAGES;
		h.end = h.start + 1 + (x >> 8) % (PAGES - h.start);
		if (x >> 16 & 3)
			h.end = h.start + 1;
		h.writes = x >> 20 & 1;
		if (!get(w, &h, (unsigned int)(x >> 24)))
			continue;
		mark(w, &h);
		change(w, &h, (unsigned int)(x >> 32));
		unmark(w, &h);
		rl_unlock(w->lk, &h.r);
	}
	return NULL;
}

static void run_threads(struct rangelock *lk, void *(*f)(void *),
			uint64_t rounds)
{
	static struct world w;
	pthread_t threads[THREADS];

	memset(&w, 0, sizeof(w));
	w.lk = lk;
	w.seed = test_seed();
	w.rounds = rounds;
	for (unsigned int i = 0; i < THREADS; i++)
		check_eq(pthread_create(&threads[i], NULL, f, &w), 0);
	for (unsigned int i = 0; i < THREADS; i++)
		check_eq(pthread_join(threads[i], NULL), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		check_eq(w.users[i], 0);
}

Promise(exclusion, no_two_threads_use_a_page_if_one_writes)
{
	run_threads(lk, use_ranges, test_rounds(20000));
}

StrictPromise(exclusion, no_two_threads_use_a_page_in_strict_order)
{
	run_threads(lk, use_ranges, test_rounds(10000));
}

LaxPromise(exclusion, no_two_threads_use_a_page_when_all_may_pass)
{
	run_threads(lk, use_ranges, test_rounds(10000));
}

/* Two threads, two pages, several at once: crossing sets. */
static void *use_several(void *arg)
{
	struct world *w = arg;
	uint64_t rng = w->seed + rl_add_relaxed(&w->nr_started, 1);
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	for (uint64_t i = 0; i < w->rounds; i++) {
		uint64_t x = random_next(&rng);
		unsigned int first = x & 1;
		struct rl_span spans[2] = {
			{ first, first + 1, RL_WRITE },
			{ !first, !first + 1, x & 2 ? RL_READ : RL_WRITE },
		};
		struct hold a = { .start = first, .end = first + 1,
				  .writes = true };
		struct hold b = { .start = !first, .end = !first + 1,
				  .writes = !(x & 2) };

		check_eq(rl_lock_many(w->lk, r, 2, spans), 0);
		mark(w, &a);
		mark(w, &b);
		unmark(w, &a);
		unmark(w, &b);
		rl_unlock_many(w->lk, r, 2);
	}
	return NULL;
}

Promise(exclusion, crossing_sets_of_ranges_do_not_deadlock)
{
	run_threads(lk, use_several, test_rounds(10000));
}

/* G7 with nothing but the lock in between: waiters and those who need not. */
static void *count_up(void *arg)
{
	struct world *w = arg;
	struct rl_range r = RL_RANGE_INIT;

	for (uint64_t i = 0; i < w->rounds; i++) {
		check_eq(rl_write_lock(w->lk, &r, 0, 1), 0);
		w->data[0]++;
		rl_unlock(w->lk, &r);
	}
	return NULL;
}

Promise(exclusion, an_unlock_happens_before_the_next_lock)
{
	run_threads(lk, count_up, test_rounds(20000));
}

struct handover {
	struct rangelock *lk;
	uint64_t data;			/* plain */
};

static void *read_after_waiting(void *arg)
{
	struct handover *h = arg;
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_read_lock(h->lk, &r, 0, 1), 0);
	check_eq(h->data, 42);
	rl_unlock(h->lk, &r);
	return NULL;
}

Promise(exclusion, an_unlock_happens_before_the_lock_that_waited_for_it)
{
	struct handover h = { .lk = lk };
	struct rl_range r = RL_RANGE_INIT;
	pthread_t thread;

	check_eq(rl_write_lock(lk, &r, 0, 1), 0);
	check_eq(pthread_create(&thread, NULL, read_after_waiting, &h), 0);
	until(nr_waiting(lk) == 1);
	h.data = 42;
	rl_unlock(lk, &r);
	check_eq(pthread_join(thread, NULL), 0);
}
