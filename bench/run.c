/*
 * run.c - measure the selected cells, in turn, round after round
 *
 * All peers in all cases of a group live at once and are measured one after the
 * other, round by round, so that what the machine does to one it does to all.
 * Round 0 warms up.  A round in which others took more than a tenth of a CPU is
 * thrown away and measured again, as long as there are spare rounds.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/measure.h"

#define MAX_TRIALS	256
#define MAX_CELLS	1024
#define AGAIN		3		/* is a measurement made, at most */
#define NOISE		0.10		/* CPUs that others may take */

const struct workload *const workloads[] = {
	&workload_uncontended,
	&workload_held,
	&workload_threads,
	&workload_arr,
	&workload_mix,
	&workload_convoy,
	&workload_allcoarse,
	&workload_bytes,
};
const size_t nr_workloads = NR(workloads);

struct trial *trial_add(struct trial *trials, size_t max, size_t *nr,
			const char *name, unsigned int threads, unsigned int n)
{
	static struct trial beyond;
	struct trial *t = *nr < max ? &trials[*nr] : &beyond;

	++*nr;
	memset(t, 0, sizeof(*t));
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->threads = threads;
	t->n = n;
	return t;
}

bool is_in_list(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == length && !strncmp(list, name, n))
			return true;
		list += n + (list[n] == ',');
		if (!*list)
			return false;
	}
	return !list;
}

static bool is_for_bars(const struct trial *t, const struct peer *p)
{
	if (!t->bars || p->traits & ASIDE)
		return false;
	for (size_t i = 0; i < NR(p->bars_cases) && p->bars_cases[i]; i++)
		if (!strcmp(t->name, p->bars_cases[i]))
			return true;
	return !p->bars_cases[0];
}

static bool is_selected(const struct selection *s, const struct workload *w,
			const struct trial *t, const struct peer *p)
{
	return is_in_list(s->peers, p->name) && !peer_missing(p) &&
	       (!s->trials || strstr(t->name, s->trials)) &&
	       t->threads <= s->max_threads &&
	       (!s->bars || is_for_bars(t, p)) &&
	       (!(p->traits & SPINS) || t->threads <= nr_cpus()) &&
	       (!p->max_held || w != &workload_held || t->n <= p->max_held) &&
	       w->fits(t, p);
}

static bool cell_open(struct cell *c)
{
	c->lock = peer_new(c->peer);
	if (!c->lock)
		return false;
	for (size_t m = 0; m < c->workload->nr_metrics; m++) {
		c->samples[m] = calloc(settings.rounds, sizeof(double));
		if (!c->samples[m])
			return false;
	}
	return !c->workload->setup || !c->workload->setup(c);
}

static void cell_close(struct cell *c)
{
	if (c->workload->teardown)
		c->workload->teardown(c);
	peer_delete(c->peer, c->lock);
	for (size_t m = 0; m < c->workload->nr_metrics; m++)
		free(c->samples[m]);
}

/* Rounds that were noisy; repetitions of single measurements on a slowed CPU, and
 * measurements that it stayed slow for. */
struct noise {
	unsigned int rounds, again, slow;
};

static void measure_cell(struct cell *c, double values[MAX_METRICS],
			 struct noise *noise)
{
	unsigned int again = 0;
	bool slowed;

	c->workload->measure(c, settings.seconds, values);
	while ((slowed = crews_were_slowed()) && again < AGAIN) {
		c->workload->measure(c, settings.seconds, values);
		again++;
	}
	noise->again += again;
	noise->slow += slowed;
}

static void measure_round(struct cell *cells, size_t nr,
			  double values[][MAX_METRICS], struct noise *noise)
{
	for (size_t i = 0; i < nr; i++)
		measure_cell(&cells[i], values[i], noise);
}

/* Keep this round's values; those of round 0 only warmed up. */
static void keep_round(struct cell *cells, size_t nr, double values[][MAX_METRICS])
{
	for (size_t i = 0; i < nr; i++) {
		for (size_t m = 0; m < cells[i].workload->nr_metrics; m++)
			cells[i].samples[m][cells[i].nr_samples] = values[i][m];
		cells[i].nr_samples++;
	}
}

static struct noise measure_cells(struct cell *cells, size_t nr)
{
	double (*values)[MAX_METRICS] = calloc(nr, sizeof(*values));
	unsigned int nr_spare = settings.rounds / 2, kept = 0;
	struct noise noise = { 0, 0, 0 };

	if (!values)
		exit(EXIT_TROUBLE);
	measure_round(cells, nr, values, &noise);
	stolen_cpus();
	while (kept < settings.rounds) {
		measure_round(cells, nr, values, &noise);
		if (stolen_cpus() > NOISE) {
			noise.rounds++;
			if (nr_spare) {
				nr_spare--;
				continue;
			}
		}
		keep_round(cells, nr, values);
		kept++;
	}
	free(values);
	return noise;
}

static void tell_noise(const struct workload *w, unsigned int group, size_t nr,
		       struct noise noise)
{
	unsigned int most = settings.rounds / 2;

	if (settings.quiet)
		return;
	fprintf(stderr, "rlbench: %s, group %u: %zu cells; %u noisy rounds, %u of them "
		"repeated; %u repetitions on a slowed CPU, %u times in vain\n",
		w->name, group, nr, noise.rounds,
		noise.rounds < most ? noise.rounds : most, noise.again,
		noise.slow);
}

static int run_group(const struct selection *s, const struct workload *w,
		     const struct trial *trials, size_t nr_trials,
		     unsigned int group, struct results *set)
{
	static struct cell cells[MAX_CELLS];
	size_t nr = 0;

	for (size_t t = 0; t < nr_trials; t++)
		for (size_t p = 0; p < nr_peers && nr < MAX_CELLS; p++) {
			struct cell *c = &cells[nr];

			if (trials[t].group != group ||
			    !is_selected(s, w, &trials[t], peers[p]))
				continue;
			memset(c, 0, sizeof(*c));
			c->workload = w;
			c->trial = &trials[t];
			c->peer = peers[p];
			if (!cell_open(c)) {
				fprintf(stderr, "rlbench: cannot set up %s for %s %s\n",
					c->peer->name, w->name, c->trial->name);
				return EXIT_TROUBLE;
			}
			nr++;
		}
	if (!nr)
		return EXIT_GOOD;
	tell_noise(w, group, nr, measure_cells(cells, nr));
	for (size_t i = 0; i < nr; i++) {
		results_add(set, &cells[i]);
		cell_close(&cells[i]);
	}
	return EXIT_GOOD;
}

static void tell_missing(const struct selection *s)
{
	for (size_t i = 0; i < nr_peers; i++)
		if (peer_missing(peers[i]) && is_in_list(s->peers, peers[i]->name))
			fprintf(stderr, "rlbench: %s left out: %s\n",
				peers[i]->name, peer_missing(peers[i]));
}

int run_selection(const struct selection *s, struct results *set)
{
	static struct trial trials[MAX_TRIALS];

	tell_missing(s);
	for (size_t i = 0; i < nr_workloads; i++) {
		const struct workload *w = workloads[i];
		unsigned int nr_groups = 0;
		size_t nr;

		if (!is_in_list(s->workloads, w->name))
			continue;
		nr = w->list(trials, MAX_TRIALS);
		if (nr > MAX_TRIALS)
			nr = MAX_TRIALS;
		for (size_t t = 0; t < nr; t++)
			if (trials[t].group >= nr_groups)
				nr_groups = trials[t].group + 1;
		for (unsigned int g = 0; g < nr_groups; g++) {
			int code = run_group(s, w, trials, nr, g, set);

			if (code)
				return code;
		}
	}
	if (!set->nr) {
		fprintf(stderr, "rlbench: nothing matches; see rlbench list\n");
		return EXIT_USAGE;
	}
	results_set_ratios(set, settings.baseline);
	return EXIT_GOOD;
}

int command_list(void)
{
	static struct trial trials[MAX_TRIALS];

	printf("contestants:\n");
	for (size_t i = 0; i < nr_peers; i++) {
		const char *missing = peer_missing(peers[i]);

		printf("  %-16s %s%s%s%s\n", peers[i]->name, peers[i]->what,
		       missing ? " (left out: " : "", missing ? missing : "",
		       missing ? ")" : "");
	}
	printf("workloads, and their cases as name/threads[/n]:\n");
	for (size_t i = 0; i < nr_workloads; i++) {
		size_t nr = workloads[i]->list(trials, MAX_TRIALS);

		printf("  %-16s %s\n", workloads[i]->name, workloads[i]->what);
		for (size_t t = 0; t < nr && t < MAX_TRIALS; t++) {
			printf("      %s/%u", trials[t].name, trials[t].threads);
			if (trials[t].n)
				printf("/%u", trials[t].n);
			printf("\n");
		}
	}
	return EXIT_GOOD;
}
