/*
 * Goal: a cost file overrides rows and nothing else; whatever is wrong with it
 * is told with file and line and changes nothing; what is printed is such a
 * file; costs become virtual time.
 */
#include "tests/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "minimm/sim/costs.h"

static char path[] = "/tmp/minimm-costs-XXXXXX";

static int load(const char *text, struct sim_costs *costs, char why[256])
{
	char name[sizeof(path)];
	FILE *f;
	int fd, error;

	memcpy(name, path, sizeof(path));
	fd = mkstemp(name);
	check(fd >= 0);
	f = fdopen(fd, "w");
	fputs(text, f);
	fclose(f);
	why[0] = '\0';
	error = sim_costs_load(costs, name, why, 256);
	/* The random name is not the message's news. */
	if (!strncmp(why, name, strlen(name)))
		memmove(why, why + strlen(name), strlen(why + strlen(name)) + 1);
	unlink(name);
	return error;
}

Test(costs, every_row_has_a_measured_value)
{
	struct sim_costs costs;

	sim_costs_default(&costs);
	for (unsigned int i = 0; i < MM_NR_COSTS; i++)
		check_ne(costs.ns[i], 0);
	check_eq(costs.slice_ns, SIM_SLICE_NS);
}

Test(costs, a_file_overrides_what_it_names)
{
	struct sim_costs costs, before;
	char why[256];

	sim_costs_default(&costs);
	before = costs;
	check_eq(load("# mine\n\n zap_page=7 # cheap\nio_page = 1000000\n"
		      "time_slice = 5\r\n", &costs, why), 0);
	check_eq(costs.ns[MM_COST_ZAP_PAGE], 7);
	check_eq(costs.ns[MM_COST_IO_PAGE], 1000000);
	check_eq(costs.slice_ns, 5);
	check_eq(costs.ns[MM_COST_FAULT], before.ns[MM_COST_FAULT]);
}

static void check_refused(const char *text, const char *want)
{
	struct sim_costs costs, before;
	char why[256];

	sim_costs_default(&costs);
	before = costs;
	check_eq(load(text, &costs, why), EINVAL);
	check_str_eq(why, want);
	check(!memcmp(&costs, &before, sizeof(costs)));
}

Test(costs, what_is_wrong_is_told_with_its_line)
{
	check_refused("fault = 1\nfalt = 2\n",
		      ":2: there is no cost of that name");
	check_refused("fault 1\n", ":1: expected: name = nanoseconds");
	check_refused("fault = -1\n",
		      ":1: expected a whole number of nanoseconds");
	check_refused("\n\nfault = 1.5\n",
		      ":3: expected a whole number of nanoseconds");
	check_refused("fault =\n",
		      ":1: expected a whole number of nanoseconds");
	check_refused("fault = 99999999999999999999999\n",
		      ":1: that is too long (at most 1000 s)");
	check_refused("time_slice = 0\n", ":1: a time slice cannot be 0");
}

Test(costs, a_line_without_end_is_refused)
{
	char text[2000];

	memset(text, '#', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	check_refused(text, ":1: the line is too long");
}

Test(costs, a_missing_file_is_told)
{
	struct sim_costs costs;
	char why[256];

	sim_costs_default(&costs);
	check_eq(sim_costs_load(&costs, "/nonexistent/costs", why, sizeof(why)),
		 ENOENT);
	check_str_eq(why, "/nonexistent/costs: No such file or directory");
}

static void append(void *arg, const char *text, size_t length)
{
	strncat(arg, text, length);
}

Test(costs, what_is_printed_can_be_loaded)
{
	struct sim_costs costs, again;
	char text[8192] = "", why[256];

	sim_costs_default(&costs);
	for (unsigned int i = 0; i < MM_NR_COSTS; i++)
		costs.ns[i] += i;
	sim_costs_print(&costs, append, text);
	sim_costs_default(&again);
	check_eq(load(text, &again, why), 0);
	check(!memcmp(&costs, &again, sizeof(costs)));
}

static struct sim_env env;

static void work(void *arg)
{
	(void)arg;
	env.env.spend(env.env.ctx, MM_COST_ZAP_PAGE, 4);
	env.env.io(env.env.ctx, 2);
}

static uint64_t twice(void *arg, enum mm_cost what, uint64_t ns)
{
	return arg && what != MM_COST_IO_PAGE ? 2 * ns : ns;
}

static uint64_t time_of_work(bool adjusted)
{
	struct sim_options o = { .nr_cpus = 1 };
	struct sim *sim = sim_create(&o);
	struct sim_costs costs;
	uint64_t end;

	sim_costs_default(&costs);
	costs.ns[MM_COST_ZAP_PAGE] = 10;
	costs.ns[MM_COST_IO_PAGE] = 1000;
	sim_env_init(&env, sim, &costs);
	env.adjust = adjusted ? twice : NULL;
	sim_spawn(sim, 0, work, &env);
	check_eq(sim_run(sim), 0);
	end = sim_now(sim);
	sim_destroy(sim);
	return end;
}

Test(costs, units_become_virtual_time)
{
	check_eq(time_of_work(false), 2040);
	check_eq(time_of_work(true), 2080);
}
