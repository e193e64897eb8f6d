/*
 * main.c - minimm: an address space under different locking schemes
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rangelock.h>

#include "minimm/cmd/commands.h"
#include "minimm/cmd/say.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "replay", mm_cmd_replay,
	  "a recorded program, under one scheme or all of them" },
	{ "sites", mm_cmd_sites,
	  "which call site to convert from coarse to fine next" },
	{ "racy", mm_cmd_racy,
	  "a made-up program whose threads work on the same pages" },
	{ "run", mm_cmd_run,
	  "a made-up program on real threads: operations a second" },
	{ "script", mm_cmd_script, "operations from a file, one a line" },
	{ "schemes", mm_cmd_schemes, "the locking schemes that there are" },
	{ "costs", mm_cmd_costs, "what work costs in virtual time" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static void print_help(void)
{
	printf("Usage: minimm COMMAND [OPTION ...] [FILE]\n"
	       "\n"
	       "An address space in user space, on which every locking scheme "
	       "runs under the same\noperations, in deterministic virtual "
	       "time.  It counts which waits were needed.\n(`run' is on real "
	       "threads, in real time.)\n"
	       "\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].help);
	printf("\n"
	       "minimm COMMAND --help says more.  For example:\n"
	       "\n"
	       "  minimm replay minimm/data/javac.perf.gz --scale 16\n"
	       "  minimm sites minimm/data/javac.perf.gz --scale 16\n"
	       "  minimm run page_fault1\n"
	       "\n"
	       "Exit status: 0 all is well; 1 a conflict was missed or an "
	       "invariant broken;\n2 bad usage or input; 3 something is "
	       "missing on this machine.\n");
}

/* No file of ours may get the number of one that is closed: keep them by
 * /dev/null, opened the wrong way round, so that using them fails as before. */
static void keep_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			return;
}

static int finish(int status)
{
	bool is_lost = fflush(stdout) != 0 || ferror(stdout);

	/* Some file systems say only here that there was no room. */
	if (close(STDOUT_FILENO) == 0 && !is_lost)
		return status;
	mm_say("standard output: cannot be written");
	return mm_status_of_both(status, MM_STATUS_MISSING);
}

int main(int argc, char **argv)
{
	keep_standard_files();
	if (argc < 2)
		return mm_say_usage("", "which command?  replay, sites, racy, "
					"run, script, schemes or costs");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help();
		return finish(MM_STATUS_OK);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("minimm %d.%d.%d\n", RL_VERSION_MAJOR, RL_VERSION_MINOR,
		       RL_VERSION_PATCH);
		return finish(MM_STATUS_OK);
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return finish(commands[i].run(argc - 1, argv + 1));
	}
	return mm_say_usage("", "no command is called \"%s\"", argv[1]);
}
