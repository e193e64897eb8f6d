/*
 * tally.c - the totals of a run in a file, as the run goes on
 *
 * One line of NAME=VALUE, written anew about once a second beside the file and renamed:
 * who reads it finds a whole line, and of a run that is killed the last second is lost.
 * tools/soak.py adds such lines up.
 */
#include <inttypes.h>
#include <stdio.h>

#include "stress/torture/torture.h"

static struct {
	const char *path;
	uint64_t seed, nr_threads, secs;
	struct tt_totals last;
} tally;

void tt_tally_open(const char *path, uint64_t seed, uint64_t nr_threads)
{
	tally.path = path;
	tally.seed = seed;
	tally.nr_threads = nr_threads;
}

/* Returns: was there room on the disk? */
static bool write_line(const char *state, unsigned int nr_failures)
{
	const struct tt_totals *n = &tally.last;
	char beside[4096];
	bool good;
	FILE *f;

	snprintf(beside, sizeof(beside), "%s.new", tally.path);
	f = fopen(beside, "w");
	if (!f)
		return false;
	fprintf(f, "seed=%" PRIu64 " threads=%" PRIu64 " operations=%" PRIu64
		" holds=%" PRIu64 " rounds=%" PRIu64 " seconds=%" PRIu64
		" failures=%u state=%s\n",
		tally.seed, tally.nr_threads, n->nr_calls, n->nr_holds,
		n->nr_rounds, tally.secs, nr_failures, state);
	good = !ferror(f);
	return fclose(f) == 0 && good && rename(beside, tally.path) == 0;
}

void tt_tally_write(const struct tt_totals *n, uint64_t secs, bool is_last)
{
	if (!tally.path || (!is_last && secs == tally.secs))
		return;
	tally.last = *n;
	tally.secs = secs;
	if (!write_line(is_last ? "ended" : "running", 0))
		perror(tally.path);
}

void tt_tally_failed(void)
{
	if (tally.path && !write_line("failed", 1))
		perror(tally.path);
}
