/*
 * linear.c - many small histories of real threads, each checked exactly
 *
 *	linear [--secs N] [--plays N] [--seed S] [--patience SECONDS]
 *
 * Each play is a few random ops of two to four threads on one lock (crew.h), a few times
 * over, on the engine and with the bound and the doors that its bytes say.  Then it is
 * searched for an order in which a sequential lock gives the same answers (linear.h).
 * The torture plays for long and checks what must be true of any two calls; this looks
 * at all calls of a short history at once.
 *
 * Goes on for N seconds, or for so many plays.  The same seed makes the same plays; how
 * the threads meet differs.  Exit 0, or 1 with the history that no order explains.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/model/coded.h"
#include "tests/model/crew.h"

#define TIMES	8u			/* each play */

static uint64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static uint64_t fresh_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool play_random(uint64_t seed, struct crew_counts *counts)
{
	uint8_t bytes[CODED_HEAD + CREW_OPS * CODED_OP];
	struct op ops[CREW_OPS];
	struct crew_setup setup;
	struct scene scene;
	size_t nr;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)next_random(&seed);
	nr = coded_read(&scene, 0, ops, CREW_OPS, bytes, sizeof(bytes));
	crew_read(&setup, &scene, bytes, sizeof(bytes));
	return crew_play(&setup, ops, nr, TIMES, counts);
}

static void on_alarm(int number)
{
	static const char text[] = "FAIL: a play does not end\n0 passed, 1 failed\n";
	ssize_t written = write(STDOUT_FILENO, text, sizeof(text) - 1);

	(void)number;
	_exit(written ? 1 : 2);
}

static int usage(void)
{
	fprintf(stderr, "usage: linear [--secs N] [--plays N] [--seed S] [--patience SECONDS]\n");
	return 2;
}

static bool read_option(uint64_t numbers[4], const char *name, const char *text)
{
	static const char *const names[4] = { "--secs", "--plays", "--seed", "--patience" };
	char *rest;

	for (int i = 0; i < 4; i++)
		if (text && strcmp(name, names[i]) == 0) {
			numbers[i] = strtoull(text, &rest, 0);
			return *text && !*rest;
		}
	return false;
}

int main(int argc, char **argv)
{
	uint64_t numbers[4] = { 0, 0, fresh_seed(), 60 }, start = now_s(), nr = 0;
	struct crew_counts counts = { .nr_plays = 0 };
	bool good = true;

	for (int i = 1; i < argc; i += 2)
		if (!read_option(numbers, argv[i], argv[i + 1]))
			return usage();
	printf("seed %" PRIu64 "\n", numbers[2]);
	fflush(stdout);
	signal(SIGALRM, on_alarm);
	crew_start();
	do {
		alarm((unsigned int)numbers[3]);
		good = play_random(numbers[2] * UINT64_C(0x9e3779b97f4a7c15) + nr, &counts);
	} while (++nr < numbers[1] ? good : good && now_s() - start < numbers[0]);
	alarm(0);
	crew_stop();
	if (!good)
		printf("again: linear --seed %" PRIu64 " --plays %" PRIu64
		       " (other threads' steps differ)\n", numbers[2], nr);
	printf("%" PRIu64 " histories, %" PRIu64 " calls, %" PRIu64 " undecided\n",
	       counts.nr_plays, counts.nr_calls, counts.nr_undecided);
	printf("%d passed, %d failed\n", good, !good);
	return !good;
}
