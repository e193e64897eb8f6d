/*
 * base.c - the rest of the library's base: memory, membarrier, broken conditions
 */
#include <stdlib.h>
#include <string.h>

#include "rangelock/base/line.h"
#include "rangelock/base/require.h"
#include "tests/explore/engine.h"
#include "tests/explore/minimm/memory.h"
#include "tests/explore/scenario.h"

bool ex_barrier_is_usable, ex_spins, ex_is_parallel;

_Noreturn void rl_fail(const char *file, int line, const char *what)
{
	ex_fail("%s:%d: broken: %s", file, line, what);
}

_Noreturn void rl_fail_range(const char *file, int line, const char *what,
			     uint64_t start, uint64_t end)
{
	ex_fail("%s:%d: broken: %s [%#lx, %#lx)", file, line, what,
		(unsigned long)start, (unsigned long)end);
}

bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host);
bool rl_guard_trylock_slow(uint32_t *guard, const struct rl_host *host)
{
	(void)guard;
	(void)host;
	return false;
}

/* The guard was awaited; so the take before this did not fail. */
void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host);
void rl_guard_lock_slow(uint32_t *guard, const struct rl_host *host)
{
	(void)host;
	ex_fail("a guard is taken twice: %s", ex_name(guard));
}

void rl_guard_give_way(const struct rl_host *host);
void rl_guard_give_way(const struct rl_host *host)
{
	(void)host;
}

/* The linker gives us the calls of rl_arbiter_is_valid(): what a check looks at
 * is no access of the thread that happens to run it. */
bool __real_rl_arbiter_is_valid(struct rl_arbiter *a);
bool __wrap_rl_arbiter_is_valid(struct rl_arbiter *a);
bool __wrap_rl_arbiter_is_valid(struct rl_arbiter *a)
{
	int self = ex.self;
	bool is_valid;

	ex.self = -1;
	is_valid = __real_rl_arbiter_is_valid(a);
	ex.self = self;
	return is_valid;
}

/* ---- base/line.h: a line for each thread, claimed from the beginning ---- */

struct rl_line *rl_line_mine(void)
{
	int self = ex.self < 0 ? ex_prepares_as : ex.self;

	return self < 0 ? NULL : &scene->lines[self];
}

uint32_t rl_nr_lines(void)
{
	return ex.nr_threads;
}

struct rl_line *rl_line_at(uint32_t i)
{
	return &scene->lines[i];
}

bool rl_is_in_line(const uint64_t *word)
{
	return (uintptr_t)word - (uintptr_t)scene->lines <
	       sizeof(scene->lines);
}

/* ---- Children: there are none ---- */

void rl_at_child(void (*forget)(void))
{
	(void)forget;
}

/* ---- Memory ---- */

void *ex_malloc(size_t size);
void *ex_aligned_alloc(size_t alignment, size_t size);
void ex_free(void *p);

/* In a thread memory comes from the arena, where it is copied with a moment; or it
 * does not come, as the search chooses. */
static void *allocate(size_t size)
{
	struct extras *e = &scene->extras;
	void *p = e->heap + e->nr_used;

	size = (size + 63) / 64 * 64;
	if (size > sizeof(e->heap) - e->nr_used || ex_choose(2))
		return NULL;
	e->nr_used += size;
	e->nr_blocks++;
	return p;
}

/* rl_init() asks malloc() for statistics, which nobody watches, and
 * aligned_alloc() for shards, which lie in the arena. */
void *ex_malloc(size_t size)
{
	if (ex_blocks_are_used())
		return ex_unwatched(size);
	return ex_is_running() ? allocate(size) : malloc(size);
}

void *ex_aligned_alloc(size_t alignment, size_t size)
{
	(void)alignment;
	if (ex_is_running())
		return allocate(size);
	return size <= sizeof(scene->shards) ? scene->shards : NULL;
}

void ex_free(void *p)
{
	char *heap = scene->extras.heap;

	if ((char *)p >= heap && (char *)p < heap + sizeof(scene->extras.heap))
		scene->extras.nr_blocks--;
	else if (!ex_in_arena(p) && !ex_is_unwatched(p))
		free(p);
}
