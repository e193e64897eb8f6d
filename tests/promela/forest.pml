/*
 * forest.pml - two shards and the central arbiter: closing, opening, finding home
 *
 * Three threads lock and unlock ROUNDS times each, with a fresh handle every
 * time.  Each is narrow, in shard 1 or 2, or wide, which touches both: MIX says
 * who.  All conflict but the narrow of different shards (APART: also of the same
 * one).  One entry an arbiter.  F1 to F3: rangelock/engine/forest.h; the two phases
 * of closing, opening and the looks at CLOSED: engine/shards.c; leaving:
 * lock/lock.c.  How many requests it takes to open, to calm and to stop looking is
 * left open.
 *
 * A hold of a shard's guard is one step, and so is one of the central guard
 * unless another guard or a barrier comes in between: of what changes under them
 * the rest of the world sees the flags and the entries, and looks at them one at a
 * time.  Of the store buffers only what matters is here: the FREE of an unlock may
 * be seen late, and whoever takes a guard has no store outstanding (entry.pml has
 * the rest).
 */
#define N	3
#ifndef ROUNDS
#define ROUNDS	2
#endif
#ifndef MIX
#define MIX	1
#endif

#define CENTRAL	0		/* arbiters; 1 and 2 are the shards */
#define NONE	3

#if MIX == 1
#define HOME(t)	((t) == 2 -> 0 : 1)		/* 1, 1, wide */
#elif MIX == 2
#define HOME(t)	((t) == 0 -> 1 : 0)		/* 1, wide, wide */
#else
#define HOME(t)	((t) == 2 -> 0 : (t) + 1)	/* 1, 2, wide */
#endif
#define IS_WIDE(t)	(HOME(t) == 0)
#define TOUCHES(t, s)	(HOME(t) == (s) || IS_WIDE(t))
#ifdef APART
#define CONFLICT(a, b)	((a) != (b) && (IS_WIDE(a) || IS_WIDE(b)))
#else
#define CONFLICT(a, b)	((a) != (b) && \
			 (IS_WIDE(a) || IS_WIDE(b) || HOME(a) == HOME(b)))
#endif

#define SLOW	2
#define MOVED	4
#define CLOSED	8
#define PIN	16
#define PINS	240

byte flags[3], entry[3];	/* by arbiter; an entry's holder: handle + 1 */
bool central_is_taken;
byte late[N];			/* the arbiter whose FREE is in a buffer, + 1 */

mtype = { GONE, WAITS, HOLDS };
mtype node[N] = GONE;		/* in the tree of HOME(t) */
byte seq[N], next_seq;

bool alive[N * ROUNDS], inside[N], asks[N];
byte nr_done;

#define OWNER(handle)	((handle) / ROUNDS)
#define IS_CLOSED(s)	(flags[s] & CLOSED)
/* The guard that t's tree is under. */
#define UNDER(t)	((IS_WIDE(t) || IS_CLOSED(HOME(t))) -> CENTRAL : HOME(t))
#define USED(a)		(entry[a] && !(flags[a] & MOVED))
#define ENTRY_AGAINST(a) (CONFLICT(me, OWNER(entry[a] - 1)))

#define NODE_AGAINST(t, a) (node[t] != GONE && UNDER(t) == a && CONFLICT(me, t))
#define TREES_AGAINST(a) (NODE_AGAINST(0, a) || NODE_AGAINST(1, a) || NODE_AGAINST(2, a))
#define WAITS_UNDER(t, a) (node[t] == WAITS && UNDER(t) == a)
#define WAITING(a)	(WAITS_UNDER(0, a) || WAITS_UNDER(1, a) || WAITS_UNDER(2, a))
#define WAITS_AT(t, s)	(node[t] == WAITS && HOME(t) == s)

#define BLOCKS(t, x, a)	(CONFLICT(t, x) && UNDER(t) == a && (node[t] == HOLDS || \
			 (node[t] == WAITS && seq[t] < seq[x])))
#define MAY_HOLD(x, a)	(WAITS_UNDER(x, a) && !BLOCKS(0, x, a) && \
			 !BLOCKS(1, x, a) && !BLOCKS(2, x, a))

/* A wide one in the central tree. */
#define IN_TREE_WIDE(t)	(node[t] != GONE && IS_WIDE(t))
#ifdef OPEN_UNDER_WIDE
#define NO_TREE_TOUCHES	true
#else
#define NO_TREE_TOUCHES	(!IN_TREE_WIDE(0) && !IN_TREE_WIDE(1) && !IN_TREE_WIDE(2))
#endif
#ifdef OPEN_UNDER_ENTRY
#define NO_ENTRY_TOUCHES(s) true
#else
#define NO_ENTRY_TOUCHES(s) (!USED(CENTRAL) || !TOUCHES(OWNER(entry[CENTRAL] - 1), s))
#endif
#define CAN_OPEN(s)	(NO_TREE_TOUCHES && NO_ENTRY_TOUCHES(s))

/* F1: two that conflict are under one guard, for a pair of nodes. */
#define F1(t, u)	(node[t] == GONE || node[u] == GONE || !CONFLICT(t, u) || \
			 UNDER(t) == UNDER(u))
/* F2, of an arbiter's entry; N1, of it and a node. */
#define F2(a)		(!USED(a) || UNDER(OWNER(entry[a] - 1)) == a)
#define N1(a, t)	(!USED(a) || node[t] == GONE || \
			 !CONFLICT(OWNER(entry[a] - 1), t))
#define F3(s)		(IS_CLOSED(s) || \
			 (!IN_TREE_WIDE(0) && !IN_TREE_WIDE(1) && !IN_TREE_WIDE(2) && \
			  (!USED(CENTRAL) || !TOUCHES(OWNER(entry[CENTRAL] - 1), s))))
#define N2(a)		((flags[a] & SLOW) || \
			 !((flags[a] & (PINS | MOVED | CLOSED)) || WAITING(a)))

inline check()
{
#ifdef INVARIANTS
	assert(F1(0, 1) && F1(0, 2) && F1(1, 2));
	assert(F2(0) && F2(1) && F2(2));
	assert(F3(1) && F3(2));
	assert(N1(0, 0) && N1(0, 1) && N1(0, 2) && N1(1, 0) && N1(1, 1) &&
	       N1(1, 2) && N1(2, 0) && N1(2, 1) && N1(2, 2));
	assert(N2(0) && N2(1) && N2(2));
#endif
	skip
}

inline calm(a)
{
	if
	:: (flags[a] & SLOW) && !(flags[a] & (MOVED | CLOSED | PINS)) && !WAITING(a) ->
		flags[a] = flags[a] & ~SLOW
	:: true
	fi
}

inline pin(a)
{
#ifdef NO_PIN
	flags[a] = flags[a] + PIN		/* and others may enter */
#else
	flags[a] = (flags[a] + PIN) | SLOW
#endif
}

/* E2, under the guard of a. */
inline move(a)
{
	if
	:: USED(a) ->
		assert(alive[entry[a] - 1]);		/* no phantom holder */
		node[OWNER(entry[a] - 1)] = HOLDS;
		flags[a] = flags[a] | MOVED
	:: else
	fi
}

inline barrier_heavy()
{
#ifdef NO_BARRIER
	skip
#else
	if
	:: late[(me + 1) % N] == 0 -> late[(me + 2) % N] == 0
	:: late[(me + 2) % N] == 0 -> late[(me + 1) % N] == 0
	fi
#endif
}

/* Atomic: take the guard of a shard (one step), or the central one, to keep. */
#define CAN_TAKE(a)	(late[me] == 0 && ((a) != CENTRAL || !central_is_taken))

/* ---- Closing, with the central guard held ---- */

inline close_shard(s)
{
#ifndef CLOSE_LEAVES_ENTRY
	move(s);
#endif
	flags[s] = flags[s] | CLOSED | SLOW;
	if
	:: WAITS_AT(0, s) || WAITS_AT(1, s) || WAITS_AT(2, s) ->
		flags[CENTRAL] = flags[CENTRAL] | SLOW
	:: else
	fi
}

#ifdef PHASE_TWO_TRUSTS
#define IS_TO_CLOSE(s)	(first_pass || pinned & (1 << s))
#else
#define IS_TO_CLOSE(s)	true
#endif

inline close_or_pin(s)
{
	atomic {
		if
		:: pinned & (1 << s) ->
			flags[s] = flags[s] - PIN;
			pinned = pinned & ~(1 << s);
			if
			:: !IS_CLOSED(s) -> close_shard(s)
			:: else
			fi
		:: else ->
			if
#ifdef ONE_PHASE
			:: !IS_CLOSED(s) -> close_shard(s)
#else
			:: !IS_CLOSED(s) && IS_TO_CLOSE(s) && USED(s) ->
				pin(s);
				pinned = pinned | (1 << s);
				again = true
			:: !IS_CLOSED(s) && IS_TO_CLOSE(s) && !USED(s) -> close_shard(s)
#endif
			:: else
			fi
		fi
	}
}

inline wait_for_pinned()
{
	if
	:: !(pinned & 2) || !USED(1) ->
		if
		:: !(pinned & 4) || !USED(2)
		:: pinned & 4 -> barrier_heavy()
		fi
	:: pinned & 2 -> barrier_heavy()
	fi
}

inline close_touched()
{
	do
	:: again = false;
	   close_or_pin(1);
#ifndef CLOSES_ONE
	   close_or_pin(2);
#endif
	   if
	   :: again ->
		central_is_taken = false;
		wait_for_pinned();
		atomic { CAN_TAKE(CENTRAL) -> central_is_taken = true; first_pass = false }
	   :: else -> break
	   fi
	od
}

/* ---- Asking, under the guard of a; the guard is free in the end ---- */

inline ask(a)
{
	if
	:: flags[a] == 0 && !entry[a] && !TREES_AGAINST(a) ->		/* E1 */
		entry[a] = h + 1;
		mine = a;
		next = 1
	:: USED(a) && ENTRY_AGAINST(a) ->
		evicting = a;
		pin(a);
		next = 2
	:: else ->
		if
		:: TREES_AGAINST(a) ->
			if
			:: node[0] != WAITS && node[1] != WAITS && node[2] != WAITS ->
				next_seq = 0
			:: else
			fi;
			node[me] = WAITS;
			seq[me] = next_seq;
			next_seq++;
			flags[a] = flags[a] | SLOW
		:: else ->
			node[me] = HOLDS
		fi;
		calm(a);
		next = 1
	fi;
	if
	:: a == CENTRAL -> central_is_taken = false
	:: else
	fi;
	check()
}

inline evict()
{
	barrier_heavy();
	atomic {
		CAN_TAKE(evicting) ->
		move(evicting);
		flags[evicting] = flags[evicting] - PIN;
		evicting = NONE;
		next = 0;
		check()
	}
}

inline ask_wide()
{
	atomic { CAN_TAKE(CENTRAL) -> central_is_taken = true };
	first_pass = true;
	close_touched();
	atomic { ask(CENTRAL) }
}

/* A narrow one of shard s. */
inline ask_narrow(s)
{
	if
	:: !IS_CLOSED(s) ->			/* a hint */
		atomic {
			late[me] == 0 ->
			if
			:: !IS_CLOSED(s) -> ask(s)
			:: else
			fi
		}
	:: IS_CLOSED(s)
	fi;
	if
	:: next
	:: else ->
		/* Under the central guard: what is open by now, or opens? */
		atomic {
			CAN_TAKE(CENTRAL) ->
			if
			:: IS_CLOSED(s) && CAN_OPEN(s) ->
				flags[s] = flags[s] & ~CLOSED;
				calm(s)
			:: true
			fi;
			check();
			if
#ifdef NO_RECHECK
			:: true -> ask(CENTRAL)
#else
			:: IS_CLOSED(s) -> ask(CENTRAL)
			:: else
#endif
			fi;
#ifndef TRADE_LATE
			/* The central guard is let go when it has the shard's. */
			if
			:: next
			:: else -> ask(s)
			fi
#endif
		};
#ifdef TRADE_LATE
		if
		:: next
		:: else -> atomic { ask(s) }
		fi;
#endif
		skip
	fi
}

inline lock()
{
	do
	:: if
	   :: IS_WIDE(me) -> ask_wide()
	   :: else -> ask_narrow(HOME(me))
	   fi;
	   if
	   :: next == 1 -> break
	   :: next == 2 -> evict()
	   fi
	od;
	mine != NONE || node[me] == HOLDS
}

/* ---- Leaving ---- */

/* Under the guard of a. */
inline leave_tree(a)
{
	assert(node[me] == HOLDS && UNDER(me) == a);
	node[me] = GONE;
	seq[me] = 0;
	if :: MAY_HOLD(0, a) -> node[0] = HOLDS :: else fi;
	if :: MAY_HOLD(1, a) -> node[1] = HOLDS :: else fi;
	if :: MAY_HOLD(2, a) -> node[2] = HOLDS :: else fi
}

/* Take the guard that it is under, and leave. */
inline leave_home()
{
	if
	:: !IS_WIDE(me) && !IS_CLOSED(HOME(me)) ->	/* a hint */
		atomic {
			late[me] == 0 ->
			if
#ifdef HOME_NO_RECHECK
			:: true ->
#else
			:: !IS_CLOSED(HOME(me)) ->
#endif
				leave_tree(HOME(me));
				calm(HOME(me));
				left = true;
				check()
			:: else
			fi
		}
	:: IS_WIDE(me) || IS_CLOSED(HOME(me))
	fi;
	if
	:: left
	:: else ->
		atomic {
			CAN_TAKE(CENTRAL) ->
			if
			:: UNDER(me) == CENTRAL -> leave_tree(CENTRAL); calm(CENTRAL)
			:: else -> leave_tree(HOME(me)); calm(HOME(me))
			fi;
			check()
		}
	fi;
	left = false
}

inline leave_entry()
{
	atomic {
		CAN_TAKE(mine) ->
		if
		:: node[me] != HOLDS -> calm(mine); mine = NONE
#ifdef LEAVE_WRONG_GUARD
		:: node[me] == HOLDS ->
#else
		:: node[me] == HOLDS && UNDER(me) == mine ->
#endif
			leave_tree(mine);
			flags[mine] = flags[mine] & ~MOVED;
			calm(mine);
			mine = NONE
		:: else
#ifdef FORGET_FIRST
			-> flags[mine] = flags[mine] & ~MOVED
#endif
		fi;
		check()
	};
	if
	:: mine == NONE
	:: else ->
		leave_home();
		atomic {
			CAN_TAKE(mine) ->
			flags[mine] = flags[mine] & ~MOVED;
			calm(mine);
			mine = NONE;
			check()
		}
	fi
}

inline unlock_inline()
{
	late[me] = mine + 1;			/* E3 */
	if
#ifndef SKIP_LOOK
	:: flags[mine] & SLOW -> leave_entry()
	:: else
#else
	:: true
#endif
	fi;
	mine = NONE
}

proctype Thread(byte me)
{
	byte round, next, pinned, h = me * ROUNDS, mine = NONE, evicting = NONE;
	bool again, first_pass, left;

	do
	:: round < ROUNDS ->
		/* The last handle's FREE may be on its way still; a new one's
		 * lock begins with a guard. */
		atomic { alive[h] = true; asks[me] = true };
		lock();
		atomic {
			next = 0;
			first_pass = false;
			asks[me] = false;
			inside[me] = true;
			assert(!(CONFLICT(me, 0) && inside[0]));
			assert(!(CONFLICT(me, 1) && inside[1]));
			assert(!(CONFLICT(me, 2) && inside[2]))
		};
		inside[me] = false;
		if
		:: mine != NONE -> unlock_inline()
		:: else -> leave_home()
		fi;
		atomic { alive[h] = false; h++; round++ }
	:: else -> break
	od;
	nr_done++
}

/* The FREE is seen some time. */
proctype Buffer(byte t)
{
end:
	do
	:: atomic { late[t] -> entry[late[t] - 1] = 0; late[t] = 0 }
	od
}

init
{
	byte t;

	atomic {
		do
		:: t < N -> run Thread(t); run Buffer(t); t++
		:: else -> break
		od
	};
	nr_done == N && !late[0] && !late[1] && !late[2];
	assert(!entry[0] && !entry[1] && !entry[2] && !central_is_taken);
	assert(node[0] == GONE && node[1] == GONE && node[2] == GONE);
	assert(!(flags[0] & ~SLOW) && !(flags[1] & (MOVED | PINS)) &&
	       !(flags[2] & (MOVED | PINS)))
}

ltl granted { [] (asks[2] -> <> inside[2]) }
ltl ends { <> (nr_done == N) }
