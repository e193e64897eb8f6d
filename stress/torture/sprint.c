/*
 * sprint.c - as many holds as there is time for
 *
 * The mixed scenes spend their time in yields, pauses and waits that hold something.
 * A sprinter holds one range at a time and hardly ever dawdles: so two CPUs are inside
 * of the lock's own steps at the same time, again and again.  What is checked in each
 * hold is what every hold checks: its pages on entry, inside and at the end, and the
 * history in the rounds that have one.  There are as many sprinters as CPUs, or one more:
 * behind a holder who is not running all would sleep, and the time go into waking them.
 * Weak spot: crowds; the other scenes have these.
 */
#include <string.h>

#include "stress/torture/torture.h"

static void hold_briefly(struct tt_worker *me, struct tt_request *q)
{
	uint32_t dice = tt_below(me, 128);

	me->depth++;
	if (dice < 32)
		tt_change(me, q);
	else if (dice < 34)
		tt_assert_held(me, q);
	else if (dice < 35)
		tt_dwell(me);
	tt_pages_check(me, q);
	tt_release(me, q);
	/* G5: nobody touches it any more, or meets this. */
	if (dice & 1)
		memset(q->r, 0x5a, sizeof(q->r));
	tt_give_back(q);
	me->depth--;
}

/* Now and then something beside it. */
static void look_around(struct tt_worker *me)
{
	switch (tt_below(me, 512)) {
	case 0:
		tt_look(me);
		break;
	case 1:
	case 2:
		tt_turn_biased(me);
		break;
	case 3:
		tt_dwell(me);
		break;
	default:
		if (tt_below(me, 64) == 0)
			tt_cancel_somebody(me);
	}
}

void tt_work_sprint(struct tt_worker *me)
{
	struct tt_request *q;
	uint32_t steps = 0;

	for (uint32_t i = 0; i < me->round->nr_ops; i++) {
		look_around(me);
		q = tt_draw(me);
		if (!q) {
			tt_wait_step(&steps);	/* for who has them all */
			continue;
		}
		steps = 0;
		if (tt_acquire(me, q))
			hold_briefly(me, q);
	}
}
