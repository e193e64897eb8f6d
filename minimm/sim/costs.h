/*
 * costs.h - what the model's work costs in virtual time
 *
 * One table, a row a unit of minimm/env/env.h; costs.c says where the numbers
 * come from.  A file overrides rows: `name = nanoseconds` lines, # comments.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MINIMM_SIM_COSTS_H
#define MINIMM_SIM_COSTS_H

#include <stddef.h>
#include <stdint.h>

#include "minimm/env/env.h"
#include "minimm/sim/sim.h"

struct sim_costs {
	uint64_t ns[MM_NR_COSTS];
	uint64_t slice_ns;		/* "time_slice": sim_options.slice_ns */
};

void sim_costs_default(struct sim_costs *costs);

/*
 * Override rows from a file.
 * Returns: 0; otherwise an error number, with "path:line: what is wrong" in why
 *	    (at most size bytes), and costs unchanged.
 */
int sim_costs_load(struct sim_costs *costs, const char *path, char *why,
		   size_t size);

/* Print the table as a file that sim_costs_load() reads. */
void sim_costs_print(const struct sim_costs *costs, rl_write_fn *write,
		     void *arg);

/*
 * The model's environment: the caller's, alive as long as the model.
 *
 * adjust: NULL, or what a spend (or an I/O) of the calling thread takes instead
 *	   of ns; arg is sim_spawn()'s.  For durations out of a trace.
 */
struct sim_env {
	struct mm_env env;
	struct sim *sim;
	const struct sim_costs *costs;
	uint64_t (*adjust)(void *arg, enum mm_cost what, uint64_t ns);
};

void sim_env_init(struct sim_env *e, struct sim *sim,
		  const struct sim_costs *costs);

#endif
