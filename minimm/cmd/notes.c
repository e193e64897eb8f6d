/*
 * notes.c - what stands below the table
 *
 * Entries of a scheme's name and text, folded at 100 columns.
 */
#include "minimm/cmd/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "minimm/cmd/say.h"

#define NR_LEFT		3	/* pairs in a line on false waiting */
#define INDENT		19
#define FOLD_AT		100

struct entry {
	FILE *file;
	int column;
	const char *between;		/* before the next word group */
};

static struct entry begin(FILE *file, const char *name)
{
	fprintf(file, "  %-17s", name);
	return (struct entry){ file, INDENT, "" };
}

/* A group of words that stay together. */
__attribute__((format(printf, 3, 4)))
static void put(struct entry *e, const char *next_between, const char *format,
		...)
{
	char text[200];
	va_list args;
	int length;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = (int)(strlen(e->between) + strlen(text));
	if (e->column + length > FOLD_AT && e->column > INDENT) {
		fprintf(e->file, "%.*s\n%*s", (int)strlen(e->between) - 1,
			e->between, INDENT, "");
		e->column = INDENT;
	} else {
		fputs(e->between, e->file);
	}
	fputs(text, e->file);
	e->column += length;
	e->between = next_between;
}

static void end(struct entry *e, const char *if_empty)
{
	fprintf(e->file, "%s\n", e->column == INDENT ? if_empty : "");
}

/* "18.0us fault behind munmap, ...; because of locks of everything (18.0us)" */
static void put_left(FILE *file, const struct mm_replay_result *result)
{
	static const char *const why[ORACLE_NR_REASONS] = {
		[ORACLE_GRAIN] = "locks of everything",
		[ORACLE_WINDOW] = "ranges wider than the operation",
		[ORACLE_ORDER] = "queueing behind one that waits",
	};
	struct entry e = begin(file, result->scheme->name);
	uint64_t rest = result->wait_ns[ORACLE_FALSE];
	char text[MM_TEXT_MAX];

	for (size_t i = 0; i < result->nr_pairs && i < NR_LEFT; i++) {
		const struct oracle_pair *pair = &result->pairs[i];
		uint64_t ns = pair->wait_ns[ORACLE_FALSE];

		if (ns == 0)
			break;
		put(&e, ", ", "%s %s behind %s", mm_time_text(ns, text),
		    mm_kind_name(pair->waiter), mm_kind_name(pair->blocker));
		rest -= ns;
	}
	if (rest)
		put(&e, ", ", "%s other", mm_time_text(rest, text));
	e.between = "; because of ";
	for (int i = 0; i < ORACLE_NR_REASONS; i++) {
		if (result->false_ns[i])
			put(&e, ", ", "%s (%s)", why[i],
			    mm_time_text(result->false_ns[i], text));
	}
	end(&e, "none");
}

static void put_cause(FILE *file, const char *scheme,
		      const struct oracle_cause *cause)
{
	const uint64_t *aborts = cause->nr_aborts;
	const uint64_t *fallbacks = cause->nr_fallbacks;
	struct entry e = begin(file, scheme);

	put(&e, ": ", "%s", mm_kind_name(cause->kind));
	put(&e, "; ", "%s", cause->why);
	if (aborts[0] + aborts[1])
		put(&e, ", ", "%" PRIu64 " aborts", aborts[0] + aborts[1]);
	if (fallbacks[0] + fallbacks[1])
		put(&e, ", ", "%" PRIu64 " fallbacks",
		    fallbacks[0] + fallbacks[1]);
	put(&e, "", "%" PRIu64 " of them for a true conflict",
	    aborts[ORACLE_TRUE] + fallbacks[ORACLE_TRUE]);
	end(&e, "");
}

static void put_causes(const struct mm_results *results, FILE *file)
{
	bool any = false;

	for (size_t i = 0; i < results->nr; i++) {
		const struct mm_replay_result *result = &results->list[i];

		for (size_t k = 0; k < result->nr_causes; k++) {
			if (!any)
				fprintf(file, "\nStarted over (aborts) or "
					"locked more (fallbacks):\n");
			any = true;
			put_cause(file, result->scheme->name,
				  &result->causes[k]);
		}
	}
}

static void put_skipped(void *arg, const char *reason, uint64_t number)
{
	if (number)
		put(arg, ", ", "%" PRIu64 " %s", number, reason);
}

/* Skipped lines by reason, and results that differ by operation. */
static void put_not_replayed(const struct mm_results *results, size_t i,
			     FILE *file)
{
	const struct mm_replay_result *result = &results->list[i];
	struct entry e = begin(file, result->scheme->name);

	mm_results_skipped(results, i, put_skipped, &e);
	e.between = ": ";
	for (int kind = 0; kind < MM_NR_KINDS; kind++) {
		if (result->nr_mismatches[kind])
			put(&e, ", ", "%" PRIu64 " %s",
			    result->nr_mismatches[kind],
			    mm_kind_name((enum mm_kind)kind));
	}
	end(&e, "nothing");
}

static void put_violations(const struct mm_results *results, FILE *file)
{
	for (size_t i = 0; i < results->nr; i++) {
		const struct mm_replay_result *result = &results->list[i];

		if (result->nr_missed || result->nr_violations)
			fprintf(file,
				"\n%s: %" PRIu64 " conflicts missed, %" PRIu64
				" invariants broken\n", result->scheme->name,
				result->nr_missed, result->nr_violations);
	}
}

/* Which drivers a scheme runs with is a choice: say it. */
static void put_drivers(const struct mm_results *results, FILE *file)
{
	if (results->args->files != MM_FILES_AS_SCHEME)
		return;
	for (size_t i = 0; i < results->nr; i++) {
		const struct mm_scheme *scheme = results->list[i].scheme;

		if (scheme->files_are_fine)
			fprintf(file, "\n%s runs with file drivers converted; "
				"--files coarse shows it without.\n",
				scheme->name);
	}
}

void mm_results_notes(const struct mm_results *results, FILE *file)
{
	fprintf(file, "\nFalse waiting that is left, and why:\n");
	for (size_t i = 0; i < results->nr; i++)
		put_left(file, &results->list[i]);
	put_causes(results, file);
	fprintf(file, "\nNot replayed as recorded:\n");
	for (size_t i = 0; i < results->nr; i++)
		put_not_replayed(results, i, file);
	put_drivers(results, file);
	put_violations(results, file);
}
