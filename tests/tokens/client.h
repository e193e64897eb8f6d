/*
 * client.h - plays for two threads, of which a tool must say that they race or
 * that they do not
 */
#ifndef TESTS_TOKENS_CLIENT_H
#define TESTS_TOKENS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <rangelock.h>
#include <rangelock/site.h>

#define PAGE	UINT64_C(4096)

/* A handle that both threads know, and what a callback is to do. */
struct ticket {
	struct rl_range range[2];	/* the second: of several */
	struct rangelock *lk;
	long *cell;
	long note;			/* from one thread to the other */
};

struct stage;
typedef void act_fn(struct stage *s);

/* What a play is played on: new for each. */
#define NR_TICKETS	3
#define NR_CELLS	2
struct stage {
	struct rangelock *lk;
	struct ticket *tickets;
	long *cells;
	uint64_t script[12];		/* of the play */
	act_fn *acts[2];
};

/* How the lock is made. */
enum form { COMPACT, FOREST, PLAIN, BIASED, NR_FORMS };

/* Play it once: the first thread's act, and then, or when the first calls pass(),
 * the second's.  Counts it, and says so if the tool's word is not the one expected. */
void play(const char *name, enum form form, act_fn *first, act_fn *second,
	  const void *script, size_t size, bool races);

/* The next step of a play, which is the other thread's, and the wait for it. */
void pass(void);
void turn(uint32_t step);

/* Abort, with the place, unless it holds. */
#define want(condition) \
	((condition) ? (void)0 : want_failed(#condition, __FILE__, __LINE__))
void want_failed(const char *condition, const char *file, int line);

/* Until so many requests wait in the lock. */
void until_waiting(struct rangelock *lk, uint32_t n);

/* A way to hold a range, and to let it go. */
struct method {
	const char *name;
	int (*hold)(struct rangelock *lk, struct rl_range *r, enum rl_mode mode,
		    uint64_t start, uint64_t end);
	void (*leave)(struct rangelock *lk, struct rl_range *r);
	bool is_whole;			/* it locks everything */
	bool waits;			/* for who holds a conflicting range */
};
extern const struct method methods[];
extern const unsigned int nr_methods;

/* An access to a cell: what may race. */
void put(long *cell);
void get(const long *cell);

#define HELD(call)	want((call) == 0)

/* Writes, or reads, the first cell under a lock. */
void lock_put_unlock(struct stage *s, uint64_t start, uint64_t end);
void lock_get_unlock(struct stage *s, uint64_t start, uint64_t end);

/* Two acts, played in each form. */
struct scene {
	const char *name;
	act_fn *first, *second;
	bool races;
};
#define RACES	true
#define SCENE(first, second, races) { #first "; " #second, first, second, races }
void play_all(const struct scene *scenes, size_t n);

void play_pairs(void);
void play_scenes(void);
void play_waits(void);

/* Returns: 1 if the tool said anything. */
unsigned int play_storm(uint64_t seed);

#endif
