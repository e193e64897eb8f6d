/*
 * pairs.c - two holds, one after the other: ordered if they conflict, and only then
 */
#include <stdio.h>

#include "tests/tokens/client.h"

struct hold {
	const struct method *how;	/* NULL: no lock at all */
	enum rl_mode mode;
	uint64_t start, end;
	bool puts;			/* writes the cell, or reads it */
};

struct pair {
	struct hold of[2];
};

static void act(struct stage *s, unsigned int i)
{
	const struct hold *h = &((const struct pair *)(const void *)s->script)->of[i];
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	if (h->how)
		want(h->how->hold(s->lk, r, h->mode, h->start, h->end) == 0);
	if (h->puts)
		put(s->cells);
	else
		get(s->cells);
	if (h->how)
		h->how->leave(s->lk, r);
}

static void first(struct stage *s)
{
	act(s, 0);
}

static void second(struct stage *s)
{
	act(s, 1);
}

/* The first lets the second wait before it touches the cell. */
static void holds_on(struct stage *s)
{
	const struct hold *h = &((const struct pair *)(const void *)s->script)->of[0];
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };

	want(h->how->hold(s->lk, r, h->mode, h->start, h->end) == 0);
	pass();
	until_waiting(s->lk, 1);
	put(s->cells);
	h->how->leave(s->lk, r);
}

static const char *name_of(const char *what, const struct pair *p)
{
	static char name[256];

	snprintf(name, sizeof(name), "%s: %s %s, %s %s", what,
		 p->of[0].how ? p->of[0].how->name : "nothing",
		 p->of[0].mode == RL_READ ? "read" : "write",
		 p->of[1].how ? p->of[1].how->name : "nothing",
		 p->of[1].mode == RL_READ ? "read" : "write");
	return name;
}

/* Crossing ranges, in each conflicting pair of modes. */
static void play_conflicts(enum form form, const struct method *a,
			   const struct method *b)
{
	static const enum rl_mode modes[3][2] = {
		{ RL_WRITE, RL_WRITE }, { RL_WRITE, RL_READ },
		{ RL_READ, RL_WRITE },
	};

	for (unsigned int i = 0; i < 3; i++) {
		struct pair p = { {
			{ a, modes[i][0], PAGE, 3 * PAGE,
			  modes[i][0] == RL_WRITE },
			{ b, modes[i][1], 2 * PAGE, 5 * PAGE,
			  modes[i][1] == RL_WRITE },
		} };

		play(name_of("they conflict", &p), form, first, second, &p,
		     sizeof(p), false);
	}
}

/* The wrong range, and the wrong mode, by every method. */
static void play_faults(enum form form, const struct method *a,
			const struct method *b)
{
	struct pair p = { {
		{ a, RL_WRITE, PAGE, 2 * PAGE, true },
		{ b, RL_WRITE, 2 * PAGE, 3 * PAGE, true },
	} };

	if (!a->is_whole && !b->is_whole)
		play(name_of("another page", &p), form, first, second, &p,
		     sizeof(p), true);
	p.of[1].start = PAGE;
	p.of[0].mode = p.of[1].mode = RL_READ;
	play(name_of("both read-locked, both write", &p), form, first, second,
	     &p, sizeof(p), true);
	p.of[0].puts = false;
	play(name_of("both read-locked, the second writes", &p), form, first,
	     second, &p, sizeof(p), true);
	p.of[1].mode = RL_WRITE;
	p.of[0].how = NULL;
	play(name_of("the first has no lock", &p), form, first, second, &p,
	     sizeof(p), true);
	p.of[0].how = a;
	p.of[0].puts = true;
	p.of[1].how = NULL;
	play(name_of("the second has no lock", &p), form, first, second, &p,
	     sizeof(p), true);
}

static void play_waiting(enum form form, const struct method *b)
{
	struct pair p = { {
		{ &methods[0], RL_WRITE, PAGE, 3 * PAGE, true },
		{ b, RL_WRITE, 2 * PAGE, 5 * PAGE, true },
	} };

	play(name_of("the second waits", &p), form, holds_on, second, &p, sizeof(p), false);
	p.of[1].mode = RL_READ;
	p.of[1].puts = false;
	play(name_of("the second waits", &p), form, holds_on, second, &p, sizeof(p), false);
}

/* Do the tokens of two ranges meet if and only if these share a byte? */
static void play_ranges(void)
{
	static const struct {
		uint64_t start, end;
	} spans[] = {
		{ 0, RL_END }, { 0, 1 }, { 1, 2 }, { RL_END - 1, RL_END },
		{ 15, 17 }, { 16, 32 }, { 4080, 8208 }, { 8192, 8208 },
		{ 8208, 8209 }, { PAGE, 2 * PAGE }, { 1, RL_END - 1 },
		{ UINT64_C(1) << 63, RL_END }, { 0, UINT64_C(1) << 63 },
		{ 0x7f1234567000, 0x7f1234569000 },
		{ 0x7f1234568fff, 0x7f2234568000 },
	};
	const unsigned int n = sizeof(spans) / sizeof(*spans);
	char name[128];

	for (unsigned int i = 0; i < n; i++)
		for (unsigned int k = 0; k < n; k++) {
			struct pair p = { {
				{ &methods[0], RL_WRITE, spans[i].start,
				  spans[i].end, true },
				{ &methods[0], RL_WRITE, spans[k].start,
				  spans[k].end, true },
			} };

			snprintf(name, sizeof(name), "ranges %u and %u", i, k);
			play(name, COMPACT, first, second, &p,
			     sizeof(p), spans[i].start >= spans[k].end ||
				     spans[k].start >= spans[i].end);
		}
}

void play_pairs(void)
{
	play_ranges();
	for (unsigned int a = 0; a < nr_methods; a++)
		for (unsigned int b = 0; b < nr_methods; b++)
			play_conflicts(COMPACT, &methods[a], &methods[b]);
	for (enum form f = COMPACT; f < NR_FORMS; f++)
		for (unsigned int a = 0; a < nr_methods; a++) {
			play_conflicts(f, &methods[a], &methods[0]);
			play_conflicts(f, &methods[0], &methods[a]);
			play_faults(f, &methods[a], &methods[0]);
			play_faults(f, &methods[0], &methods[a]);
			if (methods[a].waits)
				play_waiting(f, &methods[a]);
		}
}
