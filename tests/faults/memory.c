/*
 * memory.c - every allocation of rl_init() and of minimm fails, one after another
 *
 * The linker gives us malloc() and its family (mk/build.mk).  Each case runs once
 * for each n, with the n-th allocation failing, or that and all that follow,
 * until a run comes to its end before its n-th.  What must be true: whoever could
 * not have his memory says ENOMEM (rl_init(), an operation) or NULL (mm_create(),
 * mm_file_create()) and has changed nothing; all that were allocated are freed in
 * the end; the same call works when there is memory again.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rangelock.h>
#include <urcu/urcu-memb.h>

#include "minimm/cmd/script_line.h"
#include "minimm/env/atomic.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/scheme.h"

/* ---- The family ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *p);

static uint64_t nr_live;		/* liburcu's thread frees, too */
static unsigned int nr_asked, fails_at;	/* 0: none fails */
static bool fails_on;			/* all that follow, too */

static bool fails(void)
{
	nr_asked++;
	return fails_at && (fails_on ? nr_asked >= fails_at :
				       nr_asked == fails_at);
}

static void *counted(void *p)
{
	mm_add_relaxed(&nr_live, p != NULL);
	return p;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *p, size_t size)
{
	bool is_new = !p;

	if (fails())
		return NULL;
	p = __real_realloc(p, size);
	return is_new ? counted(p) : p;
}

void __wrap_free(void *p)
{
	mm_add_relaxed(&nr_live, p ? UINT64_MAX : 0);
	__real_free(p);
}

static void arm(unsigned int n, bool on)
{
	nr_asked = 0;
	fails_at = n;
	fails_on = on;
}

/* ---- Checks ---- */

static const char *where;
static unsigned int nr_wrong;

#define CHECK(condition)						\
	do {								\
		if (!(condition) && nr_wrong++ < 10)			\
			printf("%s: allocation %u%s: not so: %s\n",	\
			       where, fails_at,				\
			       fails_on ? " and all after it" : "",	\
			       #condition);				\
	} while (0)

/* ---- rl_init() ---- */

static bool use_lock(struct rangelock *lk)
{
	struct rl_range r = { .state = 0 };

	if (rl_write_lock(lk, &r, 10, 20))
		return false;
	rl_unlock(lk, &r);
	return true;
}

/* Returns: did an allocation fail? */
static bool init_lock(const void *arg, unsigned int n, bool on)
{
	static struct rangelock lk;
	int error;

	arm(n, on);
	error = rl_init(&lk, arg);
	fails_at = 0;
	if (error) {
		CHECK(error == ENOMEM);
		CHECK(nr_live == 0);
		CHECK(rl_init(&lk, arg) == 0);
	}
	CHECK(use_lock(&lk));
	CHECK(rl_destroy(&lk) == 0);
	return error != 0;
}

/* ---- minimm ---- */

static const char *const script[] = {
	"mmap 0x100000 0x8000 rw- private,anonymous,fixed",
	"fault 0x100000 w", "fault 0x103000 r", "fault 0x105000 w",
	"mprotect 0x102000 0x2000 r--",
	"mmap 0 0x4000 rw- private,anonymous",
	"mmap 0x40000000 0x4000 rw- shared,anonymous,fixed",
	"mmap 0x50000000 0x4000 rw- shared,anonymous,fixed",
	"fault 0x40001000 w",
	"mlock 0x100000 0x1000",
	"madvise 0x105000 0x1000 dontneed",
	"mremap 0x100000 0x2000 0x2000 maymove,fixed 0x7000000000",
	"mremap 0x40000000 0x4000 0x9000 maymove",
	"brk 0x555555570000", "fault 0x555555561000 w", "brk 0x555555562000",
	"mmap 0x60000000 0x1000 rw- private,anonymous,fixed,growsdown",
	"fault 0x5fffe000 w",
	"fork", "maps",
	"munmap 0x103000 0x2000",
	"munmap 0x100000 0x8000",
};
#define NR_LINES	(sizeof(script) / sizeof(script[0]))

static int64_t expected[NR_LINES];	/* with all the memory there is */

static int64_t perform(struct mm *mm, const char *line)
{
	static struct mm_op op;
	char why[100];

	if (mm_script_read_line(line, &op, why, sizeof(why)) != 1)
		abort();
	mm_run(mm, &op);
	if (op.child) {
		CHECK(mm_check(op.child) == 0);
		mm_destroy(op.child);
	}
	return op.result;
}

/* If one allocation fails, an operation that has begun ends all the same; but for
 * a fork, which may say ENOMEM, for its child.  If all that follow fail, too, there
 * comes one that says ENOMEM before it has begun, and so do those after it. */
static void run_script(struct mm *mm)
{
	bool is_out = false;

	for (unsigned int i = 0; i < NR_LINES; i++) {
		unsigned int nr_before = nr_asked;
		int64_t result = perform(mm, script[i]);
		bool lacked = fails_at && nr_asked > nr_before &&
			      nr_asked >= fails_at;

		if (is_out)
			CHECK(result == -ENOMEM);
		else if (lacked && result == -ENOMEM)
			CHECK(!strcmp(script[i], "fork"));
		else
			CHECK(result == expected[i]);
		/* It had what it lacked from the reserve. */
		if (fails_on && lacked && result != -ENOMEM)
			is_out = true;
		CHECK(mm_check(mm) == 0);
	}
}

static void use_space(struct mm *mm)
{
	CHECK(perform(mm, "mmap 0x70000000 0x4000 rw- private,anonymous,fixed") ==
	      0x70000000);
	CHECK(perform(mm, "fault 0x70001000 w") == 0);
	CHECK(perform(mm, "fork") == 0);
	CHECK(perform(mm, "munmap 0x70000000 0x4000") == 0);
	CHECK(mm_check(mm) == 0);
}

static struct mm *new_space(const struct mm_scheme *scheme)
{
	struct mm_config config = { .scheme = scheme };

	return mm_create(&config);
}

static bool run_space(const void *arg, unsigned int n, bool on)
{
	struct mm *mm;
	bool has_failed;

	arm(n, on);
	mm = new_space(arg);
	if (!mm) {
		fails_at = 0;
		CHECK(nr_live == 0);
		mm = new_space(arg);
		use_space(mm);
		mm_destroy(mm);
		return true;
	}
	run_script(mm);
	has_failed = fails_at && nr_asked >= fails_at;
	fails_at = 0;
	use_space(mm);
	mm_destroy(mm);
	return has_failed;
}

static void find_expected(const struct mm_scheme *scheme)
{
	struct mm *mm = new_space(scheme);

	for (unsigned int i = 0; i < NR_LINES; i++)
		expected[i] = perform(mm, script[i]);
	mm_destroy(mm);
}

static bool create_file(const void *arg, unsigned int n, bool on)
{
	struct mm_file *file;

	(void)arg;
	arm(n, on);
	file = mm_file_create(1, 10, &mm_file_ops);
	if (file)
		mm_file_put(file);
	return !file;
}

/* ---- All of them ---- */

static bool run_all(const char *name, const void *arg,
		    bool (*run)(const void *arg, unsigned int n, bool on))
{
	unsigned int nr_before = nr_wrong, nr_runs = 0;

	where = name;
	for (int on = 0; on < 2; on++) {
		bool has_failed = true;

		for (unsigned int n = 1; has_failed; n++) {
			has_failed = run(arg, n, on);
			urcu_memb_barrier();
			fails_at = n;
			CHECK(mm_load_relaxed(&nr_live) == 0);
			fails_at = 0;
			nr_runs++;
		}
	}
	printf("%s %s: %u runs\n", nr_wrong == nr_before ? "ok" : "FAILED", name,
	       nr_runs);
	return nr_wrong == nr_before;
}

int main(void)
{
	struct rl_options forest = RL_OPTIONS_INIT;
	unsigned int passed = 0, nr = 3;

	forest.chunk_size = 4096;
	setvbuf(stdout, NULL, _IONBF, 0);
	passed += run_all("rl_init, compact", NULL, init_lock);
	passed += run_all("rl_init, forest", &forest, init_lock);
	passed += run_all("mm_file_create", NULL, create_file);
	for (const struct mm_scheme *const *s = mm_schemes; *s; s++, nr++) {
		find_expected(*s);
		passed += run_all((*s)->name, *s, run_space);
	}
	printf("%u passed, %u failed\n", passed, nr - passed);
	return passed != nr;
}
