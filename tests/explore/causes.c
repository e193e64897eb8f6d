/*
 * causes.c - which earlier steps a step could not have been made before
 *
 * Steps that do not commute are ordered as they were made, and so are a thread's
 * own; the closure is kept as a clock for each thread, location and kind.  It is
 * not "happens before", which only synchronization makes.
 *
 * What for: a load that reads an old store though the newer one is no cause of
 * its thread, nor of that old store, could as well have been made before the newer
 * one, and reads the newest there.  That execution is explored too, so this one need
 * not be.  The same goes for stores and read-modify-writes in the past.  (An old
 * store of which a newer one is a cause was itself made in the past.)
 */
#include "tests/explore/engine.h"

#include <string.h>

static void join(struct ex_causes *a, const struct ex_causes *b)
{
	for (unsigned int i = 0; i < EX_THREADS; i++)
		if (a->at[i] < b->at[i])
			a->at[i] = b->at[i];
}

void ex_causes_reset(void)
{
	memset(&ex.fences, 0, sizeof(ex.fences));
	memset(&ex.times, 0, sizeof(ex.times));
}

/* t's step comes after all that was made, and before all that will be. */
static void note_divide(unsigned int t)
{
	for (unsigned int i = 0; i < ex.nr_threads; i++)
		join(&ex.threads[t].causes, &ex.threads[i].causes);
	for (unsigned int i = 0; i < ex.nr_threads; i++)
		join(&ex.threads[i].causes, &ex.threads[t].causes);
}

static void exchange(struct ex_causes *mine, struct ex_causes *common)
{
	join(mine, common);
	join(common, mine);
}

static void note_access(struct ex_causes *mine, struct ex_location *l,
			bool only_reads)
{
	if (!only_reads || !EX_PLANTED(CAUSES_WRITES))
		join(mine, &l->write_causes);
	ex_touch_location(l);
	if (only_reads) {
		join(&l->read_causes, mine);
		return;
	}
	if (!EX_PLANTED(CAUSES_READS))
		join(mine, &l->read_causes);
	l->write_causes = *mine;
}

void ex_note_step(unsigned int i, bool only_reads)
{
	struct ex_thread *t = &ex.threads[i];

	t->causes_before = t->causes;
	t->causes.at[i]++;
	if (t->op.location >= 0)
		note_access(&t->causes, &ex.locations[t->op.location],
			    only_reads);
	switch (t->op.kind) {
	case EX_FENCE:
	case EX_PARK:
	case EX_WAKE:
		if (!EX_PLANTED(CAUSES_FENCES))
			exchange(&t->causes, &ex.fences);
		if (t->op.has_deadline)
			exchange(&t->causes, &ex.times);
		break;
	case EX_TIME:
		if (!EX_PLANTED(CAUSES_TIMES))
			exchange(&t->causes, &ex.times);
		break;
	case EX_FORCE:
		if (!EX_PLANTED(CAUSES_FORCED))
			exchange(&t->causes, &ex.threads[t->op.target].causes);
		/* No program is known that needs this one: the same barrier
		 * forces a fence on whoever made the other fence, too. */
		exchange(&t->causes, &ex.fences);
		break;
	case EX_LATE:
		if (!EX_PLANTED(CAUSES_LATE))
			note_divide(i);
		break;
	case EX_HEAVY:
		if (!EX_PLANTED(CAUSES_EVERYBODY))
			note_divide(i);
		break;
	case EX_LOCAL:
	case EX_READ:
	case EX_WRITE:
		break;
	}
}

void ex_note_woken(unsigned int by, unsigned int who)
{
	if (!EX_PLANTED(CAUSES_WOKEN))
		join(&ex.threads[who].causes, &ex.threads[by].causes);
}

static bool is_cause(const struct ex_causes *c, const struct ex_store *s)
{
	return s->by == EX_THREADS || s->step <= c->at[s->by];
}

bool ex_could_be_before(const struct ex_thread *t, int location, int i, int j)
{
	const struct ex_store *newer = ex_store_at(location, j);

	return ex.options.is_lean && !is_cause(&t->causes_before, newer) &&
	       (!is_cause(&ex_store_at(location, i)->causes, newer) ||
		EX_PLANTED(CAUSES_OF_STORE));
}

static bool is_useful(const struct ex_thread *t, int location, int i)
{
	for (int j = ex.locations[location].nr_stores - 1; j > i; j--)
		if (ex_could_be_before(t, location, i, j))
			return false;
	return true;
}

unsigned int ex_find_useful(const struct ex_thread *t, int location, int *places)
{
	int oldest = ex_oldest_visible(t, location);
	unsigned int n = 0;

	for (int i = ex.locations[location].nr_stores - 1; i >= oldest; i--)
		if (is_useful(t, location, i))
			places[n++] = i;
	return n;
}

void ex_note_store(const struct ex_thread *t, const struct ex_store *before,
		   struct ex_store *s)
{
	s->causes = t->causes_before;
	s->causes.at[s->by] = s->step;
	join(&s->causes, &before->causes);
}
