/*
 * draw.c - programs for programs.c: drawn, and written down
 *
 * A drawn one is few operations of fewer kinds, or two that should not commute would
 * seldom meet.  Half of them are such mixtures; in the other half threads go round a few
 * words with barriers in between, since what an order of barriers allows shows only
 * there.  What takes ten operations to show chance does not find: shapes.
 */
#include "tests/explore/programs.h"

#include <string.h>

/* How often each is drawn. */
static const unsigned char weights[KINDS] = {
	0, 6, 4, 8, 2, 2, 3, 1, 3,
	3, 3, 1,
	4, 3, 3, 1, 2,
	2, 4, 3, 3, 1,
	1, 1,
};

static uint64_t random_state;

static unsigned int draw(unsigned int n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)((random_state >> 20) % n);
}

static void seed_with(uint64_t seed, uint64_t number)
{
	uint64_t z = seed * UINT64_C(0x9e3779b97f4a7c15) + number + 1;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	random_state = z ^ z >> 31;
	random_state += !random_state;
}

static enum what draw_kind(void)
{
	unsigned int sum = 0, at;
	enum what what;

	for (what = 0; what < KINDS; what++)
		sum += weights[what];
	at = draw(sum);
	for (what = 0; at >= weights[what]; what++)
		at -= weights[what];
	return what;
}

static uint8_t draw_order(enum what what)
{
	static const uint8_t orders[] = {
		EX_RELAXED, EX_ACQUIRE, EX_RELEASE, EX_ACQ_REL
	};

	switch (what) {
	case LOAD:
	case AWAIT:
		return orders[draw(2)];
	case STORE:
		return draw(2) ? EX_RELEASE : EX_RELAXED;
	case SWAP:
	case ADD:
	case OR:
	case AND:
	case CAS:
		return orders[draw(4)];
	case FENCE:
		return draw(3) ? EX_SC : orders[1 + draw(3)];
	default:
		return EX_KERNEL;
	}
}

/* Simple things that may be done under the guard. */
static enum what draw_inner(void)
{
	static const enum what inner[] = {
		NONE, LOAD, STORE, PLAIN_READ, PLAIN_WRITE, NONE, WAKE,
	};

	return inner[draw(sizeof(inner) / sizeof(inner[0]))];
}

static struct op draw_op(enum what what, unsigned int nr_words)
{
	struct op op = {
		.what = what, .inner = draw_inner(),
		.word = draw(nr_words),
		.value = draw(3) ? 1 + draw(3) : draw(8),
		.expected = draw(3) ? 0 : draw(4),
		.is_conditional = !draw(6),
		.site = { "program", op_names[what], 0, draw_order(what), 0, { 0, 0 } },
	};

	/* Under the guard: the flags that are left. */
	if (what == LOCKED || what == TRYLOCKED)
		op.expected = draw(2) ? 0 : 2u << draw(3);
	return op;
}

static bool has_kind(enum what what)
{
	for (unsigned int t = 0; t < program.nr_threads; t++)
		for (unsigned int i = 0; i < program.nr_ops[t]; i++)
			if (program.ops[t][i].what == what)
				return true;
	return false;
}

/* A literal search has sleeps that end for nothing, or deadlines: schedule.c. */
static void draw_budgets(void)
{
	bool has_deadlines = has_kind(SLEEP_UNTIL);

	program.nr_timeouts = has_deadlines && draw(2);
	program.nr_jumps = has_kind(CLOCK) && draw(2);
	program.nr_spurious = !has_deadlines && has_kind(SLEEP) && draw(2);
}

/* Anything, of few kinds, on one word or two. */
static void draw_mixture(void)
{
	unsigned int nr_kinds = 2 + draw(3), nr_words = 1 + draw(2);
	enum what kinds[4];

	for (unsigned int i = 0; i < nr_kinds; i++)
		kinds[i] = draw_kind();
	for (unsigned int t = 0; t < program.nr_threads; t++) {
		program.nr_ops[t] = 2 + draw(program.nr_threads == 2 ? 3 : 2);
		for (unsigned int i = 0; i < program.nr_ops[t]; i++)
			program.ops[t][i] = draw_op(kinds[draw(nr_kinds)],
						    nr_words);
	}
	for (unsigned int i = 0; i < GUARD; i++)
		program.begin[i] = draw(2) ? 0 : draw(4);
	program.begin[GUARD] = draw(2) ? 0 : 2u << draw(3);
}

static enum what draw_barrier(void)
{
	static const enum what barriers[] = {
		FENCE, FENCE, HEAVY, HEAVY, EVERYBODY, SLEEP, SLEEP_UNTIL, WAKE, WAKE,
		CLOCK,
	};

	return barriers[draw(sizeof(barriers) / sizeof(barriers[0]))];
}

static void add_op(unsigned int t, enum what what, unsigned int word,
		   uint32_t value)
{
	struct op op = draw_op(what, 1);

	op.word = word;
	op.value = value;
	op.expected = draw(4) ? 0 : 7;
	op.is_conditional = false;
	op.inner = NONE;
	program.ops[t][program.nr_ops[t]++] = op;
}

/* Relaxed loads and stores that go round a few words, with barriers between some:
 * who could have been first? */
static void draw_round(void)
{
	unsigned int nr_words = 2 + draw(2);
	enum what barriers[2] = { draw_barrier(), draw_barrier() };

	for (unsigned int t = 0; t < program.nr_threads; t++) {
		unsigned int nr = 2 + !draw(3), at = t + draw(2);
		int step = draw(2) ? 1 : (int)nr_words - 1;

		for (unsigned int i = 0; i <= nr; i++) {
			if (!draw(2))
				add_op(t, barriers[draw(2)], draw(4) ?
				       SLEPT_ON : at % nr_words, 1 + draw(8));
			if (i == nr || program.nr_ops[t] == OPS_MAX - 1)
				break;
			add_op(t, draw(2) ? STORE : draw(4) ? LOAD : LOOK,
			       at % nr_words, 1 + draw(3));
			at += (unsigned int)step;
			program.ops[t][program.nr_ops[t] - 1].site.order =
				EX_RELAXED;
		}
	}
}

void draw_program(uint64_t seed, uint64_t number)
{
	seed_with(seed, number);
	memset(&program, 0, sizeof(program));
	program.nr_threads = 2 + !draw(2);
	if (draw(2))
		draw_mixture();
	else
		draw_round();
	draw_budgets();
}


/* ---- Written down ---- */

#define DO(what_, word_, value_)					\
	{ .what = (what_), .word = (word_), .value = (value_) }
#define LD(word)	DO(LOAD, word, 0)
#define ST(word, value)	DO(STORE, word, value)

enum { X, Y, Z, W };

/* What shows only if each load returns just this, and which fault then hides it, says
 * planted.h. */
static const struct shape {
	struct op ops[THREADS_MAX][OPS_MAX];
	int nr_timeouts;
} shapes[] = {
	/* COMMUTE_WAKE_LATE: T1 returns 1, 0, and that it was late */
	{ { { ST(Y, 1), ST(Z, 1), DO(WAKE, W, 0) },
	    { DO(SLEEP_UNTIL, W, 3), LD(Z), LD(Y), DO(CLOCK, 0, 0) } }, 1 },
	/* COMMUTE_LOOKS_PAST: T1 returns 1, 3, T2 1; x is 1 */
	{ { { ST(X, 1), ST(Y, 1) }, { DO(LOOK, X, 1), LD(X) },
	    { LD(Y), ST(X, 3) } }, 0 },
	/* COMMUTE_FORCE: a fence on T0, what T0 does, what T2 does, one on T2 */
	{ { { ST(Z, 1), ST(W, 1) },
	    { ST(X, 1), ST(Y, 1), DO(HEAVY, 0, 0), LD(W), LD(Z) },
	    { LD(Y), DO(FENCE, 0, 0), LD(W), LD(X) } }, 0 },
	/* CAUSES_FENCES: T1 returns 1, 1, 0, T2 0 */
	{ { { ST(X, 1), ST(Y, 1) },
	    { LD(Y), LD(Z), DO(FENCE, 0, 0), LD(W) },
	    { ST(W, 1), ST(Z, 1), DO(FENCE, 0, 0), LD(X) } }, 0 },
	/* CAUSES_FORCED: T1 returns 1, 1, 0, T2 0 */
	{ { { ST(X, 1), ST(Y, 1) },
	    { LD(Y), DO(HEAVY, 0, 0), LD(W), LD(Z) },
	    { ST(Z, 1), ST(W, 1), LD(X) } }, 0 },
	/* CAUSES_EVERYBODY: T1 returns 1, 1, 0, T0 0 (its fence comes before T2's) */
	{ { { ST(Z, 1), ST(W, 1), LD(X) },
	    { LD(Y), DO(EVERYBODY, 0, 0), LD(W), LD(Z) },
	    { ST(X, 1), ST(Y, 1) } }, 0 },
	/* SLEEP_SEES_NEWEST: T1 returns 1; x is 1 */
	{ { { ST(X, 1), ST(Y, 1) },
	    { LD(Y), { .what = SLEEP, .word = X, .expected = 7 }, ST(X, 2) } }, 0 },
};

bool take_shape(unsigned int i)
{
	const struct shape *shape = &shapes[i];

	if (i >= sizeof(shapes) / sizeof(shapes[0]))
		return false;
	memset(&program, 0, sizeof(program));
	program.nr_timeouts = shape->nr_timeouts;
	for (unsigned int t = 0; t < THREADS_MAX; t++) {
		unsigned int n = 0;

		for (; n < OPS_MAX && shape->ops[t][n].what != NONE; n++) {
			struct op *op = &program.ops[t][n];

			*op = shape->ops[t][n];
			op->site.order = op->what == FENCE ? EX_SC : EX_RELAXED;
		}
		program.nr_ops[t] = n;
		program.nr_threads += n != 0;
	}
	return true;
}
