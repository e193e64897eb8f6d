/*
 * main.c - rlbench: what the lock costs, beside others, in one process run
 *
 * Data goes to stdout, messages to stderr.  Exit: 0 good, 1 a threshold or a
 * check missed, 2 usage, 3 the machine lacks something or a file is no good.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/measure.h"

struct settings settings = {
	.rounds = 11,
	.seconds = 0.020,
	.seed = 1,
	.pin = true,
	.baseline = "pthread_rwlock",
};

static const char usage_text[] =
"usage: rlbench run|bars [OPTION...]\n"
"       rlbench list\n"
"       rlbench compare [OPTION...] [OLD.csv] NEW.csv\n"
"       rlbench plot --workload NAME [OPTION...] RESULTS.csv\n"
"       rlbench table [--workload A,B] [--metric A,B] RESULTS.csv\n"
"       rlbench selftest [--peer NAME]\n"
"\n"
"run      measure contestants in workloads and print medians and ratios\n"
"bars     measure what the bars need and print which are met\n"
"list     the contestants, the workloads and their cases\n"
"compare  NEW against OLD (or against its own baseline): exit 1 if a ratio is\n"
"         below the threshold\n"
"plot     one metric of one workload, by gnuplot\n"
"table    medians as Markdown, a row a contestant\n"
"selftest does each contestant exclude what it should?\n"
"\n"
"  -w, --workload A,B   only these workloads\n"
"  -p, --peer A,B       only these contestants (with run: and the baseline)\n"
"  -c, --case TEXT      only cases whose name holds TEXT (plot: is TEXT)\n"
"  -t, --threads N      no case with more threads\n"
"  -b, --baseline NAME  what ratios are to (pthread_rwlock)\n"
"  -r, --rounds N       repetitions (11; bars: 7), their median counts\n"
"  -T, --time MS        of one measurement (20; bars: 10)\n"
"  -s, --seed N         of the random ranges (1)\n"
"      --no-pin         leave the threads to the scheduler\n"
"      --csv FILE       write the results as CSV, - for stdout\n"
"      --json FILE      write the results as JSON, - for stdout\n"
"  -x, --threshold X    of compare (0.9)\n"
"  -m, --metric NAME    of plot (the workload's first), of table (all)\n"
"      --terminal NAME  of plot: svg, png or dumb (dumb)\n"
"  -o, --output FILE    of plot (stdout)\n"
"  -q, --quiet          no progress on stderr\n"
"  -h, --help           this text\n"
"\n"
"Exit: 0 good, 1 a threshold or a check missed, 2 usage, 3 trouble.\n";

enum {
	OPTION_NO_PIN = 256,
	OPTION_CSV,
	OPTION_JSON,
	OPTION_TERMINAL,
};

static const struct option long_options[] = {
	{ "workload", required_argument, NULL, 'w' },
	{ "peer", required_argument, NULL, 'p' },
	{ "case", required_argument, NULL, 'c' },
	{ "threads", required_argument, NULL, 't' },
	{ "baseline", required_argument, NULL, 'b' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "time", required_argument, NULL, 'T' },
	{ "seed", required_argument, NULL, 's' },
	{ "no-pin", no_argument, NULL, OPTION_NO_PIN },
	{ "csv", required_argument, NULL, OPTION_CSV },
	{ "json", required_argument, NULL, OPTION_JSON },
	{ "threshold", required_argument, NULL, 'x' },
	{ "metric", required_argument, NULL, 'm' },
	{ "terminal", required_argument, NULL, OPTION_TERMINAL },
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct arguments {
	struct selection selection;
	struct comparison comparison;
	struct plot plot;
	const char *csv, *json;
	bool has_rounds, has_time, wants_help;
	char **files;
	int nr_files;
};

static void die_of_usage(const char *what, const char *value)
{
	fprintf(stderr, "rlbench: %s%s%s; see rlbench --help\n", what,
		*value ? ": " : "", value);
	exit(EXIT_USAGE);
}

static double number(const char *text, double min, double max, const char *what)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= min && v <= max))
		die_of_usage(what, text);
	return v;
}

static uint64_t seed_number(const char *text)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (end == text || *end || errno || *text == '-')
		die_of_usage("--seed wants a number", text);
	return v;
}

static void take_option(struct arguments *a, int option, char *value)
{
	switch (option) {
	case 'w': a->selection.workloads = value; break;
	case 'p': a->selection.peers = value; break;
	case 'c': a->selection.trials = value; break;
	case 't':
		a->selection.max_threads = (unsigned int)number(value, 1, 32,
			"--threads wants 1 to 32");
		break;
	case 'b': settings.baseline = value; break;
	case 'r':
		settings.rounds = (unsigned int)number(value, 1, MAX_ROUNDS,
			"--rounds wants 1 to 101");
		a->has_rounds = true;
		break;
	case 'T':
		settings.seconds = number(value, 1, 10000,
			"--time wants 1 to 10000 ms") / 1e3;
		a->has_time = true;
		break;
	case 's': settings.seed = seed_number(value); break;
	case OPTION_NO_PIN: settings.pin = false; break;
	case OPTION_CSV: a->csv = value; break;
	case OPTION_JSON: a->json = value; break;
	case 'x':
		a->comparison.threshold = number(value, 0, 1e9,
			"--threshold wants a number");
		break;
	case 'm': a->plot.metric = value; break;
	case OPTION_TERMINAL: a->plot.terminal = value; break;
	case 'o': a->plot.output = value; break;
	case 'q': settings.quiet = true; break;
	case 'h': a->wants_help = true; break;
	default: exit(EXIT_USAGE);	/* getopt has said what it is */
	}
}

/* Every name in the list must be one that we know. */
static void check_names(const char *list, bool are_peers)
{
	char name[64];

	while (list && *list) {
		size_t n = strcspn(list, ",");
		bool known = false;

		snprintf(name, sizeof(name), "%.*s", (int)n, list);
		for (size_t i = 0; !are_peers && i < nr_workloads; i++)
			known |= !strcmp(workloads[i]->name, name);
		if (are_peers)
			known = peer_find(name);
		if (!known)
			die_of_usage(are_peers ? "no such contestant" :
				     "no such workload", name);
		list += n + (list[n] == ',');
	}
}

/* "-" is stdout.  False after a message. */
static bool write_to(const char *path, const struct results *set,
		     void (*write)(const struct results *, FILE *))
{
	FILE *out = strcmp(path, "-") ? fopen(path, "w") : stdout;

	if (!out) {
		fprintf(stderr, "rlbench: %s: %s\n", path, strerror(errno));
		return false;
	}
	write(set, out);
	if (fflush(out) || ferror(out)) {
		fprintf(stderr, "rlbench: cannot write %s\n", path);
		return false;
	}
	if (out != stdout)
		fclose(out);
	return true;
}

static int command_run(struct arguments *a, bool bars)
{
	bool is_stdout_taken = (a->csv && !strcmp(a->csv, "-")) ||
			       (a->json && !strcmp(a->json, "-"));
	struct results set = { 0 };
	int code;

	if (a->nr_files)
		die_of_usage("run takes no file", a->files[0]);
	if (bars && !a->has_rounds)
		settings.rounds = 7;
	if (bars && !a->has_time)
		settings.seconds = 0.010;
	a->selection.bars = bars;
	check_names(settings.baseline, true);
	code = run_selection(&a->selection, &set);
	if (code == EXIT_GOOD && a->csv &&
	    !write_to(a->csv, &set, results_write_csv))
		code = EXIT_TROUBLE;
	if (code == EXIT_GOOD && a->json &&
	    !write_to(a->json, &set, results_write_json))
		code = EXIT_TROUBLE;
	if (code == EXIT_GOOD && !is_stdout_taken) {
		host_describe(stdout, "");
		if (bars)
			code = command_bars(&set, stdout);
		else
			results_print(&set, stdout);
	}
	results_free(&set);
	return code;
}

static int compare_files(struct arguments *a)
{
	struct results sets[2] = { 0 };
	int code = EXIT_GOOD, i;

	if (a->nr_files < 1 || a->nr_files > 2)
		die_of_usage("compare wants one file or two", "");
	for (i = 0; i < a->nr_files && code == EXIT_GOOD; i++)
		code = results_read_csv(&sets[i], a->files[i]);
	a->comparison.contestants = a->selection.peers;
	a->comparison.workloads = a->selection.workloads;
	a->comparison.trials = a->selection.trials;
	if (code == EXIT_GOOD)
		code = command_compare(&a->comparison,
				       a->nr_files == 2 ? &sets[0] : NULL,
				       &sets[a->nr_files - 1], stdout);
	results_free(&sets[0]);
	results_free(&sets[1]);
	return code;
}

static int plot_file(struct arguments *a)
{
	struct results set = { 0 };
	int code;

	if (a->nr_files != 1)
		die_of_usage("plot wants one file", "");
	a->plot.workload = a->selection.workloads;
	a->plot.trial = a->selection.trials;
	if (!a->plot.workload)
		die_of_usage("plot wants --workload", "");
	if (strcmp(a->plot.terminal, "svg") && strcmp(a->plot.terminal, "png") &&
	    strcmp(a->plot.terminal, "dumb"))
		die_of_usage("--terminal wants svg, png or dumb", a->plot.terminal);
	for (size_t i = 0; !a->plot.metric && i < nr_workloads; i++)
		if (!strcmp(workloads[i]->name, a->plot.workload))
			a->plot.metric = workloads[i]->metrics[0].name;
	code = results_read_csv(&set, a->files[0]);
	if (code == EXIT_GOOD)
		code = command_plot(&a->plot, &set);
	results_free(&set);
	return code;
}

static int table_file(struct arguments *a)
{
	struct results set = { 0 };
	int code;

	if (a->nr_files != 1)
		die_of_usage("table wants one file", "");
	code = results_read_csv(&set, a->files[0]);
	if (code == EXIT_GOOD)
		code = command_table(&set, a->selection.workloads,
				     a->plot.metric, stdout);
	results_free(&set);
	return code;
}

static int run_command(const char *command, struct arguments *a)
{
	check_names(a->selection.workloads, false);
	check_names(a->selection.peers, true);
	if (!strcmp(command, "run"))
		return command_run(a, false);
	if (!strcmp(command, "bars"))
		return command_run(a, true);
	if (!strcmp(command, "compare"))
		return compare_files(a);
	if (!strcmp(command, "plot"))
		return plot_file(a);
	if (!strcmp(command, "table"))
		return table_file(a);
	if (a->nr_files)
		die_of_usage("takes no file", a->files[0]);
	if (!strcmp(command, "list"))
		return command_list();
	if (!strcmp(command, "selftest"))
		return command_selftest(a->selection.peers);
	die_of_usage("no such command", command);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct arguments a = {
		.selection = { .max_threads = MAX_THREADS },
		.comparison = { .threshold = 0.9 },
		.plot = { .terminal = "dumb" },
	};
	int option, code;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "w:p:c:t:b:r:T:s:x:m:o:qh",
				     long_options, NULL)) != -1)
		take_option(&a, option, optarg);
	if (a.wants_help) {
		fputs(usage_text, stdout);
		return EXIT_GOOD;
	}
	if (optind == argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	a.files = argv + optind + 1;
	a.nr_files = argc - optind - 1;
	nr_cpus();
	code = run_command(argv[optind], &a);
	if (fflush(stdout) && code == EXIT_GOOD)
		code = EXIT_TROUBLE;
	return code;
}
