/*
 * rcu.c - batches for call_rcu, registration of threads, tokens for race detectors
 *
 * One call_rcu carries a batch of pointers: a change of the index retires a
 * handful of nodes, and a call each would cost more than the change.  Weak
 * spot: up to BATCH retired nodes an index wait for the next change.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include "minimm/env/rcu.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <urcu/urcu-memb.h>

#include "minimm/env/annotate.h"
#include "minimm/env/memory.h"

#define BATCH	126

struct mm_retired {
	struct rcu_head head;
	struct mm_retired *next;	/* full ones, of a large change */
	unsigned int nr;
	void *pointers[BATCH];
};

static char read_sections;	/* the token of all readers */

static _Thread_local bool registered;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;

static void unregister(void *unused)
{
	(void)unused;
	urcu_memb_unregister_thread();
	registered = false;
}

static void prepare_process(void)
{
	/* Without these a child of fork() hangs in its first barrier. */
	pthread_atfork(urcu_memb_call_rcu_before_fork,
		       urcu_memb_call_rcu_after_fork_parent,
		       urcu_memb_call_rcu_after_fork_child);
	if (pthread_key_create(&at_thread_end, unregister) != 0) {
		fprintf(stderr, "minimm: no key for thread-local data\n");
		abort();
	}
	mm_tell_release(&once);
}

static void register_slow(void)
{
	pthread_once(&once, prepare_process);
	/* helgrind does not know that who comes second is after the first. */
	mm_tell_acquire(&once);
	urcu_memb_register_thread();
	pthread_setspecific(at_thread_end, &registered);
	registered = true;
}

void mm_rcu_read_lock(void)
{
	if (!registered)
		register_slow();
	urcu_memb_read_lock();
}

void mm_rcu_read_unlock(void)
{
	mm_tell_release(&read_sections);
	urcu_memb_read_unlock();
}

static void free_batch(struct mm_retired *batch)
{
	while (batch) {
		struct mm_retired *next = batch->next;

		for (unsigned int i = 0; i < batch->nr; i++)
			free(batch->pointers[i]);
		free(batch);
		batch = next;
	}
}

static void after_grace_period(struct rcu_head *head)
{
	struct mm_retired *batch = (struct mm_retired *)(void *)head;

	mm_tell_acquire(&read_sections);
	mm_tell_acquire(head);
	free_batch(batch);
}

void mm_rcu_hand_over(struct mm_retired **batch)
{
	struct mm_retired *all = *batch;

	if (!all || (all->nr < BATCH && !all->next))
		return;
	if (!registered)
		register_slow();
	*batch = NULL;
	mm_tell_release(&all->head);
	urcu_memb_call_rcu(&all->head, after_grace_period);
}

void mm_rcu_retire(struct mm_retired **batch, void *p)
{
	struct mm_retired *room = *batch;

	if (!room || room->nr == BATCH) {
		room = mm_alloc(sizeof(*room));
		room->nr = 0;
		room->next = *batch;
		*batch = room;
	}
	room->pointers[room->nr++] = p;
}

void mm_rcu_free_now(struct mm_retired **batch)
{
	if (*batch)
		free_batch(*batch);
	*batch = NULL;
}
