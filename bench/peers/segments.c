/*
 * segments.c - a static table of segments, one word each
 *
 * The scheme of the file systems' segment locks: the object is cut into chunks,
 * chunk c has word c modulo 256, a word counts readers or holds a writer.
 * A range takes the words of its chunks in ascending order of index, which
 * excludes deadlock, and spins at each.  A line a word, so that neighbours do
 * not share one.
 * Cost: a read-modify-write and a store a segment for a writer, two for a
 * reader; 256 of them for the whole.  Weak spot: neighbours in one chunk exclude
 * each other, as do chunks 256 apart; nobody is served in order.
 */
#include "bench/atomics.h"
#include "bench/bench.h"

#define SEGMENTS	256
#define WRITER		(UINT32_C(1) << 31)

struct segment {
	_Alignas(LINE) uint32_t word;	/* WRITER, or how many readers */
};

struct table {
	struct segment segments[SEGMENTS];
};

/* The words of a range: [first, end) and [0, wrapped), which come earlier. */
struct words {
	uint32_t first, end, wrapped;
};

static struct words words_of(uint64_t start, uint64_t end)
{
	uint64_t first = start / CHUNK, last = (end - 1) / CHUNK;
	uint64_t nr = last - first + 1;
	struct words w = { .end = SEGMENTS };

	if (nr >= SEGMENTS)
		return w;
	w.first = (uint32_t)(first % SEGMENTS);
	if (w.first + nr <= SEGMENTS)
		w.end = w.first + (uint32_t)nr;
	else
		w.wrapped = w.first + (uint32_t)nr - SEGMENTS;
	return w;
}

static void write_word(uint32_t *word)
{
	unsigned int nr_spins = 0;
	uint32_t nobody = 0;

	while (!cas_acquire(word, &nobody, WRITER)) {
		while (load_relaxed(word))
			spin_politely(&nr_spins);
		nobody = 0;
	}
}

static void read_word(uint32_t *word)
{
	uint32_t readers = load_relaxed(word);
	unsigned int nr_spins = 0;

	for (;;) {
		if (readers & WRITER) {
			spin_politely(&nr_spins);
			readers = load_relaxed(word);
		} else if (cas_acquire(word, &readers, readers + 1)) {
			return;
		}
	}
}

static void segments_lock(struct table *t, struct words w, enum mode mode)
{
	void (*lock_word)(uint32_t *) = mode == WRITE ? write_word : read_word;

	for (uint32_t i = 0; i < w.wrapped; i++)
		lock_word(&t->segments[i].word);
	for (uint32_t i = w.first; i < w.end; i++)
		lock_word(&t->segments[i].word);
}

static void segments_read(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct words w = words_of(start, end);
	struct table *t = lock;

	*(struct words *)h = w;
	if (w.first + 1 == w.end && !w.wrapped)
		read_word(&t->segments[w.first].word);
	else
		segments_lock(t, w, READ);
}

static void segments_write(void *lock, struct handle *h, uint64_t start, uint64_t end)
{
	struct words w = words_of(start, end);
	struct table *t = lock;

	*(struct words *)h = w;
	if (w.first + 1 == w.end && !w.wrapped)
		write_word(&t->segments[w.first].word);
	else
		segments_lock(t, w, WRITE);
}

static void segments_read_unlock(void *lock, struct handle *h)
{
	struct words w = *(struct words *)h;
	struct table *t = lock;

	for (uint32_t i = w.first; i < w.end; i++)
		add_release(&t->segments[i].word, -1u);
	for (uint32_t i = 0; i < w.wrapped; i++)
		add_release(&t->segments[i].word, -1u);
}

/* Readers enter by compare-and-swap, so nobody else writes a writer's word. */
static void segments_write_unlock(void *lock, struct handle *h)
{
	struct words w = *(struct words *)h;
	struct table *t = lock;

	for (uint32_t i = w.first; i < w.end; i++)
		store_release(&t->segments[i].word, 0);
	for (uint32_t i = 0; i < w.wrapped; i++)
		store_release(&t->segments[i].word, 0);
}

const struct peer peer_segments = {
	.name = "segments",
	.what = "static table, 256 words, 2 MiB a segment",
	.traits = RANGES | SHARED,
	.lock_bytes = sizeof(struct table),
	.handle_bytes = sizeof(struct words),
	.lock = { segments_read, segments_write },
	.unlock = { segments_read_unlock, segments_write_unlock },
};
