/*
 * run.c - replay a plan under one scheme, in virtual time
 *
 * A logical thread for each thread of each part.  It sleeps its gap, waits for
 * its step's predecessors (program order), performs the step, compares the
 * result with the recorded one and tells those who wait for it.
 *
 * With durations from the trace a call's spending is cut at its duration, and
 * what is left of that is spent at the end of its section, under its locks:
 * where in the call the time went the trace does not say.
 */
#include "minimm/replay/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rangelock/site.h>

#include "minimm/replay/world.h"
#include "minimm/trace/lines.h"

#define PROGRESS_STEPS	4096

struct runner {
	struct mm_world *world;
	struct mm_run_part *part;
	uint32_t thread;
	uint64_t budget_ns;		/* left of the call's recorded time */
	bool has_budget;
	struct mm_op op;
};

/* ---- Time ---- */

static uint64_t adjust(void *arg, enum mm_cost what, uint64_t ns)
{
	struct runner *r = arg;

	if (!r || !r->has_budget || what == MM_COST_IO_PAGE)
		return ns;
	if (ns > r->budget_ns)
		ns = r->budget_ns;
	r->budget_ns -= ns;
	return ns;
}

static void on_leave(void *ctx, struct mm_op *op)
{
	struct runner *r = op->owner;

	(void)ctx;
	if (!r)
		return;
	if (r->has_budget && r->budget_ns) {
		uint64_t rest = r->budget_ns;

		r->budget_ns = 0;
		sim_spend(r->world->sim, rest);
	}
	oracle_observer(r->world->oracle)->leave(r->world->oracle, op);
}

/* What is done before time begins has no owner and is not counted. */
static void on_aborted(void *ctx, struct mm_op *op, const char *why)
{
	struct runner *r = op->owner;

	if (r)
		oracle_observer(r->world->oracle)->aborted(ctx, op, why);
}

static void on_fell_back(void *ctx, struct mm_op *op, const char *why)
{
	struct runner *r = op->owner;

	if (r)
		oracle_observer(r->world->oracle)->fell_back(ctx, op, why);
}

/* ---- Steps ---- */

static void begin_thread(struct mm_world *world, struct mm_run_part *part,
			 uint32_t thread);

static uint64_t gap_of(const struct runner *r, uint32_t i)
{
	const struct mm_world *world = r->world;
	const struct mm_part *part = r->part->layout;
	const struct mm_step *step = &world->plan->steps[i];
	uint64_t gap = step->gap_ns;

	/* Of a gap that the part begins in, the rest. */
	if (step->start_ns - part->phase_ns < gap)
		gap = step->start_ns - part->phase_ns;
	return mm_layout_gap(world->replay->layout, world->replay->seed,
			     r->part->index, i, gap);
}

static void wait_for_preds(struct runner *r, const struct mm_step *step)
{
	struct mm_world *world = r->world;
	uint32_t from = r->part->layout->from;
	uint64_t since = sim_now(world->sim), waited;

	if (world->replay->racy)
		return;
	for (uint32_t i = 0; i < step->nr_preds; i++) {
		uint32_t pred = world->plan->preds[step->first_pred + i];

		if (pred >= from)
			sim_wait_event(world->sim, &r->part->done[pred - from]);
	}
	waited = sim_now(world->sim) - since;
	world->result->ordered_ns += waited;
	world->result->nr_ordered += waited > 0;
}

/* A recorded address stands for the moved one. */
static int64_t expected_result(const struct runner *r,
			       const struct mm_step *step)
{
	if (step->kind == MM_BRK && r->op.kind != MM_BRK)
		return r->op.kind == MM_MMAP ? (int64_t)r->op.addr : 0;
	if (step->expected <= 0)
		return step->expected;
	return (int64_t)mm_moved((uint64_t)step->expected & MM_PAGE_MASK,
				 r->part->layout->offset) +
	       (step->expected & (int64_t)~MM_PAGE_MASK);
}

static void compare(struct runner *r, const struct mm_step *step)
{
	struct mm_replay_result *result = r->world->result;

	result->nr_segv += step->kind == MM_FAULT && step->expected < 0;
	if (r->op.answer_taken)
		result->nr_answers_taken++;
	else if (r->op.result != expected_result(r, step))
		result->nr_mismatches[step->kind]++;
}

/* A call that locks nothing. */
static void spend_call(struct runner *r, const struct mm_step *step)
{
	const struct mm_replay *replay = r->world->replay;

	sim_spend(r->world->sim, replay->costs_from_trace ?
					 step->duration_ns :
					 replay->costs->ns[MM_COST_SYSCALL]);
}

static void run_operation(struct runner *r, const struct mm_step *step)
{
	struct mm_world *world = r->world;

	if (!mm_world_op(world, r->part, step, &r->op)) {
		world->result->nr_lockless++;
		spend_call(r, step);
		return;
	}
	r->op.owner = r;
	r->budget_ns = step->duration_ns;
	r->has_budget = world->replay->costs_from_trace &&
			step->kind != MM_FAULT;
	oracle_run(world->oracle, r->part->spaces[step->space], &r->op);
	r->has_budget = false;
	mm_world_forked(r->part, step, &r->op);
	compare(r, step);
}

static void begin_children(struct runner *r, const struct mm_step *step)
{
	const struct mm_plan_thread *threads = r->world->plan->threads;

	for (uint32_t i = step->first_child; i != MM_NONE;
	     i = threads[i].next_sibling)
		begin_thread(r->world, r->part, i);
}

static void run_step(struct runner *r, uint32_t i)
{
	struct mm_world *world = r->world;
	const struct mm_step *step = &world->plan->steps[i];

	sim_sleep(world->sim, gap_of(r, i));
	wait_for_preds(r, step);
	if (step->what == MM_STEP_RUN)
		run_operation(r, step);
	else if (step->what == MM_STEP_FAIL)
		spend_call(r, step);
	world->result->nr_failed += step->what == MM_STEP_FAIL;
	begin_children(r, step);
	sim_signal(world->sim, &r->part->done[i - r->part->layout->from]);
	if (++world->nr_done % PROGRESS_STEPS == 0 && world->replay->progress)
		world->replay->progress(world->replay->progress_arg,
					world->nr_done, world->nr_to_do);
}

/* ---- Threads and parts ---- */

static void begin_part(struct mm_world *world, struct mm_run_part *part);

static void run_thread(void *arg)
{
	struct runner *r = arg;
	struct mm_world *world = r->world;
	const struct mm_part *part = r->part->layout;
	const struct mm_plan_thread *thread =
		&world->plan->threads[r->thread];

	for (uint32_t i = 0; i < thread->nr; i++) {
		uint32_t step = world->plan->by_thread[thread->first + i];

		if (step >= part->from && step < part->to)
			run_step(r, step);
	}
	if (sim_now(world->sim) > world->result->makespan_ns)
		world->result->makespan_ns = sim_now(world->sim);
	if (--r->part->nr_running == 0 && r->part->next)
		begin_part(world, r->part->next);
	free(r);
}

static bool has_steps(const struct mm_world *world,
		      const struct mm_part *part, uint32_t thread)
{
	const struct mm_plan_thread *t = &world->plan->threads[thread];
	const uint32_t *steps = &world->plan->by_thread[t->first];

	return t->nr && steps[t->nr - 1] >= part->from && steps[0] < part->to;
}

static void begin_thread(struct mm_world *world, struct mm_run_part *part,
			 uint32_t thread)
{
	struct runner *r;

	if (!has_steps(world, part->layout, thread))
		return;
	r = calloc(1, sizeof(*r));
	if (r) {
		r->world = world;
		r->part = part;
		r->thread = thread;
		part->nr_running++;
		if (sim_spawn(world->sim, 0, run_thread, r))
			return;
		part->nr_running--;
		free(r);
	}
	world->out_of_memory = true;
}

/* All threads that no step of the part begins. */
static void begin_part(struct mm_world *world, struct mm_run_part *part)
{
	const struct mm_plan *plan = world->plan;

	part->nr_running++;	/* itself, until all are begun */
	for (uint32_t i = 0; i < plan->rec->nr_threads; i++) {
		uint32_t clone = plan->threads[i].clone;

		if (clone == MM_NONE || clone < part->layout->from)
			begin_thread(world, part, i);
	}
	if (--part->nr_running == 0 && part->next)
		begin_part(world, part->next);
}

/* ---- The whole ---- */

static int create_world(struct mm_world *world)
{
	const struct mm_replay *replay = world->replay;
	const struct sim_options sim_options = {
		.nr_cpus = replay->nr_cpus,
		.slice_ns = replay->costs->slice_ns,
	};
	struct oracle_options oracle_options = {
		.report = replay->report,
		.report_arg = replay->report_arg,
	};

	world->sim = sim_create(&sim_options);
	if (!world->sim)
		return -1;
	oracle_options.host = sim_host(world->sim);
	world->oracle = oracle_create(&oracle_options);
	if (!world->oracle)
		return -1;
	world->observer = *oracle_observer(world->oracle);
	world->observer.leave = on_leave;
	world->observer.aborted = on_aborted;
	world->observer.fell_back = on_fell_back;
	sim_env_init(&world->env, world->sim, replay->costs);
	world->env.adjust = adjust;
	return mm_world_open(world);
}

static void destroy_world(struct mm_world *world)
{
	mm_world_close(world);
	if (world->oracle)
		oracle_destroy(world->oracle);
	if (world->sim)
		sim_destroy(world->sim);
}

static void say_dump(void *arg, const char *text, size_t length)
{
	const struct mm_replay *replay = arg;
	char line[256];

	if (!replay->report)
		return;
	while (length && text[length - 1] == '\n')
		length--;
	snprintf(line, sizeof(line), "%.*s",
		 (int)(length < sizeof(line) ? length : sizeof(line) - 1),
		 text);
	replay->report(replay->report_arg, line);
}

static void run_to_the_end(struct mm_world *world)
{
	int error;

	for (uint32_t i = 0; i < world->replay->layout->nr_parts; i++) {
		if (!world->parts[i].layout->follows)
			begin_part(world, &world->parts[i]);
	}
	error = world->out_of_memory ? 0 : sim_run(world->sim);
	if (error == ENOMEM)
		world->out_of_memory = true;
	if (error == EDEADLK) {
		oracle_violation(world->oracle,
				 "I13: nobody can run, but somebody waits");
		sim_dump(world->sim, say_dump,
			 (void *)(uintptr_t)world->replay);
		return;
	}
	/* Each one found tells the observer, who counts it. */
	if (!world->out_of_memory)
		mm_world_check(world);
}

static struct mm_latency latency_of(const struct hist *h)
{
	return (struct mm_latency){ h->nr, hist_quantile(h, 500),
				    hist_quantile(h, 990), h->max };
}

static void read_latencies(struct mm_replay_result *result,
			   const struct hist *latency)
{
	static struct hist both;

	for (int kind = 0; kind < MM_NR_KINDS; kind++)
		result->latency[kind] = latency_of(&latency[kind]);
	both = latency[MM_MMAP];
	hist_merge(&both, &latency[MM_MUNMAP]);
	result->map_latency = latency_of(&both);
}

static void read_results(struct mm_world *world)
{
	struct mm_replay_result *result = world->result;
	struct oracle_result judged;
	struct sim_stats stats;

	oracle_read(world->oracle, &judged);
	result->nr_operations = judged.nr_operations + result->nr_failed +
				result->nr_lockless;
	memcpy(result->nr_waits, judged.nr_waits, sizeof(judged.nr_waits));
	memcpy(result->wait_ns, judged.wait_ns, sizeof(judged.wait_ns));
	memcpy(result->false_ns, judged.false_ns, sizeof(judged.false_ns));
	memcpy(result->nr_aborts, judged.nr_aborts, sizeof(judged.nr_aborts));
	memcpy(result->nr_fallbacks, judged.nr_fallbacks,
	       sizeof(judged.nr_fallbacks));
	result->nr_short = judged.nr_short;
	result->short_ns = judged.short_ns;
	result->nr_missed = judged.nr_missed;
	result->nr_violations = judged.nr_violations;
	read_latencies(result, judged.latency);
	result->nr_pairs =
		oracle_pairs(world->oracle, result->pairs, MM_TOP_PAIRS);
	result->nr_causes =
		oracle_causes(world->oracle, result->causes, MM_TOP_CAUSES);
	sim_stats_read(world->sim, &stats);
	result->cpu_wait_ns = stats.cpu_wait_ns;
	result->busy_ns = stats.busy_ns;
}

int mm_replay_run(const struct mm_replay *replay,
		  const struct mm_scheme *scheme,
		  struct mm_replay_result *result, char *why)
{
	struct mm_world world = {
		.replay = replay,
		.plan = replay->plan,
		.scheme = scheme,
		.result = result,
	};

	memset(result, 0, sizeof(*result));
	result->scheme = scheme;
	if (create_world(&world))
		world.out_of_memory = true;
	if (!world.out_of_memory) {
		rl_sites_reset();
		run_to_the_end(&world);
	}
	if (!world.out_of_memory)
		read_results(&world);
	destroy_world(&world);
	if (!world.out_of_memory)
		return 0;
	snprintf(why, MM_WHY_MAX, "%.200s under %.40s: out of memory",
		 replay->plan->rec->path, scheme->name);
	return -1;
}
