/*
 * library.h - what the library's sources are told before their first line
 *
 * Included by the compiler's command line (mk/explore.mk).  A thread-local
 * variable goes to a section that is swapped with the fibers; memory comes from
 * base.c.
 */
#ifndef RL_TESTS_EXPLORE_LIBRARY_H
#define RL_TESTS_EXPLORE_LIBRARY_H

#include <stddef.h>
#include <stdlib.h>

void *ex_malloc(size_t size);
void *ex_aligned_alloc(size_t alignment, size_t size);
void ex_free(void *p);

#define malloc		ex_malloc
#define aligned_alloc	ex_aligned_alloc
#define free		ex_free

/* A closed shard opens as soon as it may. */
#define RL_REOPEN	1u

#define RL_OF_PROCESS	__attribute__((section("ex_shared")))
#define _Thread_local	__attribute__((section("ex_tls")))
#define tls_model(model)	unused

#endif
