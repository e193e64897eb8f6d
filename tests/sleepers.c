/*
 * sleepers.c - see sleepers.h
 *
 * One mutex guards all of it.  A nap (a park for less than two milliseconds) is a
 * yield: the clock would never end it.
 */
#include "tests/sleepers.h"

#include <sched.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "tests/backend.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct sleeper all[NR_SLEEPERS];
static uint64_t clock_ns;
static __thread struct sleeper *me;

static void host_park(void *ctx, const uint32_t *word, uint32_t expected,
		      uint64_t deadline_ns)
{
	(void)ctx;
	pthread_mutex_lock(&mutex);
	if (deadline_ns < clock_ns + 2 * MS || !me) {
		pthread_mutex_unlock(&mutex);
		sched_yield();
		return;
	}
	if (rl_load_relaxed(word) == expected) {
		me->word = word;
		me->deadline_ns = deadline_ns;
		me->is_asleep = true;
		pthread_cond_broadcast(&changed);
	}
	while (me->is_asleep)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static void host_wake(void *ctx, const uint32_t *word)
{
	(void)ctx;
	pthread_mutex_lock(&mutex);
	for (unsigned int i = 0; i < NR_SLEEPERS; i++)
		if (all[i].is_asleep && all[i].word == word)
			all[i].is_asleep = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static uint64_t host_now(void *ctx)
{
	void (*call)(void) = NULL;
	uint64_t now;

	(void)ctx;
	pthread_mutex_lock(&mutex);
	now = clock_ns;
	if (me) {
		call = me->on_clock;
		me->on_clock = NULL;
	}
	pthread_mutex_unlock(&mutex);
	if (call)
		call();
	return now;
}

static void host_relax(void *ctx)
{
	(void)ctx;
}

const struct rl_host sleepers_host = {
	.park = host_park, .wake = host_wake, .now = host_now,
	.relax = host_relax,
};

void sleepers_begin(void)
{
	memset(all, 0, sizeof(all));
	clock_ns = 1000 * MS;
}

/* Under the mutex: nobody can do anything. */
static void settle(void)
{
	for (unsigned int i = 0; i < NR_SLEEPERS; i++)
		while (all[i].is_started && !all[i].is_through &&
		       !all[i].is_asleep) {
			pthread_cond_wait(&changed, &mutex);
			i = 0;
		}
}

void sleeper_on_clock(unsigned int i, void (*call)(void))
{
	pthread_mutex_lock(&mutex);
	all[i].on_clock = call;
	pthread_mutex_unlock(&mutex);
}

void sleepers_settle(void)
{
	pthread_mutex_lock(&mutex);
	settle();
	pthread_mutex_unlock(&mutex);
}

void sleepers_pass(uint64_t ns)
{
	pthread_mutex_lock(&mutex);
	clock_ns += ns;
	for (unsigned int i = 0; i < NR_SLEEPERS; i++)
		if (all[i].is_asleep && all[i].deadline_ns <= clock_ns)
			all[i].is_asleep = false;
	pthread_cond_broadcast(&changed);
	settle();
	pthread_mutex_unlock(&mutex);
}

static void *wait_for_the_other(void *arg)
{
	struct sleeper *s = arg;

	me = s;
	if (s->held)
		rl_give(s->held, &s->has, rl_self(s->held));
	s->result = rl_lock_many_until(s->wanted, s->wants, s->nr_wants,
				       s->want_spans, s->until_ns);
	if (!s->result)
		rl_unlock_many(s->wanted, s->wants, s->nr_wants);
	if (s->held && !s->keeps)
		rl_unlock(s->held, &s->has);
	pthread_mutex_lock(&mutex);
	s->is_through = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

struct sleeper *sleeper_has(unsigned int i, struct rangelock *held,
			    enum rl_mode mode, uint64_t start, uint64_t end)
{
	struct sleeper *s = &all[i];

	memset(s, 0, sizeof(*s));
	s->held = held;
	s->until_ns = RL_NO_DEADLINE;
	s->has_span = (struct rl_span){ start, end, mode };
	if (held)
		check_eq(rl_lock_many(held, &s->has, 1, &s->has_span), 0);
	if (held)
		rl_give(held, &s->has, RL_NOBODY);
	return s;
}

static void add_span(struct sleeper *s, enum rl_mode mode, uint64_t start,
		     uint64_t end)
{
	s->want_spans[s->nr_wants++] = (struct rl_span){ start, end, mode };
}

void sleeper_go(unsigned int i)
{
	pthread_mutex_lock(&mutex);
	clock_ns++;			/* nobody is as old as another */
	all[i].is_started = true;
	check_eq(pthread_create(&all[i].thread, NULL, wait_for_the_other,
				&all[i]), 0);
	settle();
	pthread_mutex_unlock(&mutex);
}

void sleeper_wants(unsigned int i, struct rangelock *wanted, enum rl_mode mode,
		   uint64_t start, uint64_t end)
{
	all[i].wanted = wanted;
	add_span(&all[i], mode, start, end);
	sleeper_go(i);
}

void sleeper_wants_too(unsigned int i, enum rl_mode mode, uint64_t start,
		       uint64_t end)
{
	add_span(&all[i], mode, start, end);
}

bool sleeper_is_through(unsigned int i)
{
	bool is_through;

	pthread_mutex_lock(&mutex);
	is_through = all[i].is_through;
	pthread_mutex_unlock(&mutex);
	return is_through;
}

int sleeper_result(unsigned int i)
{
	check(sleeper_is_through(i));
	return all[i].result;
}

void sleepers_join(void)
{
	for (unsigned int i = 0; i < NR_SLEEPERS; i++) {
		if (all[i].is_started)
			check_eq(pthread_join(all[i].thread, NULL), 0);
		if (all[i].held && (all[i].keeps || !all[i].is_started))
			rl_unlock(all[i].held, &all[i].has);
		memset(&all[i], 0, sizeof(all[i]));
	}
}
