/*
 * bench.h - what peers, workloads and the driver say to each other
 *
 * A peer is a lock behind the same few calls as all others: lock and unlock,
 * for reading and for writing, of a range.  A workload measures one peer in one
 * case; the driver (run.c) decides what is measured when, and keeps the samples.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINE		64
#define PAGE		UINT64_C(4096)
#define CHUNK		(UINT64_C(2) << 20)	/* of the forest; a segment too */
#define WHOLE_END	UINT64_MAX
#define MAX_THREADS	64
#define MAX_METRICS	8
#define MAX_ROUNDS	101

#define NR(array)	(sizeof(array) / sizeof((array)[0]))

enum mode {
	READ,
	WRITE,
};

enum exit_code {
	EXIT_GOOD = 0,
	EXIT_MISSED = 1,	/* a threshold, or a check */
	EXIT_USAGE = 2,
	EXIT_TROUBLE = 3,	/* the machine lacks something */
};

/* ---- Peers ---- */

/* Room for any peer's handle; it lies on the stack of who locks. */
struct handle {
	_Alignas(LINE) unsigned char bytes[256];
};

enum trait {
	RANGES = 1,	/* disjoint ranges can be held at once */
	EXACT = 2,	/* any disjoint ranges, however near */
	SHARED = 4,	/* overlapping readers can */
	SLOW = 8,	/* a system call or a transaction a lock */
	ASIDE = 16,	/* in no bar: `rlbench bars` leaves it out */
	SPINS = 32,	/* never yields: no more threads than CPUs */
};

typedef void lock_fn(void *lock, struct handle *h, uint64_t start, uint64_t end);
typedef void unlock_fn(void *lock, struct handle *h);

struct peer {
	const char *name;
	const char *what;
	unsigned int traits;
	size_t lock_bytes, handle_bytes;
	unsigned int max_held;		/* 0: no limit */
	const char *bars_cases[2];	/* the bars need it there only; none: everywhere */
	const char *(*missing)(void);	/* why it cannot run, or NULL; may be NULL */
	int (*init)(void *lock);	/* of lock_bytes zeroes, 64-aligned; 0 or errno */
	void (*destroy)(void *lock);	/* may be NULL */
	lock_fn *lock[2];		/* by mode */
	lock_fn *lock_coarse[2];	/* NULL: lock[mode] of everything */
	unlock_fn *unlock[2];
};

extern const struct peer peer_compact, peer_compact_plain;
extern const struct peer peer_forest, peer_forest_plain;
extern const struct peer peer_forest_biased;
extern const struct peer peer_floor, peer_floor_read, peer_none;
extern const struct peer peer_rwlock, peer_mutex;
extern const struct peer peer_ck_rwlock, peer_ck_pflock;
extern const struct peer peer_kara_bueso, peer_kogan, peer_segments;
extern const struct peer peer_ofd, peer_rocksdb;

extern const struct peer *const peers[];
extern const size_t nr_peers;

const struct peer *peer_find(const char *name);
const char *peer_missing(const struct peer *p);
lock_fn *peer_lock_fn(const struct peer *p, enum mode mode, bool coarse);
void *peer_room(const struct peer *p);	/* lock_bytes of zeroes */
void *peer_new(const struct peer *p);	/* NULL: no memory, or init failed */
void peer_delete(const struct peer *p, void *lock);

/* Which thread of the bench this is, 0 to MAX_THREADS - 1.  Peers with one
 * descriptor or one pool a thread go by it. */
extern _Thread_local unsigned int thread_index;
#define HOLDER		(MAX_THREADS - 1)	/* holds what a case needs held */

/* ---- Workloads ---- */

struct span {
	uint64_t start, end;
};

struct metric {
	const char *name, *unit;
	int better;			/* +1: more is better, -1: less */
};

struct trial {				/* one case of a workload */
	char name[40];
	unsigned int threads;
	unsigned int n;			/* held ranges, coarse period; 0: nothing */
	unsigned int group;		/* measured in turn with its group */
	unsigned int kind;		/* what the name says, for the workload */
	bool bars;			/* `rlbench bars` needs it */
};

struct cell {				/* a peer in a case */
	const struct workload *workload;
	const struct trial *trial;
	const struct peer *peer;
	void *lock;
	void *state;			/* the workload's */
	double *samples[MAX_METRICS];
	unsigned int nr_samples;
};

struct workload {
	const char *name, *what;
	const struct metric *metrics;
	size_t nr_metrics;
	/* Fill trials[0..max), return how many there are. */
	size_t (*list)(struct trial *trials, size_t max);
	bool (*fits)(const struct trial *t, const struct peer *p);
	int (*setup)(struct cell *c);		/* may be NULL */
	void (*measure)(struct cell *c, double seconds, double *values);
	void (*teardown)(struct cell *c);	/* may be NULL */
};

extern const struct workload workload_uncontended, workload_held,
	workload_threads, workload_arr, workload_mix, workload_convoy,
	workload_allcoarse, workload_bytes;

extern const struct workload *const workloads[];
extern const size_t nr_workloads;

/* Appends one; beyond max it only counts. */
struct trial *trial_add(struct trial *trials, size_t max, size_t *nr,
			const char *name, unsigned int threads, unsigned int n);

/* ---- Settings of this run ---- */

struct settings {
	unsigned int rounds;
	double seconds;			/* of one measurement */
	uint64_t seed;
	bool pin;
	bool quiet;
	const char *baseline;
};

extern struct settings settings;

#endif
