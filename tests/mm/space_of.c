/*
 * space_of.c - see space_of.h
 */
#include "tests/mm/space_of.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "minimm/cmd/script_line.h"
#include "tests/backend.h"

static void count_cost(void *ctx, enum mm_cost what, uint64_t count)
{
	((struct space *)ctx)->spent[what] += count;
}

static void count_io(void *ctx, uint64_t pages)
{
	((struct space *)ctx)->nr_io += pages;
}

static void keep_violation(void *ctx, struct mm_op *op, const char *text)
{
	struct space *s = ctx;

	(void)op;
	if (s->nr_violations++ == 0)
		snprintf(s->violation, sizeof(s->violation), "%s", text);
}

static void count_abort(void *ctx, struct mm_op *op, const char *why)
{
	(void)op;
	(void)why;
	((struct space *)ctx)->nr_aborted++;
}

static void count_fall_back(void *ctx, struct mm_op *op, const char *why)
{
	(void)op;
	(void)why;
	((struct space *)ctx)->nr_fell_back++;
}

void space_open(struct space *s, const struct mm_scheme *scheme,
		const struct mm_config *config)
{
	struct mm_config c = { .scheme = NULL };

	if (config)
		c = *config;
	*s = (struct space){
		.env = { .spend = count_cost, .io = count_io },
		.observer = { .violation = keep_violation,
			      .aborted = count_abort,
			      .fell_back = count_fall_back },
	};
	s->env.ctx = s;
	s->observer.ctx = s;
	c.scheme = scheme;
	c.env = &s->env;
	c.observer = &s->observer;
	s->mm = mm_create(&c);
	check(s->mm);
}

void space_close(struct space *s)
{
	mm_check(s->mm);
	check_str_eq(s->violation, "");
	mm_destroy(s->mm);
}

const char *space_do(struct space *s, const char *line)
{
	static char text[MM_RESULT_TEXT];
	char why[200];
	struct mm_op op;

	check_msg(mm_script_read_line(line, &op, why, sizeof(why)) == 1, "%s: %s",
		  line, why);
	mm_run(s->mm, &op);
	if (op.child)
		mm_destroy(op.child);
	return mm_result_text(op.result, text, sizeof(text));
}

struct printing {
	char text[400];
	uint64_t base;
};

static void print_vma(void *arg, const struct mm_vma *vma)
{
	struct printing *p = arg;
	size_t n = strlen(p->text);

	snprintf(p->text + n, sizeof(p->text) - n, "%s%" PRId64 "-%" PRId64 "%s%s%s%s",
		 n ? " " : "", (int64_t)(vma->start - p->base) / 4096,
		 (int64_t)(vma->end - p->base) / 4096,
		 vma->flags & MM_VM_READ ? "r" : "",
		 vma->flags & MM_VM_WRITE ? "w" : "",
		 vma->flags & MM_VM_EXEC ? "x" : "",
		 vma->flags & MM_VM_MAYSHARE ? "s" : "");
}

const char *space_maps(struct space *s, uint64_t base)
{
	static struct printing p;

	p.text[0] = '\0';
	p.base = base;
	mm_visit_vmas(s->mm, print_vma, &p);
	return p.text;
}
