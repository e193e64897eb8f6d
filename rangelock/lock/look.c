/*
 * look.c - assertions, blockers, and the dump
 *
 * The dump goes in order of arrival, a batch at a time: under the guard it
 * copies the next few requests, and writes them after letting the guard go.
 * Cost: a walk of all requests for each batch.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/require.h"
#include "rangelock/engine/shards.h"
#include "rangelock/lock/site.h"
#include "rangelock/tree/itree.h"

#define BATCH	8		/* requests copied at a time */
#define EDGES	6		/* blockers shown of each */
#define NAME	160		/* bytes shown of a name: all else fits beside it */

/* How far, from covered on, the owner's ranges in one arbiter reach. */
static uint64_t cover_from(const struct rl_arbiter *a, uint64_t covered,
			   uint64_t end, uint64_t owner, enum rl_mode mode)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, covered, end);

	for (; n && covered < end; n = rl_itree_next_overlap(n, covered, end)) {
		const struct rl_range *r = rl_range_of(n);
		const struct rl_range *leader = rl_range_leader(r);

		if (!(leader->flags & RL_F_HELD) || leader->owner != owner ||
		    rl_range_mode(r) < mode)
			continue;
		if (n->start > covered)
			break;			/* the next ones start later */
		if (n->end > covered)
			covered = n->end;
	}
	return covered;
}

/* One look into every arbiter, under the central guard, which the caller has. */
static uint64_t cover_once(struct rangelock *lk, uint64_t covered,
			   uint64_t end, uint64_t owner, enum rl_mode mode)
{
	struct rl_arbiter *a;

	covered = cover_from(&lk->central, covered, end, owner, mode);
	for (uint32_t i = 1; covered < end && (a = rl_lock_arbiter(lk, i)); i++) {
		rl_guard_lock(&a->guard, lk->host);
		covered = cover_from(a, covered, end, owner, mode);
		rl_guard_unlock(&a->guard);
	}
	return covered;
}

int rl_is_held(struct rangelock *lk, uint64_t start, uint64_t end,
	       enum rl_mode mode)
{
	uint64_t covered = start, before, self;

	if (!lk || start >= end)
		return 0;
	self = rl_self(lk);
	/* Who stands in an entry may be us, which only his handle tells. */
	rl_entries_evict_all(lk, start, end);
	/* Nothing moves between arbiters under the central guard. */
	rl_guard_lock(&lk->central.guard, lk->host);
	do {
		before = covered;
		covered = cover_once(lk, covered, end, self, mode);
	} while (covered < end && covered > before);
	rl_guard_unlock(&lk->central.guard);
	return covered >= end;
}

void rl_assert_held(struct rangelock *lk, uint64_t start, uint64_t end,
		    enum rl_mode mode, const char *file, int line)
{
	if (!rl_is_held(lk, start, end, mode))
		rl_fail_range(file, line,
			      mode == RL_WRITE ? "held for writing" :
						 "held for reading",
			      start, end);
}

static bool is_queued(const struct rl_range *r)
{
	/* (W3) acquire: what says where r is; then the guard decides. */
	uint32_t state = rl_load_acquire(&r->state);

	return rl_state_is_queued(state);
}

size_t rl_visit_blockers(struct rangelock *lk, struct rl_range *r,
			 rl_blocker_fn *visit, void *arg)
{
	struct rl_pass pass;
	size_t nr = 0;

	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(r != NULL);
	RL_REQUIRE(visit != NULL);
	if (!is_queued(r))
		return 0;
	RL_REQUIRE(r->lock_tag == rl_lock_tag(lk));
	rl_pass_begin_home(&pass, lk, r);
	for (unsigned int i = 0; r->flags & RL_F_WAITING &&
				 i < rl_range_nr_nodes(r); i++) {
		const struct rl_range *x = r + i;
		struct rl_walk w;
		struct rl_node *n;

		n = rl_walk_first(&w, lk, pass.arbiter, x->node.start,
				  x->node.end);
		for (; n; n = rl_walk_next(&w, n)) {
			const struct rl_range *y = rl_range_of(n);

			if (!rl_blocks(y, x))
				continue;
			visit(arg, y, rl_range_is_held(y));
			nr++;
		}
	}
	rl_pass_end(&pass);
	return nr;
}

/* One request, as it was under the guard. */
struct line {
	uint64_t seq, start, end, declared_start, declared_end, owner;
	uint64_t blockers[EDGES];
	uint32_t nr_blockers;
	unsigned int member;
	uint16_t site;
	enum rl_mode mode;
	enum rl_grain grain;
	bool held;
};

static unsigned int member_of(const struct rl_range *r)
{
	return r->flags & RL_F_LEADER ? 0 : r->group;
}

static void copy_line(struct rangelock *lk, const struct rl_arbiter *guarded,
		      const struct rl_range *r, struct line *l)
{
	const struct rl_range *leader = rl_range_leader(r);
	uint64_t start = r->node.start, end = r->node.end;
	struct rl_walk w;
	struct rl_node *n;

	*l = (struct line){
		.seq = r->seq, .start = start, .end = end,
		.declared_start = rl_range_declared_start(r),
		.declared_end = rl_range_declared_end(r),
		.owner = leader->owner, .member = member_of(r),
		.site = r->site, .mode = rl_range_mode(r),
		.grain = rl_range_grain(leader),
		.held = leader->flags & RL_F_HELD,
	};
	if (l->held)
		return;
	n = rl_walk_first(&w, lk, guarded, start, end);
	for (; n; n = rl_walk_next(&w, n)) {
		const struct rl_range *y = rl_range_of(n);

		if (!rl_blocks(y, r))
			continue;
		if (l->nr_blockers < EDGES)
			l->blockers[l->nr_blockers] = y->seq;
		l->nr_blockers++;
	}
}

static bool comes_before(const struct rl_range *a, const struct rl_range *b)
{
	return a->seq != b->seq ? a->seq < b->seq : member_of(a) < member_of(b);
}

static bool is_after(const struct rl_range *r, const struct line *last)
{
	return r->seq != last->seq ? r->seq > last->seq :
				     member_of(r) > last->member;
}

/* Holders for whom nobody waits have no arrival number yet.  Returns: the highest
 * there is then. */
static uint64_t number_holders(struct rangelock *lk, const struct rl_arbiter *a)
{
	struct rl_node *n = rl_itree_first_overlap(a->root, 0, RL_END);
	uint64_t newest = 0;

	for (; n; n = rl_itree_next_overlap(n, 0, RL_END)) {
		struct rl_range *leader = rl_range_leader(rl_range_of(n));

		if (!leader->seq)
			rl_number(lk, leader);
		if (leader->seq > newest)
			newest = leader->seq;
	}
	return newest;
}

/* The next few requests after last, in order of arrival, up to those who were there
 * at first: *newest is 0 then. */
static size_t copy_batch(struct rangelock *lk, struct rl_arbiter *a,
			 const struct line *last, uint64_t *newest,
			 struct line *lines)
{
	struct rl_arbiter *guarded = rl_guard_tree(lk, a);
	const struct rl_range *first[BATCH];
	struct rl_node *n;
	size_t nr = 0;

	if (!*newest)
		*newest = number_holders(lk, a);
	for (n = rl_itree_first_overlap(a->root, 0, RL_END); n;
	     n = rl_itree_next_overlap(n, 0, RL_END)) {
		const struct rl_range *r = rl_range_of(n);
		size_t i = nr;

		if (!is_after(r, last) || r->seq > *newest)
			continue;
		if (nr == BATCH && !comes_before(r, first[--i]))
			continue;
		for (; i && comes_before(r, first[i - 1]); i--)
			first[i] = first[i - 1];
		first[i] = r;
		if (nr < BATCH)
			nr++;
	}
	for (size_t i = 0; i < nr; i++)
		copy_line(lk, guarded, first[i], &lines[i]);
	rl_guard_unlock(&guarded->guard);
	return nr;
}

struct text {
	char bytes[512];
	size_t length;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->bytes + t->length, sizeof(t->bytes) - t->length,
		      format, args);
	va_end(args);
	if (n > 0)
		t->length += (size_t)n;
	if (t->length > sizeof(t->bytes) - 1)
		t->length = sizeof(t->bytes) - 1;
}

static void add_name(struct text *t, const char *name)
{
	add(t, "%.*s%s", NAME, name, strnlen(name, NAME + 1) > NAME ? "..." : "");
}

static void write_line(const struct line *l, rl_write_fn *write, void *arg)
{
	static const char *const grains[] = { "coarse", "shadow", "fine" };
	struct text t = { .length = 0 };

	add(&t, "#%" PRIu64, l->seq);
	if (l->member)
		add(&t, "+%u", l->member);
	add(&t, " %s %s %s [%#" PRIx64 ", %#" PRIx64 ")",
	    l->held ? "holds" : "waits",
	    l->mode == RL_WRITE ? "write" : "read", grains[l->grain], l->start,
	    l->end);
	if (l->start != l->declared_start || l->end != l->declared_end)
		add(&t, " declares [%#" PRIx64 ", %#" PRIx64 ")",
		    l->declared_start, l->declared_end);
	add(&t, " owner %#" PRIx64, l->owner);
	if (l->site) {
		add(&t, " site ");
		add_name(&t, rl_site_name(l->site));
	}
	if (l->nr_blockers)
		add(&t, " behind");
	for (uint32_t i = 0; i < l->nr_blockers && i < EDGES; i++)
		add(&t, " #%" PRIu64, l->blockers[i]);
	if (l->nr_blockers > EDGES)
		add(&t, " and %u more", l->nr_blockers - EDGES);
	add(&t, "\n");
	write(arg, t.bytes, t.length);
}

/* index: 0 for the central arbiter, or a shard's number and one. */
static void dump_arbiter(struct rangelock *lk, uint32_t index,
			 rl_write_fn *write, void *arg)
{
	struct line lines[BATCH], last = { .seq = 0 };
	struct text t = { .length = 0 };
	uint64_t newest = 0;
	size_t nr;

	do {
		nr = copy_batch(lk, rl_lock_arbiter(lk, index), &last, &newest,
				lines);
		if (nr && index && !last.seq) {
			add(&t, "shard %u\n", index - 1);
			write(arg, t.bytes, t.length);
		}
		for (size_t i = 0; i < nr; i++)
			write_line(&lines[i], write, arg);
		if (nr)
			last = lines[nr - 1];
	} while (nr == BATCH);
}

void rl_dump(struct rangelock *lk, rl_write_fn *write, void *arg)
{
	struct text t = { .length = 0 };

	RL_REQUIRE(lk != NULL);
	RL_REQUIRE(write != NULL);
	rl_entries_evict_all(lk, 0, RL_END);
	add(&t, "rangelock ");
	add_name(&t, lk->name ? lk->name : "(unnamed)");
	add(&t, "\n");
	write(arg, t.bytes, t.length);
	for (uint32_t i = 0; rl_lock_arbiter(lk, i); i++)
		dump_arbiter(lk, i, write, arg);
}
