/*
 * crew.h - a few real threads play the ops of a history on one lock, at the same time
 *
 * The ops are those of play.h, and so are the bytes that code them (coded.h), but each
 * thread plays its own ops, and nobody knows in which order they come.  So there is no
 * model to compare with step by step: what each thread asked and was told is written
 * down with stamps, and linear.h says whether there is an order in which it is right.
 * Who holds is also seen by counters in the places that he holds, and by plain words in
 * them, which ThreadSanitizer watches.
 *
 * The stamps come from one relaxed counter, taken before and after each call: they
 * order nothing but themselves in C's memory model, though on x86 each is a locked instruction.
 *
 * An op belongs to the thread of its owner; which of its two slots it uses, and what it
 * does with it, hangs on what that slot is doing.  A thread waits without end only when it
 * has nothing else; so all end.  At its end each lets go of what it has.
 */
#ifndef RL_TESTS_MODEL_CREW_H
#define RL_TESTS_MODEL_CREW_H

#include "tests/model/linear.h"
#include "tests/model/play.h"

#define CREW_THREADS	4u
#define CREW_OPS	14u		/* of one play */
#define CREW_PLACES	12u		/* bytes of the object, in three chunks */
#define CREW_CHUNK	4u

/* What a play is on. */
struct crew_setup {
	uint32_t nr_threads;		/* 2 to CREW_THREADS */
	uint32_t nr_shards;		/* 0: compact */
	uint32_t flags;			/* RL_PLAIN, RL_READER_BIAS or 0 */
	uint64_t bypass_ns;
	bool meets;			/* before each op they wait for each other, for a while */
	bool dawdles;			/* at the lock's doors */
	bool counts;			/* readers and writers count themselves in each place */
};

struct crew_counts {
	uint64_t nr_plays, nr_calls, nr_undecided;
};

/* The crew waits for work; its first thread is the caller's. */
void crew_start(void);
void crew_stop(void);

/* The setup that a history's first bytes mean. */
void crew_read(struct crew_setup *setup, const struct scene *scene, const uint8_t *bytes,
	       size_t size);

/*
 * Play ops, at most CREW_OPS of them, `times` times over.  Returns true if all was right;
 * if not, what was wrong is printed.  Hangs if a thread does not come back.
 */
bool crew_play(const struct crew_setup *setup, const struct op *ops, size_t nr_ops,
	       unsigned int times, struct crew_counts *counts);

#endif
