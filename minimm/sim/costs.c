/*
 * costs.c - the table of costs, and files that override it
 *
 * Measured with a throwaway program on Linux 6.18, one thread, a virtual
 * machine with 2 CPUs of an Intel Xeon; medians of 15 runs over 8192 pages:
 *
 *	getppid()					 107 ns
 *	write fault, anonymous				1475 ns
 *	read fault, anonymous (zero page)		 646 ns
 *	MAP_POPULATE, a page				1023 ns
 *	read fault, cached file, 16 pages around	1591 ns
 *	write fault, private file (copy)		1964 ns
 *	madvise(DONTNEED), a page that is there		 150 ns
 *	madvise(DONTNEED) of one page, other CPU idle	1834 ns
 *	... with another thread running there		3524 ns
 *	mprotect, a page that is there			  34 ns
 *	mprotect in the middle (splits, or merges back)	1552 ns
 *	mmap and munmap of one page, both		1855 ns
 *	mremap that moves, a page			 121 ns
 *	fork(), in the parent, a page			  39 ns
 *	/proc/self/maps of 2066 lines, a line		 134 ns
 *	pread() of a page of /proc/self/mem		 596 ns
 *	pread() with O_DIRECT, a page			  22 us
 *
 * The rows below are these taken apart: a write fault is fault + vma_lookup +
 * zero_page + map_page = 500 + 40 + 900 + 60; a split is syscall + vma_lookup +
 * three vma_update + ... and so on.  They are right to some 20 % for such a
 * machine; what a comparison of schemes needs is their proportion.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/sim/costs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_NS	UINT64_C(1000000000000)	/* a row of 1000 s is a typo */

static const uint64_t measured[MM_NR_COSTS] = {
	[MM_COST_SYSCALL] = 110,
	[MM_COST_FAULT] = 500,
	[MM_COST_VMA_LOOKUP] = 40,
	[MM_COST_VMA_UPDATE] = 450,
	[MM_COST_GAP_SEARCH] = 150,
	[MM_COST_ANON_VMA] = 400,
	[MM_COST_ZERO_PAGE] = 900,
	[MM_COST_COPY_PAGE] = 1300,
	[MM_COST_MAP_PAGE] = 60,
	[MM_COST_WALK_PAGE] = 30,
	[MM_COST_MOVE_PAGE] = 120,
	[MM_COST_ZAP_PAGE] = 150,
	[MM_COST_FORK_PAGE] = 40,
	[MM_COST_TLB_FLUSH] = 1700,
	[MM_COST_MAPS_LINE] = 130,
	[MM_COST_ARGS_PAGE] = 600,
	[MM_COST_IO_PAGE] = 22000,
};

static const char *const names[MM_NR_COSTS] = {
#define COST_NAME(name, text, what)	[MM_COST_##name] = text,
	MM_COSTS(COST_NAME)
#undef COST_NAME
};

static const char *const meanings[MM_NR_COSTS] = {
#define COST_MEANING(name, text, what)	[MM_COST_##name] = what,
	MM_COSTS(COST_MEANING)
#undef COST_MEANING
};

void sim_costs_default(struct sim_costs *costs)
{
	memcpy(costs->ns, measured, sizeof(costs->ns));
	costs->slice_ns = SIM_SLICE_NS;
}

static uint64_t *row_of(struct sim_costs *costs, const char *name)
{
	for (unsigned int i = 0; i < MM_NR_COSTS; i++)
		if (!strcmp(names[i], name))
			return &costs->ns[i];
	return strcmp(name, "time_slice") ? NULL : &costs->slice_ns;
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t\r\n");
	end = s + strlen(s);
	while (end > s && strchr(" \t\r\n", end[-1]))
		end--;
	*end = '\0';
	return s;
}

/* Returns NULL or what is wrong with the line, which is taken apart. */
static const char *apply_line(struct sim_costs *costs, char *line)
{
	char *name, *value, *end, *equals;
	unsigned long long ns;
	uint64_t *row;

	line[strcspn(line, "#")] = '\0';
	name = trim(line);
	if (!*name)
		return NULL;
	equals = strchr(name, '=');
	if (!equals)
		return "expected: name = nanoseconds";
	*equals = '\0';
	value = trim(equals + 1);
	name = trim(name);
	row = row_of(costs, name);
	if (!row)
		return "there is no cost of that name";
	if (*value < '0' || *value > '9')
		return "expected a whole number of nanoseconds";
	errno = 0;
	ns = strtoull(value, &end, 10);
	if (*end)
		return "expected a whole number of nanoseconds";
	if (errno || ns > LONGEST_NS)
		return "that is too long (at most 1000 s)";
	if (row == &costs->slice_ns && !ns)
		return "a time slice cannot be 0";
	*row = ns;
	return NULL;
}

int sim_costs_load(struct sim_costs *costs, const char *path, char *why,
		   size_t size)
{
	struct sim_costs loaded = *costs;
	const char *wrong = NULL;
	unsigned long number = 0;
	char line[512];
	FILE *f = fopen(path, "r");
	int error = 0;

	if (!f) {
		error = errno;
		snprintf(why, size, "%s: %s", path, strerror(error));
		return error;
	}
	while (!wrong && fgets(line, sizeof(line), f)) {
		number++;
		if (strlen(line) == sizeof(line) - 1)
			wrong = "the line is too long";
		else
			wrong = apply_line(&loaded, line);
	}
	if (wrong) {
		error = EINVAL;
		snprintf(why, size, "%s:%lu: %s", path, number, wrong);
	} else if (ferror(f)) {
		error = errno ? errno : EIO;
		snprintf(why, size, "%s: %s", path, strerror(error));
	} else {
		*costs = loaded;
	}
	fclose(f);
	return error;
}

void sim_costs_print(const struct sim_costs *costs, rl_write_fn *write,
		     void *arg)
{
	char line[160];

	for (unsigned int i = 0; i < MM_NR_COSTS; i++) {
		snprintf(line, sizeof(line), "%-12s = %6" PRIu64 "\t# %s\n",
			 names[i], costs->ns[i], meanings[i]);
		write(arg, line, strlen(line));
	}
	snprintf(line, sizeof(line), "%-12s = %6" PRIu64 "\t# %s\n",
		 "time_slice", costs->slice_ns,
		 "of a CPU, while somebody else is ready");
	write(arg, line, strlen(line));
}

/* ---- The environment ---- */

static uint64_t cost_of(const struct sim_env *e, enum mm_cost what,
			uint64_t count)
{
	uint64_t ns = e->costs->ns[what] * count;

	return e->adjust ? e->adjust(sim_arg(e->sim), what, ns) : ns;
}

static void env_spend(void *ctx, enum mm_cost what, uint64_t count)
{
	const struct sim_env *e = ctx;

	sim_spend(e->sim, cost_of(e, what, count));
}

static void env_io(void *ctx, uint64_t pages)
{
	const struct sim_env *e = ctx;

	sim_sleep(e->sim, cost_of(e, MM_COST_IO_PAGE, pages));
}

void sim_env_init(struct sim_env *e, struct sim *sim,
		  const struct sim_costs *costs)
{
	*e = (struct sim_env){
		.env = { .host = sim_host(sim), .spend = env_spend,
			 .io = env_io, .ctx = e },
		.sim = sim,
		.costs = costs,
	};
}
