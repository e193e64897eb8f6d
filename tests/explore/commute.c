/*
 * commute.c - which two steps may be swapped
 *
 * Two next steps of different threads commute if either order leads to the same
 * state, and neither keeps the other from being made or takes away any of its
 * choices.  That may depend on the state in which both are next: what the store
 * writes, and over what.
 *
 * What does not commute:
 *
 *	steps with a fence		with each other
 *	a fence forced on a thread	with its steps, but for loads of what it knows
 *	looks at the clock, deadlines	with each other
 *	a write				with what touches its location
 *	a wake				with sleeping there
 *
 * but a write that leaves the bits as they are that another step looks at
 * (ex_look_at()) commutes with that look.
 */
#include "tests/explore/engine.h"

bool ex_only_reads(const struct ex_op *op)
{
	return op->kind == EX_READ || op->kind == EX_PARK ||
	       op->kind == EX_LATE ||
	       (op->set_bits && !(op->set_bits &
				  ~ex_newest(op->location)->value));
}

static bool has_fence(const struct ex_op *op)
{
	return (op->kind == EX_FENCE && !EX_PLANTED(COMMUTE_FENCES)) ||
	       (op->kind == EX_PARK && !EX_PLANTED(COMMUTE_SLEEP)) ||
	       (op->kind == EX_WAKE && !EX_PLANTED(COMMUTE_WAKE)) ||
	       (op->kind == EX_FORCE && !EX_PLANTED(COMMUTE_FORCE));
}

static bool has_time(const struct ex_op *op)
{
	return (op->kind == EX_TIME && !EX_PLANTED(COMMUTE_CLOCK)) ||
	       (op->kind == EX_LATE && !EX_PLANTED(COMMUTE_LATE)) ||
	       (op->kind != EX_LATE && op->has_deadline &&
		!EX_PLANTED(COMMUTE_DEADLINE));
}

/* Those bits of the location that a look depends on; 0: on all of it. */
static uint64_t mask_of(const struct ex_op *op)
{
	return op->kind == EX_READ ? op->mask : op->set_bits;
}

/* Does j write, as the newest value, one that is to i's look what was there? */
static bool is_same_to(const struct ex_op *look, unsigned int j)
{
	const struct ex_op *op = &ex.threads[j].op;
	const struct ex_store *newest = ex_newest(op->location);
	uint64_t mask = mask_of(look), value;

	if (!mask || !ex_only_reads(look))
		return false;
	if (op->is_store)
		value = op->value;
	else if (op->set_bits)
		value = newest->value | op->set_bits;
	else
		return false;
	return (!((value ^ newest->value) & mask) ||
		EX_PLANTED(COMMUTE_LOOKS)) &&
	       (ex_oldest_visible(&ex.threads[j], op->location) ==
		ex.locations[op->location].nr_stores - 1 ||
		EX_PLANTED(COMMUTE_LOOKS_PAST));
}

/* Does i load the one store that it can see, and learn nothing new?  Then a fence forced
 * on it comes before or after. */
static bool is_settled(unsigned int i)
{
	const struct ex_op *op = &ex.threads[i].op;

	return op->kind == EX_READ &&
	       (ex_knows_all(&ex.threads[i], op) ||
		EX_PLANTED(COMMUTE_UNSETTLED));
}

/* A fence forced on j, and j's step. */
static bool is_forced(const struct ex_op *force, unsigned int j)
{
	return force->kind == EX_FORCE && force->target == (int)j &&
	       !is_settled(j) && !EX_PLANTED(COMMUTE_FORCED);
}

bool ex_commute(unsigned int i, unsigned int j)
{
	const struct ex_op *a = &ex.threads[i].op, *b = &ex.threads[j].op;

	if (a->kind == EX_LOCAL || b->kind == EX_LOCAL)
		return true;
	if (a->kind == EX_HEAVY || b->kind == EX_HEAVY)
		return EX_PLANTED(COMMUTE_EVERYBODY);
	if (has_fence(a) && has_fence(b))
		return false;
	if (is_forced(a, j) || is_forced(b, i))
		return false;
	if (has_time(a) && has_time(b))
		return false;
	if (a->location != b->location || a->location < 0)
		return true;
	if (a->kind == EX_WAKE || b->kind == EX_WAKE)
		return (a->kind != EX_LATE && b->kind != EX_LATE) ||
		       EX_PLANTED(COMMUTE_WAKE_LATE);
	if (ex_only_reads(a) && ex_only_reads(b))
		return true;
	if ((ex_only_reads(a) || ex_only_reads(b)) && EX_PLANTED(COMMUTE_READS))
		return true;
	return is_same_to(a, j) || is_same_to(b, i);
}
