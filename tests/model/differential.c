/*
 * differential.c - random histories, played by a child process, shrunk if bad
 *
 * A child plays, so that an abort of the lock is a result like any other; a page
 * that both see says how far it came.  A bad history is shrunk by leaving out
 * ever smaller pieces as long as it stays bad, each attempt in a child again.
 */
#include "tests/model/differential.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/model/forest_side.h"

#define HISTORY		2000u		/* ops */
#define ATTEMPTS	600u		/* to shrink one */
#define SECONDS		10u		/* for an attempt */
#define CROWD_CHUNKS	4u
#define CROWD_BYTES	8u		/* used of each chunk */

struct progress {
	volatile uint64_t history;
	volatile size_t op;
	struct forest_counts counts;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static uint64_t number(uint64_t seed, uint64_t n)
{
	return mix(mix(seed + 1) + (n + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* Many requests of few owners in an engine's first few chunks. */
static void crowd_scene(struct scene *s, uint64_t draw, uint64_t chunk_size)
{
	s->chunk_size = chunk_size;
	s->nr_chunks = 1 + (unsigned int)(draw % CROWD_CHUNKS);
	s->space = s->nr_chunks * chunk_size;
	s->nr_slots = BRUTE_MAX - (unsigned int)((draw >> 4) % 5);
	s->nr_owners = 1 + (unsigned int)((draw >> 8) % 3);
}

void scene_make(struct scene *s, uint64_t seed, uint64_t chunk_size)
{
	static const uint64_t spaces[] = {
		6, 12, 12, 40, 1000, UINT64_C(1) << 40, RL_END,
	};
	static const uint64_t bypasses[] = {
		0, 0, 100, RL_BYPASS_NS, RL_BYPASS_NS, UINT64_C(1) << 62,
	};
	uint64_t x = number(seed, UINT64_MAX - 1);

	s->space = spaces[x % 7];
	s->bypass_ns = bypasses[(x >> 8) % 6];
	s->wait_ns = s->bypass_ns == 100 ? 120 :
		     (x >> 16) % 2 ? 1200000 : 300000;
	s->nr_slots = 3 + (unsigned int)((x >> 24) % (BRUTE_MAX - 2));
	s->nr_owners = 1 + (unsigned int)((x >> 32) % 8);
	s->chunk_size = s->nr_chunks = 0;
	if (chunk_size && x >> 40 & 1)
		crowd_scene(s, x >> 48, chunk_size);
}

/* Of a crowded scene all ops but one in 50 ask for a lone range inside a chunk:
 * a wide one would close shards, and waiters would never meet in an open one. */
static void crowd_op(struct op *op, const struct scene *s, uint64_t seed,
		     uint64_t n)
{
	uint64_t room = s->chunk_size < CROWD_BYTES ? s->chunk_size :
						      CROWD_BYTES;
	uint64_t draw = mix(number(seed, n) + 1), at = (draw >> 16) % room;

	op->is_narrow = draw % 50 != 0;
	if (!op->is_narrow)
		return;
	op->start = (draw >> 8) % s->nr_chunks * s->chunk_size + at;
	op->length = (draw >> 24) % (room - at);
	op->flags &= (uint8_t)~(OP_SITE | OP_COARSE);
	op->nested = (uint8_t)(2 * op->nested);
	if (op->pick % 32 >= 8 && op->pick % 32 < 12)
		op->pick ^= 16;		/* several ranges: a lone one */
}

void op_make(struct op *op, const struct scene *s, uint64_t seed, uint64_t n)
{
	uint64_t x = number(seed, 4 * n), y = number(seed, 4 * n + 1);

	op->start = number(seed, 4 * n + 2) % s->space;
	op->length = number(seed, 4 * n + 3);
	if (y & 3)			/* mostly short ranges */
		op->length &= 0x070707;
	if (s->space > 1000 && y & 4)	/* and mostly in one place */
		op->start %= 64;
	op->keep = mix(x ^ y);
	op->wait_ns = (uint32_t)((y >> 8) % s->wait_ns);
	op->pick = (uint16_t)(x >> 8);
	op->slot = (uint8_t)((x >> 24) % s->nr_slots);
	op->owner = (uint8_t)((x >> 32) % s->nr_owners);
	op->flags = (uint8_t)(x >> 40);
	op->nested = (uint8_t)((x >> 48) % 12);
	op->is_narrow = false;
	if (s->nr_chunks)
		crowd_op(op, s, seed, n);
}

static void become_player(void)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGABRT, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}

/* The child's whole life. */
_Noreturn static void play_histories(engine_init_fn *init, uint64_t seed,
				     uint64_t nr_ops,
				     struct progress *progress)
{
	static struct op ops[HISTORY];
	uint64_t chunk_size = forest_chunk_size(init);
	struct scene scene;

	memset(&forest_counts, 0, sizeof(forest_counts));
	for (uint64_t done = 0; done < nr_ops; done += HISTORY) {
		scene_make(&scene, seed, chunk_size);
		for (uint64_t n = 0; n < HISTORY; n++)
			op_make(&ops[n], &scene, seed, n);
		progress->history = seed;
		play(&scene, ops, HISTORY, init, false, &progress->op);
		progress->counts = forest_counts;
		seed++;
	}
	exit(0);
}

/* One history, in a child.  Returns: true if it plays to its end. */
static bool attempt(engine_init_fn *init, const struct scene *scene,
		    const struct op *ops, size_t nr, bool aloud)
{
	size_t reached = 0;
	int status, null;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		become_player();
		alarm(SECONDS);
		null = open("/dev/null", O_WRONLY);
		if (!aloud && null >= 0) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		play(scene, ops, nr, init, aloud, &reached);
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status == 0;
}

/* Leave out all that one slot does. */
static size_t shrink_slots(engine_init_fn *init, const struct scene *scene,
			   struct op *ops, size_t nr)
{
	static struct op fewer[HISTORY];

	for (unsigned int slot = 0; slot < scene->nr_slots; slot++) {
		size_t left = 0;

		for (size_t k = 0; k < nr; k++)
			if (ops[k].slot != slot)
				fewer[left++] = ops[k];
		if (left < nr && !attempt(init, scene, fewer, left, false)) {
			memcpy(ops, fewer, left * sizeof(*ops));
			nr = left;
		}
	}
	return nr;
}

/* Leave out pieces of half the length, of a quarter, ... of one op. */
static size_t shrink(engine_init_fn *init, const struct scene *scene,
		     struct op *ops, size_t nr)
{
	static struct op fewer[HISTORY];
	unsigned int attempts = 0;
	size_t piece = (nr + 1) / 2;

	while (piece) {
		bool found = false;

		for (size_t at = 0; at < nr && attempts < ATTEMPTS;) {
			size_t n = piece < nr - at ? piece : nr - at;

			memcpy(fewer, ops, at * sizeof(*ops));
			memcpy(fewer + at, ops + at + n,
			       (nr - at - n) * sizeof(*ops));
			attempts++;
			if (attempt(init, scene, fewer, nr - n, false)) {
				at += n;
				continue;
			}
			nr -= n;
			memcpy(ops, fewer, nr * sizeof(*ops));
			found = true;
		}
		if (piece > 1 || !found || attempts == ATTEMPTS)
			piece /= 2;
	}
	return nr;
}

static void show_bad_history(engine_init_fn *init,
			     const struct progress *progress)
{
	static struct op ops[HISTORY];
	uint64_t seed = progress->history;
	struct scene scene;
	size_t nr = HISTORY;

	scene_make(&scene, seed, forest_chunk_size(init));
	for (uint64_t n = 0; n < HISTORY; n++)
		op_make(&ops[n], &scene, seed, n);
	printf("history %" PRIu64 " went wrong at op %zu; shrinking\n", seed,
	       progress->op);
	if (attempt(init, &scene, ops, nr, false)) {
		printf("it does not go wrong again\n");
		return;
	}
	nr = shrink_slots(init, &scene, ops, nr);
	nr = shrink(init, &scene, ops, nr);
	nr = shrink_slots(init, &scene, ops, nr);
	nr = shrink(init, &scene, ops, nr);
	printf("space %" PRIu64 ", bypass_ns %" PRIu64 ", %u owners%s\n",
	       scene.space, scene.bypass_ns, scene.nr_owners,
	       scene.nr_chunks ? ", crowded" : "");
	attempt(init, &scene, ops, nr, true);
	printf("rerun: make VARIANT=debug stresses && "
	       "build/debug/stress/differential --seed %" PRIu64 " --ops 1\n",
	       seed);
	fflush(stdout);
}

bool differential(engine_init_fn *init, uint64_t seed, uint64_t nr_ops)
{
	struct progress *progress;
	bool is_good;
	int status;
	pid_t child;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED)
		return false;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		become_player();
		play_histories(init, seed, nr_ops, progress);
	}
	waitpid(child, &status, 0);
	is_good = status == 0;
	if (!is_good)
		show_bad_history(init, progress);
	forest_counts.nr_waits += progress->counts.nr_waits;
	forest_counts.nr_closed += progress->counts.nr_closed;
	forest_counts.nr_opened += progress->counts.nr_opened;
	munmap(progress, sizeof(*progress));
	return is_good;
}
