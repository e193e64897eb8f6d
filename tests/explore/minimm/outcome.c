/*
 * outcome.c - what came of a story, as text that can be compared
 *
 * Versions, stamps and owners of pages are left out: they say when, not what.
 */
#include <stdarg.h>
#include <stdio.h>

#include "minimm/mm/mm.h"
#include "minimm/pt/pt.h"
#include "tests/explore/minimm/story.h"

__attribute__((format(printf, 2, 3)))
static void add(struct outcome *o, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(o->text + o->length, OUTCOME - o->length, format,
		      arguments);
	va_end(arguments);
	o->length += (unsigned int)n;
	if (o->length >= OUTCOME)
		ex_fail("an outcome is too long: %s", o->text);
}

static long page_of(uint64_t addr)
{
	return ((long)addr - (long)STORY_BASE) / (long)MM_PAGE_SIZE;
}

void outcome_add_op(struct outcome *o, unsigned int thread,
		    const struct mm_op *op)
{
	char text[MM_RESULT_TEXT];

	add(o, "T%u %s", thread, mm_kind_name(op->kind));
	if (op->result > 0)
		add(o, " @%ld, ", page_of((uint64_t)op->result));
	else
		add(o, " %s, ", mm_result_text(op->result, text, sizeof(text)));
}

void outcome_add_line(struct outcome *o, uint64_t start, uint64_t end,
		      uint32_t flags)
{
	add(o, " [@%ld @%ld %x]", page_of(start), page_of(end), flags);
}

static void add_vma(void *arg, const struct mm_vma *vma)
{
	outcome_add_line(arg, vma->start, vma->end, vma->flags);
}

static uint64_t add_entry(void *arg, uint64_t addr, uint64_t pte)
{
	add(arg, " %ld:%x", page_of(addr), (unsigned int)(pte & MM_PTE_FLAGS));
	return pte;
}

void outcome_add_space(struct outcome *o, const char *name, struct mm *mm)
{
	add(o, "%s:", name);
	mm_visit_vmas(mm, add_vma, o);
	mm_pt_change(&mm->root, 0, MM_TASK_SIZE, add_entry, o);
	if (mm->brk != STORY_BREAK)
		add(o, " brk %lx", (unsigned long)(mm->brk - STORY_BREAK));
	add(o, "; ");
}
