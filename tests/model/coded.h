/*
 * coded.h - a history of a play as bytes: what a fuzzer makes, and keeps
 *
 *	byte 0	space (3 bits), bypass_ns (2), long or short steps of the clock (1)
 *	byte 1	slots (4 bits), owners (3), is it crowded (1)
 *	then each op:
 *	    0	slot (4 bits), owner (3)
 *	    1	OP_* (7 bits); in a crowded scene: may it be wide (1)
 *	    2	which operation
 *	    3	how many ops are played while it sleeps
 *	    4	start: from the first byte of the space, or (bit 7) from its end
 *	    5	length: a small one for each span, or (bit 7) a huge one
 *	    6	what else it draws from
 *	    7	how far the clock goes on
 *
 * Every string of bytes is a history.  A change of this form makes the kept ones
 * mean something else, but never invalid.
 */
#ifndef RL_TESTS_MODEL_CODED_H
#define RL_TESTS_MODEL_CODED_H

#include "tests/model/play.h"

#define CODED_HEAD	2u		/* bytes */
#define CODED_OP	8u

/* Of an engine with chunks of this size; 0: it has none, and nothing is crowded.
 * Returns: how many ops were read, at most room; the rest of bytes is ignored. */
size_t coded_read(struct scene *s, uint64_t chunk_size, struct op *ops, size_t room,
		  const uint8_t *bytes, size_t size);

#endif
