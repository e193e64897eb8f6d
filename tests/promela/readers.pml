/*
 * readers.pml - readers who publish themselves, and who moves them
 *
 * One arbiter A, biased at first or not, with an entry; three threads, which lock it
 * once.  0 and 1 read and have a record each, 2 writes (WRITERS: 1, too); all conflict
 * that may (APART: but 0 and 2).  Who reads by the entry may turn A biased again.
 * ROUNDS=2: 0 and 2 alone, twice each; then 0's record also serves B, an arbiter that
 * stays biased, so it changes from one to the other under the mover's eyes.
 *
 * IMPATIENT: the writer may try, or give up when it waits.  SETTLES: 0 may leave its
 * record for the tree while it holds, and try to upgrade there.  GIVES: 1 unlocks 0's
 * first range, at A or B, while 0 locks A again.
 *
 * rangelock/engine/readers.h; E1 to E4, N1, N2 and the memory, TSO, are those of
 * entry.pml.  Stores to the records, too, go through their thread's buffer.  Under the
 * guard the mover looks at one word a step.
 */
#define N	3
#define A	1
#define B	2

#ifndef ROUNDS
#define ROUNDS	1
#endif
#ifdef GIVES
#define NR_ROUNDS(t)	((t) == 0 -> 2 : (t) == 2)
#define SLOT(h)		((h) < 2 -> (h) : 2)
#else
#define NR_ROUNDS(t)	((t) == 1 -> 2 - ROUNDS : ROUNDS)
#define SLOT(h)		((h) / 2)
#endif
#ifdef GIVES
#define MAY_USE_B	(round == 0)
#else
#define MAY_USE_B	(ROUNDS > 1 && at != B)
#endif
#ifdef WRITERS
#define WRITES(s)	((s) >= 1 || is_upgraded)
#else
#define WRITES(s)	((s) == 2 || ((s) == 0 && is_upgraded))
#endif
#ifdef APART
#define OVERLAP(a, b)	((a) + (b) != 2)
#else
#define OVERLAP(a, b)	true
#endif
#define CONFLICT(a, b)	((a) != (b) && OVERLAP(a, b) && (WRITES(a) || WRITES(b)))

/* The guard's word. */
#define TAKEN	1
#define SLOW	2
#define BIASED	4
#define MOVED	8
#define PIN	16
#define PINS	240

/* Words. */
#define GUARD	0
#define ENTRY	1
#define MAIL	2
#define ARBITER(t) (3 + (t))
#define HOLDER(t) (5 + (t))
#define NONE	0		/* no entry and no record */

#define BUFFERED 5
#include "tso.inc"

byte guard, entry;	/* a holder: handle + 1 */
byte arbiter[2], holder[2];	/* the records */
byte mail;			/* GIVES: what thread 1 is to free, + 1 */

bool alive[N * 2];		/* handles, of requests at A */
bool inside[N], asks[N];
bool is_upgraded;		/* thread 0 writes */
byte nr_done;

/* The tree, under the guard, by slot. */
mtype = { GONE, WAITS, HOLDS };
mtype node[N] = GONE;
byte seq[N], next_seq;

#define USED		(entry && !(w & MOVED))
#define NODE_AGAINST(s)	(node[s] != GONE && CONFLICT(slot, s))
#define TREE_AGAINST	(NODE_AGAINST(0) || NODE_AGAINST(1) || NODE_AGAINST(2))
#define WAITING		(node[0] == WAITS || node[1] == WAITS || node[2] == WAITS)
#define EMPTY		(node[0] == GONE && node[1] == GONE && node[2] == GONE)

/* D1 */
#define BLOCKS(t, x)	(CONFLICT(t, x) && (node[t] == HOLDS || \
			 (node[t] == WAITS && seq[t] < seq[x])))
#define MAY_HOLD(x)	(node[x] == WAITS && !BLOCKS(0, x) && !BLOCKS(1, x) && \
			 !BLOCKS(2, x))

#define APART_FROM(s)	(!USED || node[s] == GONE || \
			 !CONFLICT(SLOT(entry - 1), s))
#define N1		(APART_FROM(0) && APART_FROM(1) && APART_FROM(2))
#define N2		((w & SLOW) || !(WAITING || (w & (PINS | MOVED))))
#define WRITER_AT(s)	(node[s] != GONE && WRITES(s))
#define B1		(!(w & BIASED) || !(WAITING || WRITER_AT(0) || \
			 WRITER_AT(1) || WRITER_AT(2) || \
			 (USED && WRITES(SLOT(entry - 1)))))

/* w becomes the flags; it stays what this thread has last stored. */
inline guard_lock()
{
	atomic {
		len(buf[me]) == 0 && !(guard & TAKEN) ->
		w = guard;
		guard = guard | TAKEN;
#ifdef INVARIANTS
		assert(N1);
		assert(N2);
		assert(B1)
#endif
	}
}

/* The flags, without the guard: its own store first. */
inline look_at_flags()
{
	look = (nr_guard[me] -> w : guard & ~TAKEN)
}

#ifdef ENTRY_NO_PIN
#define NEEDS	MOVED
#elif defined(ENTRY_CALM_MOVED)
#define NEEDS	PINS
#else
#define NEEDS	(PINS | MOVED)
#endif

/* How many pairs it takes is left open. */
inline calm()
{
	if
	:: (w & SLOW) && !WAITING && !(w & NEEDS) -> w = w & ~SLOW
	:: true
	fi
}

/* ---- Moving: pinned since before a heavy barrier, and the guard is held ---- */

inline move_entry()
{
	atomic {
		if
		:: entry && !(w & MOVED) ->
			assert(alive[entry - 1]);	/* no phantom holder */
			node[SLOT(entry - 1)] = HOLDS;
			w = w | MOVED
		:: else
		fi
	}
}

/* Both words of a record must fit together. */
inline move_record(r)
{
	do
	:: seen = holder[r];
	   if
	   :: seen == 0 || arbiter[r] != A -> seen = 0; break
	   :: else
	   fi;
#ifndef MOVE_ONE_LOOK
	   if
	   :: holder[r] != seen
	   :: else ->
#else
	   if
	   :: true ->
#endif
		atomic {
			assert(alive[seen - 1]);	/* no phantom holder */
			assert(node[SLOT(seen - 1)] != HOLDS);	/* moved once */
			node[SLOT(seen - 1)] = HOLDS;
#ifndef BIAS_NO_PIN
			w = w + PIN;
#endif
			seen = 0
		};
		break
	   fi
	od
}

/* The guard is let go meanwhile. */
inline evict()
{
	atomic {
		w = (w + PIN) | SLOW;
#ifdef BIAS_ENDS_EARLY
		w = w & ~BIASED;
#endif
		store(GUARD, w | TAKEN);
		guard_unlock()
	}
	barrier_heavy();
	guard_lock();
	move_entry();
	if
	:: w & BIASED -> move_record(0); move_record(1)
	:: else
	fi;
	w = (w - PIN) & ~BIASED
}

/* ---- Asking ---- */

/* E1, under the guard; it may turn biased, with who reads in the entry. */
inline try_entry()
{
	atomic {
		if
		:: w == 0 && !TREE_AGAINST && !entry ->
			store(ENTRY, h + 1);
			mine = ENTRY;
			if
#ifdef BIAS_OVER_WRITER
			:: !WRITES(slot) -> w = BIASED
#else
			:: !WRITES(slot) && EMPTY -> w = BIASED
#endif
			:: true
			fi;
			guard_unlock()
		:: else
		fi
	}
}

/* By the tree: hold, or wait, or be refused.  The guard is let go. */
inline enter_tree()
{
	atomic {
		if
		:: TREE_AGAINST && is_try -> refused = true
		:: TREE_AGAINST && !is_try ->
			if :: WAITING :: else -> next_seq = 0 fi;
			node[slot] = WAITS;
			seq[slot] = next_seq;
			next_seq++;
			w = w | SLOW
		:: else ->
			node[slot] = HOLDS
		fi;
		calm();
		guard_unlock()
	}
	if
	:: node[slot] == HOLDS || refused
#ifdef IMPATIENT
	:: slot == 2 && node[slot] == WAITS -> give_up()
#endif
	fi
}

/* The deadline has come: it is granted, or leaves. */
inline give_up()
{
	guard_lock();
	atomic {
		if
		:: node[slot] == WAITS -> leave_tree(); refused = true
		:: else
		fi;
		calm();
		guard_unlock()
	}
}

#ifdef TRY_TRUSTS
#define IS_AGAINST_BIAS	((w & BIASED) && WRITES(slot) && !is_try)
#else
#define IS_AGAINST_BIAS	((w & BIASED) && WRITES(slot))
#endif
#define IN_THE_WAY	(USED && CONFLICT(slot, SLOT(entry - 1)))

/* The guard is free; in the end, too. */
inline ask()
{
	guard_lock();
	try_entry();
	do
	:: mine != NONE || refused || node[slot] == HOLDS -> break
	:: else ->
		if
		:: IN_THE_WAY && is_try ->
			atomic { refused = true; guard_unlock() }
		:: IN_THE_WAY && !is_try ->
			if
			:: evict()
			:: atomic { seen = entry; guard_unlock() };
			   seen == 0 || entry != seen;
			   seen = 0;
			   guard_lock();
			   try_entry()
			fi
		:: else ->
			if
			:: IS_AGAINST_BIAS -> evict()
			:: else -> enter_tree()
			fi
		fi
	od
}

inline publish(goal)
{
	atomic {
#ifdef ARBITER_LAST
		store(HOLDER(me), h + 1);
		if
		:: at != goal -> store(ARBITER(me), goal); at = goal
		:: else
		fi
#else
		if
		:: at != goal -> store(ARBITER(me), goal); at = goal
		:: else
		fi;
		store(HOLDER(me), h + 1)
#endif
	}
}

#ifdef GIVES
#define IS_FREE	(len(buf[me]) == 0 && holder[me] == 0)	/* or goes the other way */
#else
#define IS_FREE	true
#endif
#ifdef BIAS_NO_LOOK
#define IS_BIASED true
#elif defined(SLOW_IGNORED)
#define IS_BIASED (look & BIASED)
#else
#define IS_BIASED (look == BIASED)
#endif

inline read_quickly()
{
	atomic { look_at_flags() };			/* a hint */
	if
	:: look == BIASED && IS_FREE ->
#ifndef LOOK_FIRST
		publish(A);
		atomic { look_at_flags() };
#else
		atomic { look_at_flags() };
		publish(A);
#endif
		mine = HOLDER(me);
		if
		:: IS_BIASED
		:: !IS_BIASED -> free_entry(); mine = NONE
		fi
	:: else
	fi;
	look = 0
}

inline lock()
{
	if
	:: !WRITES(slot) -> read_quickly()
	:: else
	fi;
	if
	:: mine == NONE -> ask()
	:: else
	fi
}

/* ---- Leaving ---- */

/* Who may hold now is let in. */
inline leave_tree()
{
	node[slot] = GONE;
	if :: slot == 0 -> is_upgraded = false :: else fi;
	if :: MAY_HOLD(0) -> node[0] = HOLDS :: else fi;
	if :: MAY_HOLD(1) -> node[1] = HOLDS :: else fi;
	if :: MAY_HOLD(2) -> node[2] = HOLDS :: else fi;
	seq[slot] = 0
}

/* Under the guard: the moved holder of an entry or a record has left it. */
inline forget()
{
#ifdef BIAS_NO_PIN
	w = (mine == ENTRY -> w & ~MOVED : w)
#else
	w = (mine == ENTRY -> w & ~MOVED : w - PIN)
#endif
}

/* E4: free, and SLOW was set. */
inline leave_entry()
{
	guard_lock();
	atomic {
		if
		:: node[slot] == HOLDS -> leave_tree(); forget()
		:: else
		fi;
		calm();
		guard_unlock()
	}
}

/* E3, of an entry or a record, and what follows it. */
inline free_entry()
{
	atomic { inside[slot] = false; store(mine, 0) };
	atomic { look_at_flags() };
	if
#ifdef ENTRY_NO_LOOK
	:: true
#else
	:: !(look & SLOW)
	:: look & SLOW -> leave_entry()
#endif
	fi;
	look = 0
}

inline unlock()
{
	if
	:: mine != NONE -> free_entry(); mine = NONE
	:: else ->
		guard_lock();
		atomic { inside[slot] = false; leave_tree(); calm(); guard_unlock() }
	fi
}

/* The owner puts itself into the tree, and may try to write there. */
inline settle()
{
	guard_lock();
	atomic {
		if
		:: node[slot] == HOLDS -> forget(); calm()
		:: else -> node[slot] = HOLDS
		fi;
		store(mine, 0);
		mine = NONE;
		guard_unlock()
	}
}

#define HOLDS_BESIDE(s)	((s) != slot && node[s] == HOLDS)

inline upgrade()
{
	guard_lock();
#ifndef UPGRADE_TRUSTS
	do
	:: w & BIASED -> evict()
	:: else -> break
	od;
#endif
	atomic {
		if
		:: !USED && !HOLDS_BESIDE(0) && !HOLDS_BESIDE(1) &&
		   !HOLDS_BESIDE(2) && !WAITING ->
			is_upgraded = true;
			assert(!inside[1] && !inside[2])
		:: else
		fi;
		guard_unlock()
	}
}

inline enter_object()
{
	inside[slot] = true;
	assert(!(CONFLICT(slot, 0) && inside[0]));
	assert(!(CONFLICT(slot, 1) && inside[1]));
	assert(!(CONFLICT(slot, 2) && inside[2]))
}

proctype Thread(byte me)
{
	byte w, seen, look, todo, round, h = me * 2, mine = NONE, at;
	bool is_try, refused;
	byte slot = SLOT(h);

	do
	:: round < NR_ROUNDS(me) ->
		if
		:: me == 0 && MAY_USE_B ->	/* it locks B, and unlocks it */
#ifdef GIVES
			atomic { publish(B); store(MAIL, HOLDER(me) + 1) };
#else
			atomic { publish(B); store(HOLDER(me), 0) };
#endif
			goto next
		:: true
		fi;
		atomic {
			alive[h] = true; asks[me] = true;
#ifdef IMPATIENT
			if :: slot == 2 -> is_try = true :: true fi
#endif
		};
		lock();
		atomic {
			asks[me] = false;
			if
			:: refused
			:: else -> enter_object()
			fi
		};
		if
		:: refused
#ifdef GIVES
		:: !refused && h == 0 ->
			atomic { store(MAIL, mine + 1); mine = NONE };
			goto next
#endif
		:: else ->
#ifdef SETTLES
			if
			:: slot == 0 && mine != NONE ->
				settle();
				if :: upgrade() :: true fi
			:: true
			fi;
#endif
			unlock()
		fi;
		alive[h] = false;
next:
		atomic {
			h++; round++;
			slot = (round < NR_ROUNDS(me) -> SLOT(h) : 0);
			is_try = false; refused = false;
			if :: nr_guard[me] == 0 -> w = 0 :: else fi
		}
	:: else -> break
	od;
#ifdef GIVES
	if
	:: me == 1 ->
		atomic { mail -> mine = mail - 1; h = 0; slot = 0; mail = 0 };
		if
		:: !alive[0] -> store(mine, 0); mine = NONE	/* at B */
		:: alive[0] ->
			unlock();
			alive[0] = false
		fi
	:: else
	fi;
#endif
	atomic { nr_done++; w = 0; at = 0; h = 0 }
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
		:: word == ENTRY -> entry = value
		:: word == MAIL -> mail = value
		:: word == ARBITER(0) || word == ARBITER(1) ->
			arbiter[word - ARBITER(0)] = value
		:: else -> holder[word - HOLDER(0)] = value
		fi;
		word = 0; value = 0
	}
	od
}

init
{
	byte t;

	atomic {
		if :: guard = BIASED :: true fi;
		do
		:: t < N -> run Thread(t); run Buffer(t); t++
		:: else -> break
		od
	};
	nr_done == N && len(buf[0]) + len(buf[1]) + len(buf[2]) == 0;
	/* Nothing is left: no holder, no node, no moved one, no pin. */
	assert(!entry && !holder[0] && !holder[1]);
	assert(EMPTY);
	assert(!(guard & ~(SLOW | BIASED)))
}

ltl granted { [] (asks[2] -> <> inside[2]) }
ltl ends { <> (nr_done == N) }
