/*
 * pick.c - the address that nobody named: gaps, hints and pending markers
 *
 * The search goes from the top down, skips the markers of those who have chosen
 * but not yet mapped, and takes a hint if it is free.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>

#include "minimm/env/atomic.h"
#include "minimm/env/planted.h"
#include "minimm/mm/space.h"

#define HUGE		(UINT64_C(2) << 20)
#define LOW_2G_START	UINT64_C(0x40000000)
#define LOW_2G_END	UINT64_C(0x80000000)

bool mm_op_picks(const struct mm_op *op)
{
	if (op->kind == MM_MMAP)
		return !(op->flags & (MM_MAP_FIXED | MM_MAP_NOREPLACE));
	return op->kind == MM_MREMAP && (op->flags & MM_REMAP_MAYMOVE) &&
	       !(op->flags & MM_REMAP_FIXED);
}

/* Among the second GiB, or at a hint below its end? */
static bool is_low(const struct mm_op *op)
{
	return op->kind == MM_MMAP && op->flags & MM_MAP_32BIT;
}

static uint64_t wanted_size(const struct mm_op *op)
{
	return mm_page_up(op->kind == MM_MREMAP ? op->new_len : op->len);
}

/* As rl_occupied_fn: if anything is in the way, everything down (or up) to the
 * next gap that is large enough. */
static int occupied(void *arg, uint64_t start, uint64_t end,
		    uint64_t *hit_start, uint64_t *hit_end)
{
	struct mm *mm = arg;
	const struct mm_vma *vma = mm_index_find(&mm->index, start);
	uint64_t top;

	if (!vma || mm_vma_low(vma) >= end)
		return 0;
	top = mm_index_gap_below(&mm->index, 0, end, end - start);
	*hit_start = top && top < end ? top : 0;
	*hit_end = end;
	return 1;
}

static int occupied_upwards(void *arg, uint64_t start, uint64_t end,
			    uint64_t *hit_start, uint64_t *hit_end)
{
	struct mm *mm = arg;
	uint64_t low = mm_index_gap_above(&mm->index, start, MM_TASK_SIZE,
					  end - start);

	if (low == start)
		return 0;
	*hit_start = start;
	*hit_end = low;
	return 1;
}

/* Is [addr, addr + size) below top and free, for a hint? */
static bool hint_is_free(struct mm *mm, uint64_t addr, uint64_t size,
			 uint64_t top)
{
	struct rl_gap_query query = {
		.low = addr, .high = addr + size, .size = size,
		.end = RL_HIGHEST, .occupied = occupied, .arg = mm,
	};
	uint64_t start;

	if (addr == 0 || size > top || addr > top - size)
		return false;
	if (MM_PLANTED(PICK_IGNORES_MARKER))
		return !occupied(mm, addr, addr + size, &start, &start);
	return rl_pending_find_gap(&mm->pending, &query, &start) == 0;
}

static uint64_t rounded_hint(const struct mm_op *op)
{
	uint64_t hint = mm_page_down(op->addr);

	if (op->kind == MM_MREMAP)
		return op->flags & MM_REMAP_DONTUNMAP ? op->new_addr : 0;
	return hint != 0 && hint < MM_HINT_MIN ? MM_HINT_MIN : hint;
}

/* Private anonymous memory of whole huge pages lies where huge pages can be. */
static bool suits_huge_pages(struct mm *mm, const struct mm_op *op,
			     uint64_t size)
{
	const struct mm_vma *vma;

	if (size % HUGE != 0 || size > MM_TASK_SIZE - HUGE || rounded_hint(op))
		return false;
	if (op->kind == MM_MMAP)
		return op->flags & MM_MAP_ANONYMOUS &&
		       (op->flags & MM_MAP_TYPE) != MM_MAP_SHARED;
	vma = mm_index_find(&mm->index, op->addr);
	return vma && vma->start <= op->addr && !vma->file;
}

/* A gap of size, or 0. */
static uint64_t search(struct mm *mm, const struct mm_op *op, uint64_t size)
{
	struct rl_gap_query query = {
		.low = mm->config.low, .high = mm->config.mmap_top,
		.size = size, .align = MM_PAGE_SIZE, .end = RL_HIGHEST,
		.occupied = occupied, .arg = mm,
	};
	uint64_t start;

	if (is_low(op)) {
		query.low = LOW_2G_START;
		query.high = LOW_2G_END;
		query.end = RL_LOWEST;
		query.occupied = occupied_upwards;
	}
	if (MM_PLANTED(PICK_IGNORES_MARKER)) {
		start = mm_index_gap_below(&mm->index, query.low, query.high,
					   size);
		return start ? start - size : 0;
	}
	if (suits_huge_pages(mm, op, size)) {
		query.size = size + HUGE;
		if (rl_pending_find_gap(&mm->pending, &query, &start) == 0)
			return start + HUGE - start % HUGE;
		query.size = size;
	}
	return rl_pending_find_gap(&mm->pending, &query, &start) == 0 ? start : 0;
}

static uint64_t choose(struct mm *mm, const struct mm_op *op, uint64_t size)
{
	uint64_t hint = rounded_hint(op);
	uint64_t top = is_low(op) ? LOW_2G_END : MM_TASK_SIZE;

	if (op->answer)
		return op->answer;
	if (hint && hint_is_free(mm, hint, size, top))
		return hint;
	return search(mm, op, size);
}

int mm_pick_address(struct mm *mm, struct mm_op *op, bool mark)
{
	uint64_t size = wanted_size(op);
	int error = 0;

	op->target = 0;
	if (size == 0 || size > MM_TASK_SIZE)
		return 0;
	mm_short_lock(mm, op);
	op->target = choose(mm, op, size);
	if (op->target && mark) {
		op->pending = (struct rl_pending)RL_PENDING_INIT;
		error = rl_pending_mark(&mm->pending, &op->pending,
					RL_PENDING_MAP, op->target,
					op->target + size);
		op->is_marked = error == 0;
		if (error && !op->answer && !MM_PLANTED(PICK_IGNORES_MARKER))
			mm_violation(mm, op, "I7 a pending range was found free");
	}
	mm_short_unlock(mm, op);
	mm_op_footprint(op);
	return error ? -EBUSY : 0;
}

void mm_unpick(struct mm *mm, struct mm_op *op)
{
	if (!op->is_marked)
		return;
	mm_short_lock(mm, op);
	op->is_marked = false;
	rl_pending_abandon(&op->pending);
	mm_short_unlock(mm, op);
}

bool mm_pick_stands(struct mm *mm, const struct mm_op *op)
{
	(void)mm;
	return !op->is_marked || rl_pending_still(&op->pending);
}

bool mm_settle_marker(struct mm *mm, struct mm_op *op, uint64_t start,
		      uint64_t end)
{
	bool stood = true;

	if (op->is_marked) {
		op->is_marked = false;
		stood = rl_pending_commit(&op->pending) == 0;
		if (MM_PLANTED(MAP_IGNORES_LOST_MARKER))
			stood = true;
	}
	if (stood)
		rl_pending_supersede(&mm->pending, start, end);
	return stood;
}
