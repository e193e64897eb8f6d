/*
 * Goal: a file of results for `rlbench compare' and `plot', however broken, is
 * refused or read; and what was read is written, and read again as the same.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/measure.h"

/* Stand in for what results.c asks when it measures, which it does not here. */
void host_describe(FILE *out, const char *prefix)
{
	fprintf(out, "%shost: none\n", prefix);
}

void host_describe_json(FILE *out)
{
	fputs("{}", out);
}

void sort_samples(double *v, size_t n)
{
	(void)v;
	(void)n;
}

double quantile(const double *sorted, size_t n, double q)
{
	(void)q;
	return sorted[n / 2];
}

static char *written(const struct results *set, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	if (!out)
		fuzz_fail("out of memory");
	results_write_csv(set, out);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct results set = { .rows = NULL }, again = { .rows = NULL };
	size_t first_size, second_size;
	char *first, *second;

	if (results_read_csv(&set, fuzz_file(data, size)) == 0) {
		first = written(&set, &first_size);
		if (results_read_csv(&again, fuzz_file((uint8_t *)first, first_size)) != 0)
			fuzz_fail("what was written is not read:\n%s", first);
		second = written(&again, &second_size);
		if (strcmp(first, second) != 0)
			fuzz_fail("written:\n%sand again:\n%s", first, second);
		free(first);
		free(second);
	}
	results_free(&set);
	results_free(&again);
	return 0;
}
