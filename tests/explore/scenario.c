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

#include "rangelock/engine/forest.h"

const struct form forms[] = {
	{ "compact", 0, 0, false },
	{ "forest1", CHUNK, 1, false },
	{ "forest2", CHUNK, 2, false },
};
const unsigned int nr_forms = sizeof(forms) / sizeof(forms[0]);

struct scene *const scene = (struct scene *)(void *)ex_arena;
_Static_assert(sizeof(struct scene) <= EX_ARENA, "a scene fits the arena");

static const struct scenario *playing;
static char fresh[offsetof(struct scene, cells)];

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

static void reset(void)
{
	memcpy(scene, fresh, sizeof(fresh));
	memset(holds, 0, sizeof(holds));
	for (unsigned int t = 0; t < playing->nr_threads; t++)
		for (unsigned int i = 0; i < STEPS_MAX; i++) {
			unsigned int number = t * STEPS_MAX + i;

			memset(scene->handles[number], 0,
			       sizeof(scene->handles[number]));
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

static bool is_any_guard_taken(void)
{
	const struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++)
		if (a->guard & RL_GUARD_TAKEN)
			return true;
	return false;
}

static void check(void)
{
	if (!is_any_guard_taken() && !rl_forest_is_valid(&scene->lk))
		ex_fail("the forest is not valid: F1 to F3, I1 to I3");
}

static void finish(void)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++) {
		if (a->guard & RL_GUARD_TAKEN)
			ex_fail("a guard is still taken");
		if (a->root || a->nr_waiting)
			ex_fail("somebody is left in the lock");
	}
	for (unsigned int i = 0; i < 2 * HANDLES; i++)
		if (holds[i].is_held)
			ex_fail("h%u is still held", i);
	if (scene->lk.forest)
		check();
}

/* ---- Names ---- */

struct field {
	size_t offset;
	const char *name;
};

#define FIELD(type, member)	{ offsetof(struct type, member), #member }

static const struct field range_fields[] = {
	FIELD(rl_range, node.left), FIELD(rl_range, node.right),
	FIELD(rl_range, node.parent), FIELD(rl_range, node.start),
	FIELD(rl_range, node.end), FIELD(rl_range, node.max_end),
	FIELD(rl_range, seq), FIELD(rl_range, owner),
	FIELD(rl_range, since_ns), FIELD(rl_range, next),
	FIELD(rl_range, granted), FIELD(rl_range, state),
	FIELD(rl_range, lock_tag), FIELD(rl_range, nr_blockers),
	FIELD(rl_range, nr_held_blockers), FIELD(rl_range, home),
	FIELD(rl_range, flags), FIELD(rl_range, group), FIELD(rl_range, mode),
};

static const struct field lock_fields[] = {
	FIELD(rangelock, central.guard), FIELD(rangelock, central.nr_waiting),
	FIELD(rangelock, central.root), FIELD(rangelock, central.next_seq),
	FIELD(rangelock, ledger), FIELD(rangelock, forest),
};

static const struct field shard_fields[] = {
	FIELD(rl_shard, arbiter.guard), FIELD(rl_shard, arbiter.nr_waiting),
	FIELD(rl_shard, arbiter.root), FIELD(rl_shard, arbiter.next_seq),
	FIELD(rl_shard, is_closed),
};

static const char *field_at(const struct field *fields, size_t n, size_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].offset == offset)
			return fields[i].name;
	return NULL;
}

#define NAME_FIELD(fields, offset)					\
	field_at(fields, sizeof(fields) / sizeof(fields[0]), offset)

static const char *name(const void *at)
{
	static char text[64];
	size_t offset = (size_t)((const char *)at - ex_arena);
	const size_t shards = offsetof(struct scene, shards);
	const size_t handles = offsetof(struct scene, handles);
	const char *field = NULL;
	char whose[24] = "";

	if (offset < sizeof(struct rangelock)) {
		field = NAME_FIELD(lock_fields, offset);
		snprintf(whose, sizeof(whose), "lock");
	} else if (offset >= handles && offset < sizeof(struct scene)) {
		size_t i = (offset - handles) / sizeof(struct rl_range);

		field = NAME_FIELD(range_fields, (offset - handles) %
						 sizeof(struct rl_range));
		snprintf(whose, sizeof(whose), i % MEMBERS ? "h%zu[%zu]" : "h%zu",
			 i / MEMBERS, i % MEMBERS);
	} else if (offset >= shards && offset < shards + 64 * SHARDS_MAX) {
		field = NAME_FIELD(shard_fields, (offset - shards) % 64);
		snprintf(whose, sizeof(whose), "shard%zu", (offset - shards) / 64);
	} else if (offset >= offsetof(struct scene, cells) && offset < handles) {
		snprintf(text, sizeof(text), "byte %zu of the object",
			 (offset - offsetof(struct scene, cells)) / 8);
		if (offset >= offsetof(struct scene, flags))
			snprintf(text, sizeof(text), "flag %zu",
				 (offset - offsetof(struct scene, flags)) / 4);
		return text;
	}
	if (field)
		snprintf(text, sizeof(text), "%s.%s", whose, field);
	else
		snprintf(text, sizeof(text), "%s+%zu", whose, offset);
	return text;
}

/* ---- Begin and end ---- */

const struct ex_program *scenario_begin(const struct scenario *s,
					struct ex_options *options)
{
	static struct ex_program program = {
		.reset = reset, .body = body, .finish = finish, .name = name,
	};
	struct rl_options o = RL_OPTIONS_INIT;

	playing = s;
	o.chunk_size = s->form->chunk_size;
	o.nr_shards = s->form->nr_shards;
	o.bypass_ns = s->bypass_ns;
	ex_barrier_is_usable = s->form->has_barrier;
	if (rl_init(&scene->lk, &o)) {
		fprintf(stderr, "explorer: no lock\n");
		exit(2);
	}
	if (s->prepare)
		s->prepare();
	memcpy(fresh, scene, sizeof(fresh));
	program.nr_threads = s->nr_threads;
	program.check = scene->lk.forest ? check : NULL;
	options->nr_spurious = s->nr_spurious;
	options->nr_timeouts = s->nr_timeouts;
	options->nr_jumps = s->nr_jumps;
	options->jump_ns = 2 * RL_BYPASS_NS;
	return &program;
}

void scenario_end(void)
{
	memcpy(scene, fresh, sizeof(fresh));
	rl_destroy(&scene->lk);
}
