/*
 * lock_order.c - which class came before which
 *
 * Two tables of fixed size.  Owners: how many of each class a thread has; a slot
 * each, found by its name and never given back, so that another thread can unlock.
 * Classes: a bit for each pair that came in this order, and where it did first.  A
 * pair that is known costs a look; a new one takes the table's guard.
 *
 * Cost: a few dozen looks a lock, 500 KB of zeroes.
 * Weak spot: the 65th class and the 1025th thread are not followed; longer circles
 * (a before b before c before a) are not found, nor those within one class.
 */
#include "rangelock/lock/lock_order.h"

#include <stdio.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/child.h"
#include "rangelock/base/park.h"
#include "rangelock/base/planted.h"
#include "rangelock/base/spin.h"
#include "rangelock/base/trace.h"
#include "rangelock/engine/request.h"

#define NR_CLASSES	64u
#define NR_OWNERS	1024u
#define NR_FRAMES	8u
#define NO_CLASS	NR_CLASSES

struct class {
	uint64_t hash;			/* atomic; 0: free */
	uint64_t after;			/* atomic; a bit for each class */
	char name[40];
};

struct owner {
	uint64_t key;			/* atomic; 0: free */
	uint32_t nr;			/* atomic; the sum of these: */
	uint32_t nr_of[NR_CLASSES];	/* atomic */
};

struct place {
	void *frames[NR_FRAMES];
	unsigned int nr;
};

/* guard: of names and places, and of who writes hash and after. */
static uint32_t guard;
static struct class classes[NR_CLASSES];
static struct owner owners[NR_OWNERS];
static struct place places[NR_CLASSES][NR_CLASSES];	/* before, behind */

static rl_write_fn *warn;
static void *warn_arg;

void rl_order_warn_to(rl_write_fn *write, void *arg)
{
	memset(classes, 0, sizeof(classes));
	memset(owners, 0, sizeof(owners));
	warn = write;
	warn_arg = arg;
}

/* ---- Classes ---- */

static uint64_t mix(uint64_t hash, uint64_t more)
{
	hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Never 0. */
static uint64_t hash_of(const struct rangelock *lk)
{
	uint64_t hash = lk->name ? 1 : 2;

	if (!lk->name)
		return mix(hash, (uintptr_t)lk) | 1;
	for (const char *c = lk->name; *c; c++)
		hash = mix(hash, (uint64_t)(unsigned char)*c);
	return hash | 1;
}

/* Relaxed: who finds it by its hash needs nothing else of it. */
static unsigned int find_class(uint64_t hash)
{
	for (unsigned int i = 0; i < NR_CLASSES; i++)
		if (rl_load_relaxed64(&classes[i].hash) == hash)
			return i;
	return NO_CLASS;
}

static unsigned int class_of(const struct rangelock *lk)
{
	uint64_t hash = hash_of(lk);
	unsigned int i = find_class(hash);

	if (i != NO_CLASS)
		return i;
	rl_guard_lock(&guard, NULL);
	i = find_class(hash);
	if (i == NO_CLASS)
		i = find_class(0);
	if (i != NO_CLASS) {
		if (lk->name)
			snprintf(classes[i].name, sizeof(classes[i].name), "%s",
				 lk->name);
		else
			snprintf(classes[i].name, sizeof(classes[i].name), "%p",
				 (const void *)lk);
		rl_store_relaxed64(&classes[i].hash, hash);	/* as above */
	}
	rl_guard_unlock(&guard);
	return i;
}

void rl_order_forget(const struct rangelock *lk)
{
	uint64_t bit;
	unsigned int i;

	if (lk->name)
		return;			/* others may be of this class */
	rl_guard_lock(&guard, NULL);
	i = find_class(hash_of(lk));
	bit = i != NO_CLASS ? UINT64_C(1) << i : 0;
	/* Relaxed: nobody holds it, so nobody else looks at these bits. */
	for (unsigned int k = 0; bit && k < NR_CLASSES; k++)
		rl_store_relaxed64(&classes[k].after,
				   k == i ? 0 :
				   rl_load_relaxed64(&classes[k].after) & ~bit);
	if (bit)
		rl_store_relaxed64(&classes[i].hash, 0);
	rl_guard_unlock(&guard);
}

/* ---- Owners ---- */

/* Never 0.  Each host has its own names. */
static uint64_t key_of(const struct rl_host *host, uint64_t owner)
{
	uint64_t key = mix(3, owner);

	if (host && host->self)
		key = mix(mix(key, (uintptr_t)host->self), (uintptr_t)host->ctx);
	return key | 1;
}

/* Relaxed: a slot is its owner's for ever, and its counters are sums. */
static struct owner *find_owner(uint64_t key)
{
	for (unsigned int i = 0; i < NR_OWNERS; i++) {
		struct owner *o = &owners[(key / 2 + i) % NR_OWNERS];
		uint64_t has = rl_load_relaxed64(&o->key);

		if (!has && rl_cas_relaxed64(&o->key, 0, key))
			return o;
		if (has == key || rl_load_relaxed64(&o->key) == key)
			return o;
	}
	return NULL;
}

static void count(const struct rangelock *lk, uint64_t owner, uint32_t n)
{
	struct owner *o = find_owner(key_of(lk->host, owner));
	unsigned int class = class_of(lk);

	if (!o || class == NO_CLASS || owner == RL_NOBODY)
		return;
	/* Relaxed, three times: what matters is what its thread has counted. */
	if (n != 1 && !rl_load_relaxed(&o->nr_of[class]))
		return;			/* it came when a table was full */
	rl_add_relaxed(&o->nr_of[class], n);
	rl_add_relaxed(&o->nr, n);
}

static bool is_followed(const struct rl_range *r)
{
	/* Relaxed: who moves it to the tree changes another flag. */
	return !(rl_load_relaxed16(&r->flags) & RL_F_SUBMITTED);
}

void rl_order_hold(const struct rangelock *lk, const struct rl_range *r)
{
	if (is_followed(r))
		count(lk, r->owner, 1);
}

void rl_order_let_go(const struct rangelock *lk, const struct rl_range *r)
{
	if (is_followed(r) && !RL_PLANTED(ORDER_KEEPS))
		count(lk, r->owner, UINT32_MAX);
}

void rl_order_give(const struct rangelock *lk, const struct rl_range *r,
		   uint64_t owner)
{
	rl_order_let_go(lk, r);
	if (is_followed(r))
		count(lk, owner, 1);
}

void rl_order_empty(const struct rangelock *lk)
{
	unsigned int class = class_of(lk);

	/* Relaxed: those who hold others of this class miss a warning. */
	for (unsigned int i = 0; i < NR_OWNERS && class != NO_CLASS; i++) {
		struct owner *o = &owners[i];
		uint32_t nr = rl_load_relaxed(&o->nr_of[class]);

		rl_add_relaxed(&o->nr_of[class], -nr);
		rl_add_relaxed(&o->nr, -nr);
	}
}

/* The others are not here, and their names will be given to new threads. */
static void forget_others(void)
{
	uint64_t mine = key_of(NULL, rl_owner(NULL));

	rl_store_relaxed(&guard, 0);	/* relaxed, all: one thread */
	for (unsigned int i = 0; i < NR_OWNERS; i++)
		if (owners[i].key != mine)
			memset(&owners[i], 0, sizeof(owners[i]));
}

__attribute__((constructor)) static void watch_forks(void)
{
	rl_at_child(forget_others);
}

/* ---- Orders ---- */

static void say(const char *text)
{
	if (warn)
		warn(warn_arg, text, strlen(text));
	else
		fputs(text, stderr);
}

static void say_place(const struct place *p)
{
	char frame[256], line[272];

	for (unsigned int i = 0; i < p->nr; i++) {
		rl_trace_text(p->frames[i], frame, sizeof(frame));
		snprintf(line, sizeof(line), "    %s\n", frame);
		say(line);
	}
}

struct warning {
	char name[2][sizeof(classes[0].name)];
	struct place now, before;
};

static void write_warning(const struct warning *w)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "rangelock: the order of %s and %s is reversed: two threads can"
		 " wait for each other\n  %s locked while %s was held, at\n",
		 w->name[0], w->name[1], w->name[1], w->name[0]);
	say(line);
	say_place(&w->before);
	snprintf(line, sizeof(line), "  and now %s while %s is held, at\n",
		 w->name[0], w->name[1]);
	say(line);
	say_place(&w->now);
}

/* held came before asked for the first time, at this place: under the guard.
 * True: the other way round it did, too. */
static bool note_order(unsigned int held, unsigned int asked,
		       const struct place *here, struct warning *w)
{
	/* Relaxed, all: under the guard. */
	uint64_t after = rl_load_relaxed64(&classes[held].after);
	uint64_t bit = UINT64_C(1) << asked;
	bool is_reversed = rl_load_relaxed64(&classes[asked].after) >> held & 1;

	if (after & bit && !RL_PLANTED(ORDER_ALWAYS_NEW))
		return false;
	rl_store_relaxed64(&classes[held].after, after | bit);
	places[held][asked] = w->now = *here;
	if (!is_reversed)
		return false;
	w->before = places[asked][held];
	memcpy(w->name[0], classes[asked].name, sizeof(w->name[0]));
	memcpy(w->name[1], classes[held].name, sizeof(w->name[1]));
	return true;
}

static __attribute__((noinline)) void note_new(unsigned int held,
					       unsigned int asked)
{
	struct place here;
	struct warning w;
	bool is_reversed;

	here.nr = rl_trace(here.frames, NR_FRAMES);
	rl_guard_lock(&guard, NULL);
	is_reversed = note_order(held, asked, &here, &w);
	rl_guard_unlock(&guard);
	if (is_reversed)
		write_warning(&w);
}

void rl_order_ask(const struct rangelock *lk)
{
	struct owner *o = find_owner(key_of(lk->host, rl_owner(lk->host)));
	unsigned int asked;

	/* Relaxed, all: its own thread counts, or who unlocks for it. */
	if (!o || !rl_load_relaxed(&o->nr))
		return;
	asked = class_of(lk);
	for (unsigned int held = 0; held < NR_CLASSES && asked != NO_CLASS; held++)
		if (held != asked && rl_load_relaxed(&o->nr_of[held]) &&
		    (!(rl_load_relaxed64(&classes[held].after) >> asked & 1) ||
		     RL_PLANTED(ORDER_ALWAYS_NEW)))
			note_new(held, asked);
}
