/*
 * names.c - words of the model as a person reads them
 */
#include <stdio.h>

#include "minimm/mm/mm.h"
#include "minimm/pt/pt.h"
#include "minimm/vma/node.h"
#include "tests/explore/minimm/memory.h"
#include "tests/explore/minimm/story.h"

static const struct mm *parent;
static const struct mm_op *ops;

struct field {
	size_t offset, size;
	const char *name;
};

#define FIELD(type, member)						\
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), \
	  #member }

static const struct field space_fields[] = {
	FIELD(mm, lock.next_seq), FIELD(mm, lock), FIELD(mm, vma_lock),
	FIELD(mm, pending.guard), FIELD(mm, pending),
	FIELD(mm, index.root), FIELD(mm, index.nr_vmas), FIELD(mm, index),
	FIELD(mm, root), FIELD(mm, brk), FIELD(mm, last_anon_id),
	FIELD(mm, nr_entries),
};

static const struct field op_fields[] = {
	FIELD(mm_op, locks[0].range.state), FIELD(mm_op, locks[0].range.granted),
	FIELD(mm_op, locks[0]), FIELD(mm_op, locks[1]),
	FIELD(mm_op, pair.ranges[0].state), FIELD(mm_op, pair),
	FIELD(mm_op, pending.state), FIELD(mm_op, pending),
	FIELD(mm_op, short_lock.range.state),
	FIELD(mm_op, short_lock.range.granted), FIELD(mm_op, short_lock),
};

static const struct field vma_fields[] = {
	FIELD(mm_vma, start), FIELD(mm_vma, end), FIELD(mm_vma, flags),
	FIELD(mm_vma, pgoff), FIELD(mm_vma, anon_id), FIELD(mm_vma, born),
};

static void name_field(char *text, size_t size, const char *whose,
		       const struct field *fields, size_t nr, size_t offset)
{
	for (size_t i = 0; i < nr; i++) {
		size_t in = offset - fields[i].offset;

		if (in >= fields[i].size)
			continue;
		if (in)
			snprintf(text, size, "%s%s+%u", whose, fields[i].name,
				 (unsigned int)in);
		else
			snprintf(text, size, "%s%s", whose, fields[i].name);
		return;
	}
	snprintf(text, size, "%s+%u", whose, (unsigned int)offset);
}

#define NAME_FIELD(whose, fields)					\
	name_field(text, sizeof(text), (whose), (fields),		\
		   sizeof(fields) / sizeof((fields)[0]), offset)

static void name_leaf(char *text, size_t size, const struct mm_leaf *leaf,
		      size_t offset)
{
	size_t entries = offsetof(struct mm_leaf, entries);

	if (offset == offsetof(struct mm_leaf, lock))
		snprintf(text, size, "leaf.lock");
	else if (offset >= entries)
		snprintf(text, size, "entry of @%ld",
			 ((long)leaf->base - (long)STORY_BASE) /
			 (long)MM_PAGE_SIZE + (long)((offset - entries) / 8));
	else
		snprintf(text, size, "leaf+%zu", offset);
}

void story_names(const struct mm *mm, const struct mm_op *of)
{
	parent = mm;
	ops = of;
}

const char *story_name_of(const void *at)
{
	static char text[128];
	char whose[48];
	size_t size = 0, offset;
	const void *block = ex_block_at(at, &size);

	if (!block)
		return NULL;
	offset = (size_t)((const char *)at - (const char *)block);
	if (block == ops) {
		size_t i = offset / sizeof(struct mm_op);

		offset %= sizeof(struct mm_op);
		snprintf(whose, sizeof(whose), "T%zu.op%zu.", i / STORY_TURNS,
			 i % STORY_TURNS);
		NAME_FIELD(whose, op_fields);
	} else if (size == sizeof(struct mm)) {
		NAME_FIELD(block == parent ? "mm->" : "child->", space_fields);
	} else if (size == sizeof(struct mm_vma)) {
		NAME_FIELD("vma.", vma_fields);
	} else if (size == sizeof(struct mm_index_node)) {
		snprintf(text, sizeof(text), "node+%zu", offset);
	} else if (size == sizeof(struct mm_leaf)) {
		name_leaf(text, sizeof(text), block, offset);
	} else if (size == MM_TABLE_ENTRIES * sizeof(void *)) {
		snprintf(text, sizeof(text), "table.slots[%zu]", offset / 8);
	} else {
		snprintf(text, sizeof(text), "block of %zu+%zu", size, offset);
	}
	return text;
}
