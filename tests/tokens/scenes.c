/*
 * scenes.c - what two threads can do with held ranges, beside holding them
 *
 * The first's steps up to its pass() come first, then the second's up to its own,
 * and so on: turn(2) is the first's again.
 */
#include <errno.h>

#include <rangelock/pending.h>
#include <rangelock/stats.h>

#include "tests/tokens/client.h"

void play_all(const struct scene *scenes, size_t n)
{
	for (enum form f = COMPACT; f < NR_FORMS; f++)
		for (size_t i = 0; i < n; i++)
			play(scenes[i].name, f, scenes[i].first,
			     scenes[i].second, NULL, 0, scenes[i].races);
}

void lock_put_unlock(struct stage *s, uint64_t start, uint64_t end)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, start, end));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

void lock_get_unlock(struct stage *s, uint64_t start, uint64_t end)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_read_lock(s->lk, &r, start, end));
	get(s->cells);
	rl_unlock(s->lk, &r);
}

static void writes_a_page(struct stage *s)
{
	lock_put_unlock(s, 0, PAGE);
}

static void reads_a_page(struct stage *s)
{
	lock_get_unlock(s, 0, PAGE);
}

static void writes_the_next_page(struct stage *s)
{
	lock_put_unlock(s, PAGE, 2 * PAGE);
}

/* ---- After the unlock ---- */

static void writes_on_after_its_unlock(struct stage *s)
{
	lock_put_unlock(s, 0, PAGE);
	put(s->cells);
}

static void reads_on_after_unlock_many(struct stage *s)
{
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct rl_span spans[] = { { 0, PAGE, RL_READ },
				   { PAGE, 2 * PAGE, RL_WRITE } };

	HELD(rl_lock_many(s->lk, r, 2, spans));
	rl_unlock_many(s->lk, r, 2);
	get(s->cells);
}

/* The cell is under the second range. */
static void writes_under_the_second_of_two(struct stage *s)
{
	struct rl_range r[2] = { RL_RANGE_INIT, RL_RANGE_INIT };
	struct rl_span spans[] = { { 5 * PAGE, 6 * PAGE, RL_READ },
				   { 0, PAGE, RL_WRITE } };

	HELD(rl_lock_many(s->lk, r, 2, spans));
	put(s->cells);
	rl_unlock_many(s->lk, r, 2);
}

/* ---- Downgrade and upgrade ---- */

static void downgrades(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	put(s->cells);
	rl_write_downgrade(s->lk, &r);
	pass();
	turn(2);
	get(s->cells);
	rl_unlock(s->lk, &r);
}

static void downgrades_and_writes(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	rl_write_downgrade(s->lk, &r);
	pass();
	turn(2);
	put(s->cells);
	rl_unlock(s->lk, &r);
}

static void reads_and_passes(struct stage *s)
{
	reads_a_page(s);
	pass();
}

static void upgrades(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_read_lock(s->lk, &r, 0, PAGE));
	HELD(rl_read_tryupgrade(s->lk, &r));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

static void holds_for_reading(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_read_lock(s->lk, &r, 0, PAGE));
	get(s->cells);
	pass();
	turn(2);
	rl_unlock(s->lk, &r);
}

static void writes_though_not_upgraded(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_read_lock(s->lk, &r, 0, PAGE));
	want(rl_read_tryupgrade(s->lk, &r) == EBUSY);
	put(s->cells);
	rl_unlock(s->lk, &r);
	pass();
}

/* ---- Narrow and extend: the cell is under the second page ---- */

static void narrow(struct stage *s, enum rl_mode mode, bool writes_on)
{
	struct rl_range r = RL_RANGE_INIT;

	if (mode == RL_READ)
		HELD(rl_read_lock(s->lk, &r, 0, 2 * PAGE));
	else
		HELD(rl_write_lock(s->lk, &r, 0, 2 * PAGE));
	if (mode == RL_READ)
		get(s->cells);
	else
		put(s->cells);
	HELD(rl_narrow(s->lk, &r, 0, PAGE));
	if (writes_on)
		put(s->cells);
	pass();
	turn(2);
	rl_unlock(s->lk, &r);
}

static void narrows(struct stage *s)
{
	narrow(s, RL_WRITE, false);
}

static void narrows_what_it_reads(struct stage *s)
{
	narrow(s, RL_READ, false);
}

static void narrows_and_writes_on(struct stage *s)
{
	narrow(s, RL_WRITE, true);
}

static void writes_the_next_page_and_passes(struct stage *s)
{
	writes_the_next_page(s);
	pass();
}

static void extends(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	HELD(rl_tryextend(s->lk, &r, 0, 2 * PAGE));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

static void extends_to_read(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_read_lock(s->lk, &r, 0, PAGE));
	HELD(rl_tryextend(s->lk, &r, 0, 2 * PAGE));
	get(s->cells);
	rl_unlock(s->lk, &r);
}

static void holds_the_next_page(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, PAGE, 2 * PAGE));
	put(s->cells);
	pass();
	turn(2);
	rl_unlock(s->lk, &r);
}

static void writes_though_not_extended(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock(s->lk, &r, 0, PAGE));
	want(rl_tryextend(s->lk, &r, 0, 2 * PAGE) == EBUSY);
	put(s->cells);
	rl_unlock(s->lk, &r);
	pass();
}

/* A coarse site's range is only declared: narrowed, it is still everything. */
static struct rl_site coarse = RL_SITE_INIT("scenes, coarse", RL_COARSE);
static struct rl_site switched = RL_SITE_INIT("scenes, switched", RL_COARSE);

static void narrows_at_a_coarse_site(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock_at(s->lk, &r, &coarse, 0, 2 * PAGE));
	HELD(rl_narrow(s->lk, &r, 0, PAGE));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

/* What is held keeps its grain, and what comes next has the new one. */
static void is_switched_while_held(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_site_set_grain(&switched, RL_COARSE));
	HELD(rl_write_lock_at(s->lk, &r, &switched, 0, PAGE));
	HELD(rl_site_set_grain(&switched, RL_FINE));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

static void writes_the_next_page_at_the_site(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_write_lock_at(s->lk, &r, &switched, PAGE, 2 * PAGE));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

static void is_fine_by_now(struct stage *s)
{
	struct rl_range r = RL_RANGE_INIT;

	HELD(rl_site_set_grain(&switched, RL_FINE));
	HELD(rl_write_lock_at(s->lk, &r, &switched, 0, PAGE));
	put(s->cells);
	rl_unlock(s->lk, &r);
}

/* ---- Markers, and who only looks ---- */

static struct rl_pending_set set = RL_PENDING_SET_INIT;

static void mark(struct stage *s, bool locks)
{
	struct rl_gap_query query = { .low = 0, .high = 64 * PAGE,
				      .size = PAGE, .align = PAGE };
	struct rl_pending p = RL_PENDING_INIT;
	struct rl_range r = RL_RANGE_INIT;
	uint64_t start;

	HELD(rl_pending_mark_gap(&set, &p, &query, &start));
	if (locks)
		HELD(rl_write_lock(s->lk, &r, start, start + PAGE));
	want(rl_pending_still(&p));
	put(s->cells);
	HELD(rl_pending_commit(&p));
	if (locks)
		rl_unlock(s->lk, &r);
}

static void marks_and_locks(struct stage *s)
{
	mark(s, true);
}

static void only_marks(struct stage *s)
{
	mark(s, false);
}

static void ignore(void *arg, const char *text, size_t length)
{
	(void)arg, (void)text, (void)length;
}

/* Both at the same time, and nothing of it is the program's. */
static void looks(struct stage *s)
{
	struct rl_pending p = RL_PENDING_INIT;
	struct rl_range r = RL_RANGE_INIT;
	struct rl_stats stats;

	pass();
	HELD(rl_read_lock_at(s->lk, &r, &coarse, 0, PAGE));
	want(rl_is_held(s->lk, 0, PAGE, RL_READ));
	rl_assert_held_read(s->lk, 0, PAGE);
	HELD(rl_site_check(s->lk, &r, 0, 8));
	rl_dump(s->lk, ignore, NULL);
	HELD(rl_stats_read(s->lk, &stats));
	HELD(rl_stats_print(s->lk, RL_TEXT, ignore, NULL));
	HELD(rl_sites_print(RL_JSON, ignore, NULL));
	want(rl_site_grain(&coarse) == RL_COARSE);
	want(rl_site_find("scenes, coarse") == &coarse);
	rl_give(s->lk, &r, rl_self(s->lk));
	rl_unlock(s->lk, &r);
	HELD(rl_stats_reset(s->lk));
	(void)rl_pending_mark(&set, &p, RL_PENDING_MAP, UINT64_C(1) << 40,
			      UINT64_C(1) << 41);
	(void)rl_pending_supersede(&set, UINT64_C(1) << 40, UINT64_C(1) << 41);
	(void)rl_pending_still(&p);
	if (p.set)
		(void)rl_pending_abandon(&p);
}

static const struct scene all[] = {
	SCENE(writes_on_after_its_unlock, writes_a_page, RACES),
	SCENE(writes_on_after_its_unlock, reads_a_page, RACES),
	SCENE(reads_on_after_unlock_many, writes_a_page, RACES),
	SCENE(writes_under_the_second_of_two, reads_a_page, !RACES),
	SCENE(writes_a_page, writes_under_the_second_of_two, !RACES),
	SCENE(writes_under_the_second_of_two, writes_the_next_page, RACES),
	SCENE(downgrades, reads_and_passes, !RACES),
	SCENE(downgrades_and_writes, reads_and_passes, RACES),
	SCENE(reads_a_page, upgrades, !RACES),
	SCENE(upgrades, reads_a_page, !RACES),
	SCENE(writes_the_next_page, upgrades, RACES),
	SCENE(holds_for_reading, writes_though_not_upgraded, RACES),
	SCENE(narrows, writes_the_next_page_and_passes, !RACES),
	SCENE(narrows_what_it_reads, writes_the_next_page_and_passes, !RACES),
	SCENE(narrows_and_writes_on, writes_the_next_page_and_passes, RACES),
	SCENE(writes_the_next_page, extends, !RACES),
	SCENE(extends, writes_the_next_page, !RACES),
	SCENE(writes_the_next_page, extends_to_read, !RACES),
	SCENE(extends_to_read, writes_the_next_page, !RACES),
	SCENE(holds_the_next_page, writes_though_not_extended, RACES),
	SCENE(narrows_at_a_coarse_site, writes_the_next_page, !RACES),
	SCENE(is_switched_while_held, writes_the_next_page_at_the_site, !RACES),
	SCENE(is_fine_by_now, writes_the_next_page_at_the_site, RACES),
	SCENE(marks_and_locks, marks_and_locks, !RACES),
	SCENE(only_marks, only_marks, RACES),
	SCENE(looks, looks, !RACES),
};

void play_scenes(void)
{
	play_all(all, sizeof(all) / sizeof(*all));
}
