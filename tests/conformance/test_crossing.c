/*
 * Goal: threads that lock ranges of several locks in any order, and let go of all
 * when they are told EDEADLK, come to their end, and no two write the same byte.
 * Those who lock in one order are never told, however often everybody searches.
 */
#include "tests/conformance/engines.h"

#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/engine/cycle.h"

#define NR_LOCKS	3

static struct rangelock lk[NR_LOCKS];
static bool is_ordered;

#define NR_CROSSING	4u
#define NR_PLACES	4u

static uint32_t users[NR_LOCKS][NR_PLACES];	/* atomic; a writer is 1,000 */

static void use(unsigned int i, uint64_t place, uint32_t n)
{
	uint32_t before = rl_add_relaxed(&users[i][place], n);

	check(n == 1 || n == 1000 ? before < 1000 : true);
	check(n == 1000 ? before == 0 : true);
}

struct crossing {
	pthread_t thread;
	uint64_t seed;
	struct rl_range r[NR_LOCKS];
	unsigned int order[NR_LOCKS];
	uint64_t place[NR_LOCKS];
	enum rl_mode mode[NR_LOCKS];
	bool is_late[NR_LOCKS];
};

static void let_go(struct crossing *c, unsigned int n)
{
	while (n--) {
		unsigned int i = c->order[n];

		use(i, c->place[n], c->mode[n] == RL_WRITE ? -1000u : -1u);
		rl_unlock(&lk[i], &c->r[n]);
	}
}

/* False: told EDEADLK, or late. */
static bool cross_once(struct crossing *c)
{
	unsigned int n;

	for (n = 0; n < NR_LOCKS; n++) {
		unsigned int i = c->order[n];
		uint64_t start = c->place[n];
		uint64_t until_ns = c->is_late[n] ? rl_now(NULL) + 50000 :
						    RL_NO_DEADLINE;
		int error = (c->mode[n] == RL_WRITE ? rl_write_lock_until :
						      rl_read_lock_until)(
			&lk[i], &c->r[n], start, start + 1, until_ns);

		check(error == 0 || (error == EDEADLK && !is_ordered) ||
		      (error == ETIMEDOUT && c->is_late[n]));
		if (error)
			break;
		use(i, start, c->mode[n] == RL_WRITE ? 1000 : 1);
		sched_yield();		/* let the others cross */
	}
	let_go(c, n);
	return n == NR_LOCKS;
}

/* Places that the thread has not chosen yet; later ones, if they are ordered. */
static void choose(struct crossing *c, unsigned int n)
{
	bool is_new;

	do {
		uint64_t random = random_next(&c->seed);

		c->order[n] = (unsigned int)(random % NR_LOCKS);
		c->place[n] = random / 8 % NR_PLACES;
		if (is_ordered)
			c->order[n] = n;
		c->mode[n] = random / 64 % 4 ? RL_WRITE : RL_READ;
		c->is_late[n] = random / 256 % 8 == 0;
		is_new = true;
		for (unsigned int k = 0; k < n; k++)
			is_new = is_new && (c->order[k] != c->order[n] ||
					    c->place[k] != c->place[n]);
	} while (!is_new);
}

static void *cross(void *arg)
{
	uint64_t rounds = test_rounds(1000);
	struct crossing *c = arg;

	for (uint64_t round = 0; round < rounds; round++) {
		for (unsigned int n = 0; n < NR_LOCKS; n++)
			choose(c, n);
		while (!cross_once(c))
			;
	}
	return NULL;
}

static void cross_all(uint64_t chunk_size, uint64_t deadlock_ns)
{
	struct rl_options o = RL_OPTIONS_INIT;
	struct crossing c[NR_CROSSING];
	uint64_t seed = test_seed();

	o.deadlock_ns = deadlock_ns;
	o.chunk_size = chunk_size;
	for (unsigned int i = 0; i < NR_LOCKS; i++)
		check_eq(rl_init(&lk[i], &o), 0);
	memset(c, 0, sizeof(c));
	memset(users, 0, sizeof(users));
	for (unsigned int i = 0; i < NR_CROSSING; i++) {
		c[i].seed = seed + i;
		check_eq(pthread_create(&c[i].thread, NULL, cross, &c[i]), 0);
	}
	for (unsigned int i = 0; i < NR_CROSSING; i++)
		check_eq(pthread_join(c[i].thread, NULL), 0);
	check_eq(rl_nr_listed(), 0);
	for (unsigned int i = 0; i < NR_LOCKS; i++)
		check_eq(rl_destroy(&lk[i]), 0);
}

Test(crossing, threads_that_cross_at_random_all_end)
{
	is_ordered = false;
	cross_all(0, 100000);
	cross_all(2, 100000);
}

Test(crossing, threads_that_lock_in_one_order_are_never_told)
{
	is_ordered = true;
	cross_all(0, 1);
	cross_all(2, 1);
}
