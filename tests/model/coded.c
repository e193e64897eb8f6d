/*
 * coded.c - a history of a play as bytes: what a fuzzer makes, and keeps
 */
#include "tests/model/coded.h"

#define CROWD_CHUNKS	2
#define SAME_BYTES	UINT64_C(0x0101010101010101)

static void read_scene(struct scene *s, uint64_t chunk_size, const uint8_t *byte)
{
	static const uint64_t spaces[] = {
		6, 12, 24, 40, 250, 1000, UINT64_C(1) << 40, RL_END,
	};
	static const uint64_t bypasses[] = {
		0, 100, RL_BYPASS_NS, UINT64_C(1) << 62,
	};
	unsigned int nr_slots = byte[1] & 15u;

	s->space = spaces[byte[0] & 7];
	s->bypass_ns = bypasses[byte[0] >> 3 & 3];
	s->wait_ns = s->bypass_ns == 100 ? 120 : byte[0] >> 5 & 1 ? 1200000 : 300000;
	s->nr_slots = nr_slots < 3 ? 3 : nr_slots > BRUTE_MAX ? BRUTE_MAX : nr_slots;
	s->nr_owners = 1 + (byte[1] >> 4 & 7u);
	s->chunk_size = s->nr_chunks = 0;
	if (chunk_size && byte[1] & 0x80) {
		s->chunk_size = chunk_size;
		s->nr_chunks = CROWD_CHUNKS;
		if (s->space < CROWD_CHUNKS * chunk_size)
			s->space = CROWD_CHUNKS * chunk_size;
	}
}

static void read_op(struct op *op, const struct scene *s, const uint8_t *byte)
{
	uint64_t near = (byte[4] & 0x7f) % s->space;

	op->slot = (uint8_t)((byte[0] & 15) % s->nr_slots);
	op->owner = (uint8_t)((byte[0] >> 4 & 7) % s->nr_owners);
	op->flags = byte[1] & 0x7f;
	op->pick = byte[2];
	op->nested = byte[3] % 12;
	op->start = byte[4] & 0x80 ? s->space - 1 - near : near;
	op->length = byte[5] & 0x80 ? byte[5] * SAME_BYTES :
		     (byte[5] & 7u) | (byte[5] >> 2 & 7u) << 8 | (byte[5] >> 4 & 7u) << 16;
	op->keep = byte[6] * SAME_BYTES;
	op->wait_ns = (uint32_t)((uint64_t)byte[7] * s->wait_ns / 256);
	op->is_narrow = s->nr_chunks && !(byte[1] & 0x80);
	if (op->is_narrow) {
		uint64_t at = (byte[4] >> 3) % s->chunk_size;

		op->start = byte[4] % s->nr_chunks * s->chunk_size + at;
		op->length = byte[5] % (s->chunk_size - at);
		op->flags &= (uint8_t)~(OP_SITE | OP_COARSE);
	}
}

size_t coded_read(struct scene *s, uint64_t chunk_size, struct op *ops, size_t room,
		  const uint8_t *bytes, size_t size)
{
	static const uint8_t none[CODED_HEAD];
	size_t nr;

	read_scene(s, chunk_size, size < CODED_HEAD ? none : bytes);
	nr = size < CODED_HEAD ? 0 : (size - CODED_HEAD) / CODED_OP;
	if (nr > room)
		nr = room;
	for (size_t i = 0; i < nr; i++)
		read_op(&ops[i], s, bytes + CODED_HEAD + i * CODED_OP);
	return nr;
}
