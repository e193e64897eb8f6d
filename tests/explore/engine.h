/*
 * engine.h - the state of one execution, and who changes it
 *
 *	memory.c    stores, views, fences: what a load may read
 *	race.c      plain accesses: races, and memory that is dead
 *	moment.c    going back to an earlier state of an execution
 *	stacks.c    the threads' stacks and thread-local variables
 *	schedule.c  whose step is next; the choices; sleep sets
 *	commute.c   which two steps may be swapped
 *	causes.c    which steps of an execution could not have been swapped
 *	programs.c  does what is left out because of these two lose an outcome?
 *	futex.c     sleeping, waking, the clock
 *	search.c    execution after execution: exhaustive, random, PCT, one again
 *	trace.c     an execution as a person reads it
 *
 * Memory is view-based RC11.  A location keeps its stores, each with a timestamp
 * (its place in the modification order) and a view: what its writer makes known
 * to who acquires it.  A view says, for each location, the oldest store that may
 * still be read, and for each thread how much of it happened before.
 */
#ifndef RL_TESTS_EXPLORE_ENGINE_H
#define RL_TESTS_EXPLORE_ENGINE_H

#include "tests/explore/doors.h"
#include "tests/explore/fiber.h"
#include "tests/explore/planted.h"

#define EX_THREADS	4u
#define EX_CLOCKS	8u		/* the first entries of a view */
#define EX_VIEW		64u
#define EX_LOCATIONS	(EX_VIEW - EX_CLOCKS)
#define EX_STORES	200u		/* of one location, in one execution */
#define EX_POOL		4096u		/* stores of one execution */
#define EX_STRIDE	32		/* between two timestamps: room to insert */
#define EX_CHOICES	4096u
#define EX_STEPS	3000u		/* an execution with more does not end */
#define EX_ARENA	262144u		/* bytes under the explorer's eyes */
#define EX_SHARED	4096u		/* behind them, at most: see RL_OF_PROCESS */
#define EX_WATCHED	(EX_ARENA + EX_SHARED)
#define EX_STACK	(size_t)(64 * 1024)

struct ex_view {
	int16_t at[EX_VIEW];
} __attribute__((aligned(16)));

/* How many steps of each thread; see causes.c. */
struct ex_causes {
	uint16_t at[EX_THREADS];
};

struct ex_store {
	uint64_t value;
	int16_t stamp;
	uint16_t step;			/* of its thread */
	uint8_t by;			/* EX_THREADS: it was there before */
	bool is_taken;			/* a read-modify-write read it */
	struct ex_causes causes;	/* of its being where it is */
	struct ex_view view;
};

struct ex_location {
	const void *at;
	uint8_t size;
	uint16_t nr_stores;
	uint16_t last_release[EX_THREADS]; /* 1 + its place in the pool */
	struct ex_causes read_causes, write_causes;
	uint64_t epoch;			/* since when it is on the trail */
	uint16_t order[EX_STORES];	/* modification order: places in the pool */
};

enum ex_kind {
	EX_LOCAL,			/* nothing that others see */
	EX_READ,
	EX_WRITE,			/* and read-modify-write */
	EX_FENCE,			/* sequentially consistent */
	EX_PARK,
	EX_WAKE,
	EX_FORCE,			/* a fence of another thread's */
	EX_TIME,
	EX_LATE,			/* a sleep ends by its deadline */
	EX_HEAVY,			/* depends on everything */
};

struct ex_op {
	enum ex_kind kind;
	int location;			/* -1: none */
	uint64_t await_mask;
	uint64_t set_bits;		/* an "or": of these */
	uint64_t mask;			/* a load of these bits only; 0: of all */
	uint64_t value;			/* EX_WRITE, a store: what it stores */
	bool is_store, has_deadline;
	int target;			/* EX_FORCE: whose */
	const struct ex_site *site;
	const struct ex_site *caller;
};

enum ex_status { EX_READY, EX_ASLEEP, EX_DONE };

struct ex_thread {
	struct ex_view now, acquired, released;
	struct ex_fiber fiber;
	struct ex_op op;		/* the step that it is about to make */
	enum ex_status status;
	bool is_late;			/* why its sleep ended */
	int sleeps_on;
	uint64_t deadline_ns;
	int priority;			/* PCT */
	struct ex_causes causes;	/* of what it will do next */
	struct ex_causes causes_before;	/* of what it does now */
	/* set by ex_look_at() for the next access there */
	const void *look_at;
	uint64_t look_mask;
	uint64_t taken_ns;		/* when it took its last guard */
	uint64_t way;			/* through the source: a hash */
	/* set by ex_await() for the next step */
	const void *await_at;
	uint64_t await_mask;
	const struct ex_site *caller;
};

enum ex_search { EX_EXHAUST, EX_RANDOM, EX_PCT, EX_REPLAY };

struct ex_options {
	enum ex_search search;
	int bound;			/* preemptions; -1: as many as there are */
	bool has_sleep_sets;
	bool is_lean;			/* no choices that causes.c rules out */
	bool is_literal;		/* every choice there is: see programs.c */
	bool is_rc11;			/* release sequences as in RC11, not C++20 */
	int depth;			/* PCT: priority changes + 1 */
	int nr_spurious;		/* spurious wakes in one execution */
	int nr_timeouts;		/* that beat a thread which could run */
	int nr_jumps;			/* of the clock, between two looks at it */
	uint64_t jump_ns;
	uint64_t seed;
	uint64_t max_executions;
	struct ex_ways *ways;		/* NULL, or put all in there */
};

/* The ways that the threads took through the source, in all executions that came
 * to an end: hashes. */
struct ex_ways {
	uint64_t hashes[1u << 14];	/* 0: none */
	unsigned int n;
};

/* Memory that executions change, beside the explorer's own. */
struct ex_region {
	void *at;
	size_t size;
};

/* What runs: reset() in no thread, then body(i) in thread i, all at once, then
 * finish() in no thread.  check() after every release of a guard. */
struct ex_program {
	unsigned int nr_threads;
	void (*reset)(void);
	void (*body)(unsigned int thread);
	void (*finish)(void);
	void (*check)(void);
	/* before it; the guard was taken at this time */
	void (*check_guarded)(const uint32_t *guard, uint64_t taken_ns);
	const char *(*name)(const void *at);
	bool may_hang;			/* that all wait for ever is an end, too */
	const struct ex_region *state;	/* the last one has no size; NULL: who knows? */
};

struct ex_result {
	uint64_t nr_executions, nr_pruned, nr_steps, nr_saturated;
	bool is_exhausted, has_failed;
	double seconds;
	char failure[256];
	char schedule[EX_CHOICES + 1];
};

struct ex_engine {
	/* of one execution */
	struct ex_thread threads[EX_THREADS];
	struct ex_location locations[EX_LOCATIONS];
	unsigned int nr_threads;
	uint32_t number;		/* of the execution; never 0 */
	uint64_t epoch;			/* of the trail: see moment.c */
	uint8_t chosen[EX_CHOICES];	/* the schedule: choices among all there were */
	char failure[256];

	/* of one moment of it: up to end_of_moment */
	struct ex_view sc;
	struct ex_causes fences, times;
	int nr_locations;
	unsigned int nr_stores;
	unsigned int nr_vectors;	/* of a view, that are in use */
	int self;			/* the running thread; -1: none */
	int paused;			/* who waits for a moment to be taken */
	int last;			/* who made the last visible step */
	unsigned int nr_steps;
	int nr_preemptions, nr_spurious, nr_timeouts, nr_jumps;
	unsigned int asleep;		/* the sleep set: a bit a thread */
	bool is_pruned, is_over, has_failed;
	uint64_t now_ns;
	unsigned int nr_chosen, at_choice;
	char end_of_moment;

	/* of one search */
	struct ex_options options;
	const struct ex_program *program;
	struct { uint8_t n, at; } choices[EX_CHOICES];
	unsigned int nr_choices;
	const char *replayed;		/* EX_REPLAY */
	uint64_t random;
	unsigned int change_points[16];
	unsigned int usual_steps;
	uint64_t nr_saturated;
	bool is_tracing;
};

extern struct ex_engine ex;
/* Who is taken for the caller, outside of all threads; -1: nobody. */
extern int ex_prepares_as;
extern char ex_arena[EX_ARENA];
extern char __stop_ex_shared[];		/* the end of what is behind the arena */

/* ---- memory.c ---- */
void ex_memory_reset(void);
int ex_location_of(const void *at, unsigned int size);
/* It is about to be changed, but for an append to its order. */
void ex_touch_location(struct ex_location *l);
const struct ex_store *ex_newest(int location);
const struct ex_store *ex_store_at(int location, int i);
void ex_sc_fence(struct ex_thread *t, unsigned int self);
/* Will the load op, t's next step, read the newest store and teach t nothing? */
bool ex_knows_all(const struct ex_thread *t, const struct ex_op *op);
/* From now on t reads nothing older than the i-th store. */
void ex_see_store(struct ex_thread *t, int location, int i);
/* The oldest store that t may read: its place in the modification order. */
int ex_oldest_visible(const struct ex_thread *t, int location);

/* ---- causes.c ---- */
void ex_causes_reset(void);
void ex_note_step(unsigned int thread, bool only_reads);
void ex_note_woken(unsigned int by, unsigned int who);
/* t's step makes the store s, right behind another. */
void ex_note_store(const struct ex_thread *t, const struct ex_store *before,
		   struct ex_store *s);
/* t, which has just been picked, and the i-th store: could t as well have made its
 * step, with this choice, before the newer j-th store? */
bool ex_could_be_before(const struct ex_thread *t, int location, int i, int j);
/* The places of the stores that are worth a choice for t, the newest first; how
 * many. */
unsigned int ex_find_useful(const struct ex_thread *t, int location, int *places);

/* ---- commute.c ---- */
/* Does it leave the location as it is now? */
bool ex_only_reads(const struct ex_op *op);
/* Is it the same in which order these two threads make their next steps? */
bool ex_commute(unsigned int a, unsigned int b);

/* ---- race.c ---- */
void ex_plain(const void *at, bool is_write, const void *caller);
void ex_race_note_atomic(const void *at, bool is_write, const char *what);
void ex_kill(void *at, size_t size);
bool ex_is_dead(const void *at);
void ex_race_reset(void);
void ex_race_forget_lasts(void);

/* ---- moment.c ---- */
/* These bytes are about to change, and are not copied with a moment. */
void ex_trail(void *at, size_t size);
/* An execution begins: there is nothing to go back to. */
void ex_moments_forget(void);
/* Remember the paused execution, before a choice of this number. */
void ex_moment_take(unsigned int choice);
/* Go back to the last moment up to that choice, or say that there is none.
 * is_last: for the last time. */
bool ex_moment_go_back(unsigned int choice, bool is_last);

/* ---- stacks.c ---- */
void ex_stack_prepare(unsigned int thread, void (*entry)(void));
/* Go on as this thread; -1: where the execution was begun. */
void ex_go_to(int thread);
/* Outside of all threads? */
bool ex_is_outside(void);
/* Let who began the execution take a moment; and go on from there. */
void ex_pause(void);
void ex_resume(void);
bool ex_stacks_can_be_copied(void);
void ex_stacks_state(void (*copy)(void *at, size_t size));

/* ---- schedule.c ---- */
/* Announce the next visible step; returns when it is this thread's turn. */
void ex_visible(struct ex_op op);
unsigned int ex_choose(unsigned int n);
void ex_switch_away(void);		/* the caller is asleep or done */
_Noreturn void ex_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void ex_run_once(void);
/* Run the next execution, whose choices are the same up to this one. */
void ex_run_from(unsigned int choice);

/* For the body of a test. */
#define ex_require(condition)						\
	do {								\
		if (!(condition))					\
			ex_fail("%s:%d: not so: %s", __FILE__, __LINE__, \
				#condition);				\
	} while (0)

/* ---- search.c ---- */
extern const struct ex_options ex_defaults;
void ex_search(const struct ex_program *program,
	       const struct ex_options *options, struct ex_result *result);
/* Play a schedule again; with a trace on stdout if it is wanted. */
void ex_replay(const struct ex_program *program,
	       const struct ex_options *options, const char *schedule,
	       bool is_tracing, struct ex_result *result);
/* Put in the way of the execution that has just ended; true: it is a new one. */
bool ex_ways_note(struct ex_ways *ways);
/* Drop what the failure of result does not need. */
void ex_shrink(const struct ex_program *program,
	       const struct ex_options *options, struct ex_result *result);

/* ---- trace.c ---- */
void ex_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *ex_name(const void *at);
const char *ex_order_name(const struct ex_site *site);
void ex_trace_op(const char *what, int location, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline bool ex_is_running(void)
{
	return ex.self >= 0;
}

static inline bool ex_in_arena(const void *at)
{
	/* What comes next, the threads' own variables perhaps, is not watched. */
	return (uintptr_t)at >= (uintptr_t)ex_arena &&
	       (uintptr_t)at < (uintptr_t)__stop_ex_shared;
}

static inline enum ex_order ex_order_of(const struct ex_site *site)
{
	return site->is_weak ? EX_RELAXED : (enum ex_order)site->order;
}

#endif
