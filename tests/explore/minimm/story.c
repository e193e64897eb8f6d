/*
 * story.c - plays a story, and says whether what happens in it is right
 *
 * Checked: the model's own violations (I1 to I17); no two operations inside whose
 * footprints conflict; whenever nobody is inside, and at the end, mm_check(); and
 * the end is one that some order of the operations has.  All orders are run
 * before the first execution, one operation after the other.
 *
 * Weak spot: mm->lock is compact, whatever the scheme asks for: a forest of 64
 * shards would be most of the steps, and is what the other sets are for.
 */
#include "tests/explore/minimm/story.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/cmd/script_line.h"
#include "minimm/mm/mm.h"
#include "minimm/pt/pt.h"
#include "minimm/scheme/scheme.h"
#include "tests/explore/minimm/memory.h"

#define ORDERS_MAX	90u		/* of three threads by two */

static const struct scenario *playing;
static struct mm_scheme scheme;
static struct mm *mm;
static struct mm_file *file, *unfit;	/* its driver needs all locked */
static struct mm_op (*ops)[STORY_TURNS];
static unsigned int nr_turns[STORY_THREADS];

static const struct mm_op *inside[STORY_THREADS];
static struct outcome lines[STORY_THREADS];	/* of maps */
static struct outcome orders[ORDERS_MAX];
static unsigned int nr_orders;

_Noreturn __attribute__((format(printf, 1, 2)))
static void wrong(const char *format, ...)
{
	char text[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (ex.program)
		ex_fail("%s", text);
	fprintf(stderr, "explorer: %s: %s\n", playing->name, text);
	exit(2);
}

/* ---- What operations say ---- */

static void on_violation(void *ctx, struct mm_op *op, const char *text)
{
	(void)ctx;
	if (op)
		wrong("%s (%s)", text, mm_kind_name(op->kind));
	wrong("%s", text);
}

static unsigned int thread_of(const struct mm_op *op)
{
	return (unsigned int)(op - ops[0]) / STORY_TURNS;
}

/* What a check looks at is no access of the thread that happens to run. */
static void check_space(struct mm *space)
{
	int self = ex.self;

	ex.self = -1;
	mm_check(space);
	ex.self = self;
}

static bool conflict(const struct mm_op *a, const struct mm_op *b)
{
	int self = ex.self;
	bool both;

	ex.self = -1;
	both = mm_structure_conflict(&a->footprint, &b->footprint);
	ex.self = self;
	return both;
}

static void on_enter(void *ctx, struct mm_op *op)
{
	unsigned int self = thread_of(op);

	(void)ctx;
	if (self >= STORY_THREADS)
		return;
	ex_trace("%s is inside", mm_kind_name(op->kind));
	for (unsigned int t = 0; t < STORY_THREADS; t++)
		if (t != self && inside[t] && conflict(op, inside[t]))
			wrong("missed conflict: %s of T%u and %s of T%u are both inside",
			      mm_kind_name(op->kind), self,
			      mm_kind_name(inside[t]->kind), t);
	inside[self] = op;
}

static void on_leave(void *ctx, struct mm_op *op)
{
	unsigned int self = thread_of(op);

	(void)ctx;
	if (self >= STORY_THREADS)
		return;
	ex_trace("%s leaves", mm_kind_name(op->kind));
	inside[self] = NULL;
	for (unsigned int t = 0; t < STORY_THREADS; t++)
		if (inside[t])
			return;
	/* A marker may be up: whose it is, is not inside yet, or will end it. */
	if (ex_is_running() && !mm->pending.nr_markers)
		check_space(mm);
}

static void on_line(void *arg, const struct mm_vma *vma)
{
	outcome_add_line(arg, vma->start, vma->end, vma->flags);
}

static const struct mm_observer observer = {
	.enter = on_enter, .leave = on_leave, .violation = on_violation,
};

/* ---- The lines of a story ---- */

/* @N and +N as numbers. */
static void expand(const char *line, char *text, size_t size)
{
	size_t n = 0;

	while (*line && n + 24 < size) {
		char kind = *line;
		char *end;
		unsigned long pages;

		if ((kind != '@' && kind != '+') || !isdigit(line[1])) {
			text[n++] = *line++;
			continue;
		}
		pages = strtoul(line + 1, &end, 10);
		n += (size_t)snprintf(text + n, size - n, "0x%lx",
				      (kind == '@' ? STORY_BASE : 0) +
				      pages * MM_PAGE_SIZE);
		line = end;
	}
	text[n] = '\0';
}

static bool takes_word(const char **line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*line, word, n) != 0)
		return false;
	*line += n;
	return true;
}

static void read_line(const char *line, struct mm_op *op)
{
	char text[MM_SCRIPT_LINE], why[100] = "not a line";
	bool needs_io = takes_word(&line, "io ");
	bool is_unfit = takes_word(&line, "all ");
	unsigned long answer = 0;
	char *end;

	if (takes_word(&line, "to @")) {
		answer = STORY_BASE + strtoul(line, &end, 10) * MM_PAGE_SIZE;
		line = end + 1;
	}
	expand(line, text, sizeof(text));
	if (mm_script_read_line(text, op, why, sizeof(why)) != 1)
		wrong("%s: %s", line, why);
	op->needs_io = needs_io;
	op->answer = answer;
	if (op->kind == MM_MMAP && !(op->flags & MM_MAP_ANONYMOUS))
		op->file = is_unfit ? unfit : file;
}

/* ---- One execution ---- */

static void reset(void)
{
	ex_blocks_restore();
	ex_rcu_reset(playing->ends_soon);
	memset(inside, 0, sizeof(inside));
	for (unsigned int t = 0; t < STORY_THREADS; t++)
		lines[t].length = 0;
}

static void perform(unsigned int thread, unsigned int turn)
{
	struct mm_op *op = &ops[thread][turn];

	ex_trace("%s", playing->story->threads[thread][turn]);
	if (op->kind == MM_MAPS) {
		op->line = on_line;
		op->line_arg = &lines[thread];
	}
	mm_run(mm, op);
}

static void body(unsigned int thread)
{
	for (unsigned int i = 0; i < nr_turns[thread]; i++) {
		struct mm_op *op = &ops[thread][i];

		perform(thread, i);
		/* Nobody knows its handles and its marker any more. */
		ex_kill(op->locks, sizeof(op->locks));
		ex_kill(&op->pair, sizeof(op->pair));
		ex_kill(&op->pending, sizeof(op->pending));
		ex_kill(&op->short_lock, sizeof(op->short_lock));
	}
}

static void describe(struct outcome *o)
{
	o->length = 0;
	for (unsigned int t = 0; t < STORY_THREADS; t++) {
		for (unsigned int i = 0; i < nr_turns[t]; i++)
			outcome_add_op(o, t, &ops[t][i]);
		if (lines[t].length) {
			memcpy(o->text + o->length, lines[t].text,
			       lines[t].length + 1);
			o->length += lines[t].length;
		}
	}
	outcome_add_space(o, "space", mm);
	for (unsigned int t = 0; t < STORY_THREADS; t++)
		for (unsigned int i = 0; i < nr_turns[t]; i++)
			if (ops[t][i].child)
				outcome_add_space(o, "child", ops[t][i].child);
}

/* What a child can write without a fault, its parent could see (I4). */
static uint64_t check_shared(void *arg, uint64_t addr, uint64_t pte)
{
	(void)arg;
	if (pte & MM_PTE_WRITE && pte & MM_PTE_ANON)
		wrong("I4 a child can write its parent's page at %lx",
		      (unsigned long)addr);
	return pte;
}

static void finish(void)
{
	static struct outcome o;

	check_space(mm);
	for (unsigned int t = 0; t < STORY_THREADS; t++)
		for (unsigned int i = 0; i < nr_turns[t]; i++)
			if (ops[t][i].child) {
				check_space(ops[t][i].child);
				mm_pt_change(&ops[t][i].child->root, 0,
					     MM_TASK_SIZE, check_shared, NULL);
			}
	describe(&o);
	for (unsigned int i = 0; i < nr_orders; i++)
		if (!strcmp(orders[i].text, o.text))
			return;
	wrong("no order ends so: %s", o.text);
}

/* ---- All orders ---- */

static void run_order(const uint8_t *order, unsigned int n)
{
	unsigned int at[STORY_THREADS] = { 0 };

	reset();
	for (unsigned int i = 0; i < n; i++)
		perform(order[i], at[order[i]]++);
	check_space(mm);
	describe(&orders[nr_orders++]);
}

static void run_orders(uint8_t *order, unsigned int n, unsigned int *left)
{
	bool is_last = true;

	for (uint8_t t = 0; t < STORY_THREADS; t++) {
		if (!left[t])
			continue;
		is_last = false;
		left[t]--;
		order[n] = t;
		run_orders(order, n + 1, left);
		left[t]++;
	}
	if (is_last)
		run_order(order, n);
}

/* ---- Begin ---- */

static void make_space(void)
{
	struct mm_config config = {
		.scheme = &scheme, .observer = &observer,
		.low = STORY_BASE, .mmap_top = STORY_TOP,
		.brk_start = STORY_BREAK,
	};

	mm = mm_create(&config);
	file = mm_file_create(1, 64, scheme.files_are_fine ? &mm_fine_file_ops :
							     &mm_file_ops);
	unfit = mm_file_create(2, 64, &mm_file_ops);
	ops = ex_block_zeroed(STORY_THREADS * STORY_TURNS, sizeof(**ops));
	story_names(mm, ops[0]);
}

static void run_first(const struct story *story)
{
	static struct mm_op op;

	for (unsigned int i = 0; i < STORY_FIRST && story->first[i]; i++) {
		read_line(story->first[i], &op);
		mm_run(mm, &op);
		if (op.result < 0)
			wrong("%s: fails", story->first[i]);
	}
}

static void read_turns(const struct story *story)
{
	for (unsigned int t = 0; t < STORY_THREADS; t++) {
		nr_turns[t] = 0;
		for (unsigned int i = 0; i < STORY_TURNS && story->threads[t][i]; i++) {
			read_line(story->threads[t][i], &ops[t][i]);
			nr_turns[t]++;
		}
	}
}

const struct ex_program *story_begin(const struct scenario *s,
				     struct ex_options *options)
{
	static struct ex_program program = {
		.reset = reset, .body = body, .finish = finish,
		.name = story_name_of,
	};
	uint8_t order[STORY_THREADS * STORY_TURNS];
	unsigned int left[STORY_THREADS];

	(void)options;
	ex.program = NULL;
	playing = s;
	scheme = *s->scheme;
	scheme.chunk_size = 0;
	ex_barrier_is_usable = false;
	ex_spins = false;
	ex_blocks_clear();
	make_space();
	run_first(s->story);
	read_turns(s->story);
	ex_blocks_keep();
	nr_orders = 0;
	memcpy(left, nr_turns, sizeof(left));
	run_orders(order, 0, left);
	program.nr_threads = s->nr_threads;
	return &program;
}

void story_end(void)
{
	reset();
	mm_file_put(unfit);
	mm_file_put(file);
	mm_destroy(mm);
	ex_blocks_end();
}

/* ---- The set ---- */

static bool visit_story(const struct mm_scheme *of, const struct story *story,
			bool ends_soon, bool (*visit)(const struct scenario *))
{
	struct scenario s;

	memset(&s, 0, sizeof(s));
	s.scheme = of;
	s.story = story;
	s.ends_soon = ends_soon;
	while (s.nr_threads < STORY_THREADS && story->threads[s.nr_threads][0])
		s.nr_threads++;
	snprintf(s.name, sizeof(s.name), "%s/%s%s", of->name, story->name,
		 ends_soon ? "/grace" : "");
	return visit(&s);
}

bool each_story(bool (*visit)(const struct scenario *s))
{
	for (const struct mm_scheme *const *of = mm_schemes; *of; of++)
		for (unsigned int i = 0; i < nr_stories; i++)
			for (int soon = 0; soon < 2; soon++)
				if (!(*of)->is_hidden &&
				    !visit_story(*of, &stories[i], soon, visit))
					return false;
	return true;
}
