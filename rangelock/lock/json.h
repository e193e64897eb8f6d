/*
 * json.h - write JSON, piece by piece, without allocating
 *
 * Integers are written exactly, all 64 bits of them.  Strings may hold any
 * bytes: what is no UTF-8 becomes U+FFFD.  Keys are given inside objects and are
 * NULL inside arrays and at the top.  After the end of the outermost object or
 * array a newline follows and all is written.
 */
#ifndef RL_LOCK_JSON_H
#define RL_LOCK_JSON_H

#include <stdbool.h>

#include <rangelock.h>

#define RL_JSON_DEPTH	16

struct rl_json {
	rl_write_fn *write;
	void *arg;
	unsigned int depth;
	bool is_array[RL_JSON_DEPTH];
	bool has_items[RL_JSON_DEPTH];
	size_t used;
	char buffer[256];
};

void rl_json_init(struct rl_json *j, rl_write_fn *write, void *arg);
void rl_json_object(struct rl_json *j, const char *key);
void rl_json_array(struct rl_json *j, const char *key);
void rl_json_end(struct rl_json *j);
void rl_json_u64(struct rl_json *j, const char *key, uint64_t value);
void rl_json_bool(struct rl_json *j, const char *key, bool value);

/* NULL is written as null. */
void rl_json_string(struct rl_json *j, const char *key, const char *value);

#endif
