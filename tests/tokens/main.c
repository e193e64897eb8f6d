/*
 * main.c - client [--filter NAME] [--every N] [SEED]: does the tool say what it must?
 *
 * Run under ThreadSanitizer, helgrind or DRD.  Two threads play each play, or one
 * pair of holds of N; the tool's reports are counted before and after.  In a play
 * that has to be reported the threads are ordered all the same, by means that the
 * tool does not see: it is found every time or never.  Ends with `N passed, M
 * failed`.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rangelock/stats.h>

#include "tests/tokens/baton.h"
#include "tests/tokens/client.h"

#define TRIES		3u
#define MAX_PLAYS	8192

/*
 * The locks are used again and again: what one play releases another acquires,
 * but a play's own accesses come after that.  The rest is new for each play.
 */
static struct rangelock locks[NR_FORMS];
static struct ticket tickets[MAX_PLAYS][NR_TICKETS];
static long cells[MAX_PLAYS][NR_CELLS];

static struct baton started, step, ended;
static struct stage stage;		/* hidden, as the batons are */

static const char *filter;
static unsigned int every = 1;	/* plays one of so many */
static unsigned int nr_named, nr_plays, nr_planted, nr_passed, nr_failed;

void want_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: want %s\n", file, line, condition);
	abort();
}

__attribute__((noinline)) void put(long *cell)
{
	(*cell)++;
}

__attribute__((noinline)) void get(const long *cell)
{
	(void)*(const volatile long *)cell;
}

void pass(void)
{
	baton_add(&step);
}

void turn(uint32_t n)
{
	baton_await(&step, n);
}

void until_waiting(struct rangelock *lk, uint32_t n)
{
	struct rl_stats stats;

	do {
		want(rl_stats_read(lk, &stats) == 0);
	} while (stats.nr_waiting_now < n);
}

static void *play_parts(void *arg)
{
	unsigned int i = *(const unsigned int *)arg;
	struct stage mine;
	act_fn *act;

	for (uint32_t n = 1;; n++) {
		baton_await(&started, n);
		baton_copy(&mine, &stage, sizeof(mine));
		act = mine.acts[i];
		if (!act)
			return NULL;
		if (i == 1)
			turn(1);
		act(&mine);
		if (i == 0 && baton_get(&step) == 0)
			pass();
		baton_add(&ended);
	}
}

static void start(struct rangelock *lk, act_fn *first, act_fn *second,
		  const void *script, size_t size)
{
	struct stage next = {
		.lk = lk, .tickets = tickets[nr_plays],
		.cells = cells[nr_plays], .acts = { first, second },
	};

	want(size <= sizeof(next.script));
	if (size)
		memcpy(next.script, script, size);
	baton_copy(&stage, &next, sizeof(next));
	nr_plays++;
	baton_set(&ended, 0);
	baton_set(&step, 0);
	baton_add(&started);
}

static void init(struct rangelock *lk, enum form form)
{
	struct rl_options o = RL_OPTIONS_INIT;

	if (form == COMPACT)
		return;			/* it is all zero */
	if (form == FOREST)
		o.chunk_size = 2 * PAGE;
	o.flags = form == PLAIN ? RL_PLAIN :
		  form == BIASED ? RL_READER_BIAS : 0;
	want(rl_init(lk, &o) == 0);
}

void play(const char *name, enum form form, act_fn *first, act_fn *second,
	  const void *script, size_t size, bool races)
{
	static const char *const forms[] = { "compact", "forest", "plain",
					     "biased" };
	struct rangelock *lk = &locks[form];
	unsigned long before, found;
	unsigned int tries = races ? TRIES : 1;

	if (nr_named++ % every || (filter && !strstr(name, filter)))
		return;
	/* A detector forgets accesses: what it missed by chance is played again. */
	do {
		want(nr_plays < MAX_PLAYS);
		init(lk, form);
		before = nr_reports();
		start(lk, first, second, script, size);
		baton_await(&ended, 2);
		found = nr_reports() - before;
		want(rl_destroy(lk) == 0);
	} while (!found && --tries);
	nr_planted += races;
	if (!found != !races) {
		printf("FAIL: %s (%s): %lu reports, want %s\n", name,
		       forms[form], found, races ? "some" : "none");
		nr_failed++;
	} else {
		nr_passed++;
	}
}

int main(int argc, char **argv)
{
	static unsigned int numbers[2] = { 0, 1 };
	pthread_t threads[2];
	uint64_t seed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (strcmp(argv[1], "--filter") == 0)
			filter = argv[2];
		else
			every = (unsigned int)strtoul(argv[2], NULL, 0);
	}
	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	printf("seed %llu\n", (unsigned long long)seed);
	baton_hide(&started, sizeof(started));
	baton_hide(&step, sizeof(step));
	baton_hide(&ended, sizeof(ended));
	baton_hide(&stage, sizeof(stage));
	for (unsigned int i = 0; i < 2; i++)
		want(pthread_create(&threads[i], NULL, play_parts,
				    &numbers[i]) == 0);
	play_pairs();
	every = 1;
	play_scenes();
	play_waits();
	start(NULL, NULL, NULL, NULL, 0);
	for (unsigned int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (!filter)
		nr_failed += play_storm(seed);
	printf("%u plays, a race planted in %u\n", nr_passed + nr_failed,
	       nr_planted);
	printf("%u passed, %u failed\n", nr_passed, nr_failed);
	return nr_failed != 0;
}
