/*
 * planted.h - faults of the explorer that its programs must find
 *
 * As rangelock/base/planted.h: EX_PLANTED(NAME) is 0 unless the explorer is built
 * with -DEX_PLANT=EX_FAULT_NAME.  Each makes the search leave out what it must not;
 * `explorer programs` notices (programs.c, tests/mutants.list).
 */
#ifndef RL_TESTS_EXPLORE_PLANTED_H
#define RL_TESTS_EXPLORE_PLANTED_H

#define EX_FAULTS(X)							\
	X(NONE)								\
	/* commute.c: these are said to commute */			\
	X(COMMUTE_FENCES)	/* two fences */			\
	X(COMMUTE_SLEEP)	/* a sleep and a fence */		\
	X(COMMUTE_WAKE)		/* a wake and a fence */		\
	X(COMMUTE_FORCE)	/* a forced fence and a fence */	\
	X(COMMUTE_FORCED)	/* a forced fence and steps of its target */ \
	X(COMMUTE_UNSETTLED)	/* ... and loads of what is new to it */ \
	X(COMMUTE_EVERYBODY)	/* a grace period and anything */	\
	X(COMMUTE_CLOCK)	/* a look at the clock and a deadline */ \
	X(COMMUTE_LATE)		/* ... and another one's end */		\
	X(COMMUTE_DEADLINE)	/* ... and another one's beginning */	\
	X(COMMUTE_WAKE_LATE)	/* a wake and the sleeper's deadline */	\
	X(COMMUTE_READS)	/* a load and a write */		\
	X(COMMUTE_LOOKS)	/* a look at bits and any store */	\
	X(COMMUTE_LOOKS_PAST)	/* ... and one that may go to the past */ \
	X(COMMUTE_OR_RELEASE)	/* a releasing "or" and a look */	\
	/* causes.c: these are no causes */				\
	X(CAUSES_FENCES)	/* an earlier fence, of a fence */	\
	X(CAUSES_FORCED)	/* a forced fence, of its target's steps */ \
	X(CAUSES_EVERYBODY)	/* a grace period */			\
	X(CAUSES_TIMES)		/* an earlier look at the clock */	\
	X(CAUSES_LATE)		/* what was before a deadline */	\
	X(CAUSES_WOKEN)		/* who wakes a thread, of its steps */	\
	X(CAUSES_READS)		/* a load, of a later write */		\
	X(CAUSES_WRITES)	/* a write, of a later load */		\
	X(CAUSES_OF_STORE)	/* ... of an old store that is read */	\
	/* futex.c, moment.c */						\
	X(SLEEP_SEES_NEWEST)	/* who does not sleep saw the newest store */ \
	X(MOMENT_KEEPS_ORDER)	/* a store that goes to the past stays there */

#define EX_FAULT_ENUM(name)	EX_FAULT_##name,
enum ex_fault { EX_FAULTS(EX_FAULT_ENUM) };

#ifdef EX_PLANT
#define EX_PLANTED(name)	(EX_PLANT == EX_FAULT_##name)
#else
#define EX_PLANTED(name)	0
#endif

#endif
