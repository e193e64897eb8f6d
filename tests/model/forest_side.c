/*
 * forest_side.c - what a play knows of the shards of a forest
 */
#include "tests/model/forest_side.h"

#include "rangelock/engine/shards.h"

#include "tests/model/compare.h"

static struct play *const p = &the_play;

struct forest_counts forest_counts;

uint64_t forest_chunk_size(engine_init_fn *init)
{
	struct rl_options options = RL_OPTIONS_INIT;
	struct rangelock lk;
	uint64_t size = 0;

	if (init(&lk, &options))
		return 0;
	if (lk.forest)
		for (size = 1; rl_shard_of(lk.forest, 0, 2 * size) != RL_WIDE;)
			size *= 2;
	rl_destroy(&lk);
	return size;
}

/* A crowded scene mostly opens: its shards are those that it uses. */
void forest_shake(const struct op *op)
{
	struct rl_forest *f = p->lk.forest;
	uint64_t draw = (op->wait_ns + p->at) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t shard = (uint32_t)(draw >> 32);
	bool opens = draw >> 61;

	if (!f || draw >> 62)
		return;
	if (p->scene->nr_chunks) {
		opens = draw >> 60;
		shard = rl_shard_of_chunk(&f->geometry, shard % p->scene->nr_chunks);
	}
	if (opens)
		rl_forest_open(&p->lk, shard % f->nr_shards);
	else
		rl_forest_close(&p->lk, shard % f->nr_shards);
	if (!rl_forest_is_valid(&p->lk))
		differ("the forest is not valid");
	forest_look();
}

static const void *home_of(unsigned int i)
{
	struct rl_arbiter *a = rl_guard_home(&p->lk, p->slots[i].r);

	rl_guard_unlock(&a->guard);
	return a;
}

static void look_at(unsigned int i)
{
	struct brute_request *x = &p->model.requests[i];
	const void *was = x->arbiter, *central = &p->lk.central;

	x->arbiter = home_of(i);
	forest_counts.nr_waits += !was && x->arbiter != central;
	forest_counts.nr_closed += was && was != central &&
				   x->arbiter == central;
	forest_counts.nr_opened += was == central && x->arbiter != central;
}

void forest_look(void)
{
	for (unsigned int i = 0; p->lk.forest && i < BRUTE_MAX; i++)
		if (p->model.requests[i].as == BRUTE_WAITS)
			look_at(i);
}
