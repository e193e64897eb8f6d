/*
 * race.c - plain accesses: races, and memory that is dead
 *
 * The library's objects are compiled with -fsanitize=thread but linked with the
 * functions below instead of the sanitizer's: so the compiler itself reports
 * every plain access.  Each start address of an access remembers who accessed it
 * last, in the clocks of the views (engine.h), and two accesses of which neither
 * happened before the other are a race, unless both only read or both are
 * atomic.  Memory that was declared dead may not be accessed at all.
 *
 * Weak spot: accesses that overlap without starting at one address are not
 * compared; nor are those of memcpy() and memset().
 */
#include "tests/explore/engine.h"

#include <string.h>

/* A clock for each thread. */
typedef int16_t clocks __attribute__((vector_size(8)));
_Static_assert(sizeof(clocks) == EX_THREADS * sizeof(int16_t), "one a thread");

struct shadow {
	uint64_t epoch;			/* since when it is on the trail */
	uint32_t number;		/* of the execution that it speaks of */
	int16_t written;
	uint8_t writer;
	clocks read, atomic_written, atomic_read;
};

static struct shadow shadows[EX_WATCHED];

/* Those that were ever used, a bit each. */
static uint64_t used[EX_WATCHED / 64];

/* Dead memory, a bit for eight bytes. */
static uint64_t dead[EX_WATCHED / 8 / 64];

/* The last plain access of each address, as a key that says by whom and when: in
 * a critical section the same fields are looked at over and over. */
static uint64_t lasts[EX_WATCHED];
static uint32_t lasts_number = 1;

void ex_race_forget_lasts(void)
{
	if (++lasts_number == 0) {
		memset(lasts, 0, sizeof(lasts));
		lasts_number = 1;
	}
}

void ex_race_reset(void)
{
	memset(dead, 0, sizeof(dead));
	ex_race_forget_lasts();
}

bool ex_is_dead(const void *at)
{
	size_t word = ((uintptr_t)at - (uintptr_t)ex_arena) / 8;

	return dead[word / 64] >> word % 64 & 1;
}

/* To be changed. */
static struct shadow *shadow_of(const void *at)
{
	size_t i = (uintptr_t)at - (uintptr_t)ex_arena;
	struct shadow *s = &shadows[i];

	if (s->epoch != ex.epoch)
		ex_trail(s, sizeof(*s));
	if (s->number != ex.number) {
		memset(s, 0, sizeof(*s));
		s->number = ex.number;
		used[i / 64] |= UINT64_C(1) << i % 64;
	}
	s->epoch = ex.epoch;
	return s;
}

/* Has each of these happened before what t does now? */
static bool are_before(clocks when, const struct ex_thread *t)
{
	clocks now, late;
	uint64_t any;

	memcpy(&now, t->now.at, sizeof(now));
	late = when > now;
	memcpy(&any, &late, sizeof(any));
	return !any;
}

static bool is_written_before(const struct shadow *s, const struct ex_thread *t)
{
	return s->written <= t->now.at[s->writer];
}

static void check_plain(const void *at, bool is_write, const void *caller)
{
	const struct ex_thread *t = &ex.threads[ex.self];
	struct shadow *s = shadow_of(at);

	if (ex_is_dead(at))
		ex_fail("T%d %s %s, which is dead (at %p)", ex.self,
			is_write ? "writes" : "reads", ex_name(at), caller);
	if (!is_written_before(s, t) || !are_before(s->atomic_written, t) ||
	    (is_write && (!are_before(s->read, t) ||
			  !are_before(s->atomic_read, t))))
		ex_fail("data race: T%d %s %s (at %p)", ex.self,
			is_write ? "writes" : "reads", ex_name(at), caller);
	if (is_write) {
		s->written = t->now.at[ex.self];
		s->writer = (uint8_t)ex.self;
	} else {
		s->read[ex.self] = t->now.at[ex.self];
	}
}

static inline void note_plain(const void *at, bool is_write, const void *caller)
{
	uint64_t *last = &lasts[(uintptr_t)at - (uintptr_t)ex_arena];
	uint64_t read = (uint64_t)lasts_number << 32 |
			(uint64_t)(uint16_t)ex.threads[ex.self].now.at[ex.self] << 16 |
			(uint64_t)ex.self << 1;

	if (*last == (read | 1) || (*last == read && !is_write))
		return;
	check_plain(at, is_write, caller);
	*last = read | is_write;
}

void ex_plain(const void *at, bool is_write, const void *caller)
{
	note_plain(at, is_write, caller);
}

void ex_race_note_atomic(const void *at, bool is_write, const char *what)
{
	const struct ex_thread *t = &ex.threads[ex.self];
	struct shadow *s = shadow_of(at);

	if (ex_is_dead(at))
		ex_fail("%s by T%d of %s, which is dead", what, ex.self,
			ex_name(at));
	if (!is_written_before(s, t) ||
	    (is_write && !are_before(s->read, t)))
		ex_fail("data race: %s by T%d of %s", what, ex.self, ex_name(at));
	if (is_write)
		s->atomic_written[ex.self] = t->now.at[ex.self];
	else
		s->atomic_read[ex.self] = t->now.at[ex.self];
}

/* The owner writes all of it and goes away. */
void ex_kill(void *at, size_t size)
{
	size_t begin = (size_t)((char *)at - ex_arena);

	for (size_t i = begin / 64; i * 64 < begin + size; i++) {
		for (uint64_t left = used[i]; left; left &= left - 1) {
			size_t p = i * 64 + (size_t)__builtin_ctzll(left);

			if (p >= begin && p < begin + size &&
			    shadows[p].number == ex.number)
				check_plain(&ex_arena[p], true,
					    __builtin_return_address(0));
		}
	}
	for (size_t i = begin / 8; i < (begin + size) / 8; i++) {
		if (i == begin / 8 || i % 64 == 0)
			ex_trail(&dead[i / 64], sizeof(dead[0]));
		dead[i / 64] |= UINT64_C(1) << i % 64;
	}
	ex_race_forget_lasts();
	memset(at, 0xdb, size);
}

/* ---- What the compiler calls ---- */

static inline void note(const void *at, bool is_write, const void *caller)
{
	if (ex_in_arena(at) && ex_is_running())
		note_plain(at, is_write, caller);
}

#define CALLER	__builtin_return_address(0)
#define ACCESS(name, is_write)						\
	void name(void *at);						\
	void name(void *at)						\
	{								\
		note(at, is_write, CALLER);				\
	}

ACCESS(__tsan_read1, false)
ACCESS(__tsan_read2, false)
ACCESS(__tsan_read4, false)
ACCESS(__tsan_read8, false)
ACCESS(__tsan_read16, false)
ACCESS(__tsan_write1, true)
ACCESS(__tsan_write2, true)
ACCESS(__tsan_write4, true)
ACCESS(__tsan_write8, true)
ACCESS(__tsan_write16, true)
ACCESS(__tsan_unaligned_read2, false)
ACCESS(__tsan_unaligned_read4, false)
ACCESS(__tsan_unaligned_read8, false)
ACCESS(__tsan_unaligned_read16, false)
ACCESS(__tsan_unaligned_write2, true)
ACCESS(__tsan_unaligned_write4, true)
ACCESS(__tsan_unaligned_write8, true)
ACCESS(__tsan_unaligned_write16, true)

#define NOTHING(name)							\
	void name(void *p);						\
	void name(void *p)						\
	{								\
		(void)p;						\
	}

NOTHING(__tsan_func_entry)
NOTHING(__tsan_func_exit)
NOTHING(__tsan_init)

void __tsan_read_range(void *at, size_t size);
void __tsan_read_range(void *at, size_t size)
{
	for (size_t i = 0; i < size; i += 8)
		note((char *)at + i, false, CALLER);
}

void __tsan_write_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size)
{
	for (size_t i = 0; i < size; i += 8)
		note((char *)at + i, true, CALLER);
}

/* clang calls these instead of the C library's. */
void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	__tsan_read_range((void *)(uintptr_t)from, size);
	__tsan_write_range(to, size);
	return memcpy(to, from, size);
}

void *__tsan_memset(void *to, int value, size_t size);
void *__tsan_memset(void *to, int value, size_t size)
{
	__tsan_write_range(to, size);
	return memset(to, value, size);
}
