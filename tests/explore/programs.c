/*
 * programs.c - do the reductions lose an outcome?
 *
 * Small random programs of all that the doors (doors.h) offer are searched twice: as
 * scenarios are, and literally, with no sleep sets, with each store that may be read,
 * each sleep ended at any time.  Their outcomes must be the same: what each
 * operation returned, the words at the end, who waits for ever; or that there is a
 * race.  The programs are draw.c's, each by the seed and its number.
 *
 * Weak spot: a program whose literal search does not end in time says nothing.  They
 * are counted.
 */
#include <stdio.h>
#include <string.h>

#include "rangelock/base/spin.h"
#include "tests/explore/litmus.h"
#include "tests/explore/programs.h"

#define OUTCOMES	8192u
#define EXPLAIN_MAX	1000000u	/* executions */

const char *const op_names[KINDS] = {
	"nothing", "load", "look", "store", "swap", "add", "or", "and", "cas",
	"fence", "heavy", "everybody",
	"sleep", "sleep_until", "wake", "wake_one", "clock",
	"await", "locked", "trylocked", "flags", "flags_seen",
	"plain_read", "plain_write",
};

static const char *const word_names[WORDS] = { "x", "y", "z", "w", "guard", "d" };

struct program program;

struct outcome {
	uint32_t returned[THREADS_MAX][OPS_MAX];
	uint32_t end[WORDS];
	uint32_t waiting;		/* a bit a thread */
};

struct outcomes {
	struct outcome all[OUTCOMES];
	bool is_used[OUTCOMES];
	unsigned int n;
};

static struct outcomes reduced, literal, *into;
static struct outcome now;		/* of this execution */
static uint32_t last[THREADS_MAX];

/* ---- Running it ---- */

/* Each on a line of its own. */
static uint32_t *word(unsigned int i)
{
	return (uint32_t *)(void *)(ex_arena + 64 * i);
}

static void reset(void)
{
	for (unsigned int i = 0; i < WORDS; i++)
		*word(i) = program.begin[i];
	memset(&now, 0, sizeof(now));
	memset(last, 0, sizeof(last));
}

/* As a grace period of minimm's. */
static void fence_all(void)
{
	ex_visible((struct ex_op){ .kind = EX_HEAVY, .location = -1 });
	ex_sc_fence(&ex.threads[ex.self], (unsigned int)ex.self);
	for (unsigned int t = 0; t < ex.nr_threads; t++)
		ex_sc_fence(&ex.threads[t], t);
}

static uint32_t access_word(struct op *op, enum what what)
{
	uint32_t *at = word(op->word);

	switch (what) {
	case LOAD:
		return (uint32_t)ex_load(at, 4, &op->site);
	case LOOK:
		ex_look_at(at, op->value);
		return (uint32_t)ex_load(at, 4, &op->site);
	case STORE:
		ex_store(at, 4, op->value, &op->site);
		return 0;
	case SWAP:
		return ex_modify32(at, EX_SWAP, op->value, &op->site);
	case ADD:
		return ex_modify32(at, EX_ADD, op->value, &op->site);
	case OR:
		return ex_modify32(at, EX_OR, op->value, &op->site);
	case AND:
		return ex_modify32(at, EX_AND, op->value, &op->site);
	case CAS:
		return ex_cas(at, 4, op->expected, op->value, &op->site);
	case WAKE:
	case WAKE_ONE:
		ex_wake(at, what == WAKE ? UINT32_MAX : 1, &op->site);
		return 0;
	case PLAIN_READ:
		ex_plain(word(PLAIN), false, NULL);
		return *word(PLAIN);
	case PLAIN_WRITE:
		ex_plain(word(PLAIN), true, NULL);
		*word(PLAIN) = op->value;
		return 0;
	default:
		return 0;
	}
}

static uint32_t under_guard(struct op *op)
{
	uint32_t *guard = word(GUARD), result;

	if (op->what == LOCKED)
		rl_guard_lock(guard, NULL);
	else if (!rl_guard_trylock(guard, NULL))
		return 0;
	result = access_word(op, op->inner) << 4 | 1;
	if (op->expected)
		rl_guard_unlock_to(guard, op->expected);
	else
		rl_guard_unlock(guard);
	return result;
}

/* What it returns, of which only this thread knows. */
static uint32_t perform(struct op *op)
{
	uint32_t *at = word(op->word);

	switch (op->what) {
	case FENCE:
		ex_fence(&op->site);
		return 0;
	case HEAVY:
		ex_heavy(&op->site);
		return 0;
	case EVERYBODY:
		fence_all();
		return 0;
	case SLEEP:
		ex_park(at, op->expected, UINT64_MAX, &op->site);
		return 0;
	case SLEEP_UNTIL:
		ex_park(at, op->expected, 500u * op->value, &op->site);
		return 0;
	case CLOCK:
		return (uint32_t)ex_clock(&op->site);
	case AWAIT:
		ex_await(at, op->value & 3, &op->site);
		return ex_modify32(at, EX_OR, 0, &op->site);
	case LOCKED:
	case TRYLOCKED:
		return under_guard(op);
	case FLAGS:
		return rl_guard_flags(word(GUARD));
	case FLAGS_SEEN:
		return rl_load_acquire(word(GUARD));
	default:
		return access_word(op, op->what);
	}
}

static void body(unsigned int thread)
{
	for (unsigned int i = 0; i < program.nr_ops[thread]; i++) {
		struct op *op = &program.ops[thread][i];

		if (op->is_conditional && !last[thread])
			continue;
		last[thread] = perform(op);
		now.returned[thread][i] = last[thread];
	}
}

static bool has_outcome(const struct outcomes *o, const struct outcome *wanted,
			unsigned int *place)
{
	uint64_t hash = 0;
	uint32_t part;

	for (size_t i = 0; i < sizeof(*wanted); i += sizeof(part)) {
		memcpy(&part, (const char *)wanted + i, sizeof(part));
		hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 31;
	}
	*place = (unsigned int)(hash % OUTCOMES);
	while (o->is_used[*place]) {
		if (!memcmp(&o->all[*place], wanted, sizeof(*wanted)))
			return true;
		*place = (*place + 1) % OUTCOMES;
	}
	return false;
}

static void finish(void)
{
	unsigned int place;

	for (unsigned int i = 0; i < WORDS; i++)
		now.end[i] = *word(i);
	for (unsigned int t = 0; t < program.nr_threads; t++)
		if (ex.threads[t].status != EX_DONE)
			now.waiting |= 1u << t;
	if (has_outcome(into, &now, &place))
		return;
	if (into->n == OUTCOMES / 2)
		ex_fail("more outcomes than there is room for");
	into->all[place] = now;
	into->is_used[place] = true;
	into->n++;
}

/* ---- Comparing ---- */

static void search(struct outcomes *o, struct ex_options options,
		   struct ex_result *result)
{
	static const struct ex_region state[] = {
		{ ex_arena, 64 * WORDS }, { &now, sizeof(now) }, { last, sizeof(last) },
		{ NULL, 0 },
	};
	struct ex_program p = { .reset = reset, .body = body, .finish = finish,
				.may_hang = true, .state = state,
				.nr_threads = program.nr_threads };

	/* Going back to moments must lose nothing either. */
	if (options.is_literal && program.begin[0] == 1)
		p.state = NULL;
	options.nr_spurious = program.nr_spurious;
	options.nr_timeouts = program.nr_timeouts;
	options.nr_jumps = program.nr_jumps;
	options.jump_ns = 700;
	into = o;
	memset(o->is_used, 0, sizeof(o->is_used));
	o->n = 0;
	ex_search(&p, &options, result);
}

static void print_op(const struct op *op)
{
	static const char *const orders[] = { " relaxed", " acquire", " release",
					      " acq_rel", " sc", "" };

	printf(" %s%s%s %s %#x %#x", op->is_conditional ? "if " : "",
	       op_names[op->what], orders[op->site.order], word_names[op->word],
	       op->value, op->expected);
	if (op->what == LOCKED || op->what == TRYLOCKED)
		printf(" (%s)", op_names[op->inner]);
	printf(";");
}

static void print_words(const uint32_t *words)
{
	for (unsigned int i = 0; i < WORDS; i++)
		printf(" %s=%#x", word_names[i], words[i]);
}

static void print_program(void)
{
	print_words(program.begin);
	printf(", %d spurious, %d timeouts, %d jumps\n", program.nr_spurious,
	       program.nr_timeouts, program.nr_jumps);
	for (unsigned int t = 0; t < program.nr_threads; t++) {
		printf("T%u:", t);
		for (unsigned int i = 0; i < program.nr_ops[t]; i++)
			print_op(&program.ops[t][i]);
		printf("\n");
	}
}

static void print_outcome(const char *which, const struct outcome *o)
{
	printf("%s:", which);
	for (unsigned int t = 0; t < program.nr_threads; t++) {
		printf(" (");
		for (unsigned int i = 0; i < program.nr_ops[t]; i++)
			printf(" %#x", o->returned[t][i]);
		printf(" )%s", o->waiting >> t & 1 ? " waits for ever" : "");
	}
	print_words(o->end);
	printf("\n");
}

/* The first of a that is not in b. */
static bool find_missing(const char *which, const struct outcomes *a,
			 const struct outcomes *b)
{
	unsigned int place;

	for (unsigned int i = 0; i < OUTCOMES; i++)
		if (a->is_used[i] && !has_outcome(b, &a->all[i], &place)) {
			print_outcome(which, &a->all[i]);
			return true;
		}
	return false;
}

enum verdict { SAME, DIFFERENT, TOO_LARGE };

static enum verdict compare(uint64_t literal_max, uint64_t *nr_executions)
{
	static struct ex_result with, without;
	struct ex_options options = ex_defaults;

	options.has_sleep_sets = options.is_lean = false;
	options.is_literal = true;
	options.max_executions = literal_max;
	search(&literal, options, &without);
	*nr_executions += without.nr_executions;
	if (!without.has_failed &&
	    (!without.is_exhausted || without.nr_saturated))
		return TOO_LARGE;
	search(&reduced, ex_defaults, &with);
	if (with.has_failed || without.has_failed)
		return with.has_failed == without.has_failed &&
		       !strncmp(with.failure, without.failure, 9) ?
		       SAME : DIFFERENT;
	if (reduced.n == literal.n &&
	    !find_missing("lost", &literal, &reduced))
		return SAME;
	return DIFFERENT;
}

/* The same with some of the reductions: which one loses something? */
static void try_some(const char *which, bool has_sleep_sets, bool is_lean,
		     bool is_literal)
{
	static struct ex_result result;
	struct ex_options options = ex_defaults;

	options.has_sleep_sets = has_sleep_sets;
	options.is_lean = is_lean;
	options.is_literal = is_literal;
	options.max_executions = EXPLAIN_MAX;
	search(&reduced, options, &result);
	printf("%-24s %3u outcomes of %lu executions%s\n", which, reduced.n,
	       (unsigned long)result.nr_executions,
	       result.is_exhausted ? "" : ", not exhausted");
}

static void explain(const char *which, uint64_t seed, uint64_t number)
{
	printf("FAIL %s %lu of seed %lu\n", which, (unsigned long)number,
	       (unsigned long)seed);
	print_program();
	find_missing("lost", &literal, &reduced);
	find_missing("only with reductions", &reduced, &literal);
	try_some("with all reductions", true, true, false);
	try_some("sleep sets alone", true, false, false);
	try_some("causes alone", false, true, false);
	try_some("neither", false, false, false);
	try_some("literally", false, false, true);
}

void run_programs(const struct programs *p, unsigned int *passed,
		  unsigned int *failed)
{
	unsigned int nr_shapes = 0, nr_large = 0;
	uint64_t nr_executions = 0;

	for (; p->has_shapes && take_shape(nr_shapes); nr_shapes++) {
		bool is_same = compare(EXPLAIN_MAX, &nr_executions) == SAME;

		if (!is_same)
			explain("shape", 0, nr_shapes);
		*passed += is_same;
		*failed += !is_same;
	}
	for (uint64_t i = 0; i < p->count && !*failed; i++) {
		enum verdict v;

		draw_program(p->seed, p->from + i);
		v = compare(p->literal_max, &nr_executions);
		if (v == DIFFERENT)
			explain("program", p->seed, p->from + i);
		nr_large += v == TOO_LARGE;
		*passed += v == SAME;
		*failed += v == DIFFERENT;
	}
	printf("%u shapes, %u programs of seed %lu, %u too large; "
	       "%lu literal executions\n", nr_shapes,
	       *passed + *failed + nr_large - nr_shapes,
	       (unsigned long)p->seed, nr_large, (unsigned long)nr_executions);
}
