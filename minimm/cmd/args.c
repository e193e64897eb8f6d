/*
 * args.c - the options of a run, as the subcommands share them
 *
 * One table gives getopt_long its options and --help its lines.
 */
#include "minimm/cmd/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "minimm/cmd/say.h"
#include "minimm/load/load.h"
#include "minimm/replay/layout.h"
#include "minimm/trace/lines.h"

#define CPUS_MAX	4096
#define SECONDS_MAX	3600
#define NS		1000000000
#define NR_OPTIONS	20
#define LONG		256	/* what getopt_long says: LONG + its form */

struct form {
	const char *name;
	char letter;
	const char *value;		/* NULL: takes none */
	const char *help;
};

static const struct form forms[NR_OPTIONS] = {
	{ "scheme", 's', "A,B,...",
	  "the locking schemes to run, or `all' (minimm schemes)" },
	{ "scale", 'k', "K", "K copies side by side in one address space" },
	{ "cpus", 'c', "N", "logical CPUs (default: 2 for each copy)" },
	{ "seed", 'S', "S", "seed of what is random (default 1)" },
	{ "threads", 't', "N", "logical threads" },
	{ "operations", 'n', "N", "operations of each thread" },
	{ "threads", 'T', "A,B,...",
	  "real threads (default: 1, the CPUs, twice as many)" },
	{ "seconds", 'd', "S", "of each repetition (default 0.2)" },
	{ "turns", 'u', "N", "of each thread's loop, instead of a time" },
	{ "reps", 'R', "N", "repetitions (default 5)" },
	{ "pages", 'p', "P", "of a mapping (default: the workload's)" },
	{ "vmas", 'v', "V", "mappings of a thread at once (spf_test)" },
	{ "costs", 'C', "FILE|trace",
	  "costs from a file (minimm costs), or durations as recorded" },
	{ "costs", 'F', "FILE", "costs from a file (minimm costs)" },
	{ "racy", 'r', NULL, "do not keep the program's own order" },
	{ "files", 'f', "fine|coarse",
	  "file drivers converted or not (default: as the scheme)" },
	{ "cold", 'o', NULL, "each file page's first fault reads a disk" },
	{ "json", 'j', "FILE|-", "results as JSON; `-': nothing else" },
	{ "sites", 'i', NULL, "then: which call site to convert next" },
	{ "help", 'h', NULL, "this text" },
};

void mm_args_help(const char *allowed)
{
	char left[32];

	for (int i = 0; i < NR_OPTIONS; i++) {
		if (forms[i].letter != 'h' && !strchr(allowed, forms[i].letter))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", forms[i].name,
			 forms[i].value ? " " : "",
			 forms[i].value ? forms[i].value : "");
		printf("  %-20s  %s\n", left, forms[i].help);
	}
}

void mm_args_schemes(char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; mm_schemes[i] && length < size; i++) {
		if (!mm_schemes[i]->is_hidden)
			length += (size_t)snprintf(text + length, size - length,
						   "%s%s", length ? ", " : "",
						   mm_schemes[i]->name);
	}
}

const struct mm_scheme *mm_args_one_scheme(const struct mm_args *args,
					   const char *command)
{
	if (!args->schemes_given)
		return &mm_scheme_coarse;
	if (args->nr_schemes == 1)
		return args->schemes[0];
	mm_say_usage(command, "--scheme: one at a time");
	return NULL;
}

void mm_args_say_rest(const struct mm_args *args, size_t first)
{
	char text[512];
	size_t length = 0;

	for (size_t i = first; i < args->nr_schemes && length < sizeof(text); i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "%s%s", length ? ", " : "",
					   args->schemes[i]->name);
	if (length)
		mm_say("not run after that: %s", text);
}

/* Decimal, or hexadecimal after 0x. */
static int read_number(const char *command, const char *option,
		       const char *text, uint64_t min, uint64_t max,
		       uint64_t *number)
{
	char *end = NULL;

	errno = 0;
	*number = strtoull(text, &end,
			   strncasecmp(text, "0x", 2) == 0 ? 16 : 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    *number >= min && *number <= max)
		return MM_STATUS_OK;
	return mm_say_usage(command,
			    "--%s takes a number from %llu to %llu, not \"%s\"",
			    option, (unsigned long long)min,
			    (unsigned long long)max, text);
}

static int add_scheme(struct mm_args *args, const struct mm_scheme *scheme)
{
	for (size_t i = 0; i < args->nr_schemes; i++) {
		if (args->schemes[i] == scheme)
			return MM_STATUS_OK;
	}
	if (args->nr_schemes < MM_ARGS_SCHEMES)
		args->schemes[args->nr_schemes++] = scheme;
	return MM_STATUS_OK;
}

static void add_all_schemes(struct mm_args *args)
{
	for (size_t i = 0; mm_schemes[i]; i++) {
		if (!mm_schemes[i]->is_hidden)
			add_scheme(args, mm_schemes[i]);
	}
}

static int read_schemes(struct mm_args *args, const char *command,
			const char *text)
{
	char known[256];

	args->nr_schemes = 0;
	args->schemes_given = true;
	for (;;) {
		size_t length = strcspn(text, ",");
		const struct mm_scheme *scheme =
			mm_scheme_find(text, length);

		if (length == 3 && strncmp(text, "all", 3) == 0) {
			add_all_schemes(args);
		} else if (scheme) {
			add_scheme(args, scheme);
		} else {
			mm_args_schemes(known, sizeof(known));
			return mm_say_usage(command,
					    "no scheme is called \"%.*s\"; "
					    "there are: %s, all",
					    (int)length, text, known);
		}
		if (text[length] == '\0')
			return MM_STATUS_OK;
		text += length + 1;
	}
}

static bool has_count(const struct mm_args *args, uint64_t count)
{
	for (size_t i = 0; i < args->nr_thread_counts; i++)
		if (args->thread_counts[i] == count)
			return true;
	return false;
}

static int read_counts(struct mm_args *args, const char *command,
		       const char *text)
{
	args->nr_thread_counts = 0;
	for (;;) {
		int length = (int)strcspn(text, ",");
		uint64_t count;
		char word[32];
		int status;

		snprintf(word, sizeof(word), "%.*s", length, text);
		status = read_number(command, "threads", word, 1,
				     LOAD_THREADS_MAX, &count);
		if (status)
			return status;
		if (!has_count(args, count)) {
			if (args->nr_thread_counts == MM_ARGS_COUNTS)
				return mm_say_usage(command, "--threads takes "
						    "%d numbers at most",
						    MM_ARGS_COUNTS);
			args->thread_counts[args->nr_thread_counts++] = count;
		}
		if (text[length] == '\0')
			return MM_STATUS_OK;
		text += length + 1;
	}
}

/* Decimal, to the nanosecond. */
static int read_seconds(struct mm_args *args, const char *command,
			const char *text)
{
	size_t whole = strspn(text, "0123456789");
	uint64_t ns = 0, unit = NS;
	const char *p;

	for (p = text; p < text + whole && ns <= SECONDS_MAX; p++)
		ns = ns * 10 + (uint64_t)(*p - '0');
	ns *= NS;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			ns += (uint64_t)(*p - '0') * (unit /= 10);
	args->run_ns = ns;
	if (whole > 0 && *p == '\0' && ns > 0 && ns <= SECONDS_MAX * (uint64_t)NS)
		return MM_STATUS_OK;
	return mm_say_usage(command, "--seconds takes a number above 0, up to "
			    "%d, not \"%s\"", SECONDS_MAX, text);
}

static int read_costs(struct mm_args *args, const char *text)
{
	char why[MM_WHY_MAX];

	args->costs_name = text;
	args->costs_from_trace = strcmp(text, "trace") == 0;
	if (args->costs_from_trace ||
	    sim_costs_load(&args->costs, text, why, sizeof(why)) == 0)
		return MM_STATUS_OK;
	mm_say("%s", why);
	return MM_STATUS_USAGE;
}

static int read_files(struct mm_args *args, const char *command,
		      const char *text)
{
	if (strcmp(text, "fine") == 0)
		args->files = MM_FILES_FINE;
	else if (strcmp(text, "coarse") == 0)
		args->files = MM_FILES_COARSE;
	else
		return mm_say_usage(command,
				    "--files takes fine or coarse, not \"%s\"",
				    text);
	return MM_STATUS_OK;
}

static int read_option(struct mm_args *args, const char *command, int letter,
		       const char *value)
{
	uint64_t number = 0;
	int status = MM_STATUS_OK;

	switch (letter) {
	case 's':
		return read_schemes(args, command, value);
	case 'k':
		status = read_number(command, "scale", value, 1, MM_SCALE_MAX,
				     &number);
		args->scale = (unsigned int)number;
		break;
	case 'c':
		status = read_number(command, "cpus", value, 1, CPUS_MAX,
				     &number);
		args->nr_cpus = (unsigned int)number;
		break;
	case 'S':
		return read_number(command, "seed", value, 0, UINT64_MAX,
				   &args->seed);
	case 't':
		return read_number(command, "threads", value, 1, 1000,
				   &args->nr_threads);
	case 'n':
		return read_number(command, "operations", value, 1, 10000000,
				   &args->nr_operations);
	case 'T':
		return read_counts(args, command, value);
	case 'd':
		return read_seconds(args, command, value);
	case 'u':
		return read_number(command, "turns", value, 1, 1000000000,
				   &args->nr_turns);
	case 'R':
		return read_number(command, "reps", value, 1, MM_REPS_MAX,
				   &args->nr_reps);
	case 'p':
		return read_number(command, "pages", value, 1, LOAD_PAGES_MAX,
				   &args->nr_pages);
	case 'v':
		return read_number(command, "vmas", value, 1, LOAD_VMAS_MAX,
				   &args->nr_vmas);
	case 'f':
		return read_files(args, command, value);
	case 'C':
	case 'F':
		return read_costs(args, value);
	case 'r':
		args->racy = true;
		break;
	case 'o':
		args->cold = true;
		break;
	case 'j':
		args->json = value;
		break;
	case 'i':
		args->sites = true;
		break;
	default:
		args->wants_help = true;
	}
	return status;
}

static void list_options(const char *allowed, struct option *options)
{
	int nr = 0;

	for (int i = 0; i < NR_OPTIONS; i++) {
		if (forms[i].letter != 'h' && !strchr(allowed, forms[i].letter))
			continue;
		options[nr++] = (struct option){
			.name = forms[i].name,
			.has_arg = forms[i].value ? required_argument
						  : no_argument,
			.val = LONG + i,
		};
	}
	memset(&options[nr], 0, sizeof(options[nr]));
}

/* A word that begins with -- and no option, or more than one. */
static int unclear_option(const char *command, const char *word,
			  const struct option *options)
{
	int length = (int)strcspn(word, "=");
	char could_be[256];
	size_t used = 0;
	int nr = 0;

	for (; options->name && used < sizeof(could_be); options++) {
		if (strncmp(options->name, word + 2, (size_t)length - 2) != 0)
			continue;
		used += (size_t)snprintf(could_be + used,
					 sizeof(could_be) - used, "%s--%s",
					 nr++ ? ", " : "", options->name);
	}
	if (nr > 1)
		return mm_say_usage(command, "%.*s could be %s", length, word,
				    could_be);
	return mm_say_usage(command, "no option is called %.*s", length, word);
}

/* getopt_long has said letter: ':' or '?'. */
static int bad_option(const char *command, int letter, char **argv,
		      const struct option *options)
{
	if (letter == ':')
		return mm_say_usage(command, "--%s needs a value",
				    forms[optopt - LONG].name);
	if (optopt >= LONG)
		return mm_say_usage(command, "--%s takes no value",
				    forms[optopt - LONG].name);
	/* Only of a long one can it be said where it stands. */
	if (optopt)
		return mm_say_usage(command, "no option is called -%c", optopt);
	return unclear_option(command, argv[optind - 1], options);
}

int mm_args_read(struct mm_args *args, int argc, char **argv,
		 const char *allowed)
{
	struct option options[NR_OPTIONS + 1];
	int got, status;

	memset(args, 0, sizeof(*args));
	args->scale = 1;
	args->seed = 1;
	args->costs_name = "default";
	sim_costs_default(&args->costs);
	list_options(allowed, options);
	opterr = 0;
	optind = 0;		/* forget half a word of an earlier list, too */
	while ((got = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (got == '?' || got == ':')
			return bad_option(argv[0], got, argv, options);
		status = read_option(args, argv[0], got < LONG ? got :
				     forms[got - LONG].letter, optarg);
		if (status)
			return status;
	}
	if (args->wants_help)
		return MM_STATUS_OK;
	if (optind < argc)
		args->trace = argv[optind++];
	if (optind < argc)
		return mm_say_usage(argv[0], "\"%s\" is one argument too many",
				    argv[optind]);
	if (args->nr_schemes == 0)
		add_all_schemes(args);
	return MM_STATUS_OK;
}
