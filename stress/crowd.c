/*
 * crowd.c - ten thousand threads that wait for one range
 *
 *	crowd [--threads N] [--patience SECONDS]
 *
 * One thread holds a range, N others (10,000) ask for it and wait; then it lets go, and each
 * holds it once, alone.  With the default options, so who sleeps looks for deadlocks, too.
 * If the machine has no room for so many threads (the kernel's limits, the user's, the
 * cgroup's; half of what is left is not taken), there are as many as there is room for,
 * and the line says what the limit is: fewer than FEWEST are a failure.  The cost is
 * the square of N.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <rangelock.h>
#include <rangelock/stats.h>

#define THREADS		UINT64_C(10000)
#define FEWEST		UINT64_C(100)
#define STACK_BYTES	(64 * 1024)

static struct rangelock lk;
static struct rl_range *handles;	/* one a thread */
static uint64_t nr_wrong;		/* these three: plain, the range guards them */
static uint64_t nr_inside;
static uint64_t nr_turns;

/* The number in a file; UINT64_MAX if there is none, or "max". */
static uint64_t number_in(const char *path, const char *format)
{
	uint64_t n = UINT64_MAX;
	FILE *f = fopen(path, "r");

	if (f) {
		if (fscanf(f, format, &n) != 1)
			n = UINT64_MAX;
		fclose(f);
	}
	return n;
}

static uint64_t processes_of_user(void)
{
	struct rlimit l;

	return getrlimit(RLIMIT_NPROC, &l) || l.rlim_cur == RLIM_INFINITY ? UINT64_MAX :
									     l.rlim_cur;
}

/* Where this process is in the cgroup tree that counts processes. */
static uint64_t processes_of_cgroup(void)
{
	char line[512], path[600];
	uint64_t n = UINT64_MAX;
	FILE *f = fopen("/proc/self/cgroup", "r");

	while (f && fgets(line, sizeof(line), f)) {
		char *where = strstr(line, ":pids:");
		const char *root = where ? "/sys/fs/cgroup/pids" : "/sys/fs/cgroup";

		if (!where && strncmp(line, "0::", 3) != 0)
			continue;
		where = where ? where + 6 : line + 3;
		where[strcspn(where, "\n")] = '\0';
		snprintf(path, sizeof(path), "%s%s/pids.max", root, where);
		if (number_in(path, "%" SCNu64) < n)
			n = number_in(path, "%" SCNu64);
	}
	if (f)
		fclose(f);
	return n;
}

static uint64_t room_for_threads(const char **limit)
{
	const struct {
		const char *name;
		uint64_t most;
		uint64_t each;		/* of it, a thread takes so much */
	} limits[] = {
		{ "threads-max", number_in("/proc/sys/kernel/threads-max", "%" SCNu64), 1 },
		{ "pid_max", number_in("/proc/sys/kernel/pid_max", "%" SCNu64), 1 },
		{ "max_map_count", number_in("/proc/sys/vm/max_map_count", "%" SCNu64), 2 },
		{ "RLIMIT_NPROC", processes_of_user(), 1 },
		{ "pids.max", processes_of_cgroup(), 1 },
	};
	uint64_t there = number_in("/proc/loadavg", "%*s %*s %*s %*u/%" SCNu64);
	uint64_t room = UINT64_MAX;

	*limit = "nothing";
	there = there == UINT64_MAX ? 0 : there;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t most = limits[i].most / limits[i].each;

		most = most > there ? (most - there) / 2 : 0;
		if (most < room) {
			room = most;
			*limit = limits[i].name;
		}
	}
	return room;
}

static void *wait_for_it(void *arg)
{
	struct rl_range *r = arg;
	int error = rl_write_lock(&lk, r, 0, 10);

	if (error) {
		printf("FAIL: a thread is told %d\n", error);
		exit(1);
	}
	nr_wrong += nr_inside++ != 0;
	nr_turns++;
	nr_inside--;
	rl_unlock(&lk, r);
	return NULL;
}

/* Returns: how many could be made. */
static uint64_t make_threads(pthread_t *threads, uint64_t nr)
{
	pthread_attr_t small;
	uint64_t made = 0;

	if (pthread_attr_init(&small) || pthread_attr_setstacksize(&small, STACK_BYTES))
		return 0;
	while (made < nr && pthread_create(&threads[made], &small, wait_for_it,
					   &handles[made]) == 0)
		made++;
	pthread_attr_destroy(&small);
	return made;
}

static uint64_t nr_waiting(void)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	struct rl_stats stats;

	/* A look takes the guard, which they need. */
	nanosleep(&pause, NULL);
	return rl_stats_read(&lk, &stats) ? 0 : stats.nr_waiting_now;
}

static bool crowd(uint64_t nr)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct rl_range first = RL_RANGE_INIT;
	const char *limit;
	uint64_t room = room_for_threads(&limit), made;
	pthread_t *threads = calloc(nr, sizeof(*threads));

	handles = calloc(nr, sizeof(*handles));
	if (!threads || !handles || rl_init(&lk, &o) || rl_write_lock(&lk, &first, 0, 10))
		return false;
	made = make_threads(threads, nr < room ? nr : room);
	while (nr_waiting() < made)
		;
	printf("%" PRIu64 " of %" PRIu64 " threads wait for one range%s%s\n", made, nr,
	       made == nr ? "" : "; no more, because of ",
	       made == nr ? "" : made == room ? limit : "pthread_create()");
	fflush(stdout);
	nr_wrong += nr_turns != 0;
	rl_unlock(&lk, &first);
	for (uint64_t i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	printf("%" PRIu64 " had it, %" PRIu64 " not alone\n", nr_turns, nr_wrong);
	free(threads);
	free(handles);
	return nr_turns == made && !nr_wrong && rl_destroy(&lk) == 0 &&
	       made >= (nr < FEWEST ? nr : FEWEST);
}

static void on_alarm(int number)
{
	static const char text[] = "FAIL: they do not get through\n0 passed, 1 failed\n";
	ssize_t written = write(STDOUT_FILENO, text, sizeof(text) - 1);

	(void)number;
	_exit(written ? 1 : 2);
}

int main(int argc, char **argv)
{
	uint64_t nr = THREADS, patience = 240;
	bool good;

	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t n = strtoull(argv[i + 1], NULL, 0);

		if (strcmp(argv[i], "--threads") == 0 && n)
			nr = n;
		else if (strcmp(argv[i], "--patience") == 0 && n)
			patience = n;
	}
	signal(SIGALRM, on_alarm);
	alarm((unsigned int)patience);
	good = crowd(nr);
	printf("%d passed, %d failed\n", good, !good);
	return !good;
}
