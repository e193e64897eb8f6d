/*
 * causes.c - which earlier steps a step could not have been made before
 *
 * Steps that do not commute are ordered as they were made, and so are a thread's
 * own; the closure is kept as a clock for each thread, location and kind.  It is
 * not "happens before", which only synchronization makes.
 *
 * What for: a load that reads an old store though the newer one is no cause of
 * its thread could as well have been made before that one, and reads the newest
 * there.  That execution is explored too, so this one need not be.  The same goes
 * for stores and read-modify-writes in the past.
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
	join(mine, &l->write_causes);
	ex_touch_location(l);
	if (only_reads) {
		join(&l->read_causes, mine);
		return;
	}
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
		exchange(&t->causes, &ex.fences);
		if (t->op.has_deadline)
			exchange(&t->causes, &ex.times);
		break;
	case EX_TIME:
		exchange(&t->causes, &ex.times);
		break;
	case EX_FORCE:
		exchange(&t->causes, &ex.threads[t->op.target].causes);
		exchange(&t->causes, &ex.fences);
		break;
	case EX_LATE:
	case EX_HEAVY:
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
	join(&ex.threads[who].causes, &ex.threads[by].causes);
}

bool ex_is_no_cause(const struct ex_thread *t, const struct ex_store *s)
{
	return ex.options.is_lean && s->by < EX_THREADS &&
	       s->step > t->causes_before.at[s->by];
}

/* The oldest store that is worth a choice for t, which has just been picked. */
int ex_oldest_useful(const struct ex_thread *t, int location)
{
	int oldest = ex_oldest_visible(t, location);
	int i = ex.locations[location].nr_stores - 1;

	while (i > oldest && !ex_is_no_cause(t, ex_store_at(location, i)))
		i--;
	return i;
}
