/*
 * rates.h - what `minimm run' has measured, as a table and as JSON
 */
#ifndef MM_CMD_RATES_H
#define MM_CMD_RATES_H

#include <stdio.h>

#include "minimm/cmd/args.h"
#include "minimm/load/threads.h"

/* One scheme with one number of threads. */
struct mm_rates_cell {
	const struct mm_scheme *scheme;
	unsigned int nr_threads;
	double *rates;			/* operations a second, one a repetition */
	size_t nr_rates;		/* the first ones; fewer if one failed */
	int error;			/* that one's; it is not run again */
	struct load_counts counts;	/* of all repetitions, and of the watched run */
	uint64_t nr_turns;
	uint64_t nr_missed, nr_violations;
};

struct mm_rates {
	const struct mm_args *args;	/* defaults filled in */
	const struct load *load;
	struct load_sizes sizes;
	struct mm_rates_cell *cells;	/* by number of threads, then scheme */
	size_t nr_cells;
};

struct mm_spread {
	double median, low, high;
};

/* Of n numbers; sorts them.  Requires: n > 0. */
struct mm_spread mm_spread_of(double *numbers, size_t n);

/*
 * How often the cell's rate is that of coarse with as many threads, repetition
 * by repetition: what slows a whole repetition down is in both.
 *
 * Returns: false if there is nothing to compare with.
 */
bool mm_rates_to_coarse(const struct mm_rates *rates,
			const struct mm_rates_cell *cell,
			struct mm_spread *spread);

/* How many cells have a rate, and so a row. */
size_t mm_rates_nr_rows(const struct mm_rates *rates);

void mm_rates_table(const struct mm_rates *rates, FILE *file);

/* The object that docs/MINIMM.md describes, and a newline. */
void mm_rates_json(const struct mm_rates *rates, FILE *file);

#endif
