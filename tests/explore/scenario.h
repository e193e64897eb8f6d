/*
 * scenario.h - the lock under the explorer: who does what to which range
 */
#ifndef RL_TESTS_EXPLORE_SCENARIO_H
#define RL_TESTS_EXPLORE_SCENARIO_H

#include <rangelock.h>
#include <rangelock/pending.h>
#include <rangelock/site.h>

#include "rangelock/base/line.h"
#include "tests/explore/engine.h"

#define SHARDS_MAX	2u
#define CHUNK		16u
#define CELLS		32u		/* a byte of the object each */
#define STEPS_MAX	2u
#define HANDLES		(EX_THREADS * STEPS_MAX)
#define MEMBERS		3u		/* ranges of one request */
#define DEADLINE_NS	UINT64_C(5000)
#define DEADLOCK_NS	UINT64_C(3000)

/* What lies in the arena. */
struct scene {
	struct rangelock lk __attribute__((aligned(64)));
	char shards[64 * SHARDS_MAX + 192] __attribute__((aligned(64)));
	struct rl_line lines[EX_THREADS];
	uint64_t cells[CELLS];		/* the object that the lock protects */
	uint32_t flags[HANDLES];	/* 1 until somebody is done */
	struct rl_range handles[HANDLES][MEMBERS];
	struct extras {			/* of special scenarios */
		struct rl_site site;
		struct rl_pending_set pending;
		struct rl_pending markers[EX_THREADS];
		struct rangelock second;
		struct circle {			/* of special_cycle.c */
			unsigned int nr_told, nr_reports;
			bool wants[EX_THREADS], is_let_go;
		} circle;
		char heap[2048] __attribute__((aligned(64)));
		size_t nr_used, nr_blocks;	/* of the heap */
	} extras __attribute__((aligned(64)));
};

extern struct scene *const scene;

/* A form of the lock; a new one is one more line in scenario.c. */
struct form {
	const char *name;
	uint64_t chunk_size;
	uint32_t nr_shards;
	bool has_barrier;		/* membarrier(2) is there */
	bool is_biased;			/* towards readers, at first */
	bool spins;			/* who waits looks before it sleeps */
	bool is_serial;			/* threads do not run at the same time */
};

/* The range and the handle of one operation of one thread. */
struct turn {
	const struct operation *operation;
	enum rl_mode mode;
	uint64_t start, end;
	unsigned int number;		/* of its handle and flag */
};

struct operation {
	const char *name;
	void (*perform)(const struct turn *turn);
	bool reads, writes;		/* the modes that it has */
	bool is_timed;			/* it has a deadline */
};

extern const struct operation operations[];
extern const unsigned int nr_operations;

struct story;
struct mm_scheme;

struct scenario {
	char name[112];
	const struct form *form;
	unsigned int nr_threads, nr_turns[EX_THREADS];
	struct turn turns[EX_THREADS][STEPS_MAX];
	/* instead of turns, where threads need each other */
	void (*special)(unsigned int thread);
	void (*prepare)(void);		/* NULL, or done before all executions */
	/* instead of all these, the model's: minimm/story.h */
	const struct story *story;
	const struct mm_scheme *scheme;
	bool ends_soon;			/* a grace period of RCU */
	int nr_spurious, nr_timeouts, nr_jumps;
	uint64_t bypass_ns;
	uint64_t deadlock_ns;		/* 0: nobody looks for circles */
	bool has_second;		/* another lock, a compact one */
	rl_write_fn *report;
};

extern bool ex_barrier_is_usable, ex_spins, ex_is_parallel;

/* ---- scenario.c ---- */
/* Prepare s to be searched: the program and what it needs of the options. */
const struct ex_program *scenario_begin(const struct scenario *s,
					struct ex_options *options);
void scenario_end(void);
extern const struct form forms[];
extern const unsigned int nr_forms;

/* For operations: hold and let go, with every check. */
void note_hold(unsigned int number, enum rl_mode mode, uint64_t start,
	       uint64_t end);
void note_let_go(unsigned int number);
/* The owner is done with a handle: nobody may touch it any more. */
void bury(unsigned int number);
void set_flag(unsigned int number);
void await_flag(unsigned int number);

/* ---- order.c ---- */
/* Nobody stands anywhere yet. */
void order_begin(uint64_t bypass_ns);
/* A guard is about to be let go: has anybody passed somebody it may not? (G3) */
void order_check(const uint32_t *guard, uint64_t taken_ns);
/* A handle that was used is used no more. */
void order_forget(unsigned int number);
extern const struct ex_region order_state;

/* ---- layout.c ---- */
/* What is true whenever no guard is taken; and when all is over. */
void lock_check(void);
void lock_check_empty(void);
/* Close every shard; a narrow request opens its own (library.h). */
void lock_close_shards(void);
void lock_turn_biased(void);

/* All of them, for as long as one likes, as between rl_fork_prepare() and the fork;
 * while somebody is about to move who is in the entries. */
void lock_take_guards(void);
void lock_leave_guards(void);
/* Who stands in the entries of the arbiter of byte 0, or in records, is moved to its
 * tree. */
void lock_move_readers(void);
/* Does this request wait?  Whatever the threads know of it. */
bool lock_is_waiting(unsigned int number);
const char *lock_name_of(const void *at);

/* ---- generate.c ---- */
/* Call visit for every scenario of a set until it returns false. */
enum set { SET_PAIRS, SET_SPECIAL, SET_TWICE, SET_TRIPLES, SET_MINIMM };
void each_scenario(enum set set, bool (*visit)(const struct scenario *s));

/* ---- special.c and its kind ---- */
struct special {
	const char *name;
	unsigned int nr_threads;
	void (*body)(unsigned int thread);
	void (*prepare)(void);
	int nr_spurious, nr_timeouts, nr_jumps;
	uint64_t bypass_ns;
	bool looks;			/* for circles, over two locks */
	rl_write_fn *report;		/* NULL: the youngest is told */
};

/* Each ends with one without a name. */
extern const struct special general_specials[], change_specials[];
extern const struct special reader_specials[], cycle_specials[];

#endif
