/*
 * storm.c - threads that really run at the same time, over plain memory
 *
 * Correct: the tool must not say a word.  What a thread does is drawn from the
 * seed; who meets whom is not.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "tests/tokens/baton.h"
#include "tests/tokens/client.h"

#define NR_THREADS	4
#define NR_PAGES	16
#define NR_ROUNDS	60

struct storm {
	struct rangelock lk;
	long pages[NR_PAGES];
	uint64_t seed;
};

struct drawn {
	struct storm *storm;
	uint64_t state;
};

static uint64_t draw(struct drawn *d, uint64_t n)
{
	d->state = d->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (d->state >> 33) % n;
}

static void touch(struct storm *s, enum rl_mode mode, uint64_t first,
		  uint64_t end)
{
	for (uint64_t i = first; i < end; i++) {
		if (mode == RL_READ)
			get(&s->pages[i]);
		else
			put(&s->pages[i]);
	}
}

/* What is held may change on the way. */
static void hold_and_change(struct drawn *d, enum rl_mode mode, uint64_t first,
			    uint64_t end)
{
	struct storm *s = d->storm;
	struct rl_range r = RL_RANGE_INIT;

	want((mode == RL_READ ? rl_read_lock : rl_write_lock)(
		     &s->lk, &r, first * PAGE, end * PAGE) == 0);
	touch(s, mode, first, end);
	if (mode == RL_READ && rl_read_tryupgrade(&s->lk, &r) == 0)
		mode = RL_WRITE;
	touch(s, mode, first, end);
	if (first > 0 &&
	    rl_tryextend(&s->lk, &r, (first - 1) * PAGE, end * PAGE) == 0)
		first--;
	touch(s, mode, first, end);
	if (mode == RL_WRITE && draw(d, 2)) {
		rl_write_downgrade(&s->lk, &r);
		mode = RL_READ;
	}
	touch(s, mode, first, end);
	if (end - first > 1)
		want(rl_narrow(&s->lk, &r, ++first * PAGE, end * PAGE) == 0);
	touch(s, mode, first, end);
	rl_unlock(&s->lk, &r);
}

static void hold(struct drawn *d, enum rl_mode mode, uint64_t first,
		 uint64_t end)
{
	const struct method *m = &methods[draw(d, nr_methods)];
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct storm *s = d->storm;
	int error = m->hold(&s->lk, r, mode, first * PAGE, end * PAGE);

	if (error) {
		want(error == EBUSY);
		return;
	}
	touch(s, mode, first, end);
	m->leave(&s->lk, r);
}

static void *run(void *arg)
{
	struct drawn *d = arg;

	for (unsigned int i = 0; i < NR_ROUNDS; i++) {
		uint64_t first = draw(d, NR_PAGES);
		uint64_t end = first + 1 + draw(d, NR_PAGES - first);
		enum rl_mode mode = draw(d, 3) ? RL_READ : RL_WRITE;

		if (draw(d, 4))
			hold(d, mode, first, end);
		else
			hold_and_change(d, mode, first, end);
	}
	return NULL;
}

static void blow(struct storm *s)
{
	struct drawn drawn[NR_THREADS];
	pthread_t threads[NR_THREADS];

	for (unsigned int i = 0; i < NR_THREADS; i++) {
		drawn[i] = (struct drawn){ .storm = s, .state = s->seed + i };
		want(pthread_create(&threads[i], NULL, run, &drawn[i]) == 0);
	}
	for (unsigned int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
}

unsigned int play_storm(uint64_t seed)
{
	static struct storm storms[NR_FORMS];
	unsigned long before = nr_reports();

	for (enum form f = COMPACT; f < NR_FORMS; f++) {
		struct rl_options o = RL_OPTIONS_INIT;

		o.chunk_size = f == COMPACT ? 0 : 4 * PAGE;
		o.nr_shards = f == FOREST ? 2 : 0;
		o.bypass_ns = f == PLAIN ? 0 : RL_BYPASS_NS;
		o.flags = f == PLAIN ? RL_PLAIN :
			  f == BIASED ? RL_READER_BIAS : 0;
		storms[f].seed = seed * 1000 + f * NR_THREADS;
		want(rl_init(&storms[f].lk, &o) == 0);
		blow(&storms[f]);
		want(rl_destroy(&storms[f].lk) == 0);
	}
	if (nr_reports() == before)
		return 0;
	printf("FAIL: threads at the same time: %lu reports\n",
	       nr_reports() - before);
	return 1;
}
