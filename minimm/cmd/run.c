/*
 * run.c - minimm run: a workload on real threads, scheme beside scheme
 *
 * First each scheme runs once with each number of threads, watched for missed
 * conflicts and not timed: that warms up, too.  Then come the repetitions, and
 * in each of them every scheme in turn, beginning with another one every time,
 * so that what comes and goes on the machine meets them all.  What fails (memory,
 * threads) is not run again; the others go on, and all that was measured is put.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/commands.h"
#include "minimm/cmd/out.h"
#include "minimm/cmd/rates.h"
#include "minimm/cmd/say.h"
#include "minimm/load/threads.h"

#define RUN_OPTIONS	"sTduRpvfjh"
#define RUN_NS		UINT64_C(200000000)
#define REPS		5
#define REPORTS		3		/* violations told of one run */
#define WATCHED_CALLS	4000u		/* of a thread, or one turn */

static void run_help(void)
{
	printf("Usage: minimm run [OPTION ...] WORKLOAD\n"
	       "\n"
	       "Real threads run a loop in one address space, under one scheme "
	       "after another: how\nmany operations a second.  The model's work "
	       "is real, the kernel's is not there\n(no page is cleared), so "
	       "ratios between schemes say something, figures do not.\n"
	       "\n");
	for (size_t i = 0; load_list[i]; i++)
		printf("  %-12s %s\n", load_list[i]->name,
		       load_list[i]->summary);
	printf("\n");
	mm_args_help(RUN_OPTIONS);
}

/* ---- Arguments ---- */

static int find_load(const struct mm_args *args, const char *command,
		     const struct load **load)
{
	char known[256];
	size_t length = 0;

	for (size_t i = 0; load_list[i] && length < sizeof(known); i++)
		length += (size_t)snprintf(known + length,
					   sizeof(known) - length, "%s%s",
					   i ? ", " : "", load_list[i]->name);
	if (!args->trace)
		return mm_say_usage(command, "which workload?  There are: %s",
				    known);
	*load = load_find(args->trace);
	if (*load)
		return MM_STATUS_OK;
	return mm_say_usage(command, "no workload is called \"%s\"; there are: "
			    "%s", args->trace, known);
}

static void fill_in_counts(struct mm_args *args)
{
	uint64_t nr_cpus = load_nr_cpus();
	const uint64_t counts[] = { 1, nr_cpus, 2 * nr_cpus };

	if (args->nr_thread_counts > 0)
		return;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if ((i == 0 || counts[i] > counts[i - 1]) &&
		    counts[i] <= LOAD_THREADS_MAX)
			args->thread_counts[args->nr_thread_counts++] =
				counts[i];
}

static int check_args(struct mm_args *args, const char *command,
		      struct mm_rates *rates)
{
	uint64_t most = 0;

	if (args->run_ns && args->nr_turns)
		return mm_say_usage(command, "--seconds and --turns: one of "
				    "them ends a repetition");
	if (args->nr_vmas && !rates->load->has_vmas)
		return mm_say_usage(command, "--vmas: %s has one mapping a "
				    "thread", rates->load->name);
	if (!args->run_ns && !args->nr_turns)
		args->run_ns = RUN_NS;
	if (!args->nr_reps)
		args->nr_reps = REPS;
	fill_in_counts(args);
	rates->sizes = rates->load->sizes;
	if (args->nr_pages)
		rates->sizes.pages = args->nr_pages;
	if (args->nr_vmas)
		rates->sizes.vmas = args->nr_vmas;
	for (size_t i = 0; i < args->nr_thread_counts; i++)
		if (args->thread_counts[i] > most)
			most = args->thread_counts[i];
	if (rates->load->touches_all &&
	    most * rates->sizes.vmas * rates->sizes.pages > LOAD_TOUCHED_MAX)
		return mm_say_usage(command, "--threads, --pages and --vmas "
				    "make more than %llu pages at once",
				    (unsigned long long)LOAD_TOUCHED_MAX);
	return MM_STATUS_OK;
}

/* ---- Running ---- */

static void report_violation(void *arg, const char *text)
{
	const struct mm_rates_cell *cell = arg;

	mm_say("%s, %u threads: %s", cell->scheme->name, cell->nr_threads,
	       text);
}

static bool files_are_fine(const struct mm_args *args,
			   const struct mm_scheme *scheme)
{
	if (args->files == MM_FILES_AS_SCHEME)
		return scheme->files_are_fine;
	return args->files == MM_FILES_FINE;
}

static void add_result(struct mm_rates_cell *cell,
		       const struct load_result *result)
{
	load_counts_add(&cell->counts, &result->counts, 1);
	cell->nr_turns += result->nr_turns;
	cell->nr_missed += result->nr_missed;
	cell->nr_violations += result->nr_violations;
}

/* rep: or WATCHED, which is not timed. */
#define WATCHED		UINT64_MAX

static void say_failed(const struct mm_rates *rates,
		       const struct mm_rates_cell *cell, uint64_t rep)
{
	char when[64] = "the watched run";

	if (rep != WATCHED)
		snprintf(when, sizeof(when), "repetition %llu of %llu",
			 (unsigned long long)rep + 1,
			 (unsigned long long)rates->args->nr_reps);
	mm_say("%s with %u threads: %s: %s", cell->scheme->name,
	       cell->nr_threads, when, strerror(cell->error));
}

static void run_cell(const struct mm_rates *rates, struct mm_rates_cell *cell,
		     uint64_t rep)
{
	const struct mm_args *args = rates->args;
	struct load_options options = {
		.load = rates->load,
		.scheme = cell->scheme,
		.sizes = rates->sizes,
		.nr_threads = cell->nr_threads,
		.turns = args->nr_turns,
		.run_ns = args->run_ns,
		.files_are_fine = files_are_fine(args, cell->scheme),
		.is_watched = rep == WATCHED,
		.report = report_violation,
		.report_arg = cell,
		.nr_reports = REPORTS,
	};
	struct load_result result;

	if (rep == WATCHED)
		options.turns = 1 + WATCHED_CALLS /
			load_calls_of_turn(rates->load, &rates->sizes);
	cell->error = load_run_threads(&options, &result);
	if (cell->error) {
		say_failed(rates, cell, rep);
		return;
	}
	add_result(cell, &result);
	if (rep == WATCHED)
		return;
	cell->rates[rep] = result.ns ? (double)result.nr_operations * 1e9 /
				       (double)result.ns : 0;
	cell->nr_rates++;
}

/* All numbers of threads, and for each all schemes, from the first-th on. */
static void run_round(const struct mm_rates *rates, uint64_t rep, size_t first)
{
	const struct mm_args *args = rates->args;

	for (size_t i = 0; i < rates->nr_cells; i++) {
		size_t in_turn = (i + first) % args->nr_schemes;
		size_t cell = i - i % args->nr_schemes + in_turn;

		if (!rates->cells[cell].error)
			run_cell(rates, &rates->cells[cell], rep);
	}
}

static void run_all(const struct mm_rates *rates)
{
	run_round(rates, WATCHED, 0);
	for (uint64_t rep = 0; rep < rates->args->nr_reps; rep++) {
		mm_progress(rates->load->name, rep, rates->args->nr_reps);
		run_round(rates, rep, rep % rates->args->nr_schemes);
	}
	mm_progress_erase();
}

/* ---- Results ---- */

static int put_all(const struct mm_rates *rates, struct mm_out *out)
{
	size_t nr = mm_rates_nr_rows(rates);

	if (mm_out_takes(out, nr))
		mm_rates_json(rates, mm_out_begin(out));
	if (!out->is_stdout && nr)
		mm_rates_table(rates, stdout);
	mm_say_unknown_sites();
	return mm_out_close(out);
}

static int verdict(const struct mm_rates *rates)
{
	int status = MM_STATUS_OK;

	for (size_t i = 0; i < rates->nr_cells; i++) {
		if (rates->cells[i].nr_missed || rates->cells[i].nr_violations)
			return MM_STATUS_VIOLATION;
		if (rates->cells[i].error)
			status = MM_STATUS_MISSING;
	}
	return status;
}

static int make_cells(struct mm_rates *rates)
{
	const struct mm_args *args = rates->args;
	double *room;

	rates->nr_cells = args->nr_thread_counts * args->nr_schemes;
	rates->cells = calloc(rates->nr_cells, sizeof(*rates->cells));
	room = calloc(rates->nr_cells * args->nr_reps, sizeof(*room));
	if (!rates->cells || !room) {
		free(room);
		mm_say("out of memory");
		return MM_STATUS_MISSING;
	}
	for (size_t i = 0; i < rates->nr_cells; i++) {
		struct mm_rates_cell *cell = &rates->cells[i];

		cell->scheme = args->schemes[i % args->nr_schemes];
		cell->nr_threads = (unsigned int)
			args->thread_counts[i / args->nr_schemes];
		cell->rates = room + i * args->nr_reps;
	}
	return MM_STATUS_OK;
}

static int run_and_put(struct mm_rates *rates)
{
	struct mm_out out;
	int status = mm_out_open(&out, rates->args->json);

	if (!status)
		status = make_cells(rates);
	if (!status) {
		run_all(rates);
		status = mm_status_of_both(verdict(rates),
					   put_all(rates, &out));
	}
	mm_out_close(&out);
	if (rates->cells)
		free(rates->cells[0].rates);
	free(rates->cells);
	return status;
}

int mm_cmd_run(int argc, char **argv)
{
	struct mm_args args;
	struct mm_rates rates = { .args = &args };
	int status = mm_args_read(&args, argc, argv, RUN_OPTIONS);

	if (status)
		return status;
	if (args.wants_help) {
		run_help();
		return MM_STATUS_OK;
	}
	status = find_load(&args, argv[0], &rates.load);
	if (!status)
		status = check_args(&args, argv[0], &rates);
	return status ? status : run_and_put(&rates);
}
