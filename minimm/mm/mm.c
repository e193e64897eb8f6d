/*
 * mm.c - an address space: made, ended, looked at, and the way into operations
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/mm/mm.h"

#include <errno.h>
#include <stdlib.h>

#include "minimm/env/atomic.h"
#include "minimm/env/memory.h"
#include "minimm/env/rcu.h"
#include "minimm/mm/space.h"
#include "minimm/pt/pt.h"

static const struct mm_scheme no_scheme = { .name = "(none)" };

static struct mm_config with_defaults(const struct mm_config *given)
{
	struct mm_config c = *given;

	if (!c.scheme)
		c.scheme = &no_scheme;
	if (!c.low)
		c.low = MM_DEFAULT_LOW;
	if (!c.mmap_top)
		c.mmap_top = MM_DEFAULT_TOP;
	if (!c.brk_start)
		c.brk_start = MM_DEFAULT_BREAK;
	if (!c.fault_window)
		c.fault_window = c.scheme->fault_window;
	if (!c.fault_window)
		c.fault_window = MM_PAGE_SIZE;
	if (!c.stack_limit)
		c.stack_limit = MM_STACK_LIMIT;
	if (!c.commit_pages)
		c.commit_pages = MM_NO_LIMIT;
	if (!c.memlock_limit)
		c.memlock_limit = MM_NO_LIMIT;
	if (!c.map_count_max)
		c.map_count_max = MM_MAP_COUNT_MAX;
	return c;
}

static int init_locks(struct mm *mm)
{
	struct rl_options options = RL_OPTIONS_INIT;
	int error;

	options.host = mm->env ? mm->env->host : NULL;
	options.name = "mm->lock";
	/* Its locks have an order; and who forgot a wake shall be found. */
	options.deadlock_ns = 0;
	options.bypass_ns = mm->scheme->bypass_ns;
	options.chunk_size = mm->scheme->chunk_size;
	error = rl_init(&mm->lock, &options);
	if (error)
		return error;
	options.name = "mm->vma_lock";
	options.bypass_ns = 0;
	options.chunk_size = 0;
	error = rl_init(&mm->vma_lock, &options);
	if (error)
		rl_destroy(&mm->lock);
	return error;
}

static struct mm *create(const struct mm_config *config)
{
	struct mm *mm = aligned_alloc(_Alignof(struct mm), sizeof(*mm));

	if (!mm)
		return NULL;
	*mm = (struct mm){ .config = with_defaults(config) };
	mm->scheme = mm->config.scheme;
	mm->env = config->env;
	mm->observer = config->observer;
	mm->brk = mm->config.brk_start;
	mm_index_init(&mm->index);
	if (init_locks(mm) != 0) {
		free(mm);
		return NULL;
	}
	if (mm->scheme->init && mm->scheme->init(mm) != 0) {
		rl_destroy(&mm->vma_lock);
		rl_destroy(&mm->lock);
		free(mm);
		return NULL;
	}
	return mm;
}

struct mm *mm_create(const struct mm_config *config)
{
	struct mm *mm;

	if (!mm_memory_open())
		return NULL;
	mm = create(config);
	if (!mm)
		mm_memory_close();
	return mm;
}

void mm_destroy(struct mm *mm)
{
	if (!mm)
		return;
	if (mm->scheme->fini)
		mm->scheme->fini(mm);
	mm_index_destroy(&mm->index);
	mm_pt_destroy(mm->root);
	for (uint32_t i = 0; i < mm->nr_files; i++)
		mm_file_put(mm->files[i]);
	free(mm->files);
	rl_destroy(&mm->vma_lock);
	rl_destroy(&mm->lock);
	free(mm);
	mm_memory_close();
}

void mm_run(struct mm *mm, struct mm_op *op)
{
	static void (*const run[MM_NR_KINDS])(struct mm *, struct mm_op *) = {
		[MM_MMAP] = mm_run_map,
		[MM_MUNMAP] = mm_run_unmap,
		[MM_MPROTECT] = mm_run_protect,
		[MM_MREMAP] = mm_run_remap,
		[MM_BRK] = mm_run_brk,
		[MM_MADVISE] = mm_run_advise,
		[MM_MLOCK] = mm_run_lock,
		[MM_MUNLOCK] = mm_run_lock,
		[MM_FAULT] = mm_run_fault,
		[MM_FORK] = mm_run_fork,
		[MM_EXIT] = mm_run_exit,
		[MM_MAPS] = mm_run_maps,
		[MM_PS] = mm_run_ps,
	};

	op->result = 0;
	op->target = 0;
	if (!mm_memory_suffices()) {
		op->result = -ENOMEM;
		return;
	}
	mm_op_footprint(op);
	mm_spend(mm, op, op->kind == MM_FAULT ? MM_COST_FAULT : MM_COST_SYSCALL, 1);
	run[op->kind](mm, op);
	if (op->short_depth != 0 || op->locks[0].held || op->locks[1].held ||
	    op->pair.held)
		mm_violation(mm, op, "I17 an operation ends with a lock held");
	if (op->is_marked)
		mm_violation(mm, op, "I7 an operation ends with its marker up");
}

/* ---- Looking ---- */

static bool copy_found(const struct mm_vma *found, struct mm_vma *copy)
{
	if (!found)
		return false;
	*copy = mm_vma_read(found);
	return true;
}

bool mm_find_vma_after(struct mm *mm, uint64_t addr, struct mm_vma *copy)
{
	bool found;

	mm_rcu_read_lock();
	found = copy_found(mm_index_find(&mm->index, addr), copy);
	mm_rcu_read_unlock();
	return found;
}

bool mm_find_vma(struct mm *mm, uint64_t addr, struct mm_vma *copy)
{
	return mm_find_vma_after(mm, addr, copy) && copy->start <= addr;
}

bool mm_look_up(struct mm *mm, struct mm_op *op, uint64_t addr,
		struct mm_vma *vma)
{
	mm_spend(mm, op, MM_COST_VMA_LOOKUP, 1);
	return mm_find_vma(mm, addr, vma);
}

bool mm_range_is_free(struct mm *mm, uint64_t start, uint64_t end)
{
	struct mm_vma vma;

	return !mm_find_vma_after(mm, start, &vma) || vma.start >= end;
}

struct fine_walk {
	uint64_t end;
	bool is_fine;
};

static bool stays_fine(void *arg, const struct mm_vma *vma)
{
	struct fine_walk *walk = arg;

	if (vma->start >= walk->end)
		return false;
	walk->is_fine = mm_vma_is_fine(vma);
	return walk->is_fine;
}

bool mm_range_is_fine(struct mm *mm, uint64_t start, uint64_t end)
{
	struct fine_walk walk = { .end = end, .is_fine = true };

	mm_rcu_read_lock();
	mm_index_visit(&mm->index, start, stays_fine, &walk);
	mm_rcu_read_unlock();
	return walk.is_fine;
}

bool mm_op_span(struct mm *mm, struct mm_op *op, uint64_t *start, uint64_t *end)
{
	if (op->kind == MM_BRK)
		op->old_break = mm_load_relaxed(&mm->brk);
	if (!mm_op_range(op, start, end))
		return false;
	op->start = *start;
	op->end = *end;
	return true;
}

uint32_t mm_nr_vmas(struct mm *mm)
{
	return mm_load32_relaxed(&mm->index.nr_vmas);
}

struct plain_visit {
	void (*visit)(void *, const struct mm_vma *);
	void *arg;
};

static bool visit_on(void *arg, const struct mm_vma *vma)
{
	struct plain_visit *v = arg;

	v->visit(v->arg, vma);
	return true;
}

void mm_visit_vmas(struct mm *mm, void (*visit)(void *, const struct mm_vma *),
		   void *arg)
{
	struct plain_visit v = { .visit = visit, .arg = arg };

	mm_rcu_read_lock();
	mm_index_visit(&mm->index, 0, visit_on, &v);
	mm_rcu_read_unlock();
}

/* ---- Files ---- */

void mm_file_init(struct mm_file *file, uint64_t id, uint64_t nr_pages,
		  const struct mm_vm_ops *ops)
{
	*file = (struct mm_file){ .id = id, .nr_pages = nr_pages, .ops = ops,
				  .nr_users = 1 };
}

struct mm_file *mm_file_create(uint64_t id, uint64_t nr_pages,
			       const struct mm_vm_ops *ops)
{
	struct mm_file *file = malloc(sizeof(*file));

	if (file)
		mm_file_init(file, id, nr_pages, ops);
	return file;
}

void mm_file_put(struct mm_file *file)
{
	/* (M3) release: what this user did.  (M3) acquire: by the last one,
	 * before it frees. */
	if (mm_sub32_acq_rel(&file->nr_users, 1) == 1)
		free(file);
}

void mm_hold_file(struct mm *mm, struct mm_file *file)
{
	struct mm_file **files = mm->files;

	for (uint32_t i = mm->nr_files; i-- > 0;)
		if (files[i] == file)
			return;
	/* Room grows by powers of two. */
	if ((mm->nr_files & (mm->nr_files - 1)) == 0) {
		size_t room = mm->nr_files ? 2 * (size_t)mm->nr_files : 1;

		files = mm_realloc(files, mm->nr_files * sizeof(*files),
				   room * sizeof(*files));
		mm->files = files;
	}
	mm_add32_relaxed(&file->nr_users, 1);
	files[mm->nr_files++] = file;
}
