/*
 * threads.c - a workload on real threads, under one scheme
 *
 * The controller sleeps while the threads run.  Weak spot: nothing is spent for
 * the work that a kernel would do (clearing a page, telling other CPUs), so what
 * a scheme costs weighs more here than there.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/load/threads.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "minimm/env/atomic.h"

enum gate { GATE_CLOSED, GATE_OPEN, GATE_GO_HOME };

struct crew {
	const struct load_options *options;
	struct meet *meet;
	struct mm *mm;
	struct worker *workers;
	unsigned int nr_started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum gate gate;			/* under lock */
	_Alignas(LOAD_LINE) uint32_t stop;
};

struct worker {
	struct load_thread thread;
	struct crew *crew;
	unsigned int index;
	bool failed;
	pthread_t id;
};

/* ---- Clock, CPUs ---- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / UINT64_C(1000000000)),
		.tv_nsec = (long)(ns % UINT64_C(1000000000)),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

unsigned int load_nr_cpus(void)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	return (unsigned int)CPU_COUNT(&allowed);
}

/* Who may not be pinned runs where he is. */
static void pin(unsigned int index)
{
	cpu_set_t allowed, one;
	unsigned int left;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return;
	left = index % (unsigned int)CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && left-- == 0)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* ---- Threads ---- */

static bool may_begin(struct crew *c)
{
	bool open;

	pthread_mutex_lock(&c->lock);
	while (c->gate == GATE_CLOSED)
		pthread_cond_wait(&c->changed, &c->lock);
	open = c->gate == GATE_OPEN;
	pthread_mutex_unlock(&c->lock);
	return open;
}

static void set_gate(struct crew *c, enum gate gate)
{
	pthread_mutex_lock(&c->lock);
	c->gate = gate;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static bool goes_on(const struct worker *w)
{
	uint64_t turns = w->crew->options->turns;

	/* Relaxed: a word to stop; the join orders the rest. */
	return turns ? w->thread.nr_turns < turns
		     : !mm_load32_relaxed(&w->crew->stop);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pin(w->index);
	if (!may_begin(w->crew))
		return NULL;
	while (goes_on(w)) {
		if (!w->crew->options->load->turn(&w->thread)) {
			w->failed = true;
			break;
		}
		w->thread.nr_turns++;
	}
	return NULL;
}

static int start(struct crew *c)
{
	for (unsigned int i = 0; i < c->options->nr_threads; i++) {
		struct worker *w = &c->workers[i];
		int error = pthread_create(&w->id, NULL, work, w);

		if (error)
			return error;
		c->nr_started++;
	}
	return 0;
}

static void join(struct crew *c)
{
	for (unsigned int i = 0; i < c->nr_started; i++)
		pthread_join(c->workers[i].id, NULL);
}

static uint64_t published(const struct crew *c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < c->nr_started; i++)
		sum += mm_load_relaxed(&c->workers[i].thread.nr_published);
	return sum;
}

/* Let them go, and time them. */
static void measure(struct crew *c, struct load_result *result)
{
	uint64_t since = now_ns(), before = 0;

	set_gate(c, GATE_OPEN);
	if (c->options->turns) {
		join(c);
		result->ns = now_ns() - since;
		result->nr_operations = published(c);
		return;
	}
	sleep_ns(c->options->run_ns / 5);
	since = now_ns();
	before = published(c);
	sleep_ns(c->options->run_ns);
	result->nr_operations = published(c) - before;
	result->ns = now_ns() - since;
	mm_store32_relaxed(&c->stop, 1);
	join(c);
}

/* ---- Does it add up? ---- */

static void expect(struct crew *c, const char *what, uint64_t got,
		   uint64_t want)
{
	char text[160];

	if (got == want)
		return;
	snprintf(text, sizeof(text), "%s: %" PRIu64 ", but the threads' turns "
		 "make %" PRIu64, what, got, want);
	meet_violation(c->meet, text);
}

static void say_failed(struct crew *c, const struct worker *w)
{
	char text[160], result[MM_RESULT_TEXT];
	const struct mm_op *op = &w->thread.op;

	snprintf(text, sizeof(text), "thread %u: %s %" PRIx64 " says %s",
		 w->index, mm_kind_name(op->kind), op->addr,
		 mm_result_text(op->result, result, sizeof(result)));
	meet_violation(c->meet, text);
}

/* Returns: nobody has failed. */
static bool add_up(struct crew *c, struct load_result *result,
		   struct load_counts *want)
{
	struct load_counts a_turn = c->options->load->adds(&c->options->sizes);
	bool all_well = true;

	for (unsigned int i = 0; i < c->nr_started; i++) {
		const struct worker *w = &c->workers[i];

		load_counts_add(&result->counts, &w->thread.counts, 1);
		load_counts_add(want, &a_turn, w->thread.nr_turns);
		result->nr_turns += w->thread.nr_turns;
		if (!w->failed)
			continue;
		say_failed(c, w);
		all_well = false;
	}
	return all_well;
}

static void check_counts(struct crew *c, const struct load_counts *got,
			 const struct load_counts *want)
{
	expect(c, "operations", got->nr_operations, want->nr_operations);
	for (unsigned int i = 0; i < MM_NR_KINDS; i++)
		expect(c, mm_kind_name((enum mm_kind)i), got->nr_calls[i],
		       want->nr_calls[i]);
	expect(c, "pages installed", got->nr_installed, want->nr_installed);
	expect(c, "pages cleared", got->nr_cleared, want->nr_cleared);
	expect(c, "mappings left", mm_nr_vmas(c->mm), 0);
	expect(c, "pages left", mm_load_relaxed(&c->mm->nr_entries), 0);
}

/* A thread that failed has told; what it left half done is no news. */
static void settle(struct crew *c, struct load_result *result)
{
	struct load_counts want = { 0 };

	if (add_up(c, result, &want))
		check_counts(c, &result->counts, &want);
	mm_check(c->mm);
	result->nr_missed = meet_nr_missed(c->meet);
	result->nr_violations = meet_nr_violations(c->meet);
}

/* ---- Life ---- */

static int prepare_worker(struct crew *c, unsigned int i)
{
	const struct load_options *o = c->options;
	struct load_thread *t = &c->workers[i].thread;

	c->workers[i].crew = c;
	c->workers[i].index = i;
	t->mm = c->mm;
	t->sizes = o->sizes;
	t->places = calloc(o->sizes.vmas, sizeof(*t->places));
	if (!t->places)
		return ENOMEM;
	if (!o->load->has_files)
		return 0;
	t->file = mm_file_create(i + 1, o->sizes.pages, o->files_are_fine
				 ? &mm_fine_file_ops : &mm_file_ops);
	return t->file ? 0 : ENOMEM;
}

static int prepare(struct crew *c)
{
	const struct load_options *o = c->options;
	const struct meet_options meet_options = {
		.nr_threads = o->nr_threads,
		.watches_sections = o->is_watched,
		.report = o->report,
		.report_arg = o->report_arg,
		.nr_reports = o->nr_reports,
	};
	struct mm_config config = { .scheme = o->scheme };
	size_t size = o->nr_threads * sizeof(*c->workers);
	int error = 0;

	c->meet = meet_create(&meet_options);
	if (!c->meet)
		return ENOMEM;
	config.observer = meet_observer(c->meet);
	c->mm = mm_create(&config);
	c->workers = aligned_alloc(LOAD_LINE, size);
	if (c->workers)
		memset(c->workers, 0, size);
	if (!c->mm || !c->workers)
		return ENOMEM;
	for (unsigned int i = 0; i < o->nr_threads && !error; i++)
		error = prepare_worker(c, i);
	return error;
}

static void clean_up(struct crew *c)
{
	for (unsigned int i = 0; c->workers && i < c->options->nr_threads; i++) {
		free(c->workers[i].thread.places);
		if (c->workers[i].thread.file)
			mm_file_put(c->workers[i].thread.file);
	}
	free(c->workers);
	if (c->mm)
		mm_destroy(c->mm);
	meet_destroy(c->meet);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
}

int load_run_threads(const struct load_options *options,
		     struct load_result *result)
{
	struct crew c = { .options = options,
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .changed = PTHREAD_COND_INITIALIZER };
	int error;

	memset(result, 0, sizeof(*result));
	error = prepare(&c);
	if (!error)
		error = start(&c);
	if (error) {
		set_gate(&c, GATE_GO_HOME);
		join(&c);
	} else {
		measure(&c, result);
		settle(&c, result);
	}
	clean_up(&c);
	return error;
}
