/*
 * text.h - formatted text through a write callback, without allocating
 */
#ifndef RL_LOCK_TEXT_H
#define RL_LOCK_TEXT_H

#include <stdarg.h>

#include <rangelock.h>

struct rl_text {
	rl_write_fn *write;
	void *arg;
};

/* At most 255 bytes; a string of unknown length goes out by rl_text_put(). */
void rl_text_printf(const struct rl_text *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void rl_text_put(const struct rl_text *out, const char *text);

/* A time for people: "0", "950 ns", "12.34 us", "1.50 ms", "2.00 s". */
#define RL_TEXT_TIME	32
const char *rl_text_time(uint64_t ns, char buffer[RL_TEXT_TIME]);

#endif
