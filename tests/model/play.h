/*
 * play.h - one operation at a time, on the lock and on the model side by side
 *
 * An op is a few random numbers; what they mean depends on what its slot is
 * doing (idle, waiting, holding), so every subsequence of a history is a
 * history too, and a failing one can be shrunk by leaving ops out.
 *
 * One thread plays all owners: the host table's self() says which one, its now()
 * is a number, and its park() plays the next few ops of the history, then lets
 * the deadline pass.  So every lock call returns, and everything that can happen
 * to somebody asleep does.  After each op all that can be seen is compared.
 */
#ifndef RL_TESTS_MODEL_PLAY_H
#define RL_TESTS_MODEL_PLAY_H

#include "tests/model/brute.h"

struct op {
	uint64_t start, length, keep;
	uint32_t wait_ns;		/* how far the clock goes on */
	uint16_t pick;			/* which operation */
	uint8_t slot, owner;
	uint8_t flags;			/* OP_* */
	uint8_t nested;			/* ops played while asleep */
	bool is_narrow;			/* stays inside one chunk */
};

#define OP_WRITE	0x01u
#define OP_CALLBACK	0x02u
#define OP_UNLOCKS	0x04u		/* the callback does */
#define OP_SITE		0x08u
#define OP_COARSE	0x10u
#define OP_ZERO		0x20u		/* a free handle is zeroed first */
#define OP_SPURIOUS	0x40u		/* the park returns for nothing */

/* What all ops of a history have in common. */
struct scene {
	uint64_t space;			/* ranges lie below this */
	uint64_t bypass_ns;
	uint32_t wait_ns;		/* clock steps lie below this */
	unsigned int nr_slots, nr_owners;
	/* Crowded: nearly all ops are narrow and in these first chunks; 0: not. */
	uint64_t chunk_size;
	unsigned int nr_chunks;
};

/* How often a play saw waiters in the shards of a forest; summed over plays. */
struct forest_counts {
	uint64_t nr_waits;		/* that began in an open shard */
	uint64_t nr_closed;		/* that came under the central guard */
	uint64_t nr_opened;		/* and under their shard's again */
};

extern struct forest_counts forest_counts;

/* How an engine is made; options are never NULL. */
typedef int engine_init_fn(struct rangelock *lk,
			   const struct rl_options *options);

/* Of an engine with chunks of this size; 0: it has none. */
void scene_make(struct scene *s, uint64_t seed, uint64_t chunk_size);
void op_make(struct op *op, const struct scene *s, uint64_t seed, uint64_t n);

/*
 * Play the history, from an empty lock to an empty lock.  *reached is the op
 * that is being played.  The first difference is printed and ends the process
 * with status 1; with trace each op is printed as it is played.
 */
void play(const struct scene *s, const struct op *ops, size_t nr_ops,
	  engine_init_fn *init, bool trace, volatile size_t *reached);

#endif
