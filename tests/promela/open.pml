/*
 * open.pml - the open arbiter: others pass, by the entries, who waits
 *
 * One arbiter with two entries, and three threads (FOUR: four); thread 0 locks and
 * unlocks ROUNDS times, the others once.  All write; which bytes of the object, MIX
 * says.  D1 is counted by difference, as in wait.pml; a pass, with its calls and
 * grants, is one step here, and so is each hold of the guard.  Of the store buffers only
 * what matters is here: the FREE of an unlock may be seen late, and whoever takes the
 * guard has no store outstanding (entry.pml has the rest).  O1:
 * rangelock/engine/entries.h; "Passing who is called": docs/ENGINE.md.
 *
 * Time is whatever helps least: when somebody looks at the clock, those who arrived
 * first may be too old to be passed by then.  How long somebody looks at an entry or
 * at the guard's word, and how many pairs pay for opening, is left open.
 *
 * TRIES: thread 0 may only try the second time.  GIVES_UP: threads 1 and 2 have
 * deadlines (or are cancelled).  CLOSES: thread 2 holds in a shard, and with FOUR
 * thread 3 waits there, under another guard until thread 0 closes that.
 */
#include "open.inc"

/* ---- Opening, shutting, evicting ---- */

#define IS_FIRST(t)	(as[t] == WAITS && (as[0] != WAITS || seq[t] <= seq[0]) && \
			 (as[1] != WAITS || seq[t] <= seq[1]) && \
			 (as[2] != WAITS || seq[t] <= seq[2]) && \
			 (as[3] != WAITS || seq[t] <= seq[3]))
#define OLDEST		(IS_FIRST(0) -> seq[0] : (IS_FIRST(1) -> seq[1] : \
			 (IS_FIRST(2) -> seq[2] : seq[3])))
#define LATEST		(next_seq - 1)
#define IS_HALTED	(flags == (OPEN | SLOW))
#define MAY_OPEN	(WAITING && !has_granted && (!(flags & ~SLOW) || IS_HALTED))

inline halt()
{
	if
	:: IS_OPEN -> flags = flags | SLOW
	:: else
	fi
}

/* Somebody is in an entry: he must be moved before anybody is let in. */
#ifdef OPEN_NO_SHUT
#define MUST_EVICT	false
#elif defined(OPEN_TRUSTS)
#define MUST_EVICT	(IS_OPEN && (USED(0) || USED(1)))
#else
#define MUST_EVICT	((flags & OPEN) && (USED(0) || USED(1)))
#endif

inline shut()
{
	if
	:: (flags & OPEN) && (flags & SLOW) -> flags = flags & ~OPEN
	:: IS_OPEN -> flags = SLOW
	:: else
	fi
}

/* Nobody passes any more. */
inline end_time()
{
	if
	:: MUST_EVICT -> halt()
	:: else -> shut()
	fi
}

/* The end of a pass in which a holder left a tree. */
inline open()
{
	if
	:: MAY_OPEN ->
		grow_old();
		if
		:: OLDEST >= nr_old ->
			flags = OPEN;
#ifdef OPEN_TOO_LONG
			until = LATEST
#else
			until = OLDEST
#endif
		:: else -> end_time()
		fi
	:: front == N			/* it is not worth it */
	:: else
	fi;
	has_granted = false;
	front = N
}

inline pin()
{
	halt();
	flags = (flags + PIN) | SLOW
}

/* E2, of entry i.  He may have passed those who wait. */
inline move_one(i)
{
	if
	:: USED(i) ->
		assert(alive[entry[i] - 1]);		/* no phantom holder */
		as[entry[i] - 1] = HOLDS;
		flags = flags | MOVED(i);
#ifndef OPEN_UNCOUNTED
		first = entry[i] - 1;
		apply_difference(first, GONE, HOLDS);
		first = 0;
#endif
		skip
	:: else
	fi
}

inline move()
{
	move_one(0);
	move_one(1);
	flags = (flags & ~OPEN) - PIN
}

inline barrier_heavy()
{
#ifdef NO_BARRIER
	skip
#else
	todo = BIT(NR_THREADS) - 1 - BIT(me);
	do
	:: todo & 1 && !late[0] -> todo = todo - 1
	:: todo & 2 && !late[1] -> todo = todo - 2
	:: todo & 4 && !late[2] -> todo = todo - 4
	:: todo & 8 && !late[3] -> todo = todo - 8
	:: todo == 0 -> break
	od
#endif
}

/* Somebody is in the way: he is moved, or looked at. */
inline make_way()
{
	if
	:: pin(); next = EVICT
	:: next = LOOK_ENTRY
	fi
}

inline find_way()
{
	if
	:: IN_THE_WAY(0) -> way = 0; seen = entry[0]
	:: !IN_THE_WAY(0) && IN_THE_WAY(1) -> way = 1; seen = entry[1]
	:: else -> way = NONE
	fi
}

/* After a hold that ended so. */
inline follow()
{
	if
	:: next == EVICT -> barrier_heavy(); is_evicting = true
	:: next == LOOK_ENTRY -> entry[way] != seen
	:: next == LOOK_GUARD ->
		if
		:: !(flags & SLOW)
		:: looks = false		/* it was enough */
		fi
	:: else
	fi;
	way = NONE; seen = 0
}

/* ---- Asking: a hold of the guard ---- */

#ifdef OPEN_FOR_EVER
#define IS_IN_TIME	true
#else
#define IS_IN_TIME	(until >= nr_old)
#endif
#ifdef OPEN_OVER_HOLDER
#define TREE_LETS_IN	(IS_OPEN || COUNT_HELD(me) == 0)
#else
#define TREE_LETS_IN	(COUNT_HELD(me) == 0)
#endif

/* E1; the time in the word is counted in ticks, and may seem over early. */
inline try_entry()
{
	if :: IS_OPEN -> grow_old() :: else fi;
	if
	:: IS_OPEN && !IS_IN_TIME -> end_time()
	:: (flags == 0 || (IS_OPEN && IS_IN_TIME)) && TREE_LETS_IN &&
	   !ENTRY_AGAINST(0, me) && !ENTRY_AGAINST(1, me) && !(entry[0] && entry[1]) ->
		mine = (entry[0] -> 1 : 0);
		entry[mine] = me + 1;
		next = DONE;
		assert(!PASSES_OLD(me))					/* G3 */
#ifndef FOUR
	:: IS_OPEN && IS_IN_TIME -> end_time()
#endif
	:: else
	fi
}

/* An open arbiter is shut only for one who must wait. */
#define IS_BESIDE_OPEN	(flags & OPEN)

inline enter_tree()
{
	nr_held[me] = COUNT_HELD(me);
	nr_blockers[me] = nr_held[me] + COUNT_WAITING(me);
	grow_old();
	if
	:: nr_blockers[me] == 0 || (nr_held[me] == 0 && !PASSES_OLD(me)) ->
		nr_blockers[me] = 0;
		as[me] = HOLDS;
		apply_difference(me, GONE, HOLDS);
		candidates = 0;
		state[me] = HELD;
		next = DONE
	:: else ->
		if
		:: is_try -> next = REFUSED
		:: !is_try && IS_BESIDE_OPEN -> next = SHUT
#ifdef LOOK_QUEUES
		:: false ->
#else
		:: !is_try && !IS_BESIDE_OPEN && looks && nr_held[me] < nr_blockers[me] && !PASSES_OLD(me) ->
#endif
			next = LOOK_GUARD
		:: else ->
			/* Who could soon pass sleepers does not queue at once. */
			assert(!(looks && nr_held[me] < nr_blockers[me] &&
				 !PASSES_OLD(me)));
			as[me] = WAITS;
			seq[me] = next_seq;
			next_seq++;
			flags = flags | SLOW;
			state[me] = QUEUED;
			next = DONE
		fi;
		if
		:: as[me] != WAITS -> nr_held[me] = 0; nr_blockers[me] = 0
		:: else
		fi
	fi;
	calm()
}

inline ask_guarded()
{
	find_way();
	if
	:: way != NONE && is_try -> next = REFUSED
	:: way != NONE && !is_try -> make_way()
	:: else ->
		enter_tree();
		if
		:: next == SHUT && MUST_EVICT -> pin(); next = EVICT
		:: next == SHUT && !MUST_EVICT -> shut(); enter_tree()
		:: else
		fi
	fi;
	if :: next == LOOK_ENTRY :: else -> way = NONE; seen = 0 fi
}

/* Who is in a shard that thread 0 touches comes under this guard. */
inline close_shard()
{
#ifdef CLOSES
	if
	:: me == 0 && bytes[0] & 6 && as[2] == AWAY -> as[2] = HOLDS; has_closed = true
	:: else
	fi;
	if
	:: me == 0 && bytes[0] & 6 && as[3] == AWAY -> as[3] = HOLDS; has_closed = true
	:: me == 0 && bytes[0] & 6 && as[3] == WAITS_AWAY -> as[3] = WAITS
	:: else
	fi;
	if
	:: as[3] == WAITS && has_closed && !IS_OPEN -> flags = flags | SLOW
	:: as[3] == WAITS && has_closed && IS_OPEN ->
#ifndef OPEN_CLOSES
		halt()
#else
		skip
#endif
	:: else
	fi;
	has_closed = false
#else
	skip
#endif
}

inline lock()
{
	do
	:: atomic {
		late[me] == 0 ->
		alive[me] = true;
		bytes[me] = BYTES(me, round);
		close_shard();
		next = NOTHING;
		if
		:: is_evicting -> is_evicting = false; move()
		:: else -> try_entry()
		fi;
		if
		:: next == NOTHING -> ask_guarded()
		:: else
		fi;
		if
		:: next == REFUSED -> alive[me] = false; bytes[me] = 0
		:: else
		fi;
		guard_unlock()
	   };
	   follow();
	   if
	   :: next == DONE || next == REFUSED -> break
	   :: else
	   fi
	od
}

/* ---- A pass that shuts the arbiter first ---- */

/* next is NOTHING if it is shut, and the guard held. */
inline begin_pass()
{
	next = NOTHING;
	if
	:: is_evicting ->
		is_evicting = false;
		move();
		next = (evicted_way -> LOOK_GUARD : NOTHING);	/* the guard is let go */
		evicted_way = false
	:: else
	fi;
	if
	:: next == NOTHING && MUST_EVICT ->
		find_way();
		if
		:: way != NONE && as[me] == WAITS -> make_way(); evicted_way = next == EVICT
		:: else -> pin(); next = EVICT
		fi;
		if :: next == LOOK_ENTRY :: else -> way = NONE; seen = 0 fi
	:: next == NOTHING && !MUST_EVICT -> shut()
	:: else
	fi
}

/* It claimed in vain. */
#define FOLLOWS(y)	(as[y] == WAITS && nr_held[y] == 0 && WAITS_AGAINST(me, y))

inline claim()
{
	do
	:: atomic {
		late[me] == 0 ->
		begin_pass();
		if
		:: next == NOTHING && as[me] == WAITS ->
			state[me] = QUEUED;
			grow_old();
			if
			:: nr_blockers[me] == 0 ||
			   (nr_held[me] == 0 && !PASSES_OLD(me)) -> grant(me)
			:: else ->
				candidates = FOLLOWS(0) + 2 * FOLLOWS(1) +
					4 * FOLLOWS(2) + 8 * FOLLOWS(3)
			fi;
			settle();
			next = DONE
		:: next == NOTHING && as[me] != WAITS -> next = DONE
		:: else
		fi;
		has_granted = false; front = N;
		guard_unlock()
	   };
	   follow();
	   if :: next == DONE -> break :: else fi
	od
}

inline leave_late()
{
	do
	:: atomic {
		late[me] == 0 ->
#ifdef LATE_LEAVES_OPEN
		next = NOTHING;
#else
		begin_pass();
#endif
		if
		:: next == NOTHING && as[me] == WAITS ->
			leave(me);
			state[me] = IDLE;
			alive[me] = false;
			next = REFUSED
		:: next == NOTHING && as[me] != WAITS -> next = DONE
		:: else
		fi;
		has_granted = false; front = N;
		guard_unlock()
	   };
	   follow();
	   if :: next == DONE || next == REFUSED -> break :: else fi
	od
}

/* Who is PARKED sleeps. */
inline await()
{
	do
	:: state[me] == HELD -> break
	:: atomic { state[me] == QUEUED -> state[me] = PARKED }
#ifndef CALLED_SLEEPS
	:: state[me] == CALLED -> claim()
#endif
#ifdef GIVES_UP
	:: me != 0 && IS_QUEUED(state[me]) ->
		leave_late();
		if :: next == REFUSED -> break :: next == DONE fi
#endif
	od
}

/* ---- Leaving ---- */

inline leave_shard()
{
	as[me] = GONE; bytes[me] = 0;
	if
	:: as[3] == WAITS_AWAY ->
		as[3] = AWAY; state[3] = HELD; nr_blockers[3] = 0; nr_held[3] = 0
	:: else
	fi
}

/* Is another holder in a tree in the way of all who wait for this one? */
#define IS_LET_IN(x)	(as[x] == WAITS && OVERLAP(me, x) && nr_held[x] <= 1)
#if defined(OPEN_FORGETS)
#define MUST_SHUT	is_evicting
#else
#define MUST_SHUT	(is_evicting || ((flags & OPEN) && (IS_LET_IN(0) || \
			 IS_LET_IN(1) || IS_LET_IN(2) || IS_LET_IN(3))))
#endif

inline unlock_held()
{
	do
	:: atomic {
		late[me] == 0 ->
		next = NOTHING;
		if
		:: as[me] == AWAY -> leave_shard(); next = DONE
		:: as[me] != AWAY && MUST_SHUT -> begin_pass()
		:: else
		fi;
		if
		:: next == NOTHING ->
			state[me] = IDLE;
			leave(me);
			calm();
			open();
			next = DONE
		:: else
		fi;
		guard_unlock()
	   };
	   follow();
	   if :: next == DONE -> break :: else fi
	od
}

/* E4: free, and SLOW was set. */
inline leave_entry()
{
	atomic {
		late[me] == 0 ->
		if
		:: as[me] == HOLDS ->
			leave(me);
			flags = flags & ~MOVED(mine);
			calm();
			open()
		:: else -> calm()
		fi;
		guard_unlock()
	}
}

inline unlock_inline()
{
	late[me] = mine + 1;			/* E3 */
	if
	:: flags & SLOW -> leave_entry()
	:: else
	fi
}

proctype Thread(byte me)
{
	byte round, way = NONE, seen, mine = NONE;
	byte candidates, rest, first, front = N, todo;
	mtype next = NOTHING, was_as = NOTHING;
	bool is_try, looks, has_granted, is_evicting, evicted_way, has_closed;

	do
	:: round < NR_ROUNDS(me) ->
#ifdef CLOSES
		if
		:: me == 2 -> next = DONE; goto held
		:: me == 3 -> await(); next = DONE; goto held
		:: else
		fi;
#endif
		atomic {
			asks[me] = true;
#ifndef FOUR
			if :: looks = true :: true fi;
#endif
#ifdef TRIES
			if :: round == 1 -> is_try = true :: true fi
#endif
		};
		lock();
		if
		:: next == DONE && mine == NONE -> await()
		:: else
		fi;
held:
		atomic {
			asks[me] = false; looks = false; is_try = false;
			if
			:: next == DONE ->
				inside[me] = true;
				assert(!(OVERLAP(me, 0) && inside[0]));
				assert(!(OVERLAP(me, 1) && inside[1]));
				assert(!(OVERLAP(me, 2) && inside[2]));
				assert(!(OVERLAP(me, 3) && inside[3]))
			:: else
			fi
		};
		if
		:: next == DONE ->
			inside[me] = false;
			if
			:: mine != NONE -> unlock_inline()
			:: else -> unlock_held()
			fi
		:: else
		fi;
		atomic { alive[me] = false; next = NOTHING; mine = NONE; round++ }
	:: else -> break
	od;
	nr_done++
}

/* The FREE is seen some time. */
proctype Buffer(byte t)
{
end:
	do
	:: atomic {
		late[t] ->
		entry[late[t] - 1] = 0;
		late[t] = 0
	   }
	od
}

init
{
	byte t;

	atomic {
#ifdef CLOSES
		as[2] = AWAY; bytes[2] = 2; alive[2] = true;
#ifdef FOUR
		as[3] = WAITS_AWAY; bytes[3] = 6; alive[3] = true; seq[3] = 0;
		state[3] = QUEUED; nr_blockers[3] = 1; nr_held[3] = 1;
#endif
#endif
		do
		:: t < NR_THREADS -> run Thread(t); run Buffer(t); t++
		:: else -> break
		od
	};
	nr_done == NR_THREADS && !late[0] && !late[1] && !late[2] && !late[3];
	assert(!entry[0] && !entry[1] && !WAITING && !HOLDING);
	assert(!(flags & (MOVED_ANY | PINS)))
}

ltl granted { [] (asks[1] -> <> inside[1]) }
ltl ends { <> (nr_done == NR_THREADS) }
