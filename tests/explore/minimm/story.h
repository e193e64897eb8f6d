/*
 * story.h - the model under the explorer: who does what to which pages
 *
 * A story is a space as it is at first and the operations of each thread, in the
 * language of `minimm script`, under every scheme that scheme/list.c has.  It
 * must end as some order of its operations one after the other would.
 */
#ifndef RL_TESTS_EXPLORE_MINIMM_STORY_H
#define RL_TESTS_EXPLORE_MINIMM_STORY_H

#include <stdbool.h>

#include "tests/explore/scenario.h"

#define STORY_THREADS	3u
#define STORY_TURNS	2u
#define STORY_FIRST	5u

/*
 * Lines of a script.  @N is page N, +N are N pages, and before an operation
 *	io	its page is on a disk
 *	to @N	the allocator shall answer that
 *	all	its driver wants everything locked, whatever the scheme
 * A mapping that is not anonymous is of a file.
 */
struct story {
	const char *name;
	const char *first[STORY_FIRST];		/* before all threads */
	const char *threads[STORY_THREADS][STORY_TURNS];
};

extern const struct story stories[];
extern const unsigned int nr_stories;

/* ---- story.c ---- */
/* Call visit for each story under each scheme, with a grace period that never
 * ends and with one that ends at once, until it returns false. */
bool each_story(bool (*visit)(const struct scenario *s));
const struct ex_program *story_begin(const struct scenario *s,
				     struct ex_options *options);
void story_end(void);

/* ---- outcome.c ---- */
struct mm;
struct mm_op;

/* What a space holds, and what operations said, as text. */
#define OUTCOME		800u

struct outcome {
	char text[OUTCOME];
	unsigned int length;
};

void outcome_add_op(struct outcome *o, unsigned int thread,
		    const struct mm_op *op);
void outcome_add_space(struct outcome *o, const char *name, struct mm *mm);
void outcome_add_line(struct outcome *o, uint64_t start, uint64_t end,
		      uint32_t flags);

/* ---- names.c ---- */
/* ops: STORY_TURNS of each thread. */
void story_names(const struct mm *mm, const struct mm_op *ops);
const char *story_name_of(const void *at);

#define STORY_BASE	UINT64_C(0x40000000)
#define STORY_TOP	(STORY_BASE + 16 * 4096)	/* of choices */
#define STORY_BREAK	(STORY_BASE + 32 * 4096)

#endif
