/*
 * engines.c - the engines, threads that lock, and children that abort
 */
#include "tests/conformance/engines.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangelock/base/atomic.h"

static int init_static(struct rangelock *lk, const struct rl_options *options)
{
	static const struct rangelock fresh = RANGELOCK_INIT;

	(void)options;
	*lk = fresh;
	return 0;
}

static int init_forest(struct rangelock *lk, const struct rl_options *options,
		       uint64_t chunk_size, uint32_t nr_shards)
{
	struct rl_options o = *options;

	o.chunk_size = chunk_size;
	o.nr_shards = nr_shards;
	return rl_init(lk, &o);
}

static int init_chunks(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, UINT64_C(1) << 21, 8);
}

static int init_forest_1(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, 4, 1);
}

static int init_forest_2(struct rangelock *lk, const struct rl_options *options)
{
	return init_forest(lk, options, 4, 2);
}

static int init_forest_64(struct rangelock *lk,
			  const struct rl_options *options)
{
	return init_forest(lk, options, 2, 0);
}

static int init_plain(struct rangelock *lk, const struct rl_options *options)
{
	struct rl_options o = *options;

	o.flags = RL_PLAIN;
	return rl_init(lk, &o);
}

static int init_plain_forest(struct rangelock *lk,
			     const struct rl_options *options)
{
	struct rl_options o = *options;

	o.flags = RL_PLAIN;
	return init_forest(lk, &o, 4, 2);
}

const struct engine engines[] = {
	{ "static", init_static, false },
	{ "compact", rl_init, true },
	{ "forest of 8", init_chunks, true },
	{ "forest of 1", init_forest_1, true },
	{ "forest of 2", init_forest_2, true },
	{ "forest of 64", init_forest_64, true },
	{ "plain", init_plain, true },
	{ "plain forest of 2", init_plain_forest, true },
};

const size_t nr_engines = sizeof(engines) / sizeof(engines[0]);

const struct rl_options strict_options = {
	.size = sizeof(struct rl_options), .bypass_ns = 0,
};

const struct rl_options lax_options = {
	.size = sizeof(struct rl_options), .bypass_ns = UINT64_C(1) << 62,
};

void on_each_engine(const struct rl_options *options,
		    void (*body)(struct rangelock *lk))
{
	static const struct rl_options defaults = RL_OPTIONS_INIT;
	struct rangelock lk;

	for (size_t i = 0; i < nr_engines; i++) {
		if (options && !engines[i].takes_options)
			continue;
		check_eq(engines[i].init(&lk, options ? options : &defaults), 0);
		body(&lk);
		check_msg(rl_destroy(&lk) == 0, "%s: the lock is not empty",
			  engines[i].name);
	}
}

struct rl_stats stats_of(struct rangelock *lk)
{
	struct rl_stats stats;

	check_eq(rl_stats_read(lk, &stats), 0);
	return stats;
}

unsigned int nr_waiting(struct rangelock *lk)
{
	return stats_of(lk).nr_waiting_now;
}

unsigned int nr_held(struct rangelock *lk)
{
	return stats_of(lk).nr_held_now;
}

static void *act(void *arg)
{
	struct actor *a = arg;

	a->result = (a->mode == RL_WRITE ? rl_write_lock_until :
					   rl_read_lock_until)(
		a->lk, &a->r, a->start, a->end, a->deadline_ns);
	rl_store_release(&a->is_done, 1);
	return NULL;
}

void actor_start(struct actor *a, struct rangelock *lk, enum rl_mode mode,
		 uint64_t start, uint64_t end, uint64_t deadline_ns)
{
	*a = (struct actor){
		.lk = lk, .mode = mode, .start = start, .end = end,
		.deadline_ns = deadline_ns,
	};
	check_eq(pthread_create(&a->thread, NULL, act, a), 0);
}

void actor_start_waiting(struct actor *a, struct rangelock *lk,
			 enum rl_mode mode, uint64_t start, uint64_t end)
{
	unsigned int before = nr_waiting(lk);

	actor_start(a, lk, mode, start, end, RL_NO_DEADLINE);
	until(nr_waiting(lk) == before + 1);
}

bool actor_is_done(const struct actor *a)
{
	return rl_load_acquire(&a->is_done);
}

int actor_join(struct actor *a)
{
	check_eq(pthread_join(a->thread, NULL), 0);
	return a->result;
}

static _Noreturn void run_to_abort(void (*f)(void *arg), void *arg, int out)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGABRT, SIG_DFL);
	dup2(out, STDERR_FILENO);
	f(arg);
	_exit(0);
}

void check_aborts(void (*f)(void *arg), void *arg, const char *what)
{
	char said[4096];
	size_t n = 0;
	int status, pipes[2];
	pid_t child;

	check_eq(pipe(pipes), 0);
	fflush(NULL);
	child = fork();
	if (child == 0)
		run_to_abort(f, arg, pipes[1]);
	close(pipes[1]);
	for (ssize_t got = 1; got > 0 && n < sizeof(said) - 1; n += (size_t)got) {
		got = read(pipes[0], said + n, sizeof(said) - 1 - n);
		if (got < 0)
			break;
	}
	said[n] = '\0';
	close(pipes[0]);
	check_eq(waitpid(child, &status, 0), child);
	check_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
		  "wants an abort that says '%s', got status %#x: %s", what,
		  (unsigned int)status, said);
	check_msg(strstr(said, what) &&
			  (strstr(said, ".c:") || strstr(said, ".h:")),
		  "wants '%s' and a place, got: %s", what, said);
}
