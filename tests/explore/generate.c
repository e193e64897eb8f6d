/*
 * generate.c - every pair and triple of operations over every way to lie
 */
#include <stdio.h>
#include <string.h>

#include "tests/explore/minimm/story.h"
#include "tests/explore/scenario.h"

/* How the ranges of the first two threads lie; a third takes the second's. */
static const struct layout {
	const char *name;
	uint64_t a_start, a_end, b_start, b_end;
	bool is_symmetric;		/* the same seen from the other thread */
	bool is_forests;		/* the same as another without chunks */
} layouts[] = {
	{ "equal", 2, 6, 2, 6, true, false },
	{ "crossing", 2, 8, 4, 10, true, false },
	{ "nested", 2, 10, 4, 6, false, false },
	{ "touching", 2, 6, 6, 10, true, false },
	{ "disjoint", 2, 6, 8, 12, true, false },
	{ "whole", 2, 6, 0, RL_END, false, false },
	{ "apart", 2, 6, 20, 24, true, true },
	{ "border", 2, 14, 12, 20, false, true },
	{ "borders", 12, 20, 14, 22, true, true },
};

#define NR_LAYOUTS	(sizeof(layouts) / sizeof(layouts[0]))
#define VARIANTS_MAX	64

/* An operation in one of its modes. */
struct variant {
	const struct operation *operation;
	enum rl_mode mode;
};

static struct variant variants[VARIANTS_MAX];
static unsigned int nr_variants;
static bool (*visitor)(const struct scenario *s);

static const struct special *const tables[] = {
	general_specials, change_specials, reader_specials, cycle_specials,
};
#define NR_TABLES	(sizeof(tables) / sizeof(tables[0]))

static void find_variants(void)
{
	nr_variants = 0;
	for (unsigned int i = 0; i < nr_operations; i++) {
		const struct operation *o = &operations[i];

		if (o->writes)
			variants[nr_variants++] = (struct variant){ o, RL_WRITE };
		if (o->reads)
			variants[nr_variants++] = (struct variant){ o, RL_READ };
	}
}

static void add_turn(struct scenario *s, unsigned int thread,
		     const struct variant *v, uint64_t start, uint64_t end)
{
	unsigned int i = s->nr_turns[thread]++;

	s->turns[thread][i] = (struct turn){
		v->operation, v->mode, start, end, thread * STEPS_MAX + i
	};
	if (v->operation->is_timed)
		s->nr_timeouts = 1;
}

static void add_name(struct scenario *s, const char *text)
{
	size_t n = strlen(s->name);

	snprintf(s->name + n, sizeof(s->name) - n, "%s", text);
}

static void name_turns(struct scenario *s)
{
	for (unsigned int t = 0; t < s->nr_threads; t++) {
		add_name(s, t ? "," : "/");
		for (unsigned int i = 0; i < s->nr_turns[t]; i++) {
			const struct turn *turn = &s->turns[t][i];

			add_name(s, i ? "+" : "");
			add_name(s, turn->operation->name);
			add_name(s, turn->mode == RL_READ ? "-r" : "-w");
		}
	}
}

static struct scenario blank(const struct form *f, const char *layout,
			     unsigned int nr_threads)
{
	struct scenario s;

	memset(&s, 0, sizeof(s));
	s.form = f;
	s.nr_threads = nr_threads;
	s.bypass_ns = RL_BYPASS_NS;
	snprintf(s.name, sizeof(s.name), "%s/%s", f->name, layout);
	return s;
}

static bool visit_one(const struct form *f, const struct layout *l,
		      const struct variant *a, const struct variant *b,
		      const struct variant *c, enum set set)
{
	struct scenario s = blank(f, l->name, c ? 3 : 2);

	add_turn(&s, 0, a, l->a_start, l->a_end);
	add_turn(&s, 1, b, l->b_start, l->b_end);
	if (c)
		add_turn(&s, 2, c, l->b_start, l->b_end);
	if (set == SET_TWICE) {
		add_turn(&s, 0, b, l->a_start, l->a_end);
		add_turn(&s, 1, a, l->b_start, l->b_end);
	}
	if (set == SET_PAIRS)
		s.nr_spurious = 1;
	name_turns(&s);
	return visitor(&s);
}

static bool visit_pairs(const struct form *f, const struct layout *l,
			enum set set)
{
	for (unsigned int a = 0; a < nr_variants; a++)
		for (unsigned int b = l->is_symmetric ? a : 0; b < nr_variants; b++)
			if (!visit_one(f, l, &variants[a], &variants[b], NULL,
				       set))
				return false;
	return true;
}

static bool visit_triples(const struct form *f, const struct layout *l)
{
	for (unsigned int a = 0; a < nr_variants; a++)
		for (unsigned int b = l->is_symmetric ? a : 0; b < nr_variants; b++)
			for (unsigned int c = b; c < nr_variants; c++)
				if (!visit_one(f, l, &variants[a], &variants[b],
					       &variants[c], SET_TRIPLES))
					return false;
	return true;
}

static bool visit_specials(const struct form *f, const struct special *p)
{
	for (; p->name; p++) {
		struct scenario s = blank(f, p->name, p->nr_threads);

		s.special = p->body;
		s.prepare = p->prepare;
		s.nr_spurious = p->nr_spurious;
		s.nr_timeouts = p->nr_timeouts;
		s.nr_jumps = p->nr_jumps;
		s.bypass_ns = p->bypass_ns;
		s.deadlock_ns = p->looks ? DEADLOCK_NS : 0;
		s.has_second = p->looks;
		s.report = p->report;
		if (!visitor(&s))
			return false;
	}
	return true;
}

void each_scenario(enum set set, bool (*visit)(const struct scenario *s))
{
	if (set == SET_MINIMM) {
		each_story(visit);
		return;
	}
	find_variants();
	visitor = visit;
	for (unsigned int f = 0; f < nr_forms; f++) {
		for (size_t i = 0; set == SET_SPECIAL && i < NR_TABLES; i++)
			if (!visit_specials(&forms[f], tables[i]))
				return;
		for (unsigned int l = 0; set != SET_SPECIAL && l < NR_LAYOUTS; l++) {
			if (layouts[l].is_forests && !forms[f].chunk_size)
				continue;
			if (set == SET_TRIPLES ?
			    !visit_triples(&forms[f], &layouts[l]) :
			    !visit_pairs(&forms[f], &layouts[l], set))
				return;
		}
	}
}
