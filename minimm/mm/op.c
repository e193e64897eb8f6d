/*
 * op.c - footprints: which bytes an operation is about, by its arguments
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/mm/op.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void mm_op_reset(struct mm_op *op)
{
	struct mm_op fresh = {
		.kind = op->kind, .access = op->access, .prot = op->prot,
		.flags = op->flags, .advice = op->advice,
		.needs_io = op->needs_io, .addr = op->addr, .len = op->len,
		.new_len = op->new_len, .new_addr = op->new_addr,
		.file = op->file, .offset = op->offset, .answer = op->answer,
		.old_break = op->old_break, .owner = op->owner,
		.line = op->line, .line_arg = op->line_arg,
	};

	*op = fresh;
}

/* [addr, addr + len) in whole pages, inside the space. */
static bool pages_of(uint64_t addr, uint64_t len, uint64_t *start,
		     uint64_t *end)
{
	*start = mm_page_down(addr);
	if (addr >= MM_TASK_SIZE || len == 0)
		return false;
	if (len > MM_TASK_SIZE - addr)
		*end = MM_TASK_SIZE;
	else
		*end = mm_page_up(addr + len);
	return true;
}

bool mm_op_range(const struct mm_op *op, uint64_t *start, uint64_t *end)
{
	switch (op->kind) {
	case MM_MMAP:
		if (op->flags & (MM_MAP_FIXED | MM_MAP_NOREPLACE))
			return pages_of(op->addr, op->len, start, end);
		if (op->target || op->answer)
			return pages_of(op->target ? op->target : op->answer,
					op->len, start, end);
		return false;
	case MM_MREMAP:
		if (op->new_len > op->len && !(op->flags & MM_REMAP_FIXED))
			return pages_of(op->addr, op->new_len, start, end);
		/* Nothing left of the old place: still a look at it. */
		return pages_of(op->addr, op->len ? op->len : 1, start, end);
	case MM_BRK:
		if (op->addr >= op->old_break) {
			*start = mm_page_up(op->old_break);
			*end = mm_page_up(op->addr);
		} else {
			*start = mm_page_up(op->addr);
			*end = mm_page_up(op->old_break);
		}
		return op->addr && op->old_break && *start < *end;
	case MM_FAULT:
		return pages_of(op->addr, 1, start, end);
	case MM_MLOCK:
	case MM_MUNLOCK:
		/* Even of no bytes, if they begin inside a page: its page. */
		*start = mm_page_down(op->addr);
		return pages_of(*start, mm_page_up(op->len + (op->addr - *start)),
				start, end);
	case MM_FORK:
	case MM_EXIT:
		*start = 0;
		*end = RL_END;
		return true;
	case MM_MAPS:
		*start = op->position;
		*end = op->target;
		return *start < *end;
	default:
		return pages_of(op->addr, op->len, start, end);
	}
}

/* ---- Footprints ---- */

static void touches(struct mm_op *op, uint64_t start, uint64_t end,
		    enum mm_aspect aspect, enum mm_touch touch)
{
	struct mm_footprint *f = &op->footprint;

	if (start >= end)
		return;
	f->extents[f->nr++] = (struct mm_extent){
		.start = start, .end = end, .aspect = (uint8_t)aspect,
		.touch = (uint8_t)touch,
	};
}

static void comes_or_goes(struct mm_op *op, uint64_t start, uint64_t end)
{
	touches(op, start, end, MM_EXISTENCE, MM_CHANGES);
	touches(op, start, end, MM_ENTRIES, MM_CHANGES);
}

static void looks_at(struct mm_op *op, uint64_t start, uint64_t end)
{
	touches(op, start, end, MM_EXISTENCE, MM_READS);
	touches(op, start, end, MM_PROT, MM_READS);
	touches(op, start, end, MM_BACKING, MM_READS);
}

/* Where it moves to, as far as is known; 0: it stays, or nobody knows yet. */
static uint64_t moves_to(const struct mm_op *op)
{
	uint64_t to = op->target ? op->target : op->answer;

	if (op->flags & MM_REMAP_FIXED)
		return op->new_addr;
	return to == op->addr ? 0 : to;
}

static void remap_footprint(struct mm_op *op)
{
	uint64_t to = moves_to(op), start, end;
	bool may_move = op->flags & (MM_REMAP_FIXED | MM_REMAP_MAYMOVE);

	looks_at(op, mm_page_down(op->addr), mm_page_down(op->addr) + MM_PAGE_SIZE);
	if (may_move && (to || (op->new_len > op->len && !op->target)) &&
	    pages_of(op->addr, op->len, &start, &end))
		comes_or_goes(op, start, end);
	if (to) {
		if (pages_of(to, op->new_len, &start, &end))
			comes_or_goes(op, start, end);
		return;
	}
	if (op->new_len > op->len &&
	    pages_of(op->addr + op->len, op->new_len - op->len, &start, &end))
		comes_or_goes(op, start, end);
	if (op->new_len < op->len &&
	    pages_of(op->addr + op->new_len, op->len - op->new_len, &start, &end))
		comes_or_goes(op, start, end);
}

void mm_op_footprint(struct mm_op *op)
{
	uint64_t start, end;

	op->footprint.nr = 0;
	if (op->kind == MM_BRK)
		touches(op, 0, RL_END, MM_BREAK, MM_CHANGES);
	if (op->kind == MM_MREMAP) {
		remap_footprint(op);
		return;
	}
	if (!mm_op_range(op, &start, &end))
		return;
	switch (op->kind) {
	case MM_FORK:
	case MM_EXIT:
		for (int a = 0; a < MM_NR_ASPECTS; a++)
			touches(op, start, end, (enum mm_aspect)a, MM_CHANGES);
		break;
	case MM_MMAP:
	case MM_MUNMAP:
	case MM_BRK:
		comes_or_goes(op, start, end);
		break;
	case MM_MPROTECT:
		touches(op, start, end, MM_EXISTENCE, MM_READS);
		touches(op, start, end, MM_PROT, MM_CHANGES);
		break;
	case MM_MLOCK:
	case MM_MUNLOCK:
		touches(op, start, end, MM_EXISTENCE, MM_READS);
		touches(op, start, end, MM_BACKING, MM_CHANGES);
		touches(op, start, end, MM_ENTRIES, MM_INSTALLS);
		break;
	case MM_MADVISE:
		touches(op, start, end, MM_EXISTENCE, MM_READS);
		if (op->advice == MM_ADV_DONTNEED || op->advice == MM_ADV_FREE)
			touches(op, start, end, MM_ENTRIES, MM_CHANGES);
		else
			touches(op, start, end, MM_BACKING, MM_CHANGES);
		break;
	case MM_FAULT:
	case MM_PS:
		looks_at(op, start, end);
		touches(op, start, end, MM_ENTRIES, MM_INSTALLS);
		break;
	default:
		looks_at(op, start, end);
		break;
	}
}

static bool conflict(const struct mm_footprint *a, const struct mm_footprint *b,
		     unsigned int but)
{
	for (unsigned int i = 0; i < a->nr; i++) {
		const struct mm_extent *x = &a->extents[i];

		if (x->aspect == but)
			continue;
		for (unsigned int k = 0; k < b->nr; k++) {
			const struct mm_extent *y = &b->extents[k];

			if (x->aspect == y->aspect &&
			    (x->touch == MM_CHANGES || y->touch == MM_CHANGES ||
			     x->touch != y->touch) &&
			    mm_overlap(x->start, x->end, y->start, y->end))
				return true;
		}
	}
	return false;
}

bool mm_footprints_conflict(const struct mm_footprint *a,
			    const struct mm_footprint *b)
{
	return conflict(a, b, MM_NR_ASPECTS);
}

bool mm_structure_conflict(const struct mm_footprint *a,
			   const struct mm_footprint *b)
{
	return conflict(a, b, MM_ENTRIES);
}

/* ---- Names ---- */

const char *mm_kind_name(enum mm_kind kind)
{
	static const char *const names[] = {
#define MM_KIND_TEXT(name, text)	[MM_##name] = text,
		MM_KINDS(MM_KIND_TEXT)
	};

	return (unsigned int)kind < MM_NR_KINDS ? names[kind] : "?";
}

const char *mm_result_text(int64_t result, char *text, size_t size)
{
	if (result == MM_SEGV_MAPERR)
		snprintf(text, size, "-SEGV_MAPERR");
	else if (result == MM_SEGV_ACCERR)
		snprintf(text, size, "-SEGV_ACCERR");
	else if (result == MM_SIGBUS)
		snprintf(text, size, "-SIGBUS");
	else if (result < 0 && strerrorname_np((int)-result))
		snprintf(text, size, "-%s", strerrorname_np((int)-result));
	else if (result < 0)
		snprintf(text, size, "%" PRId64, result);
	else if (result == 0)
		snprintf(text, size, "0");
	else
		snprintf(text, size, "0x%" PRIx64, (uint64_t)result);
	return text;
}
