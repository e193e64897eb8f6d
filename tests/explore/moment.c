/*
 * moment.c - going back to a moment of an execution
 *
 * The next execution of an exhaustive search is like the last one up to a choice
 * near its end.  So at each choice all that the execution consists of is copied:
 * the lock and the handles, the threads' stacks, whatever the explorer knows of
 * the threads.  To choose differently, it is copied back.  What is large and
 * changes little (stores of locations, shadows) is not copied; who changes it
 * says so first, to a trail, and going back undoes it.
 *
 * Weak spot: without fiber_x86_64.c nobody knows how much of a stack is in use,
 * and a program may not say what it changes (that of minimm does not); then each
 * execution starts at its beginning.
 */
#include "tests/explore/engine.h"

#include <string.h>

#define BUFFER		(size_t)(64 << 20)
#define TRAIL		(size_t)(16 << 20)
#define MOMENTS		EX_CHOICES

static struct moment {
	unsigned int choice;		/* before it is made */
	size_t copy, trail;		/* where they begin, and end */
} moments[MOMENTS];
static unsigned int nr_moments;

static char buffer[BUFFER], trail[TRAIL];
static size_t nr_copied, nr_trailed;

/* ---- The trail: pieces, each behind its bytes ---- */

struct footprint {
	void *at;
	size_t size;
};

void ex_trail(void *at, size_t size)
{
	struct footprint f = { at, size };

	if (!nr_moments)
		return;
	if (nr_trailed + size + sizeof(f) > TRAIL)
		ex_fail("a trail is too long");
	memcpy(trail + nr_trailed, at, size);
	nr_trailed += size;
	memcpy(trail + nr_trailed, &f, sizeof(f));
	nr_trailed += sizeof(f);
}

static void undo(size_t until)
{
	struct footprint f;

	while (nr_trailed > until) {
		nr_trailed -= sizeof(f);
		memcpy(&f, trail + nr_trailed, sizeof(f));
		nr_trailed -= f.size;
		memcpy(f.at, trail + nr_trailed, f.size);
	}
}

/* ---- What is copied ---- */

static void copy_out(void *at, size_t size)
{
	memcpy(buffer + nr_copied, at, size);
	nr_copied += size;
}

static size_t cursor;

static void copy_back(void *at, size_t size)
{
	memcpy(at, buffer + cursor, size);
	cursor += size;
}

static void each_piece(void (*copy)(void *at, size_t size))
{
	char *begin = (char *)&ex + offsetof(struct ex_engine, sc);

	copy(begin, offsetof(struct ex_engine, end_of_moment) -
		    offsetof(struct ex_engine, sc));
	copy(ex.threads, ex.nr_threads * sizeof(ex.threads[0]));
	for (const struct ex_region *r = ex.program->state; r->size; r++)
		copy(r->at, r->size);
	ex_stacks_state(copy);		/* after the threads: they say how much */
}

void ex_moments_forget(void)
{
	nr_moments = 0;
	nr_copied = nr_trailed = 0;
	ex.epoch++;
}

void ex_moment_take(unsigned int choice)
{
	/* More than all pieces together. */
	const size_t most = EX_WATCHED + EX_THREADS * EX_STACK + sizeof(ex);

	if (!ex.program->state || !ex_stacks_can_be_copied() ||
	    nr_moments == MOMENTS || BUFFER - nr_copied < most)
		return;
	moments[nr_moments].choice = choice;
	moments[nr_moments].copy = nr_copied;
	each_piece(copy_out);
	moments[nr_moments++].trail = nr_trailed;
	ex.epoch++;			/* nothing since then is on the trail */
}

bool ex_moment_go_back(unsigned int choice, bool is_last)
{
	const struct moment *m;

	while (nr_moments && moments[nr_moments - 1].choice > choice)
		nr_moments--;
	if (!nr_moments)
		return false;
	m = &moments[nr_moments - 1];
	undo(m->trail);
	cursor = m->copy;
	each_piece(copy_back);
	nr_copied = cursor;
	if (m->choice == choice && is_last) {
		nr_copied = m->copy;
		nr_moments--;
	}
	ex.epoch++;
	ex_race_forget_lasts();
	return true;
}
