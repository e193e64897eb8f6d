/*
 * Goal: the small questions about a request (leader, nodes, grain, conflict) are
 * answered as request.h draws them.
 */
#include "tests/backend.h"

#include "rangelock/engine/request.h"

Test(request, modes_conflict_unless_both_read)
{
	check(!rl_modes_conflict(RL_READ, RL_READ));
	check(rl_modes_conflict(RL_READ, RL_WRITE));
	check(rl_modes_conflict(RL_WRITE, RL_READ));
	check(rl_modes_conflict(RL_WRITE, RL_WRITE));
}

Test(request, a_lone_request_leads_itself)
{
	struct rl_range r = RL_RANGE_INIT;

	check_eq(rl_range_leader(&r), &r);
	check_eq(rl_range_nr_nodes(&r), 1);
	check(!rl_range_is_several(&r));
	check_eq(rl_range_of(&r.node), &r);
}

Test(request, members_find_their_leader_and_its_state)
{
	struct rl_range r[3] = { { .group = 3, .flags = RL_F_LEADER | RL_FINE },
				 { .group = 1 }, { .group = 2 } };

	for (unsigned int i = 0; i < 3; i++) {
		check_eq(rl_range_leader(&r[i]), &r[0]);
		check(rl_range_is_several(&r[i]));
		check(!rl_range_is_held(&r[i]));
	}
	r[0].flags |= RL_F_HELD;
	check(rl_range_is_held(&r[2]));
	r[0].flags = RL_F_LEADER | RL_F_WAITING | RL_FINE;
	check(rl_range_is_waiting(&r[1]));
	check_eq(rl_range_nr_nodes(r), 3);
	r[0].flags = RL_F_LEADER | RL_COARSE;
	check_eq(rl_range_nr_nodes(r), 1);
}

Test(request, only_a_site_s_coarse_or_shadow_request_is_wide)
{
	struct rl_range r = { .flags = RL_COARSE };

	check(!rl_range_is_wide(&r));
	r.flags = RL_COARSE | RL_F_AT_SITE;
	check(rl_range_is_wide(&r));
	r.flags = RL_SHADOW | RL_F_AT_SITE;
	check(rl_range_is_wide(&r));
	r.flags = RL_FINE | RL_F_AT_SITE;
	check(!rl_range_is_wide(&r));
}

Test(request, what_is_declared_can_be_weaker_than_what_is_locked)
{
	struct rl_range r = { .mode = RL_WRITE };

	check_eq(rl_range_declared_mode(&r), RL_WRITE);
	r.flags = RL_F_DECLARES_READ;
	check_eq(rl_range_declared_mode(&r), RL_READ);
	check_eq(rl_range_mode(&r), RL_WRITE);
}

Test(request, neighbouring_locks_have_different_tags)
{
	static struct rangelock locks[4];

	for (unsigned int i = 1; i < 4; i++)
		check_ne(rl_lock_tag(&locks[i]), rl_lock_tag(&locks[0]));
}

Test(request, a_zeroed_lock_has_the_default_bypass)
{
	struct rangelock lk = RANGELOCK_INIT;

	check_eq(rl_lock_bypass_ns(&lk), RL_BYPASS_NS);
}

Test(request, who_is_called_is_still_queued)
{
	check(rl_state_is_queued(RL_QUEUED));
	check(rl_state_is_queued(RL_PARKED));
	check(rl_state_is_queued(RL_CALLED));
	check(!rl_state_is_queued(RL_HELD));
	check(!rl_state_is_queued(RL_INLINE));
}
