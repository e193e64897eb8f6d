/*
 * child.c - pthread_atfork(3)
 *
 * Weak spot: a child that was not made by fork() (vfork, a raw clone) is not told.
 */
#include "rangelock/base/child.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

void rl_at_child(void (*forget)(void))
{
	if (!pthread_atfork(NULL, NULL, forget))
		return;
	fprintf(stderr, "rangelock: no memory for pthread_atfork(3)\n");
	abort();
}
