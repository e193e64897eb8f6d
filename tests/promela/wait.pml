/*
 * wait.pml - waiting: counted, parked, called, granted, cancelled or late
 *
 * One arbiter, one range, no entries; three threads lock it and unlock it (thread
 * 0 ROUNDS times).  All write, or with READERS 0 and 2 read.  Thread 1 has a
 * deadline, thread 2's request is cancelled by a fourth thread some time.  The
 * transitions are the letters of rangelock/engine/request.h; D1 is kept by
 * difference as in engine/arbiter.c and INVARIANTS asserts that it is right.
 *
 * Time is whatever helps least: a deadline comes any time, a waiter is too old to
 * be passed from any time on, SPURIOUS wakes come for no reason.  NO_DEADLINE:
 * as it says; UNDISTURBED: no cancel either.  Memory is
 * sequentially consistent: the words here are read and written by locked
 * instructions or under the guard.
 */
#define N	3
#ifndef ROUNDS
#define ROUNDS	2		/* of thread 0 */
#endif
#ifndef SPURIOUS
#define SPURIOUS 0		/* wakes for no reason */
#endif
#ifdef UNDISTURBED
#define HAS_DEADLINE(t)	false
#define IS_CANCELLED(t)	false
#else
#ifdef NO_DEADLINE
#define HAS_DEADLINE(t)	false
#else
#define HAS_DEADLINE(t)	((t) == 1)
#endif
#define IS_CANCELLED(t)	((t) == 2)
#endif

mtype = { IDLE, QUEUED, PARKED, CALLED, HELD, CANCELED };	/* state */
mtype = { GONE, WAITS, HOLDS };					/* stance */
mtype = { NOTHING, LOCKED, TIMED_OUT, WAS_CANCELED };		/* results */

mtype state[N] = IDLE;
mtype as[N] = GONE;
byte seq[N], next_seq;
byte nr_blockers[N], nr_held[N];
bool old[N];			/* it has waited for bypass_ns */
bool asleep[N];			/* in the kernel */
byte spurious = SPURIOUS;

bool alive[N], inside[N], asks[N];
mtype result[N] = NOTHING;
bool cancel_is_over, cancel_won;
byte nr_done;

#ifdef READERS
#define WRITES(t)	((t) == 1)
#else
#define WRITES(t)	true
#endif
#define CONFLICT(a, b)	((a) != (b) && (WRITES(a) || WRITES(b)))

#define IS_QUEUED(s)	((s) == QUEUED || (s) == PARKED || (s) == CALLED)

/* D1, of a waiting x. */
#define BLOCKS(y, x)	(CONFLICT(y, x) && (as[y] == HOLDS || \
			 (as[y] == WAITS && seq[y] < seq[x])))
#define HOLDS_AGAINST(y, x) (CONFLICT(y, x) && as[y] == HOLDS)
#define OLD_AGAINST(y, x) (CONFLICT(y, x) && as[y] == WAITS && old[y] && \
			 (as[x] != WAITS || seq[y] < seq[x]))
#define IS_COUNTED(x)	(as[x] != WAITS || \
	(nr_blockers[x] == BLOCKS(0, x) + BLOCKS(1, x) + BLOCKS(2, x) && \
	 nr_held[x] == HOLDS_AGAINST(0, x) + HOLDS_AGAINST(1, x) + HOLDS_AGAINST(2, x)))
#define PASSES_OLD(x)	(OLD_AGAINST(0, x) || OLD_AGAINST(1, x) || OLD_AGAINST(2, x))
#ifdef BYPASS_UNBOUNDED
#define MAY_PASS(x)	true
#else
#define MAY_PASS(x)	(!PASSES_OLD(x))
#endif
#define BIT(x)		(1 << (x))

/* At the end of each hold of the guard.  A hold is one step here: of what
 * changes under it only the states are looked at without it, one at a time. */
inline guard_unlock()
{
#ifdef INVARIANTS
	assert(IS_COUNTED(0) && IS_COUNTED(1) && IS_COUNTED(2));
#endif
	assert(!(CONFLICT(0, 1) && as[0] == HOLDS && as[1] == HOLDS));
	assert(!(CONFLICT(0, 2) && as[0] == HOLDS && as[2] == HOLDS));
	assert(!(CONFLICT(1, 2) && as[1] == HOLDS && as[2] == HOLDS));
	skip
}

/* One x: what it means to it that y was, and is.  yseq: y's number. */
inline apply_to(x, y, was, is)
{
	if
	:: as[x] == WAITS && CONFLICT(y, x) ->
		nr_blockers[x] = nr_blockers[x] +
			(is == HOLDS || (is == WAITS && seq[y] < seq[x])) -
			(was == HOLDS || (was == WAITS && seq[y] < seq[x]));
		nr_held[x] = nr_held[x] + (is == HOLDS) - (was == HOLDS);
		if
		:: (was == HOLDS && is != HOLDS) ||
		   (was == WAITS && seq[y] < seq[x] && is == GONE) ->
			candidates = candidates | BIT(x)
		:: else
		fi
	:: else
	fi
}

inline apply_difference(y, was, is)
{
	apply_to(0, y, was, is);
	apply_to(1, y, was, is);
	apply_to(2, y, was, is)
}

inline grant(x)
{
	assert(nr_held[x] == 0 && !(nr_blockers[x] && PASSES_OLD(x)));	/* G3 */
	as[x] = HOLDS;
#ifndef GRANT_UNCOUNTED
	apply_difference(x, WAITS, HOLDS);
#endif
	nr_blockers[x] = 0;
	nr_held[x] = 0;
	granted = granted | BIT(x)
}

/* x may hold: it is called, or granted.  A pass calls but a few, so it may be
 * granted in any case. */
inline call_or_grant(x)
{
	if
	:: state[x] == CALLED && !old[x]		/* it has yet to claim */
	:: state[x] == PARKED && !old[x] ->
#ifndef CALL_AFTER_GUARD
		state[x] = CALLED;
#endif
		called = called | BIT(x)
	:: state[x] != CALLED || old[x] -> grant(x)
	fi
}

/* Time passes: it matters when somebody looks at the clock, under the guard. */
inline grow_old()
{
	if :: as[0] == WAITS -> old[0] = true :: true fi;
	if :: as[1] == WAITS -> old[1] = true :: true fi;
	if :: as[2] == WAITS -> old[2] = true :: true fi
}

/* Of a set the one that arrived first. */
inline take_first(set)
{
	first = N;
	if :: set & 1 -> first = 0 :: else fi;
	if
	:: set & 2 && (first == N || seq[1] < seq[first % N]) -> first = 1
	:: else
	fi;
	if
	:: set & 4 && (first == N || seq[2] < seq[first % N]) -> first = 2
	:: else
	fi;
	set = set & ~BIT(first)
}

inline settle()
{
	rest = 0;
	if
	:: candidates -> grow_old()
	:: else
	fi;
	do
	:: candidates ->
		take_first(candidates);
		if
		:: nr_blockers[first] == 0 -> call_or_grant(first)
		:: nr_blockers[first] && nr_held[first] == 0 ->
			rest = rest | BIT(first)
		:: nr_held[first]
		fi
	:: else -> break
	od;
	do
	:: rest ->
		take_first(rest);
		if
		:: nr_held[first] == 0 && MAY_PASS(first) -> call_or_grant(first)
		:: else
		fi
	:: else -> break
	od;
	candidates = 0;	/* grants only add blockers */
	first = 0
}

inline leave(x)
{
	was_as = as[x];
	as[x] = GONE;
	apply_difference(x, was_as, GONE);
	nr_blockers[x] = 0; nr_held[x] = 0; seq[x] = 0; old[x] = false;
	was_as = NOTHING;
	settle()
}

/* FUTEX_WAKE, by the address alone. */
inline wake(x)
{
	asleep[x] = false
}

/* Q2: the swap is the last touch. */
inline let_in(x)
{
	granted = granted & ~BIT(x);
#ifdef WAKE_BEFORE_STATE
	wake(x);
#endif
#ifdef LET_IN_NO_SWAP
	was = state[x];
#endif
	atomic {
		assert(alive[x] && as[x] == HOLDS && IS_QUEUED(state[x]));
#ifndef LET_IN_NO_SWAP
		was = state[x];
#endif
		state[x] = HELD
	};
#ifdef TOUCH_AFTER
	assert(alive[x]);
#endif
	if
#if !defined(LOST_WAKE) && !defined(WAKE_BEFORE_STATE)
	:: was == PARKED -> wake(x)
	:: was != PARKED
#else
	:: true
#endif
	fi;
	was = NOTHING
}

inline wake_called(x)
{
	atomic {
		called = called & ~BIT(x);
#ifdef CALL_AFTER_GUARD
		assert(alive[x]);
		if :: state[x] == PARKED -> state[x] = CALLED :: else fi;
#endif
#ifndef LOST_CALL
		wake(x)
#endif
	}
}

/* The guard is free again. */
inline end_pass()
{
	do
	:: called & 1 -> wake_called(0)
	:: called & 2 -> wake_called(1)
	:: called & 4 -> wake_called(2)
	:: !called -> break
	od;
	do
	:: granted & 1 -> let_in(0)
	:: granted & 2 -> let_in(1)
	:: granted & 4 -> let_in(2)
	:: !granted -> break
	od
}

/* Until the granter's few stores are seen; naps are timed. */
inline await_let_in(x)
{
	!IS_QUEUED(state[x])
}

inline claim()
{
	atomic {
		was_waiting = as[me] == WAITS;
#ifdef CLAIM_OVERWRITES
		state[me] = QUEUED;
#endif
		if
		:: was_waiting ->
			grow_old();
			state[me] = QUEUED;
			if
#ifdef CLAIM_UNCHECKED
			:: true -> grant(me)
#else
			:: nr_blockers[me] == 0 ||
			   (nr_held[me] == 0 && MAY_PASS(me)) -> grant(me)
			:: else
#endif
			fi
		:: else
		fi;
		guard_unlock()
	};
	end_pass();
	if
	:: was_waiting
	:: !was_waiting -> await_let_in(me)
	fi;
	was_waiting = false
}

inline leave_late()
{
	atomic {
		was_waiting = as[me] == WAITS;
		if
		:: was_waiting -> leave(me)
		:: else
		fi;
		guard_unlock()
	};
	end_pass();
#ifdef TIMEOUT_HELD
	was_waiting = true;
#endif
	if
	:: was_waiting -> state[me] = IDLE; result[me] = TIMED_OUT	/* Q4 */
	:: else -> has_deadline = false		/* the grant is on its way */
	fi;
	was_waiting = false
}

/* FUTEX_WAIT: compares, and sleeps, at one instant. */
inline park()
{
#ifdef PARK_UNCHECKED
	asleep[me] = true;
#else
	atomic {
		if
		:: state[me] == PARKED -> asleep[me] = true
		:: else
		fi
	};
#endif
	if
	:: !asleep[me]
	:: atomic { asleep[me] && spurious -> spurious--; asleep[me] = false }
	:: atomic { asleep[me] && has_deadline -> late = true; asleep[me] = false }
	fi
}

inline await()
{
	do
	:: atomic { state[me] == HELD -> result[me] = LOCKED }; break
	:: atomic { state[me] == CANCELED -> result[me] = WAS_CANCELED }; break
	:: atomic { IS_QUEUED(state[me]) -> st = state[me] };
#ifdef CALLED_SLEEPS
	   if
	   :: st == CALLED && false
#else
	   if
	   :: st == CALLED -> claim()
#endif
	   :: else ->
		if
		:: has_deadline -> leave_late()
		:: !late
		fi;
		if
		:: result[me] == TIMED_OUT -> break
		:: else
		fi;
#ifdef PARK_PLAIN
		state[me] = PARKED;
#else
		atomic {				/* Q3 */
			if
			:: state[me] == QUEUED -> state[me] = PARKED
			:: else
			fi
		};
#endif
		park();
		late = late && has_deadline
	   fi;
	   st = NOTHING
	od
}

/* D1 of the newcomer: it is the latest. */
inline enter()
{
	if
	:: as[0] != WAITS && as[1] != WAITS && as[2] != WAITS -> next_seq = 1
	:: else
	fi;
	nr_blockers[me] = (CONFLICT(0, me) && as[0] != GONE) +
		(CONFLICT(1, me) && as[1] != GONE) + (CONFLICT(2, me) && as[2] != GONE);
	nr_held[me] = HOLDS_AGAINST(0, me) + HOLDS_AGAINST(1, me) + HOLDS_AGAINST(2, me);
	grow_old();
	if
	:: nr_blockers[me] == 0 || (nr_held[me] == 0 && MAY_PASS(me)) ->
		assert(!(nr_blockers[me] && PASSES_OLD(me)));		/* G3 */
		nr_blockers[me] = 0;
		as[me] = HOLDS;
		apply_difference(me, GONE, HOLDS);
		candidates = 0;
		state[me] = HELD
	:: else ->
		as[me] = WAITS;						/* Q1 */
		seq[me] = next_seq;
		next_seq++;
		state[me] = QUEUED
	fi
}

inline lock()
{
	atomic { enter(); guard_unlock() };
	await()
}

inline unlock()
{
	state[me] = IDLE;						/* Q6 */
	atomic { leave(me); guard_unlock() };
	end_pass()
}

proctype Thread(byte me)
{
	byte candidates, rest, first, called, granted, round;
	mtype st = NOTHING, was = NOTHING, was_as = NOTHING;
	bool was_waiting, late, has_deadline;

	do
	:: atomic {
		has_deadline = HAS_DEADLINE(me);
		alive[me] = true; asks[me] = true; result[me] = NOTHING
	   };
	   lock();
	   atomic {
		asks[me] = false;
		late = false;
		st = NOTHING;
		if
		:: result[me] == LOCKED ->
			assert(as[me] == HOLDS && state[me] == HELD);
			inside[me] = true;
			assert(!(CONFLICT(me, 0) && inside[0]));
			assert(!(CONFLICT(me, 1) && inside[1]));
			assert(!(CONFLICT(me, 2) && inside[2]))
		:: else ->
			assert(as[me] == GONE)
		fi
	   };
	   if
	   :: result[me] == LOCKED -> inside[me] = false; unlock()
	   :: else
	   fi;
	   /* Who cancels must not come too late, unless his cancel was it. */
	   if
	   :: !IS_CANCELLED(me) || result[me] == WAS_CANCELED || cancel_is_over
	   fi;
	   atomic { alive[me] = false; round++ };
	   if
	   :: me == 0 && round < ROUNDS
	   :: else -> break
	   fi
	od;
	nr_done++
}

/* Cancels thread 2's request, if it is made by then. */
proctype Canceller()
{
	byte candidates, rest, first, called, granted;
	mtype was = NOTHING, was_as = NOTHING, was_state = NOTHING;
	byte me = 2;
	bool is_busy;

	alive[me];
	if
	:: state[me] == IDLE -> goto over	/* EINVAL */
	:: state[me] != IDLE
	fi;
	atomic {
		is_busy = as[me] == HOLDS;
		if
#ifdef CANCEL_UNCHECKED
		:: as[me] != GONE ->
#else
		:: as[me] == WAITS ->
#endif
			leave(me);
			was_state = state[me];			/* Q5 */
			state[me] = CANCELED;
			cancel_won = true
		:: else
		fi;
		guard_unlock()
	};
	end_pass();
	if
#ifndef CANCEL_NO_WAKE
	:: was_state == PARKED -> wake(me)
#endif
	:: else
	fi;
	if
	:: is_busy -> await_let_in(me)
	:: else
	fi;
over:
	cancel_is_over = true
}

init
{
	atomic {
		run Thread(0); run Thread(1); run Thread(2);
		if
		:: IS_CANCELLED(2) -> run Canceller()
		:: else
		fi
	};
	nr_done == N && (cancel_is_over || !IS_CANCELLED(2));
	assert(as[0] == GONE && as[1] == GONE && as[2] == GONE);
	/* One of grant, cancel and deadline, and both sides agree which. */
	assert(cancel_won == (result[2] == WAS_CANCELED));
	assert(result[0] == LOCKED);
	assert(result[1] == LOCKED || HAS_DEADLINE(1) && result[1] == TIMED_OUT)
}

ltl granted { [] (asks[0] -> <> inside[0]) }
ltl ends { <> (nr_done == N) }
