/*
 * trace.h - where a call came from
 */
#ifndef RL_BASE_TRACE_H
#define RL_BASE_TRACE_H

#include <stddef.h>

/* The callers of this call, the nearest first.  Returns: how many.  The first call
 * in a process allocates. */
unsigned int rl_trace(void **frames, unsigned int max);

/* One of them as text for addr2line(1): file(+offset).  Cut to the size. */
void rl_trace_text(void *frame, char *text, size_t size);

#endif
