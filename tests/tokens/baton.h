/*
 * baton.h - an order of steps that no race detector sees
 *
 * Threads of the client do one thing after the other, every time, and yet the
 * tool is told nothing by it: what orders them for the tool is the lock alone.
 * Compiled without a sanitizer, and hidden from valgrind's tools.
 */
#ifndef TESTS_TOKENS_BATON_H
#define TESTS_TOKENS_BATON_H

#include <stdint.h>

struct baton {
	uint32_t value;
};

void baton_hide(const void *memory, unsigned long size);
/* No tool sees it, nor memcpy() in its stead. */
void baton_copy(void *to, const void *from, unsigned long size);

void baton_set(struct baton *b, uint32_t value);
void baton_add(struct baton *b);
uint32_t baton_get(const struct baton *b);
void baton_await(const struct baton *b, uint32_t at_least);

/* Reports of the tool so far; from the program, which knows its tool. */
unsigned long nr_reports(void);

#endif
