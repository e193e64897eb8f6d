/*
 * memory.c - the model's memory: blocks of the arena, and a mutex
 *
 * A block is never given out twice in one execution, so "free" means dead until
 * the end.  Weak spot: memset() and memcpy() by the model are no accesses.
 */
#include "tests/explore/minimm/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/engine.h"

#define BLOCKS	512u

static struct block {
	uint32_t at, size;
} blocks[BLOCKS];
static unsigned int nr_blocks, nr_kept;
static size_t used, nr_kept_bytes;
static char kept[EX_ARENA];
static char unwatched[65536] __attribute__((aligned(64)));
static size_t nr_unwatched, nr_kept_unwatched;
static bool are_used;

_Noreturn static void run_out(const char *what)
{
	if (ex.program)
		ex_fail("more %s than an execution may have", what);
	fprintf(stderr, "explorer: more %s than a scenario may have\n", what);
	exit(2);
}

void ex_blocks_clear(void)
{
	are_used = true;
	nr_unwatched = 0;
	nr_blocks = 0;
	used = 0;
}

void ex_blocks_keep(void)
{
	nr_kept = nr_blocks;
	nr_kept_bytes = used;
	nr_kept_unwatched = nr_unwatched;
	memcpy(kept, ex_arena, used);
}

void ex_blocks_restore(void)
{
	nr_unwatched = nr_kept_unwatched;
	nr_blocks = nr_kept;
	used = nr_kept_bytes;
	memcpy(ex_arena, kept, used);
}

void ex_blocks_end(void)
{
	are_used = false;
}

bool ex_blocks_are_used(void)
{
	return are_used;
}

void *ex_block_aligned(size_t alignment, size_t size)
{
	size_t at = (used + alignment - 1) / alignment * alignment;

	if (size > EX_ARENA - at)
		run_out("memory");
	if (nr_blocks == BLOCKS)
		run_out("blocks of memory");
	blocks[nr_blocks++] = (struct block){ (uint32_t)at, (uint32_t)size };
	used = at + size;
	memset(ex_arena + at, 0xa5, size);
	return ex_arena + at;
}

void *ex_block(size_t size)
{
	return ex_block_aligned(16, size);
}

/* Zeros are writes of whoever asks for them. */
void *ex_block_zeroed(size_t n, size_t size)
{
	char *p = ex_block(n * size);

	memset(p, 0, n * size);
	for (size_t i = 0; ex_is_running() && i < n * size; i += 8)
		ex_plain(p + i, true, __builtin_return_address(0));
	return p;
}

static struct block *find(const void *at)
{
	size_t offset = (size_t)((const char *)at - ex_arena);

	for (unsigned int i = nr_blocks; ex_in_arena(at) && i-- > 0;)
		if (blocks[i].at <= offset)
			return offset < blocks[i].at + blocks[i].size ?
			       &blocks[i] : NULL;
	return NULL;
}

const void *ex_block_at(const void *at, size_t *size)
{
	const struct block *b = find(at);

	if (!b)
		return NULL;
	*size = b->size;
	return ex_arena + b->at;
}

void ex_block_free(void *p)
{
	const struct block *b = find(p);

	if (!p || !ex_is_running())
		return;
	if (!b || ex_arena + b->at != (const char *)p)
		ex_fail("%s is freed, but was never allocated", ex_name(p));
	ex_kill(p, b->size);
}

void *ex_block_resized(void *p, size_t size)
{
	const struct block *b = find(p);
	void *bigger = ex_block(size);

	if (b)
		memcpy(bigger, p, b->size < size ? b->size : size);
	ex_block_free(p);
	return bigger;
}

void *ex_unwatched(size_t size)
{
	char *p = unwatched + nr_unwatched;

	if (size > sizeof(unwatched) - nr_unwatched)
		run_out("memory");
	nr_unwatched += (size + 15) / 16 * 16;
	return p;
}

bool ex_is_unwatched(const void *p)
{
	return (uintptr_t)p - (uintptr_t)unwatched < sizeof(unwatched);
}

/* ---- The mutex ---- */

#define TAKEN	1u

void ex_mutex_init(void *mutex)
{
	*(uint32_t *)mutex = 0;
	if (ex_is_running())
		ex_plain(mutex, true, __builtin_return_address(0));
}

void ex_mutex_lock(void *mutex, const struct ex_site *caller)
{
	static const struct ex_site site = { .order = EX_ACQUIRE };

	ex_await(mutex, TAKEN, caller);
	if (ex_modify32(mutex, EX_OR, TAKEN, &site) & TAKEN)
		ex_fail("a mutex is locked twice: %s", ex_name(mutex));
}

void ex_mutex_unlock(void *mutex, const struct ex_site *caller)
{
	static const struct ex_site site = { .order = EX_RELEASE };

	(void)caller;
	ex_store(mutex, 4, 0, &site);
}

/* ---- The end ---- */

_Noreturn void ex_model_aborts(const char *file, int line)
{
	if (ex.program)
		ex_fail("%s:%d: abort()", file, line);
	exit(1);
}

_Noreturn void ex_model_assert_fail(const char *what, const char *file,
				    unsigned int line, const char *function)
{
	if (ex.program)
		ex_fail("%s:%u: %s(): not so: %s", file, line, function, what);
	exit(1);
}
