/*
 * fine.c - the begin functions of operations that lock ranges
 *
 * The pattern is one: look, lock the range that the look asks for, look again,
 * and if the answer has changed start over.  What may change between the looks:
 * a driver that wants everything locked has come into the range; an mremap has
 * lost or got the room to grow in; the heap's end has moved.  Who holds all
 * (a coarse site) needs no second look: nothing can have changed since.
 *
 * Nothing is said here of neighbours.  A merge or a split at the range's edges
 * replaces records that reach beyond it, but no byte out there changes its
 * attributes, and records are replaced under the short lock alone.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/scheme/fine.h"

#include "minimm/env/planted.h"

static uint64_t page_up(uint64_t length)
{
	return (length + MM_PAGE_SIZE - 1) & MM_PAGE_MASK;
}

void fine_lock_all(struct mm *mm, struct mm_op *op, enum rl_mode mode)
{
	mm_lock(mm, op, 0, mm_kind_site(op->kind), mode, 0, RL_END);
}

void fine_begin_all(struct mm *mm, struct mm_op *op)
{
	fine_lock_all(mm, op, RL_WRITE);
}

bool fine_lock_span(struct mm *mm, struct mm_op *op, enum rl_mode mode)
{
	uint64_t start, end;

	if (!mm_op_span(mm, op, &start, &end))
		return false;
	mm_lock(mm, op, 0, mm_kind_site(op->kind), mode, start, end);
	return true;
}

/* A choice that cannot be kept: the next one is made afresh. */
static void give_up_choice(struct mm *mm, struct mm_op *op)
{
	mm_unpick(mm, op);
	op->target = 0;
}

void fine_fall_back(struct mm *mm, struct mm_op *op, enum rl_mode mode,
		    const char *why)
{
	mm_unlock_all(mm, op);
	give_up_choice(mm, op);
	mm_fell_back(mm, op, why);
	op->is_coarse = true;
	fine_lock_all(mm, op, mode);
}

void fine_abort(struct mm *mm, struct mm_op *op, const char *why)
{
	mm_unlock_all(mm, op);
	give_up_choice(mm, op);
	mm_aborted(mm, op, why);
}

static const char driver[] = "a driver wants everything";

/* ---- One range ---- */

static void begin_span(struct mm *mm, struct mm_op *op, enum rl_mode mode)
{
	uint64_t start, end;

	if (!mm_op_span(mm, op, &start, &end))
		return;
	if (op->is_coarse || !mm_range_is_fine(mm, start, end)) {
		fine_lock_all(mm, op, mode);
		return;
	}
	mm_lock(mm, op, 0, mm_kind_site(op->kind), mode, start, end);
	if (!MM_PLANTED(FINE_NO_DRIVER_RECHECK) && !mm_holds_all(op) &&
	    !mm_range_is_fine(mm, start, end))
		fine_fall_back(mm, op, mode, driver);
}

void fine_begin_write(struct mm *mm, struct mm_op *op)
{
	bool reads = MM_PLANTED(UNMAP_READS) && op->kind == MM_MUNMAP;

	begin_span(mm, op, reads ? RL_READ : RL_WRITE);
}

void fine_begin_read(struct mm *mm, struct mm_op *op)
{
	begin_span(mm, op, RL_READ);
}

void fine_begin_madvise(struct mm *mm, struct mm_op *op)
{
	bool clears = op->advice == MM_ADV_DONTNEED || op->advice == MM_ADV_FREE;

	begin_span(mm, op, clears ? RL_READ : RL_WRITE);
}

/* ---- mmap ---- */

bool fine_target_is_fine(struct mm *mm, const struct mm_op *op)
{
	return mm_range_is_fine(mm, op->target, op->target + page_up(op->len));
}

/* Lock what the answer will be; everything if there is none.  Returns: is there
 * one? */
static bool lock_answer(struct mm *mm, struct mm_op *op)
{
	uint64_t start = op->answer & MM_PAGE_MASK;
	uint64_t end = start + page_up(op->len);
	bool known = op->answer && start < end;

	mm_lock(mm, op, 0, MM_SITE_MMAP, RL_WRITE, known ? start : 0,
		known ? end : RL_END);
	return known;
}

static const char no_room[] = "no room was found";

/* Returns NULL if op has its range, else why not. */
static const char *try_map_unknown(struct mm *mm, struct mm_op *op)
{
	if (mm_pick_address(mm, op, true)) {
		/* The answer is still being unmapped, or promised to another:
		 * wait for him, whose range is locked. */
		lock_answer(mm, op);
		return "the address is pending";
	}
	if (!fine_lock_span(mm, op, RL_WRITE))
		return no_room;
	if (!MM_PLANTED(FINE_MAP_IGNORES_MARKER) && !mm_pick_stands(mm, op))
		return "the marker was lost";
	return fine_target_is_fine(mm, op) ? NULL : driver;
}

static void map_unknown(struct mm *mm, struct mm_op *op)
{
	const char *why = NULL;

	for (unsigned int i = 0;
	     i < FINE_TRIES && why != no_room && why != driver; i++) {
		if (why)
			fine_abort(mm, op, why);
		why = try_map_unknown(mm, op);
		if (!why)
			return;
	}
	fine_fall_back(mm, op, RL_WRITE, why);
}

static bool driver_is_fine(const struct mm_op *op)
{
	if (op->flags & MM_MAP_ANONYMOUS || !op->file)
		return true;
	return op->file->ops->fine_is_fine;
}

void fine_begin_mmap(struct mm *mm, struct mm_op *op)
{
	bool picks = mm_op_picks(op);

	if (op->is_coarse || !driver_is_fine(op))
		fine_lock_all(mm, op, RL_WRITE);
	else if (picks && rl_site_grain(mm_site_of(MM_SITE_MMAP)) != RL_FINE)
		lock_answer(mm, op);
	else if (picks)
		map_unknown(mm, op);
	else
		fine_begin_write(mm, op);
}

/* ---- Faults ---- */

static bool wants_everything(struct mm *mm, const struct mm_op *op)
{
	struct mm_vma vma;

	return mm_find_vma(mm, op->addr, &vma) && !mm_vma_is_fine(&vma);
}

void fine_begin_fault(struct mm *mm, struct mm_op *op)
{
	uint64_t start, end;

	if (op->is_coarse || wants_everything(mm, op)) {
		fine_lock_all(mm, op, RL_READ);
		return;
	}
	fine_fault_window(mm, op, &start, &end);
	if (MM_PLANTED(FINE_FAULT_WRONG_PAGE)) {
		start += MM_PAGE_SIZE;
		end += MM_PAGE_SIZE;
	}
	mm_lock(mm, op, 0, MM_SITE_FAULT, RL_READ, start, end);
	if (!MM_PLANTED(FINE_NO_DRIVER_RECHECK) && !mm_holds_all(op) &&
	    wants_everything(mm, op))
		fine_fall_back(mm, op, RL_READ, "a driver wants everything");
}

/* From the address up to the stack above it, or a page if there is none. */
static uint64_t end_of_growth(struct mm *mm, uint64_t start)
{
	struct mm_vma above;

	if (mm_find_vma_after(mm, start, &above) && above.start > start)
		return above.start;
	return start + MM_PAGE_SIZE;
}

void fine_grow(struct mm *mm, struct mm_op *op)
{
	enum rl_mode mode = MM_PLANTED(FINE_GROW_READS) ? RL_READ : RL_WRITE;
	uint64_t start = op->addr & MM_PAGE_MASK, end;

	mm_unlock_all(mm, op);
	if (op->nr_aborts >= FINE_TRIES) {
		mm_lock(mm, op, 0, MM_SITE_GROW, mode, 0, RL_END);
		op->grow_end = 0;
		return;
	}
	end = end_of_growth(mm, start);
	mm_lock(mm, op, 0, MM_SITE_GROW, mode, start, end);
	op->grow_end = mm_holds_all(op) ? 0 : end;
}

/* ---- mremap ---- */

/* The end of a place, whatever the arguments say: a page at least. */
static uint64_t end_of(uint64_t start, uint64_t length)
{
	if (start >= RL_END - MM_TASK_SIZE)
		return RL_END;
	if (length > MM_TASK_SIZE)
		length = MM_TASK_SIZE;
	return start + (length ? page_up(length) : MM_PAGE_SIZE);
}

static uint64_t old_end(const struct mm_op *op)
{
	return end_of(op->addr, op->len);
}

static uint64_t new_end(const struct mm_op *op, uint64_t target)
{
	return end_of(target, op->new_len);
}

/* Both ranges of a move; their union if they overlap (then it fails, later). */
static void lock_move(struct mm *mm, struct mm_op *op, uint64_t target)
{
	uint64_t low = op->addr < target ? op->addr : target;
	uint64_t end = new_end(op, target);

	if (mm_overlap(op->addr, old_end(op), target, end))
		mm_lock(mm, op, 0, MM_SITE_MREMAP, RL_WRITE, low,
			old_end(op) > end ? old_end(op) : end);
	else if (MM_PLANTED(FINE_MREMAP_ONE_RANGE))
		mm_lock(mm, op, 0, MM_SITE_MREMAP, RL_WRITE, op->addr,
			old_end(op));
	else
		mm_lock_two(mm, op, MM_SITE_MREMAP, op->addr, old_end(op),
			    target, end);
}

/* Are all mappings that it touches fine with a range? */
static bool remap_is_fine(struct mm *mm, const struct mm_op *op,
			  uint64_t target)
{
	return mm_range_is_fine(mm, op->addr, old_end(op)) &&
	       (!target || mm_range_is_fine(mm, target, new_end(op, target)));
}

/* Where it moves to: a fixed address, or one that is picked and marked. */
static const char *choose_target(struct mm *mm, struct mm_op *op,
				 uint64_t *target)
{
	*target = op->new_addr;
	if (!mm_op_picks(op))
		return NULL;
	if (mm_pick_address(mm, op, true))
		return "the address is pending";
	*target = op->target;
	return *target ? NULL : no_room;
}

/* Returns NULL if op is locked as its plan needs it, else why not. */
static const char *try_mremap(struct mm *mm, struct mm_op *op)
{
	struct mm_remap_plan plan = mm_plan_remap(mm, op), now;
	uint64_t target = op->answer;
	const char *why = NULL;

	if (plan.fits || (plan.fails && !op->answer)) {
		uint64_t end = new_end(op, op->addr);

		mm_lock(mm, op, 0, MM_SITE_MREMAP, RL_WRITE, op->addr,
			end > old_end(op) ? end : old_end(op));
		op->target = plan.fits ? op->addr : 0;
		target = 0;
	} else {
		if (!plan.fails)
			why = choose_target(mm, op, &target);
		if (why)
			return why;
		lock_move(mm, op, target);
	}
	if (mm_holds_all(op)) {
		if (plan.fits || !mm_pick_stands(mm, op))
			give_up_choice(mm, op);
		return NULL;
	}
	now = mm_plan_remap(mm, op);
	if (now.fails != plan.fails || now.fits != plan.fits)
		return "the room to grow in changed";
	if (!mm_pick_stands(mm, op))
		return "the marker was lost";
	return remap_is_fine(mm, op, target) ? NULL : "a driver wants everything";
}

void fine_begin_mremap(struct mm *mm, struct mm_op *op)
{
	uint64_t target = op->flags & MM_REMAP_FIXED ? op->new_addr : 0;
	const char *why = NULL;

	if (op->is_coarse || !remap_is_fine(mm, op, target)) {
		fine_lock_all(mm, op, RL_WRITE);
		return;
	}
	for (unsigned int i = 0; i < FINE_TRIES && why != no_room; i++) {
		if (why)
			fine_abort(mm, op, why);
		why = try_mremap(mm, op);
		if (!why)
			return;
	}
	fine_fall_back(mm, op, RL_WRITE, why);
}

/* ---- brk ---- */

static void lock_break(struct mm *mm, struct mm_op *op, bool moves,
		       uint64_t start, uint64_t end)
{
	if (MM_PLANTED(FINE_BRK_NO_BYTE) && moves)
		mm_lock(mm, op, 0, MM_SITE_BRK, RL_WRITE, start, end);
	else if (moves)
		mm_lock_two(mm, op, MM_SITE_BRK, start, end, FINE_BREAK_BYTE,
			    FINE_BREAK_BYTE + 1);
	else
		mm_lock(mm, op, 0, MM_SITE_BRK, RL_WRITE, FINE_BREAK_BYTE,
			FINE_BREAK_BYTE + 1);
}

/* Returns: true if op has what it needs. */
static bool try_brk(struct mm *mm, struct mm_op *op, uint64_t start,
		    uint64_t end, bool moves)
{
	uint64_t start_now, end_now;

	lock_break(mm, op, moves, start, end);
	if (moves != mm_op_span(mm, op, &start_now, &end_now) && !mm_holds_all(op))
		return false;
	if (!moves || mm_holds_all(op))
		return true;
	return start == start_now && end == end_now &&
	       mm_range_is_fine(mm, start, end);
}

void fine_begin_brk(struct mm *mm, struct mm_op *op)
{
	uint64_t start = 0, end = 0;

	for (unsigned int i = 0; i < FINE_TRIES && !op->is_coarse; i++) {
		bool moves = mm_op_span(mm, op, &start, &end);

		if (moves && !mm_range_is_fine(mm, start, end))
			break;
		if (try_brk(mm, op, start, end, moves)) {
			mm_op_footprint(op);
			return;
		}
		fine_abort(mm, op, "the break moved");
	}
	fine_lock_all(mm, op, RL_WRITE);
	mm_op_span(mm, op, &start, &end);
	mm_op_footprint(op);
}

/* ---- maps ---- */

void fine_begin_maps(struct mm *mm, struct mm_op *op)
{
	fine_lock_span(mm, op, RL_READ);
}

void fine_maps_next(struct mm *mm, struct mm_op *op)
{
	mm_unlock_all(mm, op);
	fine_lock_span(mm, op, RL_READ);
}

/* ---- The rest ---- */

void fine_fault_window(const struct mm *mm, const struct mm_op *op,
		       uint64_t *start, uint64_t *end)
{
	uint64_t window = mm->config.fault_window ? mm->config.fault_window
						  : mm->scheme->fault_window;

	if (window < MM_PAGE_SIZE)
		window = MM_PAGE_SIZE;
	if (window >= MM_TASK_SIZE) {
		*start = 0;
		*end = RL_END;
		return;
	}
	*start = op->addr & ~(window - 1);
	*end = *start + window;
	if (*end <= *start)
		*end = RL_END;
}

void fine_downgrade(struct mm *mm, struct mm_op *op)
{
	if (op->locks[0].held)
		mm_downgrade(mm, op, 0);
}

void fine_end(struct mm *mm, struct mm_op *op)
{
	mm_unlock_all(mm, op);
}

void fine_set_grains(const enum mm_site *fine, unsigned int n)
{
	fine_set_all(RL_COARSE);
	for (unsigned int i = 0; i < n; i++)
		mm_site_grain(fine[i], RL_FINE);
}

void fine_set_all(enum rl_grain grain)
{
	for (unsigned int i = 0; i < MM_NR_SITES; i++)
		mm_site_grain((enum mm_site)i, grain);
}
