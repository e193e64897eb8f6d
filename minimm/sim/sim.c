/*
 * sim.c - the scheduler of virtual time
 *
 * Who blocks takes the next event off the queue and switches straight to its
 * thread; there is no scheduler thread in between.  A spend that ends before
 * the next event only moves the clock, without any switch.
 *
 *	      start          S1 spend
 *	  NEW ------> RUNS <-----------> BUSY (has a CPU)
 *	             ^ |  \ S3 no CPU is free     ^
 *	   resumed   | |   '----> READY ----------'
 *	             | | S2 sleep, park, wait: its CPU goes to who is READY first
 *	             | v
 *	            AWAY            S4 its function returns: ENDED
 *
 * Each time a thread leaves RUNS its turn is counted up, so that an event for
 * an older turn (the deadline of a park that was woken) is recognized and
 * dropped.  Weak spot: what happens at one instant happens in the order of the
 * events' numbers, never really at once.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/sim/coro.h"
#include "minimm/sim/queue.h"

#define NR_BUCKETS	256u

enum state {
	STATE_NEW,
	STATE_RUNS,
	STATE_BUSY,		/* spends; has a CPU */
	STATE_READY,		/* wants to spend; waits for a CPU */
	STATE_SLEEPS,
	STATE_PARKED,
	STATE_WAITS,		/* for a sim_event */
	STATE_ENDED,
};

static const char *const state_names[] = {
	"new", "running", "busy", "ready", "sleeping", "parked", "waiting",
	"ended",
};

struct sim_thread {
	uint64_t number;
	void (*fn)(void *arg);
	void *arg;
	struct coro *coro;
	enum state state;
	bool has_cpu;
	uint64_t turn;
	uint64_t nr_queued;		/* events, of whatever turn */
	uint64_t since_ns;		/* in this state */
	uint64_t slice_end_ns;
	const uint32_t *word;		/* while PARKED */
	struct sim_thread *next;	/* in the list that its state implies */
	struct sim_thread *elder, *younger;
	struct sim *sim;
};

struct list {
	struct sim_thread *first, *last;
};

struct sim {
	uint64_t now_ns;
	struct sim_thread *current;	/* NULL: the context of sim_run() */
	struct sim_queue queue;
	struct list ready;
	struct list parked[NR_BUCKETS];
	unsigned int nr_free_cpus;
	uint64_t slice_ns;
	uint64_t nr_alive;
	struct sim_thread *youngest;
	struct coro_pool pool;
	struct coro outside;
	struct sim_thread *just_ended;	/* still on its stack */
	bool out_of_memory;
	sim_describe_fn *describe;
	struct rl_host host;
	struct sim_stats stats;
};

static void list_add(struct list *l, struct sim_thread *t)
{
	t->next = NULL;
	if (l->last)
		l->last->next = t;
	else
		l->first = t;
	l->last = t;
}

static struct sim_thread *list_take(struct list *l)
{
	struct sim_thread *t = l->first;

	if (!t)
		return NULL;
	l->first = t->next;
	if (!l->first)
		l->last = NULL;
	return t;
}

static void list_remove(struct list *l, struct sim_thread *t)
{
	struct sim_thread **link = &l->first, *before = NULL;

	while (*link != t) {
		before = *link;
		link = &before->next;
	}
	*link = t->next;
	if (l->last == t)
		l->last = before;
}

/* Which bucket depends on the address, so nothing else may: each of them is
 * in the order of arrival, and only equal addresses are ever compared. */
static struct list *bucket_of(struct sim *sim, const uint32_t *word)
{
	uintptr_t x = (uintptr_t)word >> 2;

	return &sim->parked[(x ^ x >> 8 ^ x >> 16) % NR_BUCKETS];
}

static void set_state(struct sim_thread *t, enum state state)
{
	t->state = state;
	t->since_ns = t->sim->now_ns;
}

/* From here on only events that are added now resume t. */
static void leave(struct sim_thread *t, enum state state)
{
	t->turn++;
	set_state(t, state);
}

/* Resume t at a time, unless something else resumes it first. */
static void resume_at(struct sim_thread *t, uint64_t time_ns)
{
	struct sim *sim = t->sim;

	if (sim_queue_add(&sim->queue, time_ns, t, t->turn))
		t->nr_queued++;
	else
		sim->out_of_memory = true;
}

/* ---- Switching ---- */

static void run_thread(void *arg);

static void forget(struct sim *sim, struct sim_thread *t)
{
	if (t->younger)
		t->younger->elder = t->elder;
	else
		sim->youngest = t->elder;
	if (t->elder)
		t->elder->younger = t->younger;
	free(t);
}

/* The stack of a thread that has ended is free once another one runs. */
static void reap(struct sim *sim)
{
	struct sim_thread *t = sim->just_ended;

	if (!t)
		return;
	sim->just_ended = NULL;
	coro_give(&sim->pool, t->coro);
	t->coro = NULL;
	if (!t->nr_queued)
		forget(sim, t);
}

/* The thread of the next event that is not out of date; NULL if there is none. */
static struct sim_thread *next_thread(struct sim *sim)
{
	while (sim->queue.nr && !sim->out_of_memory) {
		struct sim_entry e = sim_queue_take(&sim->queue);
		struct sim_thread *t = e.thread;

		sim->stats.nr_events++;
		t->nr_queued--;
		if (e.turn == t->turn) {
			sim->now_ns = e.time_ns;
			return t;
		}
		if (!t->nr_queued && t->state == STATE_ENDED && !t->coro)
			forget(sim, t);
	}
	return NULL;
}

static struct coro *coro_of(struct sim *sim, struct sim_thread *t)
{
	if (!t)
		return &sim->outside;
	if (!t->coro)
		t->coro = coro_take(&sim->pool, run_thread, t);
	if (!t->coro) {
		sim->out_of_memory = true;
		return &sim->outside;
	}
	return t->coro;
}

/* Run whoever is next; return when the caller is. */
static void schedule(struct sim *sim, struct sim_thread *self)
{
	struct coro *from = coro_of(sim, self);
	struct sim_thread *next = next_thread(sim);
	struct coro *to;

	if (next == self && self)
		return;
	to = coro_of(sim, next);
	if (to == from)
		return;
	sim->current = to == &sim->outside ? NULL : next;
	sim->stats.nr_switches++;
	coro_switch(from, to, self && self->state == STATE_ENDED);
	reap(sim);
}

/* ---- CPUs ---- */

static void have_cpu(struct sim *sim, struct sim_thread *t)
{
	t->has_cpu = true;
	t->slice_end_ns = sim->now_ns + sim->slice_ns;
}

static void give_up_cpu(struct sim *sim, struct sim_thread *t)
{
	struct sim_thread *heir;

	if (!t->has_cpu)
		return;
	t->has_cpu = false;
	heir = list_take(&sim->ready);
	if (!heir) {
		sim->nr_free_cpus++;
		return;
	}
	have_cpu(sim, heir);
	resume_at(heir, sim->now_ns);
}

/* S3 */
static void take_cpu(struct sim *sim, struct sim_thread *t)
{
	if (sim->nr_free_cpus) {
		sim->nr_free_cpus--;
		have_cpu(sim, t);
		return;
	}
	leave(t, STATE_READY);
	list_add(&sim->ready, t);
	schedule(sim, t);
	sim->stats.cpu_wait_ns += sim->now_ns - t->since_ns;
	set_state(t, STATE_RUNS);
}

/* S2, after leave(): without a CPU until something resumes t. */
static void stay_away(struct sim *sim, struct sim_thread *t)
{
	give_up_cpu(sim, t);
	schedule(sim, t);
	set_state(t, STATE_RUNS);
}

/* S1: let ns go by, on the CPU that t has. */
static void burn(struct sim *sim, struct sim_thread *t, uint64_t ns)
{
	uint64_t until = sim->now_ns + ns;

	sim->stats.busy_ns += ns;
	if (!sim->queue.nr || until < sim->queue.heap[0].time_ns) {
		sim->now_ns = until;
		return;
	}
	leave(t, STATE_BUSY);
	resume_at(t, until);
	schedule(sim, t);
	set_state(t, STATE_RUNS);
}

void sim_spend(struct sim *sim, uint64_t ns)
{
	struct sim_thread *t = sim->current;

	while (t && ns) {
		uint64_t left, step;

		if (!t->has_cpu)
			take_cpu(sim, t);
		if (sim->now_ns >= t->slice_end_ns) {
			if (sim->ready.first) {
				give_up_cpu(sim, t);
				continue;
			}
			t->slice_end_ns = sim->now_ns + sim->slice_ns;
		}
		left = t->slice_end_ns - sim->now_ns;
		step = ns < left ? ns : left;
		burn(sim, t, step);
		ns -= step;
	}
}

/* ---- Sleeping and waiting ---- */

void sim_sleep_until(struct sim *sim, uint64_t time_ns)
{
	struct sim_thread *t = sim->current;

	if (!t || time_ns <= sim->now_ns)
		return;
	leave(t, STATE_SLEEPS);
	resume_at(t, time_ns);
	stay_away(sim, t);
}

void sim_wait_event(struct sim *sim, struct sim_event *event)
{
	struct sim_thread *t = sim->current;
	struct list l = { event->first, event->last };

	if (event->happened)
		return;
	list_add(&l, t);
	event->first = l.first;
	event->last = l.last;
	leave(t, STATE_WAITS);
	stay_away(sim, t);
}

void sim_signal(struct sim *sim, struct sim_event *event)
{
	struct list l = { event->first, event->last };
	struct sim_thread *t;

	event->happened = true;
	event->first = event->last = NULL;
	while ((t = list_take(&l)))
		resume_at(t, sim->now_ns);
}

/* ---- The host table ---- */

static void host_park(void *ctx, const uint32_t *word, uint32_t expected,
		      uint64_t deadline_ns)
{
	struct sim *sim = ctx;
	struct sim_thread *t = sim->current;

	if (*(const volatile uint32_t *)word != expected ||
	    deadline_ns <= sim->now_ns)
		return;
	if (!t) {
		fprintf(stderr, "sim: a park outside of every thread: "
			"nobody can end it\n");
		abort();
	}
	t->word = word;
	list_add(bucket_of(sim, word), t);
	leave(t, STATE_PARKED);
	if (deadline_ns != SIM_NEVER)
		resume_at(t, deadline_ns);
	stay_away(sim, t);
	if (t->word)			/* the deadline, not a wake */
		list_remove(bucket_of(sim, word), t);
	t->word = NULL;
}

static void host_wake(void *ctx, const uint32_t *word)
{
	struct sim *sim = ctx;
	struct list *l = bucket_of(sim, word);
	struct sim_thread *t, *next;

	for (t = l->first; t; t = next) {
		next = t->next;
		if (t->word != word)
			continue;
		list_remove(l, t);
		t->word = NULL;
		resume_at(t, sim->now_ns);
	}
}

static uint64_t host_now(void *ctx)
{
	return ((struct sim *)ctx)->now_ns;
}

static uint64_t host_self(void *ctx)
{
	struct sim *sim = ctx;

	return sim->current ? sim->current->number : UINT64_MAX;
}

const struct rl_host *sim_host(struct sim *sim)
{
	return &sim->host;
}

/* ---- Threads ---- */

static void run_thread(void *arg)
{
	struct sim_thread *t = arg;
	struct sim *sim = t->sim;

	reap(sim);
	set_state(t, STATE_RUNS);
	t->fn(t->arg);
	leave(t, STATE_ENDED);		/* S4 */
	give_up_cpu(sim, t);
	sim->nr_alive--;
	sim->just_ended = t;
	schedule(sim, t);
}

uint64_t sim_spawn(struct sim *sim, uint64_t start_ns, void (*fn)(void *arg),
		   void *arg)
{
	struct sim_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return 0;
	t->number = ++sim->stats.nr_threads;
	t->fn = fn;
	t->arg = arg;
	t->sim = sim;
	t->elder = sim->youngest;
	if (sim->youngest)
		sim->youngest->younger = t;
	sim->youngest = t;
	sim->nr_alive++;
	set_state(t, STATE_NEW);
	resume_at(t, start_ns > sim->now_ns ? start_ns : sim->now_ns);
	return t->number;
}

int sim_run(struct sim *sim)
{
	schedule(sim, NULL);
	if (sim->out_of_memory)
		return ENOMEM;
	return sim->nr_alive ? EDEADLK : 0;
}

struct sim *sim_create(const struct sim_options *options)
{
	struct sim *sim = options->nr_cpus ? calloc(1, sizeof(*sim)) : NULL;

	if (!sim)
		return NULL;
	sim->nr_free_cpus = options->nr_cpus;
	sim->slice_ns = options->slice_ns ? options->slice_ns : SIM_SLICE_NS;
	sim->describe = options->describe;
	sim->host = (struct rl_host){
		.park = host_park, .wake = host_wake, .now = host_now,
		.self = host_self, .relax = NULL, .ctx = sim,
	};
	coro_adopt(&sim->outside);
	return sim;
}

void sim_destroy(struct sim *sim)
{
	struct sim_thread *t, *next;

	for (t = sim->youngest; t; t = next) {
		next = t->elder;
		if (t->coro)
			coro_give(&sim->pool, t->coro);
		free(t);
	}
	coro_pool_empty(&sim->pool);
	coro_context_release(&sim->outside);
	sim_queue_free(&sim->queue);
	free(sim);
}

/* ---- Looking ---- */

uint64_t sim_now(const struct sim *sim)
{
	return sim->now_ns;
}

uint64_t sim_self(const struct sim *sim)
{
	return sim->current ? sim->current->number : 0;
}

void *sim_arg(const struct sim *sim)
{
	return sim->current ? sim->current->arg : NULL;
}

void sim_stats_read(const struct sim *sim, struct sim_stats *stats)
{
	*stats = sim->stats;
}

void sim_dump(struct sim *sim, rl_write_fn *write, void *arg)
{
	const struct sim_thread *t = sim->youngest;
	char who[128], line[256];
	int n;

	while (t && t->elder)
		t = t->elder;
	for (; t; t = t->younger) {
		if (t->state == STATE_ENDED)
			continue;
		who[0] = '\0';
		if (sim->describe)
			sim->describe(t->arg, who, sizeof(who));
		n = snprintf(line, sizeof(line),
			     "thread %" PRIu64 " %s since %" PRIu64 " ns%s%s\n",
			     t->number, state_names[t->state], t->since_ns,
			     who[0] ? ": " : "", who);
		if (n > 0)
			write(arg, line, strlen(line));
	}
}
