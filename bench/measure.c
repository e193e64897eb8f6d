/*
 * measure.c - workers on pinned CPUs, clocks, histograms, order statistics
 *
 * Workers run without pause while the controller reads their counters twice: no
 * start and no end is in the figures.  The controller sleeps meanwhile, so a
 * process with one worker still has two threads, and glibc none of the shortcuts
 * that it takes in a process with one.
 * Weak spot: a worker publishes its count once a batch, of 64 operations or of
 * about 50 us.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/speed.h"

#define WINDOW_NS	UINT64_C(1000000)

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void sort_samples(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare_doubles);
}

/* Between two samples: their weighted mean. */
double quantile(const double *sorted, size_t n, double q)
{
	double place = q * (double)(n - 1);
	size_t below = (size_t)place;

	if (!n)
		return NAN;
	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] +
	       (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Exact below HIST_STEPS, then HIST_STEPS / 2 steps an octave. */
static size_t bucket_of(uint64_t ns)
{
	unsigned int shift;
	size_t bucket;

	if (ns < HIST_STEPS)
		return (size_t)ns;
	shift = 63 - (unsigned int)__builtin_clzll(ns) - 4;
	bucket = shift * (HIST_STEPS / 2) + (size_t)(ns >> shift);
	return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

static double middle_of(size_t bucket)
{
	size_t shift, step;

	if (bucket < HIST_STEPS)
		return (double)bucket;
	shift = bucket / (HIST_STEPS / 2) - 1;
	step = bucket - shift * (HIST_STEPS / 2);
	return ldexp((double)step + 0.5, (int)shift);
}

void hist_add(struct hist *h, uint64_t ns)
{
	h->nr++;
	h->nr_in[bucket_of(ns)]++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

void hist_merge(struct hist *into, const struct hist *h)
{
	into->nr += h->nr;
	if (h->max_ns > into->max_ns)
		into->max_ns = h->max_ns;
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		into->nr_in[i] += h->nr_in[i];
}

double hist_quantile_us(const struct hist *h, double q)
{
	uint64_t want = (uint64_t)ceil(q * (double)h->nr), seen = 0;
	double ns = (double)h->max_ns;

	if (!h->nr)
		return 0;
	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->nr_in[i];
		if (seen >= want && h->nr_in[i]) {
			if (middle_of(i) < ns)
				ns = middle_of(i);
			break;
		}
	}
	return ns / 1e3;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Busy and stolen time of all CPUs: user, nice, system, irq, softirq, steal. */
static double busy_seconds(void)
{
	unsigned long long v[8] = { 0 };
	FILE *f = fopen("/proc/stat", "r");
	double ticks = (double)sysconf(_SC_CLK_TCK);
	int n = 0;

	if (f) {
		n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu",
			   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
		fclose(f);
	}
	if (n < 7)
		return 0;
	return (double)(v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / ticks;
}

double stolen_cpus(void)
{
	static double busy, own, when;
	double was_busy = busy, was_own = own, was_when = when;
	double others;

	busy = busy_seconds();
	own = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	when = seconds_of(CLOCK_MONOTONIC);
	others = busy - was_busy - (own - was_own);
	return others > 0 && when > was_when ? others / (when - was_when) : 0;
}

static cpu_set_t allowed;

unsigned int nr_cpus(void)
{
	if (!CPU_COUNT(&allowed) && sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	return (unsigned int)CPU_COUNT(&allowed);
}

void pin_to_cpu(unsigned int index)
{
	unsigned int left = index % nr_cpus();
	cpu_set_t one;

	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !left--)
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static bool has_own_cpu(const struct crew *c)
{
	return settings.pin && c->nr <= nr_cpus();
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	thread_index = w->index;
	w->tid = gettid();
	if (settings.pin)
		pin_to_cpu(w->index);
	pthread_barrier_wait(&w->crew->start);
	w->is_slowed = has_own_cpu(w->crew) && cpu_is_slowed();
	w->crew->work(w);
	w->is_slowed |= has_own_cpu(w->crew) && cpu_is_slowed();
	return NULL;
}

int crew_init(struct crew *c, struct cell *cell, unsigned int nr,
	      void (*work)(struct worker *w))
{
	memset(c, 0, sizeof(*c));
	c->workers = aligned_alloc(LINE, nr * sizeof(*c->workers));
	if (!c->workers)
		return ENOMEM;
	memset(c->workers, 0, nr * sizeof(*c->workers));
	c->nr = nr;
	c->work = work;
	for (unsigned int i = 0; i < nr; i++) {
		struct worker *w = &c->workers[i];

		w->crew = c;
		w->cell = cell;
		w->index = i;
		w->batch = 64;
		w->random = settings.seed * MAX_THREADS + i;
	}
	nr_cpus();
	return pthread_barrier_init(&c->start, NULL, nr + 1);
}

int crew_start(struct crew *c)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		struct worker *w = &c->workers[i];

		if (pthread_create(&w->thread, NULL, worker_main, w)) {
			fprintf(stderr, "rlbench: cannot start %u threads\n",
				c->nr);
			exit(EXIT_TROUBLE);
		}
	}
	pthread_barrier_wait(&c->start);
	return 0;
}

/* Everybody's counters and CPU times at near enough one instant. */
struct look {
	double when, cpu[MAX_THREADS];
	uint64_t counts[MAX_THREADS];
};

static void take_look(const struct crew *c, struct look *l)
{
	uint64_t before;
	clockid_t clock;

	for (int tries = 0; tries < 5; tries++) {
		before = now_ns();
		for (unsigned int i = 0; i < c->nr; i++) {
			l->counts[i] = load_relaxed(&c->workers[i].nr_ops);
			l->cpu[i] = 0;
			if (c->nr <= nr_cpus() &&
			    !pthread_getcpuclockid(c->workers[i].thread, &clock))
				l->cpu[i] = seconds_of(clock);
		}
		if (now_ns() - before < 20000)
			break;
	}
	l->when = (double)before / 1e9;
}

/* What happened between two looks, added to sums of the same. */
struct sums {
	double seconds, cpu;
	uint64_t ops[MAX_THREADS];
};

static void add_sums(struct sums *s, const struct crew *c, const struct look *a,
		     const struct look *b)
{
	s->seconds += b->when - a->when;
	for (unsigned int i = 0; i < c->nr; i++) {
		s->cpu += b->cpu[i] - a->cpu[i];
		s->ops[i] += b->counts[i] - a->counts[i];
	}
}

/* Did everybody run nearly all of the time? */
static bool all_ran(const struct crew *c, const struct look *a, const struct look *b)
{
	for (unsigned int i = 0; i < c->nr; i++)
		if (b->cpu[i] - a->cpu[i] < 0.9 * (b->when - a->when))
			return false;
	return true;
}

/* How often they went to sleep of their own accord. */
static uint64_t count_sleeps(const struct crew *c)
{
	unsigned long long n;
	uint64_t sum = 0;
	char text[160];
	FILE *f;

	for (unsigned int i = 0; i < c->nr; i++) {
		snprintf(text, sizeof(text), "/proc/self/task/%d/status",
			 c->workers[i].tid);
		f = fopen(text, "r");
		while (f && fgets(text, sizeof(text), f))
			if (sscanf(text, "voluntary_ctxt_switches: %llu", &n) == 1)
				sum += n;
		if (f)
			fclose(f);
	}
	return sum;
}

static void set_figures(struct crew *c, const struct sums *s)
{
	c->seconds = s->seconds;
	c->cpu_ns = s->cpu * 1e9;
	c->nr_ops = 0;
	c->least_ops = UINT64_MAX;
	c->most_ops = 0;
	for (unsigned int i = 0; i < c->nr; i++) {
		uint64_t n = s->ops[i];

		c->nr_ops += n;
		c->least_ops = n < c->least_ops ? n : c->least_ops;
		c->most_ops = n > c->most_ops ? n : c->most_ops;
	}
}

/*
 * Windows of a millisecond.  Threads that never sleep and have a CPU each should
 * run all the time; a window in which one did not belongs to somebody else's
 * program and does not count, as long as enough others can be had.  Peers that
 * sleep show the same for a good reason: for them everything counts.
 */
static void measure_windows(struct crew *c, double seconds)
{
	struct sums all = { .seconds = 0 }, quiet = { .seconds = 0 };
	uint64_t nr_sleeps = count_sleeps(c), nr_windows = 0;
	struct look a, b;
	bool sleeps = false;

	take_look(c, &a);
	while (all.seconds < seconds ||
	       (!sleeps && quiet.seconds < seconds && all.seconds < 3 * seconds)) {
		sleep_ns(WINDOW_NS);
		take_look(c, &b);
		nr_windows++;
		add_sums(&all, c, &a, &b);
		if (all_ran(c, &a, &b))
			add_sums(&quiet, c, &a, &b);
		if (all.seconds >= seconds && !sleeps)
			sleeps = count_sleeps(c) - nr_sleeps > nr_windows / 2;
		a = b;
	}
	set_figures(c, sleeps || quiet.seconds < seconds / 5 ? &all : &quiet);
}

void crew_measure(struct crew *c, double seconds)
{
	struct sums all = { .seconds = 0 };
	struct look a, b;

	if (c->nr > 2 * nr_cpus())
		seconds *= (double)c->nr / (2.0 * nr_cpus());
	sleep_ns((uint64_t)(seconds * 1e9 / 10));
	store_relaxed(&c->measuring, 1);
	if (c->nr <= nr_cpus()) {
		measure_windows(c, seconds);
	} else {
		take_look(c, &a);
		sleep_ns((uint64_t)(seconds * 1e9));
		take_look(c, &b);
		add_sums(&all, c, &a, &b);
		set_figures(c, &all);
	}
	store_relaxed(&c->measuring, 0);
}

static bool somebody_was_slowed;

void crew_stop(struct crew *c)
{
	store_relaxed(&c->stop, 1);
	for (unsigned int i = 0; i < c->nr; i++) {
		pthread_join(c->workers[i].thread, NULL);
		somebody_was_slowed |= c->workers[i].is_slowed;
	}
}

bool crews_were_slowed(void)
{
	bool were = somebody_was_slowed;

	somebody_was_slowed = false;
	return were;
}

void crew_destroy(struct crew *c)
{
	pthread_barrier_destroy(&c->start);
	free(c->workers);
}

bool crew_run(struct crew *c, double seconds)
{
	if (crew_start(c))
		return false;
	crew_measure(c, seconds);
	crew_stop(c);
	return true;
}
