/*
 * world.c - the address spaces and files of a replay, and where it stands
 *
 * Before time begins each part gets its older mappings, and what the steps
 * before its first one have left.  That costs nothing and is not counted: those
 * operations have no owner.
 */
#include "minimm/replay/world.h"

#include <stdlib.h>
#include <string.h>

static struct mm *create_space(struct mm_world *world, uint32_t space)
{
	uint64_t nr_parts = world->replay->layout->nr_parts;
	struct mm_config config = {
		.scheme = world->scheme,
		.env = &world->env.env,
		.observer = &world->observer,
		.low = MM_PAGE_SIZE,
		.mmap_top = MM_TASK_SIZE,
		.map_count_max = (uint32_t)(MM_MAP_COUNT_MAX * nr_parts),
	};

	if (nr_parts == 1)
		config.brk_start = world->plan->inferred.first_break[space];
	return mm_create(&config);
}

static int create_spaces(struct mm_world *world)
{
	const struct mm_recording *rec = world->plan->rec;

	world->shared = calloc(rec->nr_spaces + 1, sizeof(struct mm *));
	if (!world->shared)
		return -1;
	for (uint32_t i = 0; i < rec->nr_spaces; i++) {
		if (rec->spaces[i].parent != MM_NONE)
			continue;
		world->shared[i] = create_space(world, i);
		if (!world->shared[i])
			return -1;
	}
	return 0;
}

static const struct mm_vm_ops *file_ops(const struct mm_world *world)
{
	switch (world->replay->files) {
	case MM_FILES_FINE:
		return &mm_fine_file_ops;
	case MM_FILES_COARSE:
		return &mm_file_ops;
	default:
		return world->scheme->files_are_fine ? &mm_fine_file_ops :
						       &mm_file_ops;
	}
}

static int create_files(struct mm_world *world)
{
	const struct mm_plan *plan = world->plan;

	world->files = calloc(plan->nr_files + 1, sizeof(struct mm_file *));
	world->touched = calloc((size_t)plan->nr_file_pages + 1,
				sizeof(*world->touched));
	if (!world->files || !world->touched)
		return -1;
	for (uint32_t i = 0; i < plan->nr_files; i++) {
		world->files[i] = mm_file_create(plan->files[i], UINT64_MAX,
						 file_ops(world));
		if (!world->files[i])
			return -1;
	}
	return 0;
}

static int create_parts(struct mm_world *world)
{
	const struct mm_layout *layout = world->replay->layout;
	size_t nr_spaces = world->plan->rec->nr_spaces;

	world->parts = calloc(layout->nr_parts, sizeof(*world->parts));
	if (!world->parts)
		return -1;
	for (uint32_t i = 0; i < layout->nr_parts; i++) {
		struct mm_run_part *part = &world->parts[i];
		size_t nr_steps = layout->parts[i].to - layout->parts[i].from;

		part->layout = &layout->parts[i];
		part->index = i;
		part->spaces = calloc(nr_spaces + 1, sizeof(struct mm *));
		part->done = calloc(nr_steps + 1, sizeof(*part->done));
		if (!part->spaces || !part->done)
			return -1;
		memcpy(part->spaces, world->shared,
		       nr_spaces * sizeof(struct mm *));
		if (part->layout->follows)
			world->parts[i - 1].next = part;
		world->nr_to_do += nr_steps;
	}
	return 0;
}

static void map_older(struct mm_world *world, struct mm_run_part *part,
		      const struct mm_older *older)
{
	struct mm_op op;
	uint64_t start = mm_moved(older->start, part->layout->offset);

	memset(&op, 0, sizeof(op));
	op.kind = MM_MMAP;
	op.addr = start;
	op.len = older->end - older->start;
	op.prot = older->prot;
	op.flags = MM_MAP_PRIVATE | MM_MAP_FIXED;
	if (older->file) {
		op.file = world->files[0];
		op.offset = older->start;
	} else {
		op.flags |= MM_MAP_ANONYMOUS;
	}
	if (older->grows_down)
		op.flags |= MM_MAP_GROWSDOWN;
	mm_run(part->spaces[older->space], &op);
	if (op.result != (int64_t)start)
		world->result->nr_older_refused++;
}

/* The page cache is warm after what ran before the part. */
static void run_silently(struct mm_world *world, struct mm_run_part *part)
{
	struct mm_op op;

	for (uint32_t i = 0; i < part->layout->from; i++) {
		const struct mm_step *step = &world->plan->steps[i];

		if (!mm_world_op(world, part, step, &op))
			continue;
		mm_run(part->spaces[step->space], &op);
		mm_world_forked(part, step, &op);
	}
}

int mm_world_open(struct mm_world *world)
{
	const struct mm_inferred *inferred = &world->plan->inferred;
	uint32_t nr_parts = world->replay->layout->nr_parts;

	if (create_spaces(world) || create_files(world) || create_parts(world))
		return -1;
	for (uint32_t i = 0; i < nr_parts; i++) {
		for (size_t k = 0; k < inferred->nr_older; k++)
			map_older(world, &world->parts[i], &inferred->older[k]);
		run_silently(world, &world->parts[i]);
	}
	return 0;
}

static void close_parts(struct mm_world *world)
{
	const struct mm_recording *rec = world->plan->rec;

	for (uint32_t i = 0; i < world->replay->layout->nr_parts; i++) {
		struct mm_run_part *part = &world->parts[i];

		for (size_t k = 0; part->spaces && k < rec->nr_spaces; k++) {
			if (rec->spaces[k].parent != MM_NONE &&
			    part->spaces[k])
				mm_destroy(part->spaces[k]);
		}
		free(part->spaces);
		free(part->done);
	}
}

void mm_world_close(struct mm_world *world)
{
	if (world->parts)
		close_parts(world);
	for (size_t i = 0; world->shared && i < world->plan->rec->nr_spaces;
	     i++) {
		if (world->shared[i])
			mm_destroy(world->shared[i]);
	}
	for (uint32_t i = 0; world->files && i < world->plan->nr_files; i++) {
		if (world->files[i])
			mm_file_put(world->files[i]);
	}
	free(world->parts);
	free(world->shared);
	free(world->files);
	free(world->touched);
}

/* There is one break a space, so copies move theirs by mmap and munmap, which is
 * what brk does.  False: the copy only asks where it is, which would meet the
 * other copies' questions at the one break there is. */
static bool break_of_copy(const struct mm_step *step, struct mm_op *op)
{
	uint64_t was = op->old_break, wanted = op->addr;

	was = (was + MM_PAGE_SIZE - 1) & MM_PAGE_MASK;
	wanted = (wanted + MM_PAGE_SIZE - 1) & MM_PAGE_MASK;
	if (!step->addr || was == wanted)
		return false;
	op->old_break = 0;
	if (wanted < was) {
		op->kind = MM_MUNMAP;
		op->addr = wanted;
		op->len = was - wanted;
		return true;
	}
	op->kind = MM_MMAP;
	op->addr = was;
	op->len = wanted - was;
	op->prot = MM_VM_READ | MM_VM_WRITE;
	op->flags = MM_MAP_PRIVATE | MM_MAP_ANONYMOUS | MM_MAP_FIXED;
	return true;
}

bool mm_world_op(struct mm_world *world, struct mm_run_part *part,
		 const struct mm_step *step, struct mm_op *op)
{
	if (step->what != MM_STEP_RUN || !part->spaces[step->space])
		return false;
	memset(op, 0, sizeof(*op));
	mm_step_op(step, part->layout->offset, op);
	if (step->file)
		op->file = world->files[step->file - 1];
	if (step->file_page != MM_NONE && !world->touched[step->file_page]) {
		world->touched[step->file_page] = true;
		op->needs_io = world->replay->cold;
	}
	return step->kind != MM_BRK || world->replay->layout->nr_parts == 1 ||
	       break_of_copy(step, op);
}

void mm_world_forked(struct mm_run_part *part, const struct mm_step *step,
		     struct mm_op *op)
{
	if (step->child_space != MM_NONE)
		part->spaces[step->child_space] = op->child;
}

unsigned int mm_world_check(struct mm_world *world)
{
	const struct mm_recording *rec = world->plan->rec;
	unsigned int nr = 0;

	for (size_t i = 0; i < rec->nr_spaces; i++) {
		if (rec->spaces[i].parent == MM_NONE) {
			nr += mm_check(world->shared[i]);
			continue;
		}
		for (uint32_t k = 0; k < world->replay->layout->nr_parts; k++) {
			if (world->parts[k].spaces[i])
				nr += mm_check(world->parts[k].spaces[i]);
		}
	}
	return nr;
}
