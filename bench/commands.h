/*
 * commands.h - what the commands of rlbench share
 */
#ifndef BENCH_COMMANDS_H
#define BENCH_COMMANDS_H

#include "bench/bench.h"

/* ---- Results: one row a cell and metric; a CSV file is a set of them ---- */

struct result {
	char workload[24], trial[40], peer[24], metric[24], unit[12];
	unsigned int threads, n, rounds;
	int better;
	double median, q1, q3, min, max;
	double ratio;			/* to the baseline's median; NAN: none */
};

struct results {
	struct result *rows;
	size_t nr, room;
	char baseline[24];
};

void results_add(struct results *set, const struct cell *c);
const struct result *results_find(const struct results *set, const char *workload,
				  const char *trial, unsigned int threads,
				  unsigned int n, const char *peer,
				  const char *metric);
void results_set_ratios(struct results *set, const char *baseline);
void results_print(const struct results *set, FILE *out);
void results_write_csv(const struct results *set, FILE *out);
void results_write_json(const struct results *set, FILE *out);
/* 0, or an exit code after a message. */
int results_read_csv(struct results *set, const char *path);
void results_free(struct results *set);

/* One line a fact: "key: value". */
void host_describe(FILE *out, const char *prefix);
void host_describe_json(FILE *out);

/* ---- What to run ---- */

struct selection {
	const char *workloads;		/* comma-separated names; NULL: all */
	const char *peers;
	const char *trials;		/* a part of their names */
	unsigned int max_threads;
	bool bars;			/* only what the bars need */
};

bool is_in_list(const char *list, const char *name);	/* NULL holds all */
int run_selection(const struct selection *s, struct results *set);

/* ---- Commands ---- */

struct comparison {
	double threshold;
	const char *contestants, *workloads, *trials;
};

int command_list(void);
int command_bars(const struct results *set, FILE *out);
int command_compare(const struct comparison *c, const struct results *old,
		    const struct results *new, FILE *out);
struct plot {
	const char *workload, *trial, *metric, *terminal, *output;
};

int command_table(const struct results *set, const char *workload_names,
		  const char *metric, FILE *out);
int command_plot(const struct plot *p, const struct results *set);
int command_selftest(const char *only);

#endif
