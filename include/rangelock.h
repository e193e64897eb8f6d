/*
 * rangelock.h - lock ranges of one object instead of all of it
 *
 * A struct rangelock stands for one object of 2^64 - 1 bytes (an address space,
 * a file, a table).  Threads lock half-open ranges [start, end) of it for
 * reading or writing; [0, RL_END) is everything.  A request lives in a handle,
 * struct rl_range, that the caller owns (the stack is fine) from lock to unlock.
 *
 * Guarantees (docs/SEMANTICS.md argues each):
 *
 * G1 Exclusion.  Two held ranges that overlap are both read-locked.
 * G2 No false waiting.  A request waits only for requests that conflict with
 *    its own range: never for the lock's internals longer than a short critical
 *    section, and (within G3) never for somebody who is not yet served himself.
 * G3 Order.  Among conflicting requests the earlier goes first, but a request
 *    that conflicts only with waiting ones may pass them while each of them has
 *    waited less than bypass_ns.  A wait is at most the holds before it, plus
 *    bypass_ns, plus the longest hold among those who passed it, or passed an
 *    earlier waiter that it waits for.
 * G4 Coarse neutrality.  A coarse request conflicts exactly as [0, RL_END)
 *    would; making a locker fine changes nothing between it and coarse lockers.
 * G5 No allocation, and no failure for want of memory, after rl_init().  When
 *    an unlock returns nobody touches the handle any more.  Not with dlopen():
 *    the C library then allocates a thread's variables of this library in the
 *    first call of the thread that needs them (no trylock here does), and aborts
 *    the program if it cannot.
 * G6 Abandoned waits (try, deadline, cancel) leave no trace, and let in those
 *    whom they alone were blocking.
 * G7 An unlock happens-before the next conflicting lock.
 * G8 A thread that would wait for itself gets EDEADLK: a blocker is its own, or
 *    a waiting blocker waits for one of its own.  Of threads that wait in a circle,
 *    over whichever locks, the youngest waiter gets it after deadlock_ns.
 *
 * Not promised: recursion, priority inheritance, sharing between processes, use
 * from a signal handler.  The trylocks alone may be called there, if the signal
 * cannot arrive while its thread is inside this library.
 *
 * Every function returns 0 or a positive error number, never errno.  A bad
 * argument (NULL, start >= end) is EINVAL, and aborts a call that returns
 * nothing.  A broken duty of the caller (unlock of what is not held, a handle
 * that is still in use, a foreign lock) prints file, line and the broken
 * condition on stderr, then aborts.
 *
 * Times are nanoseconds; deadlines are absolute, of CLOCK_MONOTONIC or of the
 * host table's now().  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef RANGELOCK_H
#define RANGELOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RL_VERSION_MAJOR	0
#define RL_VERSION_MINOR	1
#define RL_VERSION_PATCH	0

#define RL_API	__attribute__((visibility("default")))

#define RL_END		UINT64_MAX	/* one past the last lockable byte */
#define RL_NO_DEADLINE	UINT64_MAX
#define RL_BYPASS_NS	UINT64_C(1000000)	/* G3: the default bound */
#define RL_DEADLOCK_NS	UINT64_C(10000000)	/* G8: when a wait is looked into */
#define RL_NOBODY	UINT64_C(0)	/* an owner that no thread has */
#define RL_MANY_MAX	16		/* ranges in one rl_lock_many() */

enum rl_mode {
	RL_READ,
	RL_WRITE,
};

struct rl_range;
struct rl_ledger;
struct rl_forest;

/*
 * What a lock asks of the threads it runs under.  NULL members, and a NULL
 * table, mean: futex, CLOCK_MONOTONIC, one owner a thread, a pause instruction.
 * A fiber runtime or a simulator brings its own.
 *
 * park:  sleep while *word == expected, at most until the deadline; may return
 *	  early for any reason.  wake: end the park of everybody on that address;
 *	  the address may be dead by then and must not be read.
 * now:   nanoseconds, never backwards; deadlines are of it.  Without park, what is
 *	  left until a deadline is slept by CLOCK_MONOTONIC, and looked at again.
 * self:  who am I, never RL_NOBODY: a fiber is not its thread.  In a child of
 *	  fork() the same as before (gettid() is not), if rl_fork_child() is to
 *	  keep anything.
 * relax: called between two looks at a word that is about to change.  A host
 *	  whose threads cannot run at the same time sets park and leaves relax
 *	  NULL: then the lock never spins.
 */
struct rl_host {
	void (*park)(void *ctx, const uint32_t *word, uint32_t expected,
		     uint64_t deadline_ns);
	void (*wake)(void *ctx, const uint32_t *word);
	uint64_t (*now)(void *ctx);
	uint64_t (*self)(void *ctx);
	void (*relax)(void *ctx);
	void *ctx;
};

/* Text goes out in pieces, through this. */
typedef void rl_write_fn(void *arg, const char *text, size_t length);

/*
 * Start from RL_OPTIONS_INIT.  Unknown flags, or a size that this library does
 * not know, are EINVAL.  name and host are kept by reference.
 *
 * deadlock_ns: who has waited in this lock for so long looks whether threads wait
 *	  in a circle, here and in other locks with such a time; 0: it does not,
 *	  and no circle through a wait here is found.
 * deadlock_report: NULL: the youngest waiter of a circle gets EDEADLK.  Else it
 *	  writes the circle through this, once, in its own thread, and waits on;
 *	  the function must not lock or unlock.
 */
struct rl_options {
	size_t size;			/* sizeof(struct rl_options) */
	const char *name;		/* for dumps; its own statistics (stats.h) */
	uint64_t bypass_ns;		/* G3; 0 is strict arrival order */
	uint64_t chunk_size;		/* bytes, a power of two: a forest; 0: compact */
	uint32_t nr_shards;		/* power of two up to 1024; 0: 64 */
	uint32_t flags;			/* RL_PLAIN or RL_READER_BIAS, or 0 */
	const struct rl_host *host;
	uint64_t deadlock_ns;
	rl_write_fn *deadlock_report;
	void *deadlock_arg;		/* its first argument */
};

/*
 * The plain form of the lock: every unlock takes the guard.  Without it a holder
 * whom nobody waits for lets go by a plain store, and the first who must wait
 * for such a one pays for a membarrier(2).  Where the kernel refuses that when the
 * library is loaded, every lock is plain; a process that forbids it later (seccomp)
 * aborts at the first such wait, and is to ask for this form.
 */
#define RL_PLAIN	0x1u

/*
 * Readers of a range that is only read, in a compact lock or inside one chunk, do
 * without the read-modify-write too, each in a record of its thread, until somebody
 * writes there, who pays for a membarrier(2): at most once in 16,384 reads.  Such
 * reads are not counted in the statistics.  A trylock goes by the tree there.  Not
 * with RL_PLAIN.
 */
#define RL_READER_BIAS	0x2u

#define RL_OPTIONS_INIT \
	{ sizeof(struct rl_options), NULL, RL_BYPASS_NS, 0, 0, 0, NULL, \
	  RL_DEADLOCK_NS, NULL, NULL }

/* ---- Private layouts: they are here because the caller owns the memory ---- */

struct rl_node {
	struct rl_node *left, *right, *parent;
	uint64_t start, end;
	uint64_t max_end;		/* of the subtree */
};

#define RL_ENTRIES	2

/* Holders whom nobody waits for are in the entries, the others and the waiters
 * in the tree. */
struct rl_arbiter {
	uint32_t guard;			/* and flags */
	uint32_t nr_waiting;
	struct rl_node *root;
	uint64_t entry_start[RL_ENTRIES];
	uint64_t entry_holder[RL_ENTRIES];	/* a handle, and its mode; 0: free */
	uint32_t entry_length[RL_ENTRIES];	/* 0: up to RL_END */
	uint32_t nr_locked[2];		/* by mode; see nr_wrapped */
} __attribute__((aligned(64)));

/* Which shard a chunk belongs to. */
struct rl_geometry {
	uint32_t shard_mask;		/* the number of shards - 1 */
	uint8_t shard_bits, chunk_bits;
	uint8_t turn_shift;		/* leaves shard_bits of 64; 0 of none */
};

struct rangelock {
	struct rl_arbiter central;
	uint64_t bypass_bias_ns;	/* bypass_ns - RL_BYPASS_NS */
	const struct rl_host *host;
	uint64_t ledger;		/* struct rl_ledger *; 0: none yet */
	const char *name;
	struct rl_forest *forest;
	union {
		uint64_t next_seq;	/* compact */
		struct rl_geometry geometry;	/* of a forest */
	};
	uint32_t nr_coarse[2];		/* of the central nr_locked */
	uint16_t nr_wrapped[2][2];	/* 2^32s that the counters have passed */
};

/* All zero is a lock with the default options: no init call is needed. */
#ifdef __cplusplus
#define RANGELOCK_INIT	{}
#define RL_RANGE_INIT	{}
#else
#define RANGELOCK_INIT	{ .next_seq = 0 }
#define RL_RANGE_INIT	{ .state = 0 }
#endif

/*
 * Called once for a request that was queued by a submit and is held now.  Runs
 * in the thread whose call let it in, after that call's guards are let go, and
 * never inside another callback: one that lets in more requests returns first.
 * It may call anything of this library but must not wait.  It may unlock r.
 */
typedef void rl_granted_fn(struct rl_range *r);

/* A handle.  RL_RANGE_INIT, all zero, or rl_range_init() (the cheapest) before
 * its first use; reusable after its unlock. */
struct rl_range {
	struct rl_node node;		/* the range that is locked */
	uint64_t seq;			/* arrival number; 0: nobody asked */
	uint64_t owner;
	uint64_t declared_start, declared_end;
	union {
		uint64_t since_ns;	/* a waiter: start of the wait */
		uint64_t *entry;	/* an inline holder */
	};
	struct rl_range *next;
	rl_granted_fn *granted;
	uint32_t state;
	uint32_t lock_tag;
	uint32_t nr_blockers;
	uint32_t nr_held_blockers;
	/* One store writes all of these. */
	uint16_t flags;
	uint8_t site, blocker_site;	/* numbers of sites, 0 for none */
	uint8_t group;
	uint8_t mode;
	uint16_t bare;			/* which ranges are not filled in */
};

static inline void rl_range_init(struct rl_range *r)
{
	r->state = 0;
}

/* ---- The lock ---- */

/*
 * Requires: lk is aligned as its type says, to 64 bytes (aligned_alloc()), and so
 *	     is one that RANGELOCK_INIT or zeroes make.
 * Returns:  0; EINVAL for options that make no sense (each is named above), or an
 *	     lk that is not aligned; ENOMEM.  The only call that allocates.
 */
RL_API int rl_init(struct rangelock *lk, const struct rl_options *options);

/*
 * Requires: every other call on lk has returned.
 * Returns:  0; EBUSY while something is held or queued, and lk is untouched.
 */
RL_API int rl_destroy(struct rangelock *lk);

/*
 * Wait until no earlier request conflicts with [start, end), then hold it for
 * reading.
 *
 * Requires: r is neither queued nor held.
 * Blocks:   behind every conflicting request that arrived before this one (G3).
 * Returns:  0; EINVAL; EDEADLK (G8) and ECANCELED (rl_cancel()), both with r
 *	     not held.
 * Orders:   acquire, against the unlock of each conflicting range.
 * Runs callbacks.
 */
RL_API int rl_read_lock(struct rangelock *lk, struct rl_range *r,
			uint64_t start, uint64_t end);
RL_API int rl_write_lock(struct rangelock *lk, struct rl_range *r,
			 uint64_t start, uint64_t end);

/*
 * As rl_read_lock(), but never waits: EBUSY if it would have to, or if another
 * thread stays inside the lock for a whole bounded spin.  It may take a membarrier(2).
 */
RL_API int rl_read_trylock(struct rangelock *lk, struct rl_range *r,
			   uint64_t start, uint64_t end);
RL_API int rl_write_trylock(struct rangelock *lk, struct rl_range *r,
			    uint64_t start, uint64_t end);

/*
 * As rl_read_lock(), but gives up at the deadline with ETIMEDOUT.  A deadline
 * that has passed still gets what is free.
 */
RL_API int rl_read_lock_until(struct rangelock *lk, struct rl_range *r,
			      uint64_t start, uint64_t end,
			      uint64_t deadline_ns);
RL_API int rl_write_lock_until(struct rangelock *lk, struct rl_range *r,
			       uint64_t start, uint64_t end,
			       uint64_t deadline_ns);

/* Coarse: as their fine siblings over [0, RL_END), and counted apart (G4). */
RL_API int rl_read_lock_coarse(struct rangelock *lk, struct rl_range *r);
RL_API int rl_write_lock_coarse(struct rangelock *lk, struct rl_range *r);
RL_API int rl_read_trylock_coarse(struct rangelock *lk, struct rl_range *r);
RL_API int rl_write_trylock_coarse(struct rangelock *lk, struct rl_range *r);
RL_API int rl_read_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
				     uint64_t deadline_ns);
RL_API int rl_write_lock_coarse_until(struct rangelock *lk, struct rl_range *r,
				      uint64_t deadline_ns);

/*
 * Let r go, whatever its mode and grain and whichever thread locked it.
 * Aborts:  r is not held, is one of several (rl_unlock_many()), or is lk's not.
 * Orders:  release, against the next conflicting lock.
 * Runs callbacks.
 */
RL_API void rl_unlock(struct rangelock *lk, struct rl_range *r);

/* ---- Two steps: submit, then wait, poll or cancel ---- */

/*
 * Queue a request and return at once; may be called under a lock of the
 * caller's own.  Callers hold (or queue) r until they unlock or cancel it.
 *
 * granted: NULL, or called when a queued r is held.  Such an r is neither
 *	    waited for nor polled: only its callback says that it is held.
 * Returns: 0 if r is held now (granted is not called); EINPROGRESS if it is
 *	    queued; EINVAL.  No EDEADLK: nobody waits yet.
 */
RL_API int rl_read_submit(struct rangelock *lk, struct rl_range *r,
			  uint64_t start, uint64_t end, rl_granted_fn *granted);
RL_API int rl_write_submit(struct rangelock *lk, struct rl_range *r,
			   uint64_t start, uint64_t end,
			   rl_granted_fn *granted);
RL_API int rl_read_submit_coarse(struct rangelock *lk, struct rl_range *r,
				 rl_granted_fn *granted);
RL_API int rl_write_submit_coarse(struct rangelock *lk, struct rl_range *r,
				  rl_granted_fn *granted);

/*
 * Wait for a submitted r.  Who waits becomes its owner, unless EDEADLK at once.
 * Returns: 0, held; ECANCELED, not held; EDEADLK (G8, for the calling thread),
 *	    and r is still queued; ETIMEDOUT (_until), and r is withdrawn.
 * Aborts:  r was not submitted to lk, or has a callback.
 * Runs callbacks.
 */
RL_API int rl_wait(struct rangelock *lk, struct rl_range *r);
RL_API int rl_wait_until(struct rangelock *lk, struct rl_range *r,
			 uint64_t deadline_ns);

/* Never waits: 0, held; EINPROGRESS, queued; ECANCELED, not held. */
RL_API int rl_poll(struct rangelock *lk, struct rl_range *r);

/*
 * Withdraw a request that waits: a lock call that waits for r returns ECANCELED.
 * From any thread; the caller sees to it that r is alive, and is not used for
 * another request, until this returns.  A call that has not queued r yet (it may
 * look at a short hold for some microseconds first) is not withdrawn: EINVAL.  Of
 * several (rl_lock_many()) r is the first, and all are withdrawn.
 * Returns: 0; EBUSY if r is held (or will be: its callback is on its way);
 *	    EINVAL if it is neither queued nor held in lk.
 * Runs callbacks.
 */
RL_API int rl_cancel(struct rangelock *lk, struct rl_range *r);

/* Callbacks that are due, for callers who cannot run them yet.  All zero is
 * empty. */
struct rl_deferred {
	struct rl_range *head, *tail;
};

/* As rl_unlock(), but appends the callbacks to d instead of running them. */
RL_API void rl_unlock_deferred(struct rangelock *lk, struct rl_range *r,
			       struct rl_deferred *d);

/* Run them, in the order of their grants, and leave d empty. */
RL_API void rl_run_deferred(struct rl_deferred *d);

/* ---- Changing what is held ---- */

/*
 * Turn a write-locked r into a read-locked one, with no writer in between;
 * waiting readers whom only r's writing kept out come in.
 * Aborts: r is not write-held.  Runs callbacks.
 */
RL_API void rl_write_downgrade(struct rangelock *lk, struct rl_range *r);

/*
 * Turn a read-locked r into a write-locked one if it is the only holder there.
 * Writers who wait for r are passed: they would wait for each other.
 * Returns: 0; EBUSY if another range that overlaps it is held, or if somebody
 *	    waits there who does not wait for r, for bypass_ns already (G3);
 *	    r is then unchanged.
 * Aborts:  r is not read-held.
 */
RL_API int rl_read_tryupgrade(struct rangelock *lk, struct rl_range *r);

/*
 * Keep [start, end), a part of what r holds, and give the rest back.
 * Returns: 0; EINVAL if it is no part of it.  Aborts: r is not held, or is one
 *	    of several.  Runs callbacks.
 */
RL_API int rl_narrow(struct rangelock *lk, struct rl_range *r,
		     uint64_t start, uint64_t end);

/*
 * Hold [start, end), of which r holds a part, without waiting for the rest.
 * Returns: 0; EBUSY if the rest would have to wait (G3), and r is unchanged;
 *	    EINVAL if r's range is no part of it.  Aborts: as rl_narrow().
 */
RL_API int rl_tryextend(struct rangelock *lk, struct rl_range *r,
			uint64_t start, uint64_t end);

/* ---- Several ranges of one lock ---- */

struct rl_span {
	uint64_t start, end;
	enum rl_mode mode;
};

/*
 * Hold spans[0..n) with r[0..n), all at one instant: two callers with crossing
 * spans do not deadlock.  r is an array; its members are let go together by
 * rl_unlock_many(), and are not changed one by one.
 *
 * Returns: as rl_read_lock(); EINVAL also if n is 0 or over RL_MANY_MAX, or if
 *	    two spans overlap.  Runs callbacks.
 */
RL_API int rl_lock_many(struct rangelock *lk, struct rl_range *r, size_t n,
			const struct rl_span *spans);
RL_API int rl_trylock_many(struct rangelock *lk, struct rl_range *r, size_t n,
			   const struct rl_span *spans);
RL_API int rl_lock_many_until(struct rangelock *lk, struct rl_range *r,
			      size_t n, const struct rl_span *spans,
			      uint64_t deadline_ns);
/*
 * As rl_read_submit(), for several ranges: wait for, poll or cancel r[0].
 * Returns: 0; EINPROGRESS; EINVAL, as rl_lock_many().
 */
RL_API int rl_submit_many(struct rangelock *lk, struct rl_range *r, size_t n,
			  const struct rl_span *spans);

/* As rl_unlock(): r[0..n) is what one call locked.  Runs callbacks. */
RL_API void rl_unlock_many(struct rangelock *lk, struct rl_range *r, size_t n);

/* ---- Owners: who would wait for himself (G8) ---- */

/* The calling thread's name as an owner. */
RL_API uint64_t rl_self(const struct rangelock *lk);

/*
 * Make somebody else the owner of a held r (the thread that will unlock it), or
 * RL_NOBODY.  Unlocking needs no ownership: this only keeps EDEADLK right, of this
 * thread and of those who wait with it.
 */
RL_API void rl_give(struct rangelock *lk, struct rl_range *r, uint64_t owner);

/* ---- Looking ---- */

/* True if the calling thread holds all of [start, end) of lk, with one range or
 * several, for reading at least or for writing. */
RL_API int rl_is_held(struct rangelock *lk, uint64_t start, uint64_t end,
		      enum rl_mode mode);

/* Abort, with the range and the caller's place, unless rl_is_held(). */
#define rl_assert_held_read(lk, start, end) \
	rl_assert_held(lk, start, end, RL_READ, __FILE__, __LINE__)
#define rl_assert_held_write(lk, start, end) \
	rl_assert_held(lk, start, end, RL_WRITE, __FILE__, __LINE__)
RL_API void rl_assert_held(struct rangelock *lk, uint64_t start, uint64_t end,
			   enum rl_mode mode, const char *file, int line);

/*
 * Write a line for each holder and waiter, and who blocks whom.  Taken in
 * batches: each line is true, the whole may be torn if the lock is in use.  A
 * name is cut after 160 bytes.
 */
RL_API void rl_dump(struct rangelock *lk, rl_write_fn *write, void *arg);

/*
 * Call visit for each range that a queued r waits for now: its handle, and
 * whether it is held (or waits itself).  Of several r is the first, and what
 * blocks two of them is visited twice.  Under the lock's guard: visit must not
 * call this library, and be short.
 * Returns: how many; 0 if r is not queued.  Aborts: r is queued elsewhere, or
 *	    lk, r or visit is NULL.
 */
typedef void rl_blocker_fn(void *arg, const struct rl_range *blocker, int held);
RL_API size_t rl_visit_blockers(struct rangelock *lk, struct rl_range *r,
				rl_blocker_fn *visit, void *arg);

/* Nanoseconds of the lock's clock: what deadlines are compared with. */
RL_API uint64_t rl_now(const struct rangelock *lk);

/* ---- fork ---- */

/*
 * Around fork(), in the parent: rl_fork_prepare() before, rl_fork_parent()
 * after.  In the child rl_fork_child() empties the lock of all threads that do
 * not exist there, and of what RL_NOBODY owns; it keeps what the calling thread
 * holds and has queued, and grants what then can be.  Runs callbacks.  Requires:
 * no callback of the forking thread is running, or deferred and not yet run; the
 * host's self() says in the child what it said before.  (With another name the
 * child has nothing: what this thread held is taken from it like the others'.)
 *
 * Without rl_fork_prepare() the fork may catch another thread inside the lock.
 * Then the child can trust nothing in it: rl_fork_child() empties it whole and
 * returns EOWNERDEAD, and the caller's handles are to be zeroed.
 */
RL_API void rl_fork_prepare(struct rangelock *lk);
RL_API void rl_fork_parent(struct rangelock *lk);
RL_API int rl_fork_child(struct rangelock *lk);

#ifdef __cplusplus
}
#endif

#endif
