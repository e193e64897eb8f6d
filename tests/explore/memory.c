/*
 * memory.c - what a load may read: view-based RC11
 *
 * A load reads any store that is not older than what its thread has seen of the
 * location; a store goes behind any such store of the modification order, unless
 * a read-modify-write sits there; a read-modify-write reads a store that no
 * other has read and goes right behind it.  Releases publish the view of their
 * thread, acquires take it over.  Sequentially consistent fences exchange their
 * views through one common one.
 *
 * A guard is taken by an "or", which reads the newest store here, and which counts
 * as a load when the bit is set already: who reads what it would have written
 * learns no more than from what it has read.
 *
 * Weak spot: no load buffering (RC11 forbids it, C11 as written does not), and
 * no sequentially consistent accesses: the library has none.
 */
#include "tests/explore/engine.h"

#include <string.h>

typedef int16_t vector __attribute__((vector_size(16)));
#define PER_VECTOR	(sizeof(vector) / sizeof(int16_t))

static struct ex_store pool[EX_POOL];
static struct { uint32_t number; int location; } map[EX_WATCHED / 4];

static void join_from(struct ex_view *a, const struct ex_view *b,
		      unsigned int first)
{
	vector *x = (vector *)(void *)a;
	const vector *y = (const vector *)(const void *)b;

	for (unsigned int i = first; i < ex.nr_vectors; i++) {
		vector less = x[i] < y[i];

		x[i] = (y[i] & less) | (x[i] & ~less);
	}
}

static void join(struct ex_view *a, const struct ex_view *b)
{
	join_from(a, b, 0);
}

static void copy(struct ex_view *a, const struct ex_view *b)
{
	memcpy(a, b, ex.nr_vectors * sizeof(vector));
}

void ex_memory_reset(void)
{
	ex.nr_locations = 0;
	ex.nr_stores = 0;
	ex.nr_vectors = EX_CLOCKS / PER_VECTOR;
	memset(&ex.sc, 0, sizeof(ex.sc));
}

static void widen_views(void)
{
	unsigned int old = ex.nr_vectors;
	unsigned int used = EX_CLOCKS + (unsigned int)ex.nr_locations;
	size_t from = old * PER_VECTOR * sizeof(int16_t);

	ex.nr_vectors = (unsigned int)((used + PER_VECTOR - 1) / PER_VECTOR);
	if (ex.nr_vectors == old)
		return;
	/* Views of this execution were copied without the new part. */
	for (unsigned int i = 0; i < ex.nr_stores; i++)
		memset((char *)&pool[i].view + from, 0, sizeof(vector));
	for (unsigned int t = 0; t < EX_THREADS; t++) {
		memset((char *)&ex.threads[t].now + from, 0, sizeof(vector));
		memset((char *)&ex.threads[t].acquired + from, 0, sizeof(vector));
		memset((char *)&ex.threads[t].released + from, 0, sizeof(vector));
	}
}

static uint64_t read_memory(const void *at, unsigned int size)
{
	return size == 4 ? *(const uint32_t *)at : *(const uint64_t *)at;
}

static void write_memory(void *at, unsigned int size, uint64_t v)
{
	if (size == 4)
		*(uint32_t *)at = (uint32_t)v;
	else
		*(uint64_t *)at = v;
}

static struct ex_store *new_store(struct ex_location *l, int place)
{
	unsigned int i = ex.nr_stores;

	if (i == EX_POOL || l->nr_stores == EX_STORES)
		ex_fail("more stores than an execution may have");
	ex.nr_stores++;
	ex_touch_location(l);
	if (place < l->nr_stores && !EX_PLANTED(MOMENT_KEEPS_ORDER))
		ex_trail(l->order, l->nr_stores * sizeof(l->order[0]));
	memmove(&l->order[place + 1], &l->order[place],
		(l->nr_stores - (unsigned int)place) * sizeof(l->order[0]));
	l->order[place] = (uint16_t)i;
	l->nr_stores++;
	pool[i].is_taken = false;
	return &pool[i];
}

void ex_touch_location(struct ex_location *l)
{
	if (l->epoch == ex.epoch)
		return;
	ex_trail(l, offsetof(struct ex_location, order));
	l->epoch = ex.epoch;
}

static int new_location(const void *at, unsigned int size)
{
	struct ex_location *l = &ex.locations[ex.nr_locations];
	struct ex_store *first;

	if (ex.nr_locations == (int)EX_LOCATIONS)
		ex_fail("more locations than an execution may have");
	l->at = at;
	l->size = (uint8_t)size;
	l->nr_stores = 0;
	l->epoch = ex.epoch;
	memset(l->last_release, 0, sizeof(l->last_release));
	memset(&l->read_causes, 0, sizeof(l->read_causes));
	memset(&l->write_causes, 0, sizeof(l->write_causes));
	ex.nr_locations++;
	widen_views();
	first = new_store(l, 0);
	first->value = read_memory(at, size);
	first->stamp = 0;
	first->by = EX_THREADS;
	memset(&first->causes, 0, sizeof(first->causes));
	memset(&first->view, 0, ex.nr_vectors * sizeof(vector));
	return ex.nr_locations - 1;
}

int ex_location_of(const void *at, unsigned int size)
{
	size_t word = ((uintptr_t)at - (uintptr_t)ex_arena) / 4;

	/* Going back to a moment may have taken it away again. */
	if (map[word].number != ex.number ||
	    map[word].location >= ex.nr_locations ||
	    ex.locations[map[word].location].at != at) {
		map[word].location = new_location(at, size);
		map[word].number = ex.number;
	}
	return map[word].location;
}

static struct ex_store *store_of(int location, int i)
{
	return &pool[ex.locations[location].order[i]];
}

const struct ex_store *ex_store_at(int location, int i)
{
	return store_of(location, i);
}

const struct ex_store *ex_newest(int location)
{
	return store_of(location, ex.locations[location].nr_stores - 1);
}

static int16_t *seen(struct ex_view *v, int location)
{
	return &v->at[EX_CLOCKS + (unsigned int)location];
}

int ex_oldest_visible(const struct ex_thread *t, int location)
{
	int16_t least = t->now.at[EX_CLOCKS + (unsigned int)location];
	int i = ex.locations[location].nr_stores - 1;

	while (i > 0 && store_of(location, i - 1)->stamp >= least)
		i--;
	return i;
}

void ex_see_store(struct ex_thread *t, int location, int i)
{
	int16_t stamp = store_of(location, i)->stamp;

	if (*seen(&t->now, location) < stamp)
		*seen(&t->now, location) = stamp;
}

static bool acquires(enum ex_order order)
{
	return order == EX_ACQUIRE || order == EX_ACQ_REL;
}

static bool releases(enum ex_order order)
{
	return order == EX_RELEASE || order == EX_ACQ_REL;
}

static void take_over(struct ex_thread *t, int location,
		      const struct ex_store *s, enum ex_order order)
{
	if (*seen(&t->now, location) < s->stamp)
		*seen(&t->now, location) = s->stamp;
	join(&t->acquired, &s->view);
	if (acquires(order))
		join(&t->now, &s->view);
}

static bool is_within(const struct ex_view *a, const struct ex_view *b)
{
	const vector *x = (const vector *)(const void *)a;
	const vector *y = (const vector *)(const void *)b;
	vector more = x[0] > y[0];
	uint64_t halves[2];

	for (unsigned int i = 1; i < ex.nr_vectors; i++)
		more |= x[i] > y[i];
	memcpy(halves, &more, sizeof(halves));
	return !(halves[0] | halves[1]);
}

bool ex_knows_all(const struct ex_thread *t, const struct ex_op *op)
{
	const struct ex_store *s = ex_newest(op->location);

	return t->now.at[EX_CLOCKS + (unsigned int)op->location] == s->stamp &&
	       (op->mask || (is_within(&s->view, &t->acquired) &&
			     (!acquires(ex_order_of(op->site)) ||
			      is_within(&s->view, &t->now))));
}

/* Make a store behind place i; read is what a read-modify-write has read. */
static void put(int location, int i, uint64_t v, enum ex_order order,
		const struct ex_store *read)
{
	struct ex_location *l = &ex.locations[location];
	struct ex_thread *t = &ex.threads[ex.self];
	int16_t before = store_of(location, i)->stamp;
	bool is_last = i == l->nr_stores - 1;
	int after = is_last ? before + 2 * EX_STRIDE :
			      store_of(location, i + 1)->stamp;
	struct ex_store *s = new_store(l, i + 1);

	s->value = v;
	s->by = (uint8_t)ex.self;
	s->step = t->causes.at[ex.self];
	ex_note_store(t, store_of(location, i), s);
	s->stamp = (int16_t)((before + after) / 2);
	*seen(&t->now, location) = s->stamp;
	if (releases(order)) {
		copy(&s->view, &t->now);
		l->last_release[ex.self] = (uint16_t)(s - pool + 1);
	} else {
		copy(&s->view, &t->released);
		if (ex.options.is_rc11 && l->last_release[ex.self])
			join(&s->view,
			     &pool[l->last_release[ex.self] - 1].view);
	}
	if (read)
		join(&s->view, &read->view);
	*seen(&s->view, location) = s->stamp;
	t->now.at[ex.self]++;
	if (is_last)
		write_memory((void *)(uintptr_t)l->at, l->size, v);
}

/* Is there room in the modification order right behind place i? */
static bool has_room(int location, int i)
{
	if (i == ex.locations[location].nr_stores - 1)
		return true;
	if (store_of(location, i)->is_taken)
		return false;
	if (store_of(location, i + 1)->stamp - store_of(location, i)->stamp > 1)
		return true;
	ex.nr_saturated++;
	return false;
}

static int begin(const void *p, unsigned int size, struct ex_op op)
{
	struct ex_thread *t = &ex.threads[ex.self];

	op.location = ex_location_of(p, size);
	if (t->await_at == p) {
		op.await_mask = t->await_mask;
		op.caller = t->caller;
	}
	t->await_at = NULL;
	if (t->look_at == p) {
		op.mask = op.kind == EX_READ ? t->look_mask : 0;
		t->look_at = NULL;
	}
	ex_visible(op);
	return op.location;
}

#define BEGIN(p, size, kind_, site_, ...)				\
	begin((p), (size), (struct ex_op){ .kind = (kind_),		\
					   .site = (site_), __VA_ARGS__ })

static bool is_watched(const void *p)
{
	return ex_is_running() && ex_in_arena(p);
}

/* A look at some bits: of stores in a row that agree on them it reads the oldest,
 * and it takes over nothing.  That is the weakest of what it could read. */
static const struct ex_store *look_at_bits(struct ex_thread *t, int location,
					   uint64_t mask)
{
	int places[EX_STORES], n = 0;
	int oldest = ex_oldest_visible(t, location);

	for (int i = ex.locations[location].nr_stores - 1; i >= oldest; i--) {
		const struct ex_store *s = store_of(location, i);
		int k = 0;

		if (i > oldest && !ex.options.is_literal &&
		    !((s->value ^ store_of(location, i - 1)->value) & mask))
			continue;
		while (k < n && !ex_could_be_before(t, location, i, places[k]))
			k++;
		if (k == n)
			places[n++] = i;
	}
	n = places[ex_choose((unsigned int)n)];
	ex_see_store(t, location, n);
	return store_of(location, n);
}

static const struct ex_store *look(struct ex_thread *t, int location,
				   enum ex_order order)
{
	int places[EX_STORES];
	unsigned int n = ex_find_useful(t, location, places);
	const struct ex_store *s = store_of(location, places[ex_choose(n)]);

	take_over(t, location, s, order);
	return s;
}

uint64_t ex_load(const void *p, unsigned int size, const struct ex_site *site)
{
	struct ex_thread *t;
	int location;
	const struct ex_store *s;

	if (!is_watched(p))
		return read_memory(p, size);
	location = BEGIN(p, size, EX_READ, site, .is_store = false);
	t = &ex.threads[ex.self];
	s = t->op.mask ? look_at_bits(t, location, t->op.mask) :
			 look(t, location, ex_order_of(site));
	ex_race_note_atomic(p, false, "atomic load");
	if (ex.is_tracing)
		ex_trace_op("load", location, "%#lx%s", (unsigned long)s->value,
			    s == ex_newest(location) ? "" : "   (an old value)");
	return t->op.mask ? s->value & t->op.mask : s->value;
}

void ex_store(void *p, unsigned int size, uint64_t v,
	      const struct ex_site *site)
{
	int location, n = 0, place;
	int places[EX_STORES];
	unsigned int nr_useful;

	if (!is_watched(p)) {
		write_memory(p, size, v);
		return;
	}
	location = BEGIN(p, size, EX_WRITE, site, .is_store = true, .value = v);
	nr_useful = ex_find_useful(&ex.threads[ex.self], location, places);
	for (unsigned int i = 0; i < nr_useful; i++)
		if (has_room(location, places[i]))
			places[n++] = places[i];
	ex_race_note_atomic(p, true, "atomic store");
	place = places[ex_choose((unsigned int)n)];
	if (ex.is_tracing)
		ex_trace_op("store", location, "%#lx%s", (unsigned long)v,
			    place == ex.locations[location].nr_stores - 1 ? "" :
			    "   (older than what is there)");
	put(location, place, v, ex_order_of(site), NULL);
}

/* The stores that a read-modify-write may read, the newest first. */
static int find_readable(int location, int *places)
{
	unsigned int nr_useful = ex_find_useful(&ex.threads[ex.self], location,
						places);
	int n = 0;

	for (unsigned int i = 0; i < nr_useful; i++)
		if (!store_of(location, places[i])->is_taken &&
		    has_room(location, places[i]))
			places[n++] = places[i];
	return n;
}

static uint64_t modify_at(int location, int place, uint64_t v,
			  enum ex_order order)
{
	struct ex_store *s = store_of(location, place);

	take_over(&ex.threads[ex.self], location, s, order);
	ex_trail(&s->is_taken, sizeof(s->is_taken));
	s->is_taken = true;
	put(location, place, v, order, s);
	return s->value;
}

static uint64_t combine(enum ex_rmw how, uint64_t old, uint64_t v,
			unsigned int size)
{
	switch (how) {
	case EX_SWAP:
		return v;
	case EX_ADD:
		v += old;
		return size == 4 ? (uint32_t)v : v;
	case EX_OR:
		return old | v;
	case EX_AND:
		return old & v;
	}
	return v;
}

/* An "or" of bits that are set already reads the oldest store since when they
 * are, and like a look at them takes over nothing; one of no bits is a load. */
static uint64_t read_instead(int location, struct ex_thread *t,
			     enum ex_order order)
{
	uint64_t bits = t->op.set_bits;
	int i = ex.locations[location].nr_stores - 1;
	int oldest = ex_oldest_visible(t, location);

	if (!bits) {
		take_over(t, location, store_of(location, i), order);
		return store_of(location, i)->value;
	}
	while (i > oldest && !(bits & ~store_of(location, i - 1)->value))
		i--;
	if (ex.options.is_literal)
		i += (int)ex_choose((unsigned int)
				    (ex.locations[location].nr_stores - i));
	ex_see_store(t, location, i);
	return store_of(location, i)->value & bits;
}

uint64_t ex_modify(void *p, unsigned int size, enum ex_rmw how, uint64_t v,
		   const struct ex_site *site)
{
	static const char *const names[] = { "swap", "add", "or", "and" };
	int places[EX_STORES], location, n, place;
	uint64_t old;

	if (!is_watched(p)) {
		old = read_memory(p, size);
		write_memory(p, size, combine(how, old, v, size));
		return old;
	}
	location = BEGIN(p, size, EX_WRITE, site, .set_bits = how == EX_OR &&
			 (!releases(ex_order_of(site)) ||
			  EX_PLANTED(COMMUTE_OR_RELEASE)) ? v : 0);
	n = find_readable(location, places);
	if (how == EX_OR || ex.threads[ex.self].op.await_mask) {
		places[0] = ex.locations[location].nr_stores - 1;
		n = 1;
	}
	ex_race_note_atomic(p, true, "atomic access");
	place = places[ex_choose((unsigned int)n)];
	old = store_of(location, place)->value;
	v = combine(how, old, v, size);
	if (ex.is_tracing)
		ex_trace_op(names[how], location, "%#lx -> %#lx%s",
			    (unsigned long)old, (unsigned long)v,
			    place == ex.locations[location].nr_stores - 1 ? "" :
			    "   (in the past)");
	if (how == EX_OR && v == old && !releases(ex_order_of(site)))
		return read_instead(location, &ex.threads[ex.self],
				    ex_order_of(site));
	if (how == EX_OR)
		ex.threads[ex.self].taken_ns = ex.now_ns;
	return modify_at(location, place, v, ex_order_of(site));
}

bool ex_cas(void *p, unsigned int size, uint64_t expected, uint64_t v,
	    const struct ex_site *site)
{
	int places[EX_STORES], location, n = 0, place;
	unsigned int nr_useful;
	struct ex_store *s;

	if (!is_watched(p)) {
		if (read_memory(p, size) != expected)
			return false;
		write_memory(p, size, v);
		return true;
	}
	location = BEGIN(p, size, EX_WRITE, site, .is_store = false);
	nr_useful = ex_find_useful(&ex.threads[ex.self], location, places);
	for (unsigned int i = 0; i < nr_useful; i++) {
		s = store_of(location, places[i]);
		if (s->value != expected ||
		    (!s->is_taken && has_room(location, places[i])))
			places[n++] = places[i];
	}
	place = places[ex_choose((unsigned int)n)];
	s = store_of(location, place);
	ex_race_note_atomic(p, s->value == expected, "compare-and-swap");
	if (s->value != expected) {
		take_over(&ex.threads[ex.self], location, s, EX_RELAXED);
		if (ex.is_tracing)
			ex_trace_op("cas fails", location, "%#lx, not %#lx",
				    (unsigned long)s->value,
				    (unsigned long)expected);
		return false;
	}
	if (ex.is_tracing)
		ex_trace_op("cas", location, "%#lx -> %#lx",
			    (unsigned long)expected, (unsigned long)v);
	modify_at(location, place, v, ex_order_of(site));
	return true;
}

/* Acquire, release, and what all such fences agree on.  The clocks are left out
 * of that: two fences alone do not make one thing happen before another. */
void ex_sc_fence(struct ex_thread *t, unsigned int self)
{
	join(&t->now, &t->acquired);
	join_from(&t->now, &ex.sc, EX_CLOCKS / PER_VECTOR);
	join_from(&ex.sc, &t->now, EX_CLOCKS / PER_VECTOR);
	copy(&t->released, &t->now);
	t->now.at[self]++;
}

void ex_fence(const struct ex_site *site)
{
	struct ex_thread *t;

	if (!ex_is_running() || site->is_weak)
		return;
	t = &ex.threads[ex.self];
	if (site->order == EX_SC) {
		ex_visible((struct ex_op){ .kind = EX_FENCE, .location = -1,
					   .site = site });
		ex_sc_fence(t, (unsigned int)ex.self);
		if (ex.is_tracing)
			ex_trace_op("fence", -1, "seq_cst");
		return;
	}
	if (acquires((enum ex_order)site->order))
		join(&t->now, &t->acquired);
	if (releases((enum ex_order)site->order)) {
		copy(&t->released, &t->now);
		t->now.at[ex.self]++;
	}
}

void ex_heavy(const struct ex_site *site)
{
	struct ex_op op = { .kind = EX_FORCE, .location = -1, .site = site };
	int others[EX_THREADS], n = 0;

	if (!ex_is_running() || site->is_weak)
		return;
	for (int t = 0; t < (int)ex.nr_threads; t++)
		if (t != ex.self)
			others[n++] = t;
	while (n) {
		int pick = (int)ex_choose((unsigned int)n);

		op.target = others[pick];
		others[pick] = others[--n];
		ex_visible(op);
		ex_sc_fence(&ex.threads[ex.self], (unsigned int)ex.self);
		ex_sc_fence(&ex.threads[op.target], (unsigned int)op.target);
		ex_sc_fence(&ex.threads[ex.self], (unsigned int)ex.self);
		if (ex.is_tracing)
			ex_trace_op("barrier", -1, "forces a fence on T%d",
				    op.target);
	}
}
