/*
 * torture.h - one round: a lock, its pages, and the threads that fight for them
 *
 * A round makes a lock, lets some threads make random calls, and takes stock: all
 * that was acquired was released, nobody is queued, the history is one that a
 * range lock may have.  Beside the workers there is one helper, which never
 * waits for a range: it lets go what others hand to it, polls, cancels, dumps
 * and sends signals.  The first worker alone waits without end while it holds or has
 * queued something else; the others then only until a deadline that is near.  So
 * nobody waits for what only a waiting one can let go, unless the first worker
 * waits for itself: and then it must be told (G8).
 */
#ifndef STRESS_TORTURE_TORTURE_H
#define STRESS_TORTURE_TORTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <rangelock.h>
#include <rangelock/site.h>

#include "stress/torture/atomics.h"
#include "stress/torture/history.h"

#define TT_CHUNK_PAGES	16u		/* of a forest's chunk */
#define TT_MANY		4u		/* spans in one request */
#define TT_REQUESTS	6u		/* of one worker, at one time */
#define TT_THREADS_MAX	64u
#define TT_SITES	4u

enum tt_engine { TT_COMPACT, TT_FOREST_1, TT_FOREST_2, TT_FOREST_64, TT_ENGINES };

/* Where ranges lie. */
enum tt_pattern {
	TT_SPREAD,	/* anywhere, short */
	TT_BORDER,	/* around one border between two chunks */
	TT_SHARD,	/* inside one chunk */
	TT_WIDE,	/* anywhere, with long and whole ones in between */
	TT_COARSE,	/* the program that is not converted yet */
	TT_OWN,		/* each thread in its own pages, seldom elsewhere */
};

enum tt_doors {
	TT_DEFAULT,	/* no host table */
	TT_PERTURBED,	/* delays, yields, early and late wakes at each door */
	TT_NO_SPIN,	/* park without relax: the lock never spins */
	TT_DOORS,
};

struct tt_page {
	uint32_t readers, writers;	/* relaxed */
	uint64_t data[2];		/* plain: written and read under holds */
};

/* Whose turn it is with a request. */
enum tt_turn {
	TT_FREE,	/* nobody's: its worker may draw it */
	TT_MINE,	/* its worker's */
	TT_AWAY,	/* it is queued; its callback ends it */
	TT_POLL,	/* whose who takes it, to poll or to wait for it */
	TT_GIVEN,	/* the helper's, who lets it go */
};

/* May others cancel it? */
enum tt_door { TT_CLOSED, TT_OPEN, TT_PINNED };

struct tt_request {
	struct rl_range r[TT_MANY];	/* first: callbacks find us by it */
	struct tt_span spans[TT_MANY];
	uint32_t n;
	uint32_t id;
	bool is_all;			/* coarse: [0, RL_END) */
	struct rl_site *site;		/* or NULL */
	bool callback_unlocks;
	bool owns_other;		/* its worker has others: EDEADLK may be */
	bool is_waited_for;		/* who waited for it owns it */
	bool is_cancellable;		/* its door is open */
	uint32_t turn;			/* enum tt_turn */
	uint32_t door;			/* enum tt_door */
	uint32_t nr_cancelled;		/* rl_cancel() returned 0; by the door */
	uint32_t nr_cancelled_before;
	uint64_t value;			/* a writer's, in its pages */
	uint64_t sum;			/* a reader's, of its pages */
	uint64_t possible_from, certain_from;
	uint64_t called_ns, queued_ns, queued_at, grown_ns;
	struct tt_span was;		/* before it grew */
};

struct tt_worker {
	struct tt_round *round;
	uint32_t index;
	uint64_t random;
	struct tt_request requests[TT_REQUESTS];
	struct tt_request of_signal;	/* locked by the handler */
	volatile sig_atomic_t window;	/* the handler may lock */
	volatile sig_atomic_t signal_got;	/* an error number, or -1 */
	uint32_t next_id;
	uint64_t next_value;
	unsigned int depth;		/* requests held in this call chain */
	bool in_callback;
	uint64_t nr_relaxed;		/* calls of the relax door */
	struct tt_history history;
	uint64_t nr_acquired, nr_released;
	uint64_t nr_refused, nr_spun, nr_late, nr_cancelled, nr_deadlocks;
	uint64_t nr_signals, nr_in_handler;
	uint64_t nr_turns;		/* of the fair scene */
	uint64_t nr_calls;		/* relaxed: the watchdog reads it */
	pthread_t thread;
} __attribute__((aligned(64)));

struct tt_round {
	struct rangelock lk;
	const struct tt_scene *scene;
	enum tt_engine engine;
	enum tt_doors doors;
	bool is_biased;			/* RL_READER_BIAS, turned on at random */
	bool searches;			/* for deadlocks: then nobody sleeps for ever */
	struct rl_host host;
	uint64_t seed, number;
	uint64_t bypass_ns;
	uint64_t base, page_size;
	uint32_t nr_workers;		/* and one more: the helper */
	uint32_t nr_ops;		/* of each worker */
	bool has_history;
	bool counts_readers;
	bool cancels;			/* if not, who sleeps for ever hangs */
	bool restarts;			/* SA_RESTART */
	uint32_t nr_done;		/* relaxed: workers that are through */
	uint64_t helper_owner;
	uint64_t stamp __attribute__((aligned(64)));
	uint32_t nr_ready;		/* scene fair: who is at the start */
	uint64_t writer_waits;		/* scene writer: since when */
	uint32_t is_over;		/* both: somebody has done his part */
	struct tt_page pages[TT_PAGES];
	struct tt_worker *workers;
	sem_t ended;
};

/* What the threads of a round do. */
struct tt_scene {
	const char *name;
	const char *what;
	enum tt_pattern pattern;
	uint32_t percent_many, percent_site, percent_async, percent_read;
	bool has_signals, has_fifo;
	bool is_sprint;			/* short holds, hardly any dawdling */
	void (*work)(struct tt_worker *me);
};

extern const struct tt_scene tt_scenes[];
extern const unsigned int tt_nr_scenes;
extern struct rl_site tt_sites[TT_SITES];
extern _Thread_local struct tt_worker *tt_me;

/* ---- Random numbers: xorshift, one stream a thread ---- */

static inline uint64_t tt_random(struct tt_worker *me)
{
	me->random ^= me->random << 13;
	me->random ^= me->random >> 7;
	me->random ^= me->random << 17;
	return me->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static inline uint32_t tt_below(struct tt_worker *me, uint32_t n)
{
	/* The upper half of a product: no division. */
	return (uint32_t)((uint64_t)(uint32_t)tt_random(me) * n >> 32);
}

static inline bool tt_percent(struct tt_worker *me, uint32_t percent)
{
	return tt_below(me, 100) < percent;
}

/* ---- main.c, fail.c ---- */

struct tt_totals {
	uint64_t nr_rounds, nr_calls, nr_holds, nr_refused, nr_spun, nr_late;
	uint64_t nr_cancelled, nr_deadlocks, nr_signals, nr_in_handler, nr_entries;
	uint64_t nr_turns[TT_THREADS_MAX];	/* of the fair scene */
};

/* Print what is wrong, how to rerun and what the lock holds; exit 1. */
_Noreturn void tt_fail(const struct tt_round *round, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define tt_require(round, condition)					\
	((condition) ? (void)0 :					\
		       tt_fail(round, "%s:%d: not true: %s", __FILE__,	\
			       __LINE__, #condition))

/* Nobody advances: say who is where, and abort. */
_Noreturn void tt_hang(const struct tt_round *round, unsigned int seconds);

/* An abort says which round it was. */
void tt_explain_aborts(void);

/* ---- round.c ---- */

/* Run a round, whose choices are made, and add to the totals. */
void tt_round_run(struct tt_round *round, unsigned int patience_s,
		  struct tt_totals *totals);
const char *tt_engine_name(enum tt_engine engine);
/* May a thread of ours be SCHED_FIFO? */
bool tt_fifo_is_permitted(void);

static inline uint64_t tt_stamp(struct tt_round *round)
{
	return round->has_history ? tt_add64(&round->stamp, 1) : 0;
}

/* ---- host.c ---- */

void tt_host_init(struct tt_round *round);

/* Between two calls: mostly nothing, a few pauses, a yield, seldom a nap. */
void tt_dwell(struct tt_worker *me);

/* One step of a loop that waits for somebody else; naps at last, so that a
 * SCHED_FIFO thread lets the others run. */
void tt_wait_step(uint32_t *nr_steps);

/* ---- pages.c ---- */

void tt_pages_enter(struct tt_worker *me, struct tt_request *q);
void tt_pages_check(struct tt_worker *me, struct tt_request *q);
void tt_pages_leave(struct tt_worker *me, struct tt_request *q);
/* A request of one span becomes another one; held is what it holds of both. */
void tt_pages_shrink(struct tt_worker *me, struct tt_request *q,
		     struct tt_span to);
void tt_pages_grow(struct tt_worker *me, struct tt_request *q,
		   struct tt_span to);
bool tt_pages_are_free(const struct tt_round *round);

/* ---- draw.c, ask.c, wait.c ---- */

/* The first byte of a page. */
static inline uint64_t tt_address(const struct tt_round *round, uint32_t page)
{
	return round->base + page * round->page_size;
}

/* The bytes that a request of one span locks. */
uint64_t tt_start_of(const struct tt_round *round, const struct tt_request *q);
uint64_t tt_end_of(const struct tt_round *round, const struct tt_request *q);

/* A request of ours that nobody uses, with a random shape; or NULL. */
struct tt_request *tt_draw(struct tt_worker *me);
struct tt_span tt_random_span(struct tt_worker *me);

/*
 * Ask for it in some way and check the answer.  True: held, and in its pages.
 * False: it is over, or somebody else's now.  Waits without end only if the
 * worker holds nothing yet, or is the first one.
 */
bool tt_acquire(struct tt_worker *me, struct tt_request *q);
/* In two steps. */
void tt_submit(struct tt_worker *me, struct tt_request *q);
bool tt_finish(struct tt_worker *me, struct tt_request *q);
/* Never waits: 0, held; EINPROGRESS; ECANCELED, and it is over. */
int tt_poll(struct tt_worker *me, struct tt_request *q);

/* Somebody submitted it and left it to others: true if it is ours now. */
bool tt_take_over(struct tt_request *q);

/* Somebody else's request, or nobody's. */
void tt_cancel_somebody(struct tt_worker *me);

/* It is held now, by whichever thread; and it is held no more. */
void tt_prepare(struct tt_worker *me, struct tt_request *q);
void tt_enter(struct tt_worker *me, struct tt_request *q);
void tt_release(struct tt_worker *me, struct tt_request *q);
/* Nobody uses it any more. */
void tt_give_back(struct tt_request *q);
void tt_note_call(struct tt_worker *me);
void tt_log(struct tt_worker *me, const struct tt_request *q,
	    enum tt_kind kind, uint64_t certain_until, uint64_t possible_until);

/* ---- hold.c ---- */

/* What one does with a held range, up to its end. */
void tt_hold(struct tt_worker *me, struct tt_request *q);
/* An op of the mixed scenes; and looks that change nothing. */
void tt_work_mixed(struct tt_worker *me);
void tt_look(struct tt_worker *me);
/* Downgrade, upgrade, narrow or extend it. */
void tt_change(struct tt_worker *me, struct tt_request *q);
/* The lock knows what this thread holds. */
void tt_assert_held(struct tt_worker *me, struct tt_request *q);
/* What thousands of reads without a write would do. */
void tt_turn_biased(struct tt_worker *me);

/* ---- helper.c ---- */

void tt_help(struct tt_worker *me);
void tt_storm_begin(const struct tt_round *round);
void tt_storm_window(struct tt_worker *me);

/* ---- special.c ---- */

void tt_work_fair(struct tt_worker *me);
void tt_work_writer(struct tt_worker *me);

/* ---- sprint.c ---- */

void tt_work_sprint(struct tt_worker *me);

/* ---- tally.c: the totals in a file, as the run goes on ---- */

void tt_tally_open(const char *path, uint64_t seed, uint64_t nr_threads);
/* At most once a second, but in any case if is_last. */
void tt_tally_write(const struct tt_totals *n, uint64_t secs, bool is_last);
/* The run ends with a failure. */
void tt_tally_failed(void);

#endif
