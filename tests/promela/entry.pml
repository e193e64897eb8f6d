/*
 * entry.pml - entries freed by a plain store, and moving who stands in one
 *
 * One arbiter with two entries; three threads lock and unlock ROUNDS times each,
 * every time with a fresh handle.  Threads 0 and 1 do not conflict (SAME: they
 * do), thread 2 conflicts with both; all write.  E1 to E4, N1, N2: see
 * rangelock/engine/entries.h.
 *
 * Memory is TSO: a plain store to the guard's word or to an entry goes through
 * its thread's buffer, first in, first out, and any time may pass before it is
 * seen; its own thread sees it at once.  A read-modify-write waits for an empty
 * buffer; the heavy barrier waits for its own to be empty, and then for each other
 * thread's to be so once, in any order.  All else is read and written under the guard only, whose unlock stands
 * behind it in the buffer, so it needs none.
 *
 * INVARIANTS asserts N1 and N2 for each who takes the guard.  Planted faults are
 * looked for without, by what they do: two in the object at once, a handle
 * touched after its unlock returned, something left over in the end.
 */
#define N	3
#ifndef ROUNDS
#define ROUNDS	2
#endif

/* The guard's word. */
#define TAKEN	1
#define SLOW	2
#define MOVED(i) (4 << (i))
#define MOVED_ANY 12
#define PIN	16
#define PINS	240

#define GUARD	2		/* a word's number; 0 and 1 are the entries */
#define NONE	2		/* no entry */

#define BUFFERED 4
#include "tso.inc"

byte guard, entry[2];		/* in memory; an entry's holder: handle + 1 */

bool alive[N * ROUNDS];		/* handles: from the lock to the unlock's return */
bool inside[N];			/* between lock and unlock */
bool asks[N];			/* between the call of lock and its return */
byte nr_done;

/* The tree, under the guard. */
mtype = { GONE, WAITS, HOLDS };
mtype node[N] = GONE;
byte seq[N], next_seq;

#define OWNER(handle)	((handle) / ROUNDS)
#ifdef SAME
#define CONFLICT(a, b)	((a) != (b))
#else
#define CONFLICT(a, b)	((a) != (b) && ((a) == 2 || (b) == 2))
#endif

#define USED(i)		(entry[i] && !(w & MOVED(i)))
#define IN_THE_WAY(i)	(USED(i) && CONFLICT(me, OWNER(entry[i] - 1)))
#define FILLED_AGAINST(i) (entry[i] && CONFLICT(me, OWNER(entry[i] - 1)))
#define NODE_AGAINST(t)	(node[t] != GONE && CONFLICT(me, t))
#define TREE_AGAINST	(NODE_AGAINST(0) || NODE_AGAINST(1) || NODE_AGAINST(2))
#define WAITING		(node[0] == WAITS || node[1] == WAITS || node[2] == WAITS)

/* D1: does t block the waiting x? */
#define BLOCKS(t, x)	(CONFLICT(t, x) && (node[t] == HOLDS || \
			 (node[t] == WAITS && seq[t] < seq[x])))
#define MAY_HOLD(x)	(node[x] == WAITS && !BLOCKS(0, x) && !BLOCKS(1, x) && \
			 !BLOCKS(2, x))

/* N1, for an entry and a node. */
#define APART(i, t)	(!USED(i) || node[t] == GONE || \
			 !CONFLICT(OWNER(entry[i] - 1), t))
#define N1	(APART(0, 0) && APART(0, 1) && APART(0, 2) && \
		 APART(1, 0) && APART(1, 1) && APART(1, 2) && \
		 (!USED(0) || !USED(1) || \
		  !CONFLICT(OWNER(entry[0] - 1), OWNER(entry[1] - 1))))
#define N2	((w & SLOW) || !(WAITING || (w & (PINS | MOVED_ANY))))

/* w becomes the flags; whoever has the guard is alone in changing them. */
inline guard_lock()
{
	atomic {
		len(buf[me]) == 0 && !(guard & TAKEN) ->
		w = guard;
		guard = guard | TAKEN;
#ifdef INVARIANTS
		assert(N1);
		assert(N2)
#endif
	}
}

#ifdef NO_PIN
#define NEEDS	MOVED_ANY
#elif defined(CALM_WHILE_MOVED)
#define NEEDS	PINS
#else
#define NEEDS	(PINS | MOVED_ANY)
#endif
#ifdef CALM_WHILE_WAITING
#define NOBODY_WAITS	true
#else
#define NOBODY_WAITS	(!WAITING)
#endif

/* How many pairs it takes is left open. */
inline calm()
{
	if
	:: (w & SLOW) && NOBODY_WAITS && !(w & NEEDS) -> w = w & ~SLOW
	:: true
	fi
}

/* E2, of entry k.  An acquire load and, if somebody is in, his handle. */
inline move_one(k)
{
	atomic {
		seen = entry[k];
		if
		:: seen && !(w & MOVED(k)) ->
			assert(alive[seen - 1]);	/* no phantom holder */
			node[OWNER(seen - 1)] = HOLDS;
			w = w | MOVED(k)
		:: else
		fi;
		seen = 0
	}
}

/* The guard is held at first, and free in the end. */
inline evict()
{
	atomic {
		w = w + PIN;
#ifndef SLOW_AFTER_BARRIER
		w = w | SLOW;
#endif
		store(GUARD, w | TAKEN);
		guard_unlock()
	}
	barrier_heavy();
	guard_lock();
#ifdef SLOW_AFTER_BARRIER
	w = w | SLOW;
#endif
	move_one(0);
	move_one(1);
	atomic {
		w = w - PIN;
		guard_unlock()
	}
}

/* Who may hold now is let in. */
inline leave_tree()
{
	node[me] = GONE;
	if :: MAY_HOLD(0) -> node[0] = HOLDS :: else fi;
	if :: MAY_HOLD(1) -> node[1] = HOLDS :: else fi;
	if :: MAY_HOLD(2) -> node[2] = HOLDS :: else fi;
	seq[me] = 0
}

#ifdef ENTER_WHILE_SLOW
#define MAY_ENTER	true
#else
#define MAY_ENTER	(w == 0)
#endif

/* E1, under the guard; mine: which entry, or NONE. */
inline try_entry()
{
	atomic {
		if
		:: MAY_ENTER && !TREE_AGAINST && !FILLED_AGAINST(0) &&
		   !FILLED_AGAINST(1) ->
			if
			:: !entry[0] -> mine = 0
			:: entry[0] && !entry[1] -> mine = 1
			:: entry[0] && entry[1]
			fi
		:: else
		fi;
		if
		:: mine != NONE -> store(mine, h + 1); guard_unlock()
		:: else
		fi
	}
}

/* Through the tree: hold, or wait.  The guard is let go. */
inline enter_tree()
{
	atomic {
		if
		:: TREE_AGAINST ->
			if :: WAITING :: else -> next_seq = 0 fi;
			node[me] = WAITS;
			seq[me] = next_seq;
			next_seq++;
			w = w | SLOW
		:: else ->
			node[me] = HOLDS
		fi;
		calm();
		guard_unlock()
	}
	node[me] == HOLDS
}

/* The entry that is in the way is to be evicted, or about to be free. */
inline make_way()
{
	if
	:: evict()
	:: atomic { guard_unlock() };
	   entry[way] != seen		/* seen is its holder */
	fi;
	atomic { way = NONE; seen = 0 }
}

inline find_way()
{
	if
	:: IN_THE_WAY(0) -> way = 0; seen = entry[0]
	:: !IN_THE_WAY(0) && IN_THE_WAY(1) -> way = 1; seen = entry[1]
	:: else
	fi
}

inline lock()
{
	do
	:: guard_lock();
	   try_entry();
	   if
	   :: mine != NONE -> break
	   :: else
	   fi;
	   atomic { find_way() };
	   if
	   :: way != NONE ->
#ifdef LOOKS_TWICE
		atomic { way = NONE; seen = 0; find_way() };
		assert(way != NONE);
#endif
		make_way()
	   :: else -> enter_tree(); break
	   fi
	od
}

/* The owner puts itself into the tree, to do more than unlock. */
inline settle()
{
	guard_lock();
	atomic {
		node[me] = HOLDS;
		store(mine, 0);
		w = w & ~MOVED(mine);
		mine = NONE;
		calm();
		guard_unlock()
	}
}

/* E4: free, and SLOW was set. */
inline leave_entry()
{
	guard_lock();
	atomic {
		if
		:: node[me] == HOLDS ->
#ifndef LEAVE_KEEPS_NODE
			leave_tree();
#endif
#ifndef LEAVE_KEEPS_MOVED
			w = w & ~MOVED(mine);
#endif
			skip
		:: else ->
#ifdef FORGETS_ANOTHER
			w = w & ~MOVED(mine)	/* whoever is in it by now */
#else
			skip
#endif
		fi;
		calm();
		guard_unlock()
	}
}

/* E3, and what follows it. */
inline unlock_inline()
{
#ifdef FREE_AFTER_LOOK
	atomic { look = (nr_guard[me] -> w : guard) };
	atomic { store(mine, 0) };
#else
	atomic { store(mine, 0) };
	atomic { look = (nr_guard[me] -> w : guard) };	/* its own store first */
#endif
	if
#ifdef SKIP_LOOK
	:: true
#else
	:: !(look & SLOW)
	:: look & SLOW -> leave_entry()
#endif
	fi;
	atomic { look = 0; mine = NONE; w = 0 }
}

inline unlock_held()
{
	guard_lock();
	atomic { leave_tree(); calm(); guard_unlock(); w = 0 }
}

proctype Thread(byte me)
{
	byte w, seen, look, todo, round, h = me * ROUNDS;
	byte mine = NONE, way = NONE;

	do
	:: round < ROUNDS ->
		atomic { alive[h] = true; asks[me] = true };
		lock();
		atomic {
			asks[me] = false;
			inside[me] = true;
			assert(!(CONFLICT(me, 0) && inside[0]));
			assert(!(CONFLICT(me, 1) && inside[1]));
			assert(!(CONFLICT(me, 2) && inside[2]))
		};
#ifdef SETTLE
		if
		:: me == 0 && mine != NONE -> settle()
		:: true
		fi;
#endif
		inside[me] = false;
		if
		:: mine != NONE -> unlock_inline()
		:: else -> unlock_held()
		fi;
		atomic { alive[h] = false; h++; round++; w = 0 }
	:: else -> break
	od;
	nr_done++
}

/* What a CPU does with its thread's stores, some time. */
proctype Buffer(byte t)
{
	byte word, value;
end:
	do
	:: atomic {
		buf[t]?word, value ->
		if
		:: word == GUARD -> guard = value; nr_guard[t]--
		:: else -> entry[word] = value
		fi;
		word = 0; value = 0
	}
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
	nr_done == N && len(buf[0]) + len(buf[1]) + len(buf[2]) == 0;
	/* Nothing is left: no holder, no node, no moved one, no pin. */
	assert(!entry[0] && !entry[1]);
	assert(node[0] == GONE && node[1] == GONE && node[2] == GONE);
	assert(!(guard & ~SLOW))
}

/* Whoever asks is let in: he is not forgotten, nor kept out for ever. */
ltl granted { [] (asks[2] -> <> inside[2]) }
ltl ends { <> (nr_done == N) }
