/*
 * Goal: what can be seen of a lock is true: what is held, who blocks whom, and
 * the dump.
 */
#include "tests/conformance/engines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rangelock/site.h>

static struct rl_range a, b, c, d;

static void fresh(void)
{
	a = b = c = d = (struct rl_range)RL_RANGE_INIT;
}

Promise(looking, is_held_is_true_of_what_this_thread_holds_and_no_more)
{
	struct actor other;

	fresh();
	check(!rl_is_held(lk, 0, 1, RL_READ));
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_eq(rl_read_lock(lk, &b, 10, 20), 0);
	check_eq(rl_write_lock(lk, &c, 30, 40), 0);
	actor_start(&other, lk, RL_WRITE, 20, 30, RL_NO_DEADLINE);
	check_eq(actor_join(&other), 0);
	check(rl_is_held(lk, 0, 10, RL_WRITE));
	check(rl_is_held(lk, 3, 4, RL_READ));
	check(rl_is_held(lk, 0, 20, RL_READ));
	check(!rl_is_held(lk, 0, 11, RL_WRITE));
	check(!rl_is_held(lk, 0, 21, RL_READ));
	check(!rl_is_held(lk, 25, 35, RL_READ));
	check(rl_is_held(lk, 39, 40, RL_WRITE));
	check(!rl_is_held(lk, 5, 5, RL_READ));
	check(!rl_is_held(NULL, 0, 1, RL_READ));
	rl_assert_held_write(lk, 0, 10);
	rl_assert_held_read(lk, 0, 20);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
	rl_unlock(lk, &other.r);
}

static void assert_more(void *lk)
{
	rl_assert_held_write(lk, 0, 11);
}

Promise(looking, an_assertion_that_fails_says_range_and_place)
{
	fresh();
	check_eq(rl_write_lock(lk, &a, 0, 10), 0);
	check_aborts(assert_more, lk, "held for writing [0, 0xb)");
	check_aborts(assert_more, lk, "test_looking.c:");
	rl_unlock(lk, &a);
}

struct found {
	const struct rl_range *blockers[8];
	int held[8];
	unsigned int nr;
};

static void find(void *arg, const struct rl_range *blocker, int held)
{
	struct found *f = arg;

	f->blockers[f->nr] = blocker;
	f->held[f->nr++] = held;
}

StrictPromise(looking, visit_blockers_shows_whom_a_request_waits_for)
{
	struct found f = { .nr = 0 };

	fresh();
	check_eq(rl_read_lock(lk, &a, 0, 10), 0);
	check_eq(rl_write_submit(lk, &b, 5, 15, NULL), EINPROGRESS);
	check_eq(rl_read_submit(lk, &c, 7, 20, NULL), EINPROGRESS);
	check_eq(rl_write_submit(lk, &d, 9, 10, NULL), EINPROGRESS);
	check_eq(rl_visit_blockers(lk, &a, find, &f), 0);
	check_eq(rl_visit_blockers(lk, &c, find, &f), 1);
	check_eq(f.blockers[0], &b);
	check(!f.held[0]);
	f.nr = 0;
	check_eq(rl_visit_blockers(lk, &d, find, &f), 3);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(f.held[i] != 0, f.blockers[i] == &a);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
	rl_unlock(lk, &c);
	rl_unlock(lk, &d);
}

struct text {
	char bytes[4096];
	size_t length;
};

static void append(void *arg, const char *bytes, size_t length)
{
	struct text *t = arg;

	check_lt(t->length + length, sizeof(t->bytes));
	memcpy(t->bytes + t->length, bytes, length);
	t->length += length;
	t->bytes[t->length] = '\0';
}

static unsigned int nr_lines(const struct text *t)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < t->length; i++)
		nr += t->bytes[i] == '#' && i && t->bytes[i - 1] == '\n';
	return nr;
}

__attribute__((format(printf, 2, 3)))
static void check_has_line(const struct text *t, const char *format, ...)
{
	char line[256] = "\n";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 1, sizeof(line) - 1, format, args);
	va_end(args);
	check_msg(strstr(t->bytes, line), "no line%s\nin: %s", line, t->bytes);
}

/* The lines of one tree are together; which trees there are is the engine's. */
StrictPromise(looking, the_dump_has_a_line_for_each_request_and_its_blockers)
{
	static struct rl_site site = RL_SITE_INIT("dumped", RL_COARSE);
	const struct rl_span spans[] = {
		{ 0, 16, RL_READ }, { 32, 48, RL_READ },
	};
	struct rl_range many[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct text t = { .length = 0 };

	fresh();
	check_eq(rl_lock_many(lk, many, 2, spans), 0);
	check_eq(rl_write_submit(lk, &a, 8, 40, NULL), EINPROGRESS);
	check_eq(rl_read_submit_at(lk, &b, &site, 64, 80, NULL), EINPROGRESS);
	rl_dump(lk, append, &t);
	check_eq(strncmp(t.bytes, "rangelock (unnamed)\n", 20), 0);
	check_eq(nr_lines(&t), 4);
	check_has_line(&t, "#1 holds read fine [0, 0x10) owner %#" PRIx64 "\n",
		       rl_self(lk));
	check_has_line(&t, "#1+1 holds read fine [0x20, 0x30) owner %#" PRIx64
		       "\n", rl_self(lk));
	check_has_line(&t, "#2 waits write fine [0x8, 0x28) owner %#" PRIx64
		       " behind #1 #1\n", rl_self(lk));
	check_has_line(&t, "#3 waits read coarse [0, 0xffffffffffffffff)"
		       " declares [0x40, 0x50) owner %#" PRIx64
		       " site dumped behind #2\n", rl_self(lk));
	rl_unlock_many(lk, many, 2);
	rl_unlock(lk, &a);
	rl_unlock(lk, &b);
}

/* Nobody waits for them: they have no numbers until the dump gives them some,
 * which the next dump shows again. */
Promise(looking, the_dump_shows_each_of_many_requests_once)
{
	static struct rl_range r[100];
	static struct text t, again;

	for (uint64_t i = 0; i < 100; i++) {
		r[i] = (struct rl_range)RL_RANGE_INIT;
		check_eq(rl_read_lock(lk, &r[i], (i * 37) % 100, 101), 0);
	}
	for (unsigned int i = 0; i < 100; i += 2)
		rl_unlock(lk, &r[i]);
	t.length = again.length = 0;
	rl_dump(lk, append, &t);
	check_eq(nr_lines(&t), 50);
	for (uint64_t i = 1; i < 100; i += 2) {
		char what[64];

		snprintf(what, sizeof(what), " holds read fine [%#" PRIx64
			 ", 0x65) ", (i * 37) % 100);
		check(strstr(t.bytes, what));
	}
	for (uint64_t i = 1; i <= 50; i++)
		check_has_line(&t, "#%" PRIu64 " holds", i);
	rl_dump(lk, append, &again);
	check_str_eq(again.bytes, t.bytes);
	for (uint64_t i = 1; i < 100; i += 2)
		rl_unlock(lk, &r[i]);
}

/* Each line that is written lets one more in, for as long as it may take. */
#define THERE	20u
#define MORE	100u

struct growing {
	struct rangelock *lk;
	struct rl_range r[THERE + MORE];
	unsigned int nr, nr_lines;
};

static void let_one_in(struct growing *g)
{
	struct rl_range *r = &g->r[g->nr++];

	*r = (struct rl_range)RL_RANGE_INIT;
	check_eq(rl_read_lock(g->lk, r, 0, 1), 0);
}

static void write_and_let_one_in(void *arg, const char *bytes, size_t length)
{
	struct growing *g = arg;

	if (!length || *bytes != '#')
		return;
	g->nr_lines++;
	if (g->nr < THERE + MORE)
		let_one_in(g);
}

Promise(looking, the_dump_ends_though_one_more_comes_for_each_line)
{
	static struct growing g;

	g.lk = lk;
	g.nr = g.nr_lines = 0;
	while (g.nr < THERE)
		let_one_in(&g);
	rl_dump(lk, write_and_let_one_in, &g);
	check_eq(g.nr_lines, THERE);	/* who was there when it began */
	check_eq(g.nr, 2 * THERE);
	while (g.nr)
		rl_unlock(lk, &g.r[--g.nr]);
}

Promise(looking, the_clock_goes_on)
{
	uint64_t first = rl_now(lk);

	check_lt(0, first);
	check_le(first, rl_now(lk));
	check_le(first, rl_now(NULL));
}
