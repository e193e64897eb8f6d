/*
 * schemes.c - minimm schemes, minimm costs: what there is
 */
#include <stdio.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/commands.h"
#include "minimm/cmd/say.h"

/* Both take no argument.  Returns: true if there is nothing left to do. */
static bool only_help(int argc, char **argv, const char *help, int *status)
{
	struct mm_args args;

	*status = mm_args_read(&args, argc, argv, "");
	if (*status)
		return true;
	if (args.wants_help)
		fputs(help, stdout);
	else if (args.trace)
		*status = mm_say_usage(argv[0], "\"%s\" is one too many",
				       args.trace);
	return args.wants_help || *status;
}

int mm_cmd_schemes(int argc, char **argv)
{
	int status;

	if (only_help(argc, argv,
		      "Usage: minimm schemes\n\n"
		      "List the locking schemes: the names that --scheme "
		      "takes, and what each is.\n",
		      &status))
		return status;
	for (size_t i = 0; mm_schemes[i]; i++) {
		printf("%-18s %s%s\n", mm_schemes[i]->name,
		       mm_schemes[i]->summary,
		       mm_schemes[i]->is_hidden ? " (not one of `all')" : "");
	}
	return MM_STATUS_OK;
}

static void write_out(void *arg, const char *text, size_t size)
{
	fwrite(text, 1, size, arg);
}

int mm_cmd_costs(int argc, char **argv)
{
	struct sim_costs costs;
	int status;

	if (only_help(argc, argv,
		      "Usage: minimm costs\n\n"
		      "Print the table of costs, in the form that --costs FILE "
		      "reads: change what\nyou like, leave out the rest.\n",
		      &status))
		return status;
	sim_costs_default(&costs);
	sim_costs_print(&costs, write_out, stdout);
	return MM_STATUS_OK;
}
