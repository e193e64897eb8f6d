/*
 * floor_read.c - the physical floor of biased readers: one store and one look to
 * lock, one store to unlock
 *
 * A thread that reads says so in a line of its own and looks whether somebody
 * writes; a writer says so, executes a membarrier(2) and waits for the lines.  It is
 * the least that excludes without a read-modify-write by readers: no ranges, no
 * order, nobody sleeps.  It spins, so no more threads than CPUs.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/atomics.h"
#include "bench/bench.h"

struct line {
	_Alignas(LINE) uint32_t word;
};

struct floor_read {
	struct line writer, readers[MAX_THREADS];
};

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static const char *missing(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) ?
		       "membarrier(2) is refused" : NULL;
}

static void lock_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct floor_read *f = lock;
	uint32_t *own = &f->readers[thread_index].word;

	(void)h;
	(void)start;
	(void)end;
	for (;;) {
		store_relaxed(own, 1);
		/* The writer's membarrier makes a fence of it. */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		if (!load_acquire(&f->writer.word))
			return;
		store_release(own, 0);
		while (load_relaxed(&f->writer.word))
			pause_cpu();
	}
}

static void unlock_read(void *lock, struct handle *h)
{
	struct floor_read *f = lock;

	(void)h;
	store_release(&f->readers[thread_index].word, 0);
}

static void lock_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct floor_read *f = lock;

	(void)h;
	(void)start;
	(void)end;
	while (swap_acquire(&f->writer.word, 1))
		while (load_relaxed(&f->writer.word))
			pause_cpu();
	membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		while (load_acquire(&f->readers[i].word))
			pause_cpu();
}

static void unlock_write(void *lock, struct handle *h)
{
	struct floor_read *f = lock;

	(void)h;
	store_release(&f->writer.word, 0);
}

const struct peer peer_floor_read = {
	.name = "floor_read",
	.what = "readers: one store, one look, one store; the whole object",
	.traits = SHARED | SPINS | SLOW,
	.lock_bytes = sizeof(struct floor_read),
	.bars_cases = { "narrow read", "same read" },
	.missing = missing,
	.lock = { lock_read, lock_write },
	.unlock = { unlock_read, unlock_write },
};
