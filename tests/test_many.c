/*
 * Goal: an array of handles is one request with a leader, and each of its members
 * says that it is in use until the group is let go.
 */
#include "tests/backend.h"

#include <errno.h>
#include <string.h>

#include <rangelock/site.h>

#include "rangelock/engine/request.h"

static struct rangelock lk = RANGELOCK_INIT;
static struct rl_range many[3], a;
static const struct rl_span spans[] = {
	{ 20, 30, RL_READ }, { 0, 10, RL_WRITE }, { 10, 15, RL_READ },
};

Test(many, members_share_one_arrival_and_have_their_own_ranges)
{
	check_eq(rl_lock_many(&lk, many, 3, spans), 0);
	for (unsigned int i = 0; i < 3; i++) {
		check_eq(rl_range_leader(&many[i]), many);
		check_eq(many[i].seq, many[0].seq);
		check_eq(many[i].node.start, spans[i].start);
		check_eq(many[i].node.end, spans[i].end);
		check_eq(rl_range_mode(&many[i]), spans[i].mode);
	}
	check_eq(many[1].state, RL_MEMBER);
	check_eq(many[2].state, RL_MEMBER);
	rl_unlock_many(&lk, many, 3);
	for (unsigned int i = 0; i < 3; i++)
		check_eq(many[i].state, RL_IDLE);
	check_eq(lk.central.root, (struct rl_node *)NULL);
}

Test(many, a_coarse_group_has_one_node_in_the_strongest_mode)
{
	static struct rl_site site = RL_SITE_INIT("many_coarse", RL_COARSE);

	check_eq(rl_lock_many_at(&lk, many, &site, 3, spans), 0);
	check_eq(lk.central.root, &many[0].node);
	check_eq(many[0].node.end, RL_END);
	check(!many[0].node.left && !many[0].node.right);
	check_eq(rl_range_mode(&many[0]), RL_WRITE);
	check_eq(rl_range_declared_mode(&many[0]), RL_READ);
	check_eq(rl_site_check(&lk, &many[1], 9, 1), 0);
	check_eq(rl_site_check(&lk, &many[1], 10, 1), ERANGE);
	rl_unlock_many(&lk, many, 3);
	check_eq(lk.central.root, (struct rl_node *)NULL);
}

Test(many, a_group_can_be_submitted_polled_and_cancelled)
{
	check_eq(rl_write_lock(&lk, &a, 12, 13), 0);
	check_eq(rl_submit_many(&lk, many, 3, spans), EINPROGRESS);
	check_eq(rl_poll(&lk, many), EINPROGRESS);
	check_eq(rl_cancel(&lk, many), 0);
	check_eq(rl_poll(&lk, many), ECANCELED);
	check_eq(rl_submit_many(&lk, many, 3, spans), EINPROGRESS);
	rl_unlock(&lk, &a);
	check_eq(rl_wait(&lk, many), 0);
	rl_unlock_many(&lk, many, 3);
	check_eq(rl_submit_many(&lk, many, 3, spans), 0);
	rl_unlock_many(&lk, many, 3);
	check_eq(rl_submit_many(&lk, many, 0, spans), EINVAL);
}

Test(many, a_mode_that_is_none_is_EINVAL)
{
	struct rl_span bad = { 0, 1, (enum rl_mode)2 };

	check_eq(rl_lock_many(&lk, many, 1, &bad), EINVAL);
}

Test(many, an_owner_is_given_through_the_first)
{
	check_eq(rl_lock_many(&lk, many, 3, spans), 0);
	check(rl_is_held(&lk, 0, 15, RL_READ));
	check(!rl_is_held(&lk, 0, 15, RL_WRITE));
	rl_give(&lk, many, RL_NOBODY);
	check(!rl_is_held(&lk, 0, 10, RL_READ));
	rl_unlock_many(&lk, many, 3);
	check_eq(rl_destroy(&lk), 0);
}
