/*
 * calls.c - the lock calls that a request of the model stands for
 */
#include "tests/model/calls.h"

static struct play *const p = &the_play;

int call_submit(unsigned int i, struct rl_site *site,
		       rl_granted_fn *granted)
{
	const struct brute_request *x = &p->model.requests[i];
	const struct brute_span *d = &x->declared[0];
	struct rl_range *r = p->slots[i].r;
	bool writes = d->mode == RL_WRITE;

	if (x->has_site)
		return (writes ? rl_write_submit_at : rl_read_submit_at)(
			&p->lk, r, site, d->start, d->end, granted);
	if (x->grain == RL_COARSE)
		return (writes ? rl_write_submit_coarse :
				 rl_read_submit_coarse)(&p->lk, r, granted);
	return (writes ? rl_write_submit : rl_read_submit)(
		&p->lk, r, d->start, d->end, granted);
}

int call_trylock(unsigned int i, struct rl_site *site)
{
	const struct brute_request *x = &p->model.requests[i];
	const struct brute_span *d = &x->declared[0];
	struct rl_range *r = p->slots[i].r;
	bool writes = d->mode == RL_WRITE;

	if (x->has_site)
		return (writes ? rl_write_trylock_at : rl_read_trylock_at)(
			&p->lk, r, site, d->start, d->end);
	if (x->grain == RL_COARSE)
		return (writes ? rl_write_trylock_coarse :
				 rl_read_trylock_coarse)(&p->lk, r);
	return (writes ? rl_write_trylock : rl_read_trylock)(&p->lk, r,
							     d->start, d->end);
}

int call_lock_until(unsigned int i, struct rl_site *site)
{
	const struct brute_request *x = &p->model.requests[i];
	const struct brute_span *d = &x->declared[0];
	uint64_t deadline_ns = p->slots[i].deadline_ns;
	struct rl_range *r = p->slots[i].r;
	bool writes = d->mode == RL_WRITE;

	if (x->has_site)
		return (writes ? rl_write_lock_at_until :
				 rl_read_lock_at_until)(
			&p->lk, r, site, d->start, d->end, deadline_ns);
	if (x->grain == RL_COARSE)
		return (writes ? rl_write_lock_coarse_until :
				 rl_read_lock_coarse_until)(&p->lk, r,
							    deadline_ns);
	return (writes ? rl_write_lock_until : rl_read_lock_until)(
		&p->lk, r, d->start, d->end, deadline_ns);
}

int call_lock(unsigned int i, struct rl_site *site)
{
	const struct brute_request *x = &p->model.requests[i];
	const struct brute_span *d = &x->declared[0];
	struct rl_range *r = p->slots[i].r;
	bool writes = d->mode == RL_WRITE;

	if (x->has_site)
		return (writes ? rl_write_lock_at : rl_read_lock_at)(
			&p->lk, r, site, d->start, d->end);
	if (x->grain == RL_COARSE)
		return (writes ? rl_write_lock_coarse : rl_read_lock_coarse)(
			&p->lk, r);
	return (writes ? rl_write_lock : rl_read_lock)(&p->lk, r, d->start,
						       d->end);
}
