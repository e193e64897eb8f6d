/*
 * stacks.c - the threads' stacks and thread-local variables
 *
 * The library's thread-local variables lie in a section of their own, which
 * belongs to whoever runs.
 */
#include "tests/explore/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLS_MAX	256

extern char __start_ex_tls[] __attribute__((weak));
extern char __stop_ex_tls[] __attribute__((weak));

static char stacks[EX_THREADS][EX_STACK] __attribute__((aligned(64)));
static char tls[EX_THREADS][TLS_MAX], tls_fresh[TLS_MAX];
static int tls_of = -1;
static int running = -1;		/* whose stack this is; ex.self may say less */
static struct ex_fiber outside;

static size_t tls_size(void)
{
	size_t size = (size_t)(__stop_ex_tls - __start_ex_tls);

	if (!__start_ex_tls)
		return 0;
	if (size > TLS_MAX) {
		fprintf(stderr, "explorer: %zu bytes of thread-local variables\n", size);
		exit(2);
	}
	return size;
}

static void load_tls(int thread)
{
	static bool is_known;
	size_t size = tls_size();

	if (!is_known && size)
		memcpy(tls_fresh, __start_ex_tls, size);
	is_known = true;
	if (thread == tls_of || !size)
		return;
	if (tls_of >= 0)
		memcpy(tls[tls_of], __start_ex_tls, size);
	memcpy(__start_ex_tls, thread >= 0 ? tls[thread] : tls_fresh, size);
	tls_of = thread;
}

void ex_stack_prepare(unsigned int thread, void (*entry)(void))
{
	memcpy(tls[thread], tls_fresh, sizeof(tls_fresh));
	ex_fiber_prepare(&ex.threads[thread].fiber, stacks[thread], EX_STACK,
			 entry);
}

void ex_go_to(int thread)
{
	int from = running;

	ex.self = thread;
	if (thread == from)
		return;
	running = thread;
	load_tls(thread);
	ex_fiber_switch(from < 0 ? &outside : &ex.threads[from].fiber,
			thread < 0 ? &outside : &ex.threads[thread].fiber);
}

bool ex_is_outside(void)
{
	return running < 0;
}

void ex_pause(void)
{
	int from = running;

	ex.paused = from;
	running = -1;
	ex_fiber_switch(&ex.threads[from].fiber, &outside);
}

void ex_resume(void)
{
	running = ex.paused;
	ex.paused = -1;
	ex_fiber_switch(&outside, &ex.threads[running].fiber);
}

bool ex_stacks_can_be_copied(void)
{
	return ex_fiber_top(&ex.threads[0].fiber) != NULL;
}

void ex_stacks_state(void (*copy)(void *at, size_t size))
{
	if (tls_size()) {
		copy(&tls_of, sizeof(tls_of));
		copy(__start_ex_tls, tls_size());
	}
	for (unsigned int t = 0; t < ex.nr_threads; t++) {
		char *top = ex_fiber_top(&ex.threads[t].fiber);

		copy(tls[t], tls_size());
		/* Who is done may yet be about to say who is next. */
		if (ex.threads[t].status != EX_DONE || (int)t == ex.paused)
			copy(top, (size_t)(stacks[t] + EX_STACK - top));
	}
}
