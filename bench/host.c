/*
 * host.c - the machine that the figures are from, in general terms
 */
#include <string.h>
#include <sys/utsname.h>

#include "bench/commands.h"
#include "bench/measure.h"

#if defined(__clang__)
#define COMPILER	"clang " __clang_version__
#else
#define COMPILER	"gcc " __VERSION__
#endif

/* The first "key : value" of a file like /proc/cpuinfo; empty if there is none. */
static void find_value(const char *path, const char *key, char *value, size_t size)
{
	FILE *f = fopen(path, "r");
	char line[512];

	*value = 0;
	while (f && !*value && fgets(line, sizeof(line), f)) {
		const char *text = strchr(line, ':');

		if (!text || strncmp(line, key, strlen(key)))
			continue;
		text += strspn(text, ": \t");
		snprintf(value, size, "%.*s", (int)strcspn(text, "\n\""), text);
	}
	if (f)
		fclose(f);
}

struct fact {
	const char *key;
	char value[160];
};

static size_t facts(struct fact f[8])
{
	struct utsname kernel;

	uname(&kernel);
	f[0].key = "cpu";
	find_value("/proc/cpuinfo", "model name", f[0].value, sizeof(f[0].value));
	f[1].key = "cpus";
	snprintf(f[1].value, sizeof(f[1].value), "%u", nr_cpus());
	f[2].key = "kernel";
	snprintf(f[2].value, sizeof(f[2].value), "%.20s %.40s %.20s", kernel.sysname,
		 kernel.release, kernel.machine);
	f[3].key = "compiler";
	snprintf(f[3].value, sizeof(f[3].value), "%s", COMPILER);
	f[4].key = "rounds";
	snprintf(f[4].value, sizeof(f[4].value), "%u of %g ms", settings.rounds,
		 settings.seconds * 1e3);
	f[5].key = "pinned";
	snprintf(f[5].value, sizeof(f[5].value), "%s", settings.pin ? "yes" : "no");
	f[6].key = "seed";
	snprintf(f[6].value, sizeof(f[6].value), "%llu",
		 (unsigned long long)settings.seed);
	return 7;
}

void host_describe(FILE *out, const char *prefix)
{
	struct fact f[8];
	size_t n = facts(f);

	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%s: %s\n", prefix, f[i].key, f[i].value);
}

/* No value holds a quote or a backslash: find_value() stops at a quote. */
void host_describe_json(FILE *out)
{
	struct fact f[8];
	size_t n = facts(f);

	fprintf(out, "{");
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\"%s\": \"%s\"", i ? ", " : "", f[i].key,
			f[i].value);
	fprintf(out, "}");
}
