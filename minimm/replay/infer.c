/*
 * infer.c - follow the records on a sketch of each address space
 *
 * A range that a successful record needs, and that no earlier record has mapped
 * or unmapped, is older than the trace.  In a forked space it is older than the
 * fork: it belongs to the first ancestor.  Cost: see areas.c.
 */
#include "minimm/replay/infer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/mm/op.h"
#include "minimm/replay/older.h"
#include "minimm/replay/sketch.h"

struct walk {
	const struct mm_recording *rec;
	struct mm_inferred *out;
	struct mm_sketch *sketches;	/* one a space */
	const struct mm_record *record;	/* the one in hand ... */
	struct mm_verdict *verdict;	/* ... what we say of it ... */
	struct mm_sketch *sketch;	/* ... and its space's */
};

static uint64_t page_down(uint64_t address)
{
	return address & MM_PAGE_MASK;
}

static uint64_t page_up(uint64_t address)
{
	return (address + MM_PAGE_SIZE - 1) & MM_PAGE_MASK;
}

__attribute__((format(printf, 2, 3)))
static void remark(struct walk *w, const char *format, ...)
{
	struct mm_inferred *out = w->out;
	va_list args;

	w->verdict->is_impossible = true;
	if (out->nr_remarks++ >= MM_REMARKS_MAX)
		return;
	va_start(args, format);
	vsnprintf(out->remarks[out->nr_remarks - 1].text,
		  sizeof(out->remarks[0].text), format, args);
	va_end(args);
	out->remarks[out->nr_remarks - 1].line = w->record->line;
}

/* The pages of [address, address + length); false with a remark if they are not
 * inside the user's part of the space. */
static bool user_range(struct walk *w, uint64_t address, uint64_t length,
		       uint64_t *start, uint64_t *end)
{
	if (address <= MM_TASK_SIZE && length <= MM_TASK_SIZE - address) {
		*start = page_down(address);
		*end = page_up(address + length);
		return true;
	}
	remark(w, "%s of 0x%llx bytes at 0x%llx leaves the address space",
	       mm_call_name(w->record->call), (unsigned long long)length,
	       (unsigned long long)address);
	return false;
}

static struct mm_sketch *first_ancestor(struct walk *w)
{
	uint32_t space = w->record->space;

	while (w->rec->spaces[space].parent != MM_NONE)
		space = w->rec->spaces[space].parent;
	return &w->sketches[space];
}

/* Whatever of the range is not known was mapped all along. */
static int need(struct walk *w, uint64_t start, uint64_t end, uint32_t prot)
{
	uint64_t part_end;

	while (mm_areas_next_unknown(&w->sketch->now, &start, end, &part_end)) {
		struct mm_area area = {
			.start = start,
			.end = part_end,
			.prot = MM_VM_ACCESS,
			.file = MM_FILE_IMAGE,
			.is_mapped = true,
			.is_inferred = true,
		};

		if (mm_areas_add(&first_ancestor(w)->older, start, part_end,
				 prot) ||
		    mm_areas_set(&w->sketch->now, &area))
			return -1;
		start = part_end;
	}
	return 0;
}

static int define(struct walk *w, const struct mm_area *area)
{
	if (mm_areas_set(&w->sketch->now, area))
		return -1;
	return mm_areas_set(&w->sketch->defined, area);
}

static uint32_t fault_needs(const struct mm_record *record)
{
	if (record->args[2] & MM_ERROR_EXEC)
		return MM_VM_EXEC;
	return record->args[2] & MM_ERROR_WRITE ? MM_VM_WRITE : MM_VM_READ;
}

/* On x86 what may be written or executed may be read too. */
static bool allows(uint32_t prot, uint32_t access)
{
	return access == MM_VM_READ ? prot != 0 : (prot & access) != 0;
}

static int follow_inferred(struct walk *w, uint64_t page, uint32_t access)
{
	struct mm_sketch *first = first_ancestor(w);

	if (!first->first_high_write && access == MM_VM_WRITE &&
	    page >= MM_STACK_LOWEST)
		first->first_high_write = page;
	return mm_areas_add(&first->older, page, page + MM_PAGE_SIZE, access);
}

static int follow_fault(struct walk *w)
{
	uint64_t address = w->record->args[0], page = page_down(address);
	uint32_t access = fault_needs(w->record);
	const struct mm_area *area;

	w->verdict->expected = 0;
	if (address >= MM_LOWEST_ADDRESS && address < MM_TASK_SIZE &&
	    need(w, page, page + MM_PAGE_SIZE, access))
		return -1;
	area = mm_areas_find(&w->sketch->now, address);
	if (!area || !area->is_mapped) {
		w->verdict->expected = MM_SEGV_MAPERR;
		/* Programs do follow null pointers, and some mean to. */
		if (address < MM_LOWEST_ADDRESS)
			return 0;
		remark(w, "a fault at 0x%llx, where nothing is mapped",
		       (unsigned long long)address);
		w->verdict->is_impossible = false;
		return 0;
	}
	if (area->is_inferred) {
		w->verdict->file = MM_FILE_IMAGE;
		w->verdict->file_offset = page;
		return follow_inferred(w, page, access);
	}
	if (!allows(area->prot, access))
		w->verdict->expected = MM_SEGV_ACCERR;
	w->verdict->file = area->file;
	w->verdict->file_offset = page + area->bias;
	return 0;
}

static int follow_mmap(struct walk *w)
{
	const struct mm_record *record = w->record;
	struct mm_area area = {
		.prot = (uint32_t)record->args[2] & MM_VM_ACCESS,
		.is_mapped = true,
	};

	if (record->args[1] == 0 || (record->result & ~MM_PAGE_MASK)) {
		remark(w, "mmap of 0x%llx bytes cannot answer 0x%llx",
		       (unsigned long long)record->args[1],
		       (unsigned long long)record->result);
		return 0;
	}
	if (!user_range(w, record->result, record->args[1], &area.start,
			&area.end))
		return 0;
	if (!(record->args[3] & MM_MAP_ANONYMOUS)) {
		area.file = mm_record_file(record);
		area.bias = record->args[5] - area.start;
	}
	return define(w, &area);
}

static int follow_munmap(struct walk *w)
{
	struct mm_area area = { .is_mapped = false };

	if (!user_range(w, w->record->args[0], w->record->args[1], &area.start,
			&area.end))
		return 0;
	return define(w, &area);
}

static int follow_mprotect(struct walk *w)
{
	uint64_t start, end;

	if (!user_range(w, w->record->args[0], w->record->args[1], &start,
			&end))
		return 0;
	if (need(w, start, end, 0))
		return -1;
	return mm_areas_protect(&w->sketch->now, start, end,
				(uint32_t)w->record->args[2] & MM_VM_ACCESS);
}

/* madvise, mlock, munlock: what they are about is mapped, and stays it. */
static int follow_advice(struct walk *w)
{
	uint64_t start, end;

	if (!user_range(w, w->record->args[0], w->record->args[1], &start,
			&end))
		return 0;
	return need(w, start, end, 0);
}

static int follow_mremap(struct walk *w)
{
	const struct mm_record *record = w->record;
	struct mm_area gone = { .is_mapped = false }, area;
	uint64_t start, end;
	const struct mm_area *old;

	if (!user_range(w, record->args[0], record->args[1], &gone.start,
			&gone.end) ||
	    !user_range(w, record->result, record->args[2], &start, &end))
		return 0;
	if (need(w, gone.start, gone.end, MM_VM_WRITE))
		return -1;
	old = mm_areas_find(&w->sketch->now, gone.start);
	if (!old) {
		remark(w, "mremap of nothing at 0x%llx",
		       (unsigned long long)gone.start);
		return 0;
	}
	area = *old;
	area.bias += area.start - start;
	area.start = start;
	area.end = end;
	if (!(record->args[3] & MM_REMAP_DONTUNMAP) && define(w, &gone))
		return -1;
	return define(w, &area);
}

static int follow_brk(struct walk *w)
{
	const struct mm_record *record = w->record;
	struct mm_sketch *sketch = w->sketch;
	struct mm_area area = { .prot = MM_VM_READ | MM_VM_WRITE,
				.is_mapped = true };
	uint64_t was = sketch->brk;

	if (record->result >= MM_TASK_SIZE) {
		remark(w, "brk answers 0x%llx",
		       (unsigned long long)record->result);
		return 0;
	}
	w->verdict->old_break = was ? was : record->result;
	sketch->brk = record->result;
	if (!sketch->first_break)
		sketch->first_break = record->result;
	if (!was || was == record->result)
		return 0;
	area.start = page_up(was);
	area.end = page_up(record->result);
	if (area.end < area.start) {
		area = (struct mm_area){ .start = area.end,
					 .end = area.start };
	}
	return define(w, &area);
}

/* A space begins empty, or as a copy. */
static int begin_space(struct walk *w)
{
	const struct mm_rec_space *space =
		&w->rec->spaces[w->record->space];
	const struct mm_sketch *parent;

	w->sketch->is_begun = true;
	if (space->parent == MM_NONE)
		return 0;
	parent = &w->sketches[space->parent];
	w->sketch->brk = parent->brk;
	w->sketch->first_break = parent->first_break;
	return mm_areas_copy(&w->sketch->now, &parent->now);
}

static int follow(struct walk *w)
{
	if (!w->sketch->is_begun && begin_space(w))
		return -1;
	w->verdict->expected = (int64_t)w->record->result;
	if (mm_record_error(w->record))
		return 0;
	switch (w->record->call) {
	case MM_CALL_FAULT:
		return follow_fault(w);
	case MM_CALL_MMAP:
		return follow_mmap(w);
	case MM_CALL_MUNMAP:
		return follow_munmap(w);
	case MM_CALL_MPROTECT:
		return follow_mprotect(w);
	case MM_CALL_MREMAP:
		return follow_mremap(w);
	case MM_CALL_BRK:
		return follow_brk(w);
	case MM_CALL_MADVISE:
	case MM_CALL_MLOCK:
	case MM_CALL_MUNLOCK:
		return follow_advice(w);
	default:
		return 0;
	}
}

static int walk_all(struct walk *w)
{
	for (size_t i = 0; i < w->rec->nr_records; i++) {
		w->record = &w->rec->records[i];
		w->verdict = &w->out->verdicts[i];
		w->sketch = &w->sketches[w->record->space];
		if (follow(w))
			return -1;
	}
	for (uint32_t i = 0; i < w->rec->nr_spaces; i++) {
		w->out->first_break[i] = w->sketches[i].first_break;
		if (w->rec->spaces[i].parent == MM_NONE &&
		    mm_older_from(w->out, &w->sketches[i], i))
			return -1;
	}
	return 0;
}

int mm_infer(struct mm_inferred *inferred, const struct mm_recording *rec)
{
	struct walk w = { .rec = rec, .out = inferred };
	int error = -1;

	memset(inferred, 0, sizeof(*inferred));
	inferred->verdicts =
		calloc(rec->nr_records + 1, sizeof(*inferred->verdicts));
	inferred->first_break =
		calloc(rec->nr_spaces + 1, sizeof(*inferred->first_break));
	w.sketches = calloc(rec->nr_spaces + 1, sizeof(*w.sketches));
	if (inferred->verdicts && inferred->first_break && w.sketches)
		error = walk_all(&w);
	for (size_t i = 0; w.sketches && i < rec->nr_spaces; i++) {
		mm_areas_free(&w.sketches[i].now);
		mm_areas_free(&w.sketches[i].older);
		mm_areas_free(&w.sketches[i].defined);
	}
	free(w.sketches);
	if (error)
		mm_inferred_free(inferred);
	return error;
}

void mm_inferred_free(struct mm_inferred *inferred)
{
	free(inferred->older);
	free(inferred->verdicts);
	free(inferred->first_break);
	memset(inferred, 0, sizeof(*inferred));
}
