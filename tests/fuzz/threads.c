/*
 * Goal: whatever real threads do to the lock at the same time, some order of it is one
 * that a sequential lock allows, and nobody meets an intruder in what he holds.
 *
 * The bytes are the same history that lock.c plays one op at a time (tests/model/coded.h);
 * here each owner's ops are a thread's (tests/model/crew.h).  How the threads meet is the
 * machine's choice, so each input is played a few times, and one that failed may pass
 * when it is played again: FUZZ_TIMES says how often.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/model/coded.h"
#include "tests/model/crew.h"

#define TIMES	4u

static struct crew_counts counts;
static unsigned int nr_times;

static void say(void)
{
	printf("%llu histories, %llu calls, %llu undecided\n",
	       (unsigned long long)counts.nr_plays, (unsigned long long)counts.nr_calls,
	       (unsigned long long)counts.nr_undecided);
}

static void start(void)
{
	const char *text = getenv("FUZZ_TIMES");

	nr_times = text ? (unsigned int)strtoul(text, NULL, 0) : 0;
	nr_times = nr_times ? nr_times : TIMES;
	crew_start();
	atexit(say);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct op ops[CREW_OPS];
	struct crew_setup setup;
	struct scene scene;
	size_t nr;

	if (!nr_times)
		start();
	nr = coded_read(&scene, 0, ops, CREW_OPS, data, size);
	crew_read(&setup, &scene, data, size);
	if (!crew_play(&setup, ops, nr, nr_times, &counts))
		fuzz_fail("no order explains what the threads were told");
	return 0;
}
