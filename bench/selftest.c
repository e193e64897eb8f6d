/*
 * selftest.c - does each peer exclude what it should, and do the checks fire?
 *
 * Threads lock random ranges of a few pages and keep a shadow count a page: a
 * writer must be alone on each of his, a reader must meet no writer.  The
 * peer that locks nothing must be caught, else the shadow proves nothing.  Peers
 * that promise disjoint ranges, or overlapping readers, at once must hold them
 * at once: one thread takes both, and hangs if that is not so.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/commands.h"
#include "bench/measure.h"

#define PAGES		24
#define THREADS		4
#define ROUNDS_FAST	30000
#define ROUNDS_SLOW	600

struct shadow {
	uint32_t pages[PAGES];		/* readers, plus WRITERS a writer */
	uint32_t nr_wrong;
	uint64_t plain[PAGES];		/* for a race detector to see */
};

#define WRITERS		(UINT32_C(1) << 16)

static unsigned int passed, failed;

static void check(bool good, const char *what, const char *name)
{
	passed += good;
	failed += !good;
	printf("%s %s %s\n", good ? "ok  " : "FAIL", name, what);
}

static void read_pages(struct shadow *s, size_t first, size_t end, bool linger)
{
	uint64_t sum = 0;

	for (size_t i = first; i < end; i++)
		if (add_relaxed(&s->pages[i], 1) >= WRITERS)
			add_relaxed(&s->nr_wrong, 1);
	for (size_t i = first; i < end; i++)
		sum += *(volatile uint64_t *)&s->plain[i];
	if (linger)
		sched_yield();
	for (size_t i = first; i < end; i++)
		if (add_relaxed(&s->pages[i], -1u) >= WRITERS)
			add_relaxed(&s->nr_wrong, 1);
	(void)sum;
}

static void write_pages(struct shadow *s, size_t first, size_t end, bool linger)
{
	for (size_t i = first; i < end; i++)
		if (add_relaxed(&s->pages[i], WRITERS))
			add_relaxed(&s->nr_wrong, 1);
	for (size_t i = first; i < end; i++)
		s->plain[i]++;
	if (linger)
		sched_yield();
	for (size_t i = first; i < end; i++)
		if (add_relaxed(&s->pages[i], -WRITERS) != WRITERS)
			add_relaxed(&s->nr_wrong, 1);
}

/* Mostly a few pages over the border of chunks, sometimes all. */
static void work(struct worker *w)
{
	const struct peer *p = w->cell->peer;
	struct shadow *s = w->cell->state;
	unsigned int rounds = p->traits & SLOW ? ROUNDS_SLOW : ROUNDS_FAST;
	struct handle h;

	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t x = next_random(&w->random);
		size_t first = x % PAGES, end = first + 1 + (x >> 8) % 4;
		bool coarse = !((x >> 16) % 16), linger = !((x >> 24) % 8);
		enum mode mode = (x >> 32) & 1 ? WRITE : READ;
		uint64_t base = CHUNK - PAGES / 2 * PAGE;

		if (end > PAGES)
			end = PAGES;
		if (coarse) {
			first = 0;
			end = PAGES;
		}
		peer_lock_fn(p, mode, coarse)(w->cell->lock, &h,
			coarse ? 0 : base + first * PAGE,
			coarse ? WHOLE_END : base + end * PAGE);
		if (mode == WRITE)
			write_pages(s, first, end, linger);
		else
			read_pages(s, first, end, linger);
		p->unlock[mode](w->cell->lock, &h);
	}
}

/* How often the shadow was wrong. */
static uint32_t count_wrong(const struct peer *p)
{
	struct shadow shadow = { .nr_wrong = 0 };
	struct cell cell = { .peer = p, .state = &shadow, .lock = peer_new(p) };
	struct crew crew;
	unsigned int threads = THREADS;

	if (p->traits & SPINS && threads > nr_cpus())
		threads = nr_cpus();
	if (!cell.lock || crew_init(&crew, &cell, threads, work))
		return 1;
	crew_start(&crew);
	crew_stop(&crew);
	crew_destroy(&crew);
	peer_delete(p, cell.lock);
	return shadow.nr_wrong;
}

/* Two that may be held at once, by two owners; a lock that refuses hangs. */
static void hold_both(const struct peer *p, enum mode mode, struct span a,
		      struct span b, const char *what)
{
	void *lock = peer_new(p);
	struct handle first, second;

	thread_index = HOLDER;
	p->lock[mode](lock, &first, a.start, a.end);
	thread_index = 0;
	p->lock[mode](lock, &second, b.start, b.end);
	p->unlock[mode](lock, &second);
	thread_index = HOLDER;
	p->unlock[mode](lock, &first);
	thread_index = 0;
	peer_delete(p, lock);
	check(true, what, p->name);
}

static void test_peer(const struct peer *p)
{
	struct span page = { PAGE, 2 * PAGE }, next = { 2 * PAGE, 3 * PAGE };
	struct span far = { 9 * CHUNK, 9 * CHUNK + PAGE };

	check(!count_wrong(p), "excludes what conflicts", p->name);
	if (p->traits & RANGES)
		hold_both(p, WRITE, page, far, "holds two chunks at once");
	if (p->traits & EXACT)
		hold_both(p, WRITE, page, next, "holds neighbours at once");
	if (p->traits & SHARED)
		hold_both(p, READ, page, page, "holds two readers at once");
}

static void test_statistics(void)
{
	double v[] = { 5, 1, 4, 2, 3 };
	struct hist *h = calloc(1, sizeof(*h));
	double p50, p99;

	sort_samples(v, NR(v));
	check(quantile(v, NR(v), 0.5) == 3 && quantile(v, NR(v), 0.25) == 2 &&
	      quantile(v, 4, 0.5) == 2.5, "of five and of four", "quantile");
	if (!h)
		return;
	for (uint64_t i = 1; i <= 100000; i++)
		hist_add(h, i);
	p50 = hist_quantile_us(h, 0.5);
	p99 = hist_quantile_us(h, 0.99);
	check(p50 > 48 && p50 < 52 && p99 > 95 && p99 < 100.1 &&
	      h->max_ns == 100000, "within its buckets", "histogram");
	free(h);
}

/* Two made-up results, to disk and back; and a comparison that must fail. */
static void test_results(void)
{
	static const struct result rows[] = {
		{ "held", "all", "pthread_rwlock", "ns", "ns/pair", 1, 10, 3, -1,
		  20, 19, 21, 18, 22, 1 },
		{ "held", "all", "compact", "ns", "ns/pair", 1, 10, 3, -1,
		  30, 29, 31, 28, 32, 1.5 },
	};
	struct results set = { 0 }, back = { 0 };
	struct comparison c = { .threshold = 0.6 };
	char path[] = "/tmp/rlbench.XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w"), *nowhere = fopen("/dev/null", "w");

	if (!out || !nowhere) {
		check(false, "no temporary file", "results");
		return;
	}
	set.rows = (struct result *)rows;
	set.nr = NR(rows);
	results_write_csv(&set, out);
	fclose(out);
	check(!results_read_csv(&back, path) && back.nr == 2 &&
	      back.rows[1].median == 30 && back.rows[1].ratio == 1.5 &&
	      back.rows[1].better == -1 && back.rows[1].n == 10 &&
	      !strcmp(back.rows[1].peer, "compact"), "survive a CSV file", "results");
	check(command_compare(&c, NULL, &back, nowhere) == EXIT_GOOD,
	      "of 1.5 is over 0.6 times", "ratio");
	c.threshold = 0.7;
	check(command_compare(&c, NULL, &back, nowhere) == EXIT_MISSED,
	      "of 1.5 is below 0.7 times", "ratio");
	back.rows[1].ratio = 2;
	check(command_compare(&c, &set, &back, nowhere) == EXIT_GOOD,
	      "of 2 after 1.5 is over 0.7 times", "ratio");
	c.threshold = 0.8;
	check(command_compare(&c, &set, &back, nowhere) == EXIT_MISSED,
	      "of 2 after 1.5 is below 0.8 times", "ratio");
	results_free(&back);
	unlink(path);
	fclose(nowhere);
}

int command_selftest(const char *only)
{
	settings.pin = false;
	if (!only) {
		test_statistics();
		test_results();
		check(count_wrong(&peer_none) > 0, "locks nothing, and is caught",
		      peer_none.name);
	}
	for (size_t i = 0; i < nr_peers; i++) {
		const char *missing = peer_missing(peers[i]);

		if (peers[i] == &peer_none ||
		    (only && strcmp(only, peers[i]->name)))
			continue;
		if (missing)
			fprintf(stderr, "rlbench: %s left out: %s\n",
				peers[i]->name, missing);
		else
			test_peer(peers[i]);
		fflush(stdout);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? EXIT_MISSED : EXIT_GOOD;
}
