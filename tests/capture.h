/*
 * capture.h - what a report wrote, for a test to look at
 */
#ifndef RL_TESTS_CAPTURE_H
#define RL_TESTS_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>

struct capture {
	size_t used, nr_pieces;
	char text[1 << 17];		/* ends with 0 */
};

/* An rl_write_fn; arg is a struct capture, zeroed before its first use. */
void capture_write(void *arg, const char *text, size_t length);

/* Is it one well-formed JSON value and nothing after it but white space? */
bool is_json(const char *text);

#endif
