/*
 * layout.c - the lock from inside: names of its words, what is always true of it
 *
 * The only file here that knows the library's private structs.
 */
#include <stdio.h>

#include "rangelock/engine/readers.h"
#include "rangelock/engine/shards.h"
#include "tests/explore/scenario.h"

static bool is_any_guard_taken(void)
{
	const struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++)
		if (a->guard & RL_GUARD_TAKEN)
			return true;
	return false;
}

void lock_check(void)
{
	if (!is_any_guard_taken() && !rl_forest_is_valid(&scene->lk))
		ex_fail("the forest is not valid: F1 to F3, I1 to I3");
}

static void check_empty(const struct rl_arbiter *a)
{
	if (a->guard & RL_GUARD_TAKEN)
		ex_fail("a guard is still taken");
	if (a->root || a->nr_waiting)
		ex_fail("somebody is left in the lock");
}

bool lock_is_waiting(unsigned int number)
{
	const struct rl_range *r = scene->handles[number];

	return !ex_is_dead(r) && rl_range_is_waiting(r);
}

void lock_check_empty(void)
{
	const struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++)
		check_empty(a);
	check_empty(&scene->extras.second.central);
	if (scene->lk.forest)
		lock_check();
}

void lock_close_shards(void)
{
	if (!scene->lk.forest)
		return;
	for (uint32_t s = 0; s < scene->lk.forest->nr_shards; s++)
		rl_forest_close(&scene->lk, s);
}

void lock_turn_biased(void)
{
	for (uint32_t i = 0; rl_lock_arbiter(&scene->lk, i); i++)
		rl_readers_turn(&scene->lk, i);
}

void lock_take_guards(void)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++) {
		rl_guard_lock(&a->guard, scene->lk.host);
		rl_entries_pin(a);
	}
}

void lock_leave_guards(void)
{
	struct rl_arbiter *a;

	for (uint32_t i = 0; (a = rl_lock_arbiter(&scene->lk, i)); i++) {
		rl_entries_unpin(a);
		rl_arbiter_calm(a);
		rl_guard_unlock(&a->guard);
	}
}

void lock_move_readers(void)
{
	struct rl_arbiter *a = rl_lock_arbiter(&scene->lk, scene->lk.forest ? 1 : 0);

	rl_guard_lock(&a->guard, NULL);
	rl_entries_evict(&scene->lk, a);
	rl_arbiter_calm(a);
	rl_guard_unlock(&a->guard);
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
	FIELD(rl_range, nr_held_blockers),
	FIELD(rl_range, flags), FIELD(rl_range, group), FIELD(rl_range, mode),
};

static const struct field lock_fields[] = {
	FIELD(rangelock, next_seq), FIELD(rangelock, ledger),
	FIELD(rangelock, forest),
};

static const struct field arbiter_fields[] = {
	FIELD(rl_arbiter, guard), FIELD(rl_arbiter, nr_waiting),
	FIELD(rl_arbiter, root), FIELD(rl_arbiter, entry_start[0]),
	FIELD(rl_arbiter, entry_start[1]), FIELD(rl_arbiter, entry_holder[0]),
	FIELD(rl_arbiter, entry_holder[1]), FIELD(rl_arbiter, entry_length[0]),
	FIELD(rl_arbiter, entry_length[1]),
};

static const struct field forest_fields[] = {
	FIELD(rl_forest, next_seq), FIELD(rl_forest, nr_open),
	FIELD(rl_forest, closed_from), FIELD(rl_forest, closed_to),
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

const char *lock_name_of(const void *at)
{
	static char text[64];
	size_t offset = (size_t)((const char *)at - ex_arena);
	const size_t shards = offsetof(struct scene, shards);
	const size_t handles = offsetof(struct scene, handles);
	const char *field = NULL;
	char whose[24] = "";

	if (offset >= EX_ARENA) {
		snprintf(whose, sizeof(whose), "list");
		offset -= EX_ARENA;
	} else if (offset < sizeof(struct rl_arbiter)) {
		field = NAME_FIELD(arbiter_fields, offset);
		snprintf(whose, sizeof(whose), "central");
	} else if (offset < sizeof(struct rangelock)) {
		field = NAME_FIELD(lock_fields, offset);
		snprintf(whose, sizeof(whose), "lock");
	} else if (offset >= offsetof(struct scene, extras)) {
		offset -= offsetof(struct scene, extras);
		snprintf(whose, sizeof(whose), "%s",
			 offset < offsetof(struct extras, pending) ? "site" :
			 offset < offsetof(struct extras, second) ? "pending" :
			 "second");
	} else if (offset >= handles) {
		size_t i = (offset - handles) / sizeof(struct rl_range);

		field = NAME_FIELD(range_fields, (offset - handles) %
						 sizeof(struct rl_range));
		snprintf(whose, sizeof(whose), i % MEMBERS ? "h%zu[%zu]" : "h%zu",
			 i / MEMBERS, i % MEMBERS);
	} else if (rl_is_in_line(at)) {
		size_t word = (offset - offsetof(struct scene, lines)) / 8;

		snprintf(text, sizeof(text), "T%zu.record%zu.%s",
			 word / RL_LINE_WORDS, word % RL_LINE_WORDS / 2,
			 word % 2 ? "holder" : "arbiter");
		return text;
	} else if (scene->lk.forest && at >= (const void *)scene->lk.forest &&
		   offset < offsetof(struct scene, lines)) {
		field = NAME_FIELD(forest_fields, (size_t)((const char *)at -
				   (const char *)scene->lk.forest));
		snprintf(whose, sizeof(whose), "forest");
	} else if (offset >= shards && offset < shards + 64 * SHARDS_MAX) {
		field = NAME_FIELD(arbiter_fields, (offset - shards) % 64);
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
