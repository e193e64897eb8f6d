/*
 * pagecache.c - the files of a trace, and which of their pages are touched
 */
#include "minimm/replay/pagecache.h"

#include <stdlib.h>

struct file_page {
	uint64_t page;
	uint32_t file, step;
};

static int by_page(const void *a, const void *b)
{
	const struct file_page *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static int number_pages(struct mm_plan *plan, const uint32_t *step_of)
{
	size_t nr = 0;
	struct file_page *pages = calloc(plan->nr_steps + 1, sizeof(*pages));

	if (!pages)
		return -1;
	for (size_t i = 0; i < plan->rec->nr_records; i++) {
		const struct mm_verdict *verdict = &plan->inferred.verdicts[i];

		if (step_of[i] != MM_NONE && verdict->file &&
		    plan->steps[step_of[i]].kind == MM_FAULT)
			pages[nr++] = (struct file_page){
				verdict->file_offset / MM_PAGE_SIZE,
				verdict->file, step_of[i] };
	}
	qsort(pages, nr, sizeof(*pages), by_page);
	for (size_t i = 0; i < nr; i++) {
		if (i == 0 || pages[i].file != pages[i - 1].file ||
		    pages[i].page != pages[i - 1].page)
			plan->nr_file_pages++;
		plan->steps[pages[i].step].file_page = plan->nr_file_pages - 1;
	}
	free(pages);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The steps name their file by mm_record_file() so far; make that an index. */
static int number_files(struct mm_plan *plan)
{
	uint32_t nr = 0, kept = 0;

	plan->files = calloc(plan->nr_steps + 1, sizeof(*plan->files));
	if (!plan->files)
		return -1;
	plan->files[nr++] = MM_FILE_IMAGE;
	for (size_t i = 0; i < plan->nr_steps; i++) {
		if (plan->steps[i].file)
			plan->files[nr++] = plan->steps[i].file;
	}
	qsort(plan->files + 1, nr - 1, sizeof(*plan->files), by_number);
	for (uint32_t i = 0; i < nr; i++) {
		if (kept == 0 || plan->files[kept - 1] != plan->files[i])
			plan->files[kept++] = plan->files[i];
	}
	plan->nr_files = kept;
	for (size_t i = 0; i < plan->nr_steps; i++) {
		const uint32_t *found;

		if (!plan->steps[i].file)
			continue;
		found = bsearch(&plan->steps[i].file, plan->files, kept,
				sizeof(*plan->files), by_number);
		plan->steps[i].file = (uint32_t)(found - plan->files) + 1;
	}
	return 0;
}

int mm_pagecache_number(struct mm_plan *plan, const uint32_t *step_of)
{
	return number_pages(plan, step_of) || number_files(plan) ? -1 : 0;
}
