/*
 * scenario.c - sets the scene, and says whether what happens in it is right
 *
 * A thread that was granted a range says so, and touches the part of the object
 * that it locked: two conflicting holders, or a hold that does not happen after
 * the conflicting one before it, are failures.  The scene is copied back before
 * each execution.
 */
#include "tests/explore/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/explore/minimm/story.h"

const struct form forms[] = {
	{ "compact", 0, 0, false, false, false, false },
	{ "fast", 0, 0, true, false, false, false },
	{ "forest1", CHUNK, 1, false, false, false, false },
	{ "fast1", CHUNK, 1, true, false, false, false },
	{ "forest2", CHUNK, 2, false, false, false, false },
	{ "fast2", CHUNK, 2, true, false, false, false },
	{ "biased", 0, 0, true, true, false, false },
	{ "biased2", CHUNK, 2, true, true, false, false },
	{ "spins", 0, 0, true, false, true, false },
	{ "spins2", CHUNK, 2, true, false, true, false },
	{ "serial", 0, 0, false, false, false, true },
};
const unsigned int nr_forms = sizeof(forms) / sizeof(forms[0]);

#define SCENE	((struct scene *)(void *)ex_arena)
struct scene *const scene = SCENE;
_Static_assert(sizeof(struct scene) <= EX_ARENA, "a scene fits the arena");

static const struct scenario *playing;
static char fresh[offsetof(struct scene, cells)];
static struct extras fresh_extras;
static struct rl_range fresh_handles[HANDLES][MEMBERS];
/* The locks before anybody has prepared anything in them. */
static char unused[offsetof(struct scene, cells)];
static struct rangelock unused_second;

/* The words of the library's that belong to the process. */
extern char __start_ex_shared[];

static struct hold {
	bool is_held;
	enum rl_mode mode;
	uint64_t start, end;
} holds[2 * HANDLES];	/* the second half: second members */

static const char *const mode_names[] = { "reads", "writes" };

static void check_hold(unsigned int number)
{
	const struct hold *h = &holds[number];

	for (unsigned int i = 0; i < 2 * HANDLES; i++) {
		const struct hold *other = &holds[i];

		if (i != number && other->is_held &&
		    other->start < h->end && h->start < other->end &&
		    (h->mode == RL_WRITE || other->mode == RL_WRITE))
			ex_fail("two conflicting holders: h%u %s [%lu, %lu), "
				"h%u %s [%lu, %lu)", number,
				mode_names[h->mode], (unsigned long)h->start,
				(unsigned long)h->end, i,
				mode_names[other->mode],
				(unsigned long)other->start,
				(unsigned long)other->end);
	}
}

void note_hold(unsigned int number, enum rl_mode mode, uint64_t start,
	       uint64_t end)
{
	holds[number] = (struct hold){ true, mode, start, end };
	ex_trace("holds h%u: %s [%lu, %lu)", number, mode_names[mode],
		 (unsigned long)start, (unsigned long)end);
	check_hold(number);
	for (uint64_t i = start; i < CELLS && i < end; i++)
		ex_plain(&scene->cells[i], mode == RL_WRITE,
			 __builtin_return_address(0));
}

void note_let_go(unsigned int number)
{
	ex_trace("lets go h%u", number);
	holds[number].is_held = false;
}

void bury(unsigned int number)
{
	order_forget(number);
	ex_kill(scene->handles[number], sizeof(scene->handles[number][0]) *
		(scene->handles[number][1].lock_tag ? MEMBERS : 1));
}

void set_flag(unsigned int number)
{
	ex_store(&scene->flags[number], 4, 0, EX_SITE(EX_RELEASE));
}

void await_flag(unsigned int number)
{
	const struct ex_site *site = EX_SITE(EX_ACQUIRE);

	ex_await(&scene->flags[number], 1, site);
	ex_modify32(&scene->flags[number], EX_OR, 0, site);
}

/* ---- The program ---- */

/* What executions change: the lock, what it protects, the handles in use. */
static struct ex_region state[] = {
	{ ex_arena, 0 },
	{ holds, sizeof(holds) },
	{ NULL, 0 },			/* order.c's */
	{ &SCENE->extras, 0 },		/* of a special scenario */
	{ NULL, 0 },			/* of the process */
	{ NULL, 0 },
};

static void reset(void)
{
	memcpy(scene, fresh, sizeof(fresh));
	memset(holds, 0, sizeof(holds));
	memset(state[4].at, 0, state[4].size);
	order_begin(playing->bypass_ns);
	if (playing->special)
		scene->extras = fresh_extras;
	for (unsigned int t = 0; t < playing->nr_threads; t++)
		for (unsigned int i = 0; i < STEPS_MAX; i++) {
			unsigned int number = t * STEPS_MAX + i;

			memcpy(scene->handles[number], fresh_handles[number],
			       sizeof(fresh_handles[number]));
			scene->flags[number] = 1;
		}
}

static void body(unsigned int thread)
{
	if (playing->special) {
		playing->special(thread);
		return;
	}
	for (unsigned int i = 0; i < playing->nr_turns[thread]; i++) {
		const struct turn *turn = &playing->turns[thread][i];

		ex_trace("%s %s [%lu, %lu) with h%u", turn->operation->name,
			 mode_names[turn->mode], (unsigned long)turn->start,
			 (unsigned long)turn->end, turn->number);
		turn->operation->perform(turn);
	}
}

static void finish(void)
{
	lock_check_empty();
	for (unsigned int i = 0; i < 2 * HANDLES; i++)
		if (holds[i].is_held)
			ex_fail("h%u is still held", i);
}

/* ---- Begin and end ---- */

/* A site is registered once and for all. */
static void clear_extras(void)
{
	struct rl_site site = scene->extras.site;

	memset(&scene->extras, 0, sizeof(scene->extras));
	scene->extras.site = site;
}

/* They lie behind the arena. */
static void find_shared(void)
{
	char *end = __stop_ex_shared;

	state[4].at = ex_arena + EX_ARENA;
	state[4].size = (size_t)(end - ex_arena) - EX_ARENA;
	if (&__start_ex_shared[0] != &ex_arena[0] || state[4].size > EX_SHARED) {
		fprintf(stderr, "explorer: the arena is not where it should be\n");
		exit(2);
	}
}

static void make_locks(const struct scenario *s)
{
	struct rl_options o = RL_OPTIONS_INIT;
	bool failed;

	o.chunk_size = s->form->chunk_size;
	o.nr_shards = s->form->nr_shards;
	o.bypass_ns = s->bypass_ns;
	o.flags = s->form->is_biased ? RL_READER_BIAS : 0;
	/* Usually 0: a wait has no other end than its own. */
	o.deadlock_ns = s->deadlock_ns;
	o.deadlock_report = s->report;
	failed = rl_init(&scene->lk, &o);
	o.chunk_size = 0;
	if (failed || (s->has_second && rl_init(&scene->extras.second, &o))) {
		fprintf(stderr, "explorer: no lock\n");
		exit(2);
	}
	if (s->form->is_biased)
		lock_turn_biased();
	memcpy(unused, scene, sizeof(unused));
	unused_second = scene->extras.second;
}

const struct ex_program *scenario_begin(const struct scenario *s,
					struct ex_options *options)
{
	static struct ex_program program = {
		.reset = reset, .body = body, .finish = finish,
		.name = lock_name_of, .state = state,
		.check_guarded = order_check,
	};

	playing = s;
	if (s->story)
		return story_begin(s, options);
	ex_barrier_is_usable = s->form->has_barrier;
	ex_spins = s->form->spins;
	ex_is_parallel = !s->form->is_serial;
	find_shared();
	clear_extras();
	make_locks(s);
	memset(scene->handles, 0, sizeof(scene->handles));
	if (s->prepare)
		s->prepare();
	memcpy(fresh, scene, sizeof(fresh));
	memcpy(fresh_handles, scene->handles, sizeof(fresh_handles));
	fresh_extras = scene->extras;
	program.nr_threads = s->nr_threads;
	state[0].size = (size_t)((char *)scene->handles[STEPS_MAX *
							s->nr_threads] - ex_arena);
	state[2] = order_state;
	state[3].size = s->special ? sizeof(scene->extras) : 0;
	if (!s->deadlock_ns)
		state[4].size = 0;
	program.check = scene->lk.forest ? lock_check : NULL;
	options->nr_spurious = s->nr_spurious;
	options->nr_timeouts = s->nr_timeouts;
	options->nr_jumps = s->nr_jumps;
	options->jump_ns = 2 * RL_BYPASS_NS;
	return &program;
}

void scenario_end(void)
{
	if (playing->story) {
		story_end();
		return;
	}
	memcpy(scene, unused, sizeof(unused));
	rl_destroy(&scene->lk);
	scene->extras.second = unused_second;
	if (playing->has_second)
		rl_destroy(&scene->extras.second);
}
