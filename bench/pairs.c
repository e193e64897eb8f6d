/*
 * pairs.c - what one uncontended lock and unlock costs, side by side
 *
 * Every contestant runs in the same process, in turn, many short rounds each;
 * the median of the rounds is printed, and its ratio to pthread_rwlock's write
 * pair.  A second thread stays alive: glibc takes shortcuts in a process with
 * one.  Absolute times differ between machines, ratios much less.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <rangelock.h>
#include <rangelock/site.h>

#define ROUNDS		41
#define PAIRS		100000

static struct rangelock lock = RANGELOCK_INIT;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rl_site site = RL_SITE_INIT("bench", RL_FINE);

static void rwlock_write(void)
{
	pthread_rwlock_wrlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
}

static void rwlock_read(void)
{
	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
}

static void mutex_pair(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void fine_write(void)
{
	struct rl_range r;

	rl_range_init(&r);
	rl_write_lock(&lock, &r, 4096, 8192);
	rl_unlock(&lock, &r);
}

static void fine_read(void)
{
	struct rl_range r;

	rl_range_init(&r);
	rl_read_lock(&lock, &r, 4096, 8192);
	rl_unlock(&lock, &r);
}

static void coarse_write(void)
{
	struct rl_range r;

	rl_range_init(&r);
	rl_write_lock_coarse(&lock, &r);
	rl_unlock(&lock, &r);
}

static void fine_write_at(void)
{
	struct rl_range r;

	rl_range_init(&r);
	rl_write_lock_at(&lock, &r, &site, 4096, 8192);
	rl_unlock(&lock, &r);
}

static struct contestant {
	const char *name;
	void (*pair)(void);
	double bar;		/* of the ratio; 0: none */
	double ns[ROUNDS];
} contestants[] = {
	{ .name = "pthread_rwlock write", .pair = rwlock_write },
	{ .name = "pthread_rwlock read", .pair = rwlock_read },
	{ .name = "pthread_mutex", .pair = mutex_pair },
	{ .name = "rangelock write", .pair = fine_write, .bar = 1.5 },
	{ .name = "rangelock read", .pair = fine_read },
	{ .name = "rangelock coarse write", .pair = coarse_write },
	{ .name = "rangelock write at a site", .pair = fine_write_at },
};

#define NR	(sizeof(contestants) / sizeof(contestants[0]))

static double clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_pairs(void (*pair)(void))
{
	double begin = clock_ns();

	for (int i = 0; i < PAIRS; i++)
		pair();
	return (clock_ns() - begin) / PAIRS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void *stay_alive(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	unsigned int nr_met = 0, nr_missed = 0;
	pthread_t other;
	double base;

	if (pthread_create(&other, NULL, stay_alive, NULL)) {
		fprintf(stderr, "pairs: no second thread\n");
		return 3;
	}
	for (int round = -1; round < ROUNDS; round++)
		for (size_t i = 0; i < NR; i++) {
			double ns = time_pairs(contestants[i].pair);

			if (round >= 0)		/* the first one warms up */
				contestants[i].ns[round] = ns;
		}
	for (size_t i = 0; i < NR; i++)
		qsort(contestants[i].ns, ROUNDS, sizeof(double), compare);

	base = contestants[0].ns[ROUNDS / 2];
	printf("%-28s %10s %10s %8s\n", "one uncontended pair", "median ns",
	       "spread ns", "ratio");
	for (size_t i = 0; i < NR; i++) {
		const struct contestant *c = &contestants[i];
		double median = c->ns[ROUNDS / 2];

		printf("%-28s %10.1f %10.1f %8.2f", c->name, median,
		       c->ns[ROUNDS * 3 / 4] - c->ns[ROUNDS / 4],
		       median / base);
		if (c->bar > 0) {
			int met = median / base <= c->bar;

			printf("  bar %.2f %s", c->bar, met ? "met" : "missed");
			nr_met += (unsigned int)met;
			nr_missed += (unsigned int)!met;
		}
		printf("\n");
	}
	printf("bytes: lock %zu, handle %zu\n", sizeof(struct rangelock),
	       sizeof(struct rl_range));
	printf("bars: %u met, %u missed\n", nr_met, nr_missed);
	return 0;
}
