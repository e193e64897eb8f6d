/*
 * barrier.c - membarrier(2)
 *
 * Registered once, when the library is loaded.  A child of fork() has no other
 * threads at first, and registers again when it is refused for not being
 * registered (the kernel keeps the registration across fork, but does not say
 * so).  Cost of a heavy one: 0.1 us with one thread running, about 14 us when
 * another CPU must be interrupted.
 */
#include "rangelock/base/barrier.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rangelock/base/planted.h"

uint32_t rl_barrier_usable;

static bool ask_kernel(int command)
{
	int saved = errno;
	bool is_done = syscall(SYS_membarrier, command, 0, 0) == 0;

	errno = saved;
	return is_done;
}

static bool enlist(void)
{
	return ask_kernel(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

__attribute__((constructor)) static void decide(void)
{
	/* Relaxed: no thread uses a lock of ours yet. */
	rl_store_relaxed(&rl_barrier_usable, enlist());
}

void rl_barrier_heavy(void)
{
	if (RL_PLANTED(NO_BARRIER))
		return;
	if (ask_kernel(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return;
	if (enlist() && ask_kernel(MEMBARRIER_CMD_PRIVATE_EXPEDITED))
		return;
	fprintf(stderr, "rangelock: membarrier(2) worked when the library was"
			" loaded, and is refused now\n");
	abort();
}
