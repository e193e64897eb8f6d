/*
 * compare.c - do lock and model agree?
 *
 * Looks through the public interface, and at the two counters in each waiting
 * handle: a wrong count shows there long before it does harm.
 */
#include "tests/model/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATS_EVERY	64u		/* ops */
#define DUMP_EVERY	4096u

static struct play *const p = &the_play;

void differ(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "op %zu: ", *p->reached);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
	_exit(1);
}

static void print_spans(const struct brute_request *x)
{
	for (unsigned int k = 0; k < x->nr_spans; k++)
		printf(" %s [%#" PRIx64 ", %#" PRIx64 ")",
		       x->declared[k].mode == RL_WRITE ? "write" : "read",
		       x->declared[k].start, x->declared[k].end);
}

void note(unsigned int i, const char *what)
{
	static const char *const grains[] = { " coarse", " shadow", "" };
	const struct brute_request *x = &p->model.requests[i];

	if (!p->trace)
		return;
	printf("%4zu t %-8" PRIu64 " owner %" PRIu64 "  %*s#%u %s",
	       *p->reached, p->model.now_ns, p->self, 2 * (int)p->depth, "", i,
	       what);
	print_spans(x);
	printf("%s%s%s\n", x->nr_spans ? grains[x->grain] : "",
	       x->has_site ? " site" : "",
	       p->slots[i].unlocks ? " callback that unlocks" :
	       p->slots[i].has_callback ? " callback" : "");
	fflush(stdout);
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "0";
}

void expect(unsigned int i, const char *what, int got, int want)
{
	char text[80];

	if (p->trace) {
		snprintf(text, sizeof(text), "%s = %s", what, name_of(got));
		note(i, text);
	}
	if (got != want)
		differ("#%u %s says %s, wants %s", i, what, name_of(got),
		       name_of(want));
}

static void count_held(void *arg, const struct rl_range *blocker, int held)
{
	(void)blocker;
	*(size_t *)arg += held != 0;
}

static void compare_waiter(unsigned int i)
{
	struct rl_range *r = p->slots[i].r;
	size_t nr_held = 0, want_held, want;
	size_t nr = rl_visit_blockers(&p->lk, r, count_held, &nr_held);

	want = brute_blockers(&p->model, i, &want_held);
	if (nr != want || nr_held != want_held)
		differ("#%u has %zu blockers, %zu held; wants %zu, %zu", i, nr,
		       nr_held, want, want_held);
	if (r->nr_blockers != want || r->nr_held_blockers != want_held)
		differ("#%u counts %u blockers, %u held; wants %zu, %zu", i,
		       r->nr_blockers, r->nr_held_blockers, want, want_held);
}

static void compare_slot(unsigned int i)
{
	const struct brute_request *x = &p->model.requests[i];
	struct slot *s = &p->slots[i];
	size_t nr_held;
	int state;

	if (x->as == BRUTE_WAITS) {
		compare_waiter(i);
		if (s->nr_wakes)
			differ("#%u still waits, and was woken", i);
	} else if (x->as == BRUTE_HOLDS && !s->is_asleep &&
		   rl_visit_blockers(&p->lk, s->r, count_held, &nr_held)) {
		differ("#%u should hold and waits", i);
	}
	if (!s->is_submitted || s->is_asleep ||
	    (x->as != BRUTE_WAITS && x->as != BRUTE_HOLDS))
		return;
	state = rl_poll(&p->lk, s->r);
	if (state != (x->as == BRUTE_HOLDS ? 0 : EINPROGRESS))
		differ("#%u polls %s", i, name_of(state));
}

static void compare_held(const struct op *op)
{
	uint64_t start = op->start, length = 1 + op->length % 4;
	uint64_t end = length < RL_END - start ? start + length : RL_END;
	enum rl_mode mode = op->keep & 1 ? RL_WRITE : RL_READ;
	bool want = brute_is_held(&p->model, p->self, start, end, mode);

	if (!rl_is_held(&p->lk, start, end, mode) == want)
		differ("is_held [%" PRIu64 ", %" PRIu64 ") of %" PRIu64
		       ": wants %d", start, end, p->self, want);
}

#define compare_number(field)						\
	do {								\
		if (stats.field != m->field)				\
			differ(#field " is %" PRIu64 ", wants %" PRIu64, \
			       (uint64_t)stats.field, (uint64_t)m->field); \
	} while (0)

static void count_now(struct rl_stats *m)
{
	m->nr_held_now = m->nr_waiting_now = 0;
	for (unsigned int i = 0; i < BRUTE_MAX; i++) {
		m->nr_held_now += p->model.requests[i].as == BRUTE_HOLDS;
		m->nr_waiting_now += p->model.requests[i].as == BRUTE_WAITS;
	}
}

void compare_stats(void)
{
	struct rl_stats *m = &p->model.stats, stats;

	if (rl_stats_read(&p->lk, &stats))
		differ("the statistics cannot be read");
	count_now(m);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int k = 0; k < 2; k++) {
			compare_number(nr_locked[i][k]);
			compare_number(nr_contended[i][k]);
		}
		compare_number(nr_waits[i]);
		compare_number(wait_ns[i]);
	}
	compare_number(wait_ns_max);
	compare_number(nr_bypasses);
	compare_number(nr_cancels);
	compare_number(nr_timeouts);
	compare_number(nr_deadlocks);
	compare_number(nr_held_now);
	compare_number(nr_waiting_now);
	if (!brute_is_exclusive(&p->model))
		differ("the model holds a conflict");
}

static void count_lines(void *arg, const char *text, size_t length)
{
	size_t *lines = arg;

	for (size_t i = 0; i < length; i++)
		*lines += text[i] == '\n';
}

/* A title, and a line for each node. */
static void compare_dump(void)
{
	size_t lines = 0, want = 1;

	for (unsigned int i = 0; i < BRUTE_MAX; i++)
		if (p->model.requests[i].as == BRUTE_WAITS ||
		    p->model.requests[i].as == BRUTE_HOLDS)
			want += p->model.requests[i].nr_locked;
	rl_dump(&p->lk, count_lines, &lines);
	if (lines != want)
		differ("the dump has %zu lines, wants %zu", lines, want);
}

void compare(const struct op *op)
{
	for (unsigned int i = 0; i < p->scene->nr_slots; i++)
		compare_slot(i);
	compare_held(op);
	if (p->at % STATS_EVERY == 0 || p->trace)
		compare_stats();
	if (p->at % DUMP_EVERY == 0)
		compare_dump();
}
