/*
 * json.h - write JSON: 64-bit integers exact, strings escaped
 *
 * Commas and quotes are the writer's; the nesting is the caller's.
 */
#ifndef MM_CMD_JSON_H
#define MM_CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct mm_json {
	FILE *file;
	bool has_one;			/* a comma comes before the next one */
};

/* key: NULL inside an array. */
void mm_json_open(struct mm_json *json, const char *key, char bracket);
void mm_json_close(struct mm_json *json, char bracket);
void mm_json_number(struct mm_json *json, const char *key, uint64_t number);
/* Six digits.  Requires: finite. */
void mm_json_real(struct mm_json *json, const char *key, double number);
void mm_json_string(struct mm_json *json, const char *key, const char *text);

/* A scheme whose run came to no end, as an object.  nr_threads: 0 for any. */
void mm_json_failure(struct mm_json *json, const char *scheme,
		     unsigned int nr_threads, const char *why);

#endif
