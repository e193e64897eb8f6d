/*
 * crew.c - the threads of a crew, and one play after the other
 */
#include "tests/model/crew_side.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rangelock/base/annotate.h"
#include "rangelock/base/atomic.h"

#define LOOKS		300u		/* before a thread yields its CPU */

struct crew the_crew;
_Thread_local struct crew_member *crew_me;

static struct crew *const c = &the_crew;
static sem_t has_work[CREW_THREADS];
static uint32_t nr_there;		/* who has come to this point of the batch */
static unsigned int nr_times;
static bool is_over;
static struct crew_counts *counts_of_play;
static uint32_t is_wrong;

_Noreturn void crew_fail(const char *format, ...)
{
	va_list args;

	printf("FAIL: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

/* ---- The doors ---- */

static uint32_t dice(struct crew_member *me, uint32_t n)
{
	me->random = me->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((me->random >> 32) * n >> 32);
}

static void dawdle(uint32_t one_in)
{
	if (!crew_me || dice(crew_me, one_in))
		return;
	if (dice(crew_me, 2))
		sched_yield();
	else
		for (uint32_t n = dice(crew_me, 400); n; n--)
			rl_compiler_fence();
}

static void park(void *ctx, const uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
	struct timespec until, *timeout = NULL;

	(void)ctx;
	dawdle(4);
	if (crew_me && !dice(crew_me, 16))
		return;			/* for no reason */
	if (deadline_ns != RL_NO_DEADLINE) {
		until.tv_sec = (time_t)(deadline_ns / 1000000000);
		until.tv_nsec = (long)(deadline_ns % 1000000000);
		timeout = &until;
	}
	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, timeout, NULL,
		FUTEX_BITSET_MATCH_ANY);
}

static void wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	dawdle(4);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	dawdle(8);
}

static void relax(void *ctx)
{
	(void)ctx;
	if (crew_me)
		crew_me->nr_relaxed++;
	dawdle(32);
}

/* ---- The threads ---- */

/* Ordered: what one thread did before, the others see after. */
static void arrive(void)
{
	rl_annotate_atomic(&nr_there, sizeof(nr_there));
	rl_annotate_release(&nr_there);
	__atomic_fetch_add(&nr_there, 1, __ATOMIC_ACQ_REL);
}

static uint32_t nr_arrived(void)
{
	uint32_t nr = rl_load_acquire(&nr_there);

	rl_annotate_acquire(&nr_there);
	return nr;
}

/* All threads come here before anybody goes on. */
static void come_together(uint32_t *nr_met)
{
	unsigned int looks = 0;

	*nr_met += c->setup.nr_threads;
	arrive();
	while (nr_arrived() < *nr_met)
		if (++looks > LOOKS)
			sched_yield();
}

static void begin_play(void)
{
	memset(c->requests, 0, sizeof(c->requests));
	for (uint32_t i = 0; i < CREW_THREADS; i++) {
		struct crew_member *m = &c->members[i];

		m->nr_steps = m->current = 0;
		m->nr_calls = 0;
	}
	c->stamp = 1;
}

static void collect(struct linear_history *h)
{
	h->order = c->setup.bypass_ns == 0 ? LINEAR_STRICT :
		   c->setup.bypass_ns >= UINT64_C(1) << 62 ? LINEAR_FREE : LINEAR_EITHER;
	h->nr_calls = 0;
	for (uint32_t i = 0; i < c->setup.nr_threads; i++)
		for (size_t k = 0; k < c->members[i].nr_calls; k++) {
			if (h->nr_calls == LINEAR_CALLS)
				crew_fail("more calls than a history has room for");
			h->calls[h->nr_calls++] = c->members[i].calls[k];
		}
}

/* By the first thread, when all are through. */
static void judge_play(void)
{
	struct linear_history h;
	enum linear_verdict verdict;

	collect(&h);
	verdict = linear_check(&h);
	counts_of_play->nr_plays++;
	counts_of_play->nr_calls += h.nr_calls;
	counts_of_play->nr_undecided += verdict == LINEAR_UNDECIDED;
	if (verdict == LINEAR_WRONG) {
		printf("FAIL: no order of these calls is right; ");
		linear_print(&h);
		is_wrong = 1;
	}
	if (!crew_places_are_free())
		crew_fail("somebody is left in a place");
}

static void play_batch(struct crew_member *me)
{
	uint32_t nr_met = 0;

	for (unsigned int n = 0; n < nr_times; n++) {
		if (me->index == 0)
			begin_play();
		come_together(&nr_met);
		crew_play_side(me);
		come_together(&nr_met);
		if (me->index == 0)
			judge_play();
	}
}

static void *run_member(void *arg)
{
	struct crew_member *me = arg;

	crew_me = me;
	prctl(PR_SET_TIMERSLACK, 1UL);
	for (;;) {
		while (sem_wait(&has_work[me->index]))
			;
		if (is_over)
			return NULL;
		play_batch(me);
		crew_me->nr_relaxed = 0;
		arrive();		/* the first thread waits for it */
	}
}

void crew_start(void)
{
	struct crew_member *first = &c->members[0];

	is_over = false;
	for (uint32_t i = 0; i < CREW_THREADS; i++) {
		c->members[i].index = i;
		c->members[i].random = i + 1;
		if (sem_init(&has_work[i], 0, 0) ||
		    (i && pthread_create(&c->members[i].thread, NULL, run_member,
					 &c->members[i])))
			crew_fail("no threads");
	}
	crew_me = first;
	prctl(PR_SET_TIMERSLACK, 1UL);
}

void crew_stop(void)
{
	is_over = true;
	for (uint32_t i = 1; i < CREW_THREADS; i++) {
		sem_post(&has_work[i]);
		pthread_join(c->members[i].thread, NULL);
	}
	crew_me = NULL;
}

static void init_lock(void)
{
	struct rl_options o = RL_OPTIONS_INIT;

	c->host = (struct rl_host){ .park = park, .wake = wake, .relax = relax };
	o.bypass_ns = c->setup.bypass_ns;
	o.deadlock_ns = 0;
	o.chunk_size = c->setup.nr_shards ? CREW_CHUNK : 0;
	o.nr_shards = c->setup.nr_shards;
	o.flags = c->setup.flags;
	o.host = c->setup.dawdles ? &c->host : NULL;
	if (rl_init(&c->lk, &o))
		crew_fail("rl_init() failed");
}

bool crew_play(const struct crew_setup *setup, const struct op *ops, size_t nr_ops,
	       unsigned int times, struct crew_counts *counts)
{
	c->setup = *setup;
	c->ops = ops;
	c->nr_ops = nr_ops < CREW_OPS ? nr_ops : CREW_OPS;
	memset(c->places, 0, sizeof(c->places));
	counts_of_play = counts;
	nr_times = times;
	nr_there = 0;
	is_wrong = 0;
	init_lock();
	for (uint32_t i = 1; i < setup->nr_threads; i++)
		sem_post(&has_work[i]);
	play_batch(&c->members[0]);
	while (nr_arrived() < (2 * times + 1) * setup->nr_threads - 1)
		sched_yield();
	if (rl_destroy(&c->lk))
		crew_fail("something is left in the lock");
	return !is_wrong;
}

void crew_read(struct crew_setup *setup, const struct scene *scene, const uint8_t *bytes,
	       size_t size)
{
	static const uint32_t shards[] = { 0, 1, 2, 8 };
	uint8_t first = size ? bytes[0] : 0, second = size > 1 ? bytes[1] : 0;

	setup->nr_threads = 2 + scene->nr_owners % (CREW_THREADS - 1);
	setup->nr_shards = shards[first >> 6];
	setup->flags = first >> 5 & 1 ? RL_PLAIN : second >> 7 ? RL_READER_BIAS : 0;
	setup->bypass_ns = scene->bypass_ns;
	setup->meets = second & 1;
	setup->dawdles = second >> 1 & 1;
	setup->counts = second >> 2 & 1;
}
