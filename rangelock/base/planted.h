/*
 * planted.h - faults that the tests must find
 *
 * RL_PLANTED(NAME) is 0, and the compiler drops what it guards, unless the
 * library is built with -DRL_PLANT=RL_FAULT_NAME.  `make mutants` builds one
 * library for each name and shows that its test notices (tests/mutants.list).
 */
#ifndef RL_BASE_PLANTED_H
#define RL_BASE_PLANTED_H

#define RL_FAULTS(X)							\
	X(NONE)								\
	X(GUARD_RELAXED)	/* an unlock of the guard releases nothing */ \
	X(GRANT_RELAXED)	/* a grant publishes nothing */		\
	X(DROP_WAKE)		/* a parked waiter is not woken */	\
	X(CALLED_NO_WAKE)	/* who is called is not woken */	\
	X(WAKE_ONE)		/* a wake wakes one of all sleepers */	\
	X(BYPASS_UNCOUNTED)	/* nobody counts who passed him */	\
	X(BYPASS_UNBOUNDED)	/* old waiters are passed for ever */	\
	X(UPGRADE_UNCOUNTED)	/* readers do not count an upgraded one */ \
	X(UPGRADE_IGNORES_READER) /* another holder does not matter */	\
	X(EXTEND_UNCOUNTED)	/* waiters do not count the new part */	\
	X(NARROW_KEEPS)		/* the part given back stays counted */	\
	X(DOWNGRADE_KEEPS)	/* readers stay behind a downgraded writer */ \
	X(CANCEL_COUNTS_READERS) /* a cancelled reader uncounts readers too */ \
	X(CANCEL_KEEPS)		/* a cancelled one stays counted */	\
	X(TIMEOUT_HELD)		/* who lost to the grant says ETIMEDOUT */ \
	X(DEADLOCK_DIRECT_ONLY)	/* waiting blockers are not searched */	\
	X(DEADLOCK_SKIPS)	/* the search skips what it has not seen */ \
	X(CYCLE_FOLLOWS_YOUNG)	/* who may be passed counts as in the way */ \
	X(CYCLE_TRUSTS_CALLBACKS) /* who submitted is to unlock, callback or not */ \
	X(CYCLE_ANY_VICTIM)	/* whoever finds a deadlock is told */	\
	X(CYCLE_ONE_LOOK)	/* what was found is not looked at again */ \
	X(CYCLE_SEARCHES_ONCE)	/* a later deadlock is not found */	\
	X(CYCLE_OLDEST_TOLD)	/* the oldest of a circle is told */	\
	X(CYCLE_STAYS_LISTED)	/* who stops sleeping is listed still */ \
	X(CYCLE_LETS_GO)	/* ... is told after its guard was let go */ \
	X(CYCLE_KEEPS_WAITING)	/* who is told is waiting still */	\
	X(CYCLE_REPORTS_AGAIN)	/* who has reported a circle reports it again */ \
	X(ORDER_KEEPS)		/* what was let go counts as held */	\
	X(ORDER_ALWAYS_NEW)	/* a reversed order is warned of again */ \
	X(TRY_REFUSED)		/* a try is refused what is free */	\
	X(MANY_FORGETS_LAST)	/* the last of several is not checked */ \
	X(CALLBACK_RECURSES)	/* a callback inside a callback */	\
	X(LET_IN_UNDER_GUARD)	/* who is woken finds the guard taken */ \
	X(NEXT_AFTER_LET_IN)	/* a handle is read when it may be gone */ \
	X(CANCEL_NO_WAKE)	/* a cancelled sleeper sleeps on */	\
	X(WAIT_KEEPS_OWNER)	/* who waits is not the owner */	\
	X(CHANGE_PASSES_OLD)	/* changes pass old waiters */		\
	X(SETTLE_UNSORTED)	/* the last to lose a blocker goes first */ \
	X(PASS_ASLEEP)		/* a sleeper's other request passes */	\
	X(CALLED_SLEEPS)	/* who is called does not claim */	\
	X(FORK_KEEPS_OTHERS)	/* the child keeps what others held */	\
	X(FORK_CALLS_OTHERS)	/* callbacks of others run in the child */ \
	X(FORK_HOLDS_LEAVING)	/* who is leaving an entry holds in the child */ \
	X(FORK_KEEPS_CLOSING)	/* who was closing still does in the child */ \
	X(BIAS_TAKEN)		/* a reader believes flags under a taken guard */ \
	X(CANCEL_LOOKS_ONCE)	/* a cancel does not look at the state again */ \
	X(OPEN_STUCK)		/* who has passed and stays keeps shards closed */ \
	X(TRY_WAITS)		/* a trylock lets the guard go, and wants it back */ \
	X(FORK_STATES_STAY)	/* what others held still says so there */ \
	X(FORK_KEEPS_READERS)	/* an emptied lock still has readers */	\
	X(BIAS_RELAXED)		/* who publishes himself sees no writer */ \
	X(FORK_GRANTS_LEAVING)	/* who is leaving counts as granted there */ \
	X(FOREST_CLOSES_ONE)	/* a wide one closes its first shard only */ \
	X(FOREST_OPENS_UNDER_WIDE) /* a shard opens though one touches it */ \
	X(FOREST_OPENS_MEANWHILE) /* a shard opens while another is closed */ \
	X(FOREST_NO_RECHECK)	/* who met a closed shard does not look again */ \
	X(NO_BARRIER)		/* the mover does not wait for the fences */ \
	X(ENTRY_RELAXED)	/* an unlock by a plain store releases nothing */ \
	X(ENTRY_NO_LOOK)	/* who frees an entry does not look at SLOW */ \
	X(ENTRY_NO_PIN)		/* SLOW is cleared under a mover */	\
	X(ENTRY_CALM_MOVED)	/* SLOW is cleared while a moved one is there */ \
	X(OPEN_OVER_HOLDER)	/* who passes does not look at those who hold */ \
	X(CYCLE_WAITS_FOR_PASSERS) /* who searches does not move who passes it */ \
	X(OPEN_FORGETS)		/* who leaves frees somebody and does not look */ \
	X(OPEN_UNCOUNTED)	/* who passed a called one is moved uncounted */ \
	X(OPEN_NO_SHUT)		/* a pass begins while somebody passes */ \
	X(OPEN_FOR_EVER)	/* the time until which they may is not looked at */ \
	X(OPEN_AGAIN)		/* long after its end it looks open */	\
	X(LOOK_QUEUES)		/* who could soon pass sleepers queues */ \
	X(OPEN_CLOSES)		/* shards close under an open central arbiter */ \
	X(BIAS_NO_LOOK)		/* who publishes himself does not look again */ \
	X(BIAS_ENDS_EARLY)	/* BIASED is cleared before all are moved */ \
	X(ITREE_MAX_END)	/* an erase leaves max_end too big */	\
	X(ITREE_PRUNE)		/* a walk prunes one subtree too many */ \
	X(GAP_IGNORES_MARKER)						\
	X(SUPERSEDE_ONE)	/* only the first marker is superseded */ \
	X(TRUE_AS_FALSE)	/* a true wait is counted as false */	\
	X(SITE_GRAIN_STUCK)	/* a switched grain has no effect */	\
	X(TOKENS_FORGET_PARTS)	/* a large range does not meet small ones */ \
	X(TOKENS_ORDER_READERS)	/* a reader is ordered after readers */	\
	X(TOKENS_MUTE_READERS)	/* what readers did orders nobody */	\
	X(TOKENS_ONE)		/* a lock has one token, as a mutex */	\
	X(TOKENS_NARROW_COARSE)	/* a coarse range is told as declared */ \
	X(TOKENS_NO_HANDOVER)	/* who submits hands nothing over */

#define RL_FAULT_ENUM(name)	RL_FAULT_##name,
enum rl_fault { RL_FAULTS(RL_FAULT_ENUM) };

#ifdef RL_PLANT
#define RL_PLANTED(name)	(RL_PLANT == RL_FAULT_##name)
#else
#define RL_PLANTED(name)	0
#endif

#endif
