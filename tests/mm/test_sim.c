/*
 * Goal: virtual time is exact and repeatable: CPUs are shared first come first
 * served, sleeping and waiting take none, parks end by wake or deadline, a
 * deadlock is told, and two runs of one program are equal event by event.
 */
#include "tests/backend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "minimm/sim/sim.h"

#define NR_MAX	512

static struct sim *sim;
static const struct rl_host *host;

/* What happened, in order: a line an event. */
static char diary[1 << 16];
static size_t diary_length;

static void note(const char *what, uint64_t who)
{
	int n = snprintf(diary + diary_length, sizeof(diary) - diary_length,
			 "%s%d@%d ", what, (int)who, (int)sim_now(sim));

	if (n > 0 && diary_length + (size_t)n < sizeof(diary))
		diary_length += (size_t)n;
}

static void begin(unsigned int nr_cpus, uint64_t slice_ns)
{
	struct sim_options o = { .nr_cpus = nr_cpus, .slice_ns = slice_ns };

	sim = sim_create(&o);
	check(sim != NULL);
	host = sim_host(sim);
	diary_length = 0;
	diary[0] = '\0';
}

static void finish(const char *want)
{
	int error = sim_run(sim);

	sim_destroy(sim);
	check_eq(error, 0);
	check_str_eq(diary, want);
}

static void spend_ten(void *arg)
{
	(void)arg;
	sim_spend(sim, 10);
	note("done", sim_self(sim));
}

static void start_many(unsigned int n, void (*fn)(void *arg))
{
	for (unsigned int i = 0; i < n; i++)
		check_eq(sim_spawn(sim, 0, fn, NULL), i + 1);
}

Test(sim, three_threads_on_two_cpus_take_two_rounds)
{
	begin(2, 0);
	start_many(3, spend_ten);
	finish("done1@10 done2@10 done3@20 ");
}

Test(sim, a_spend_before_the_next_event_takes_no_switch)
{
	struct sim_stats stats;

	begin(1, 0);
	start_many(1, spend_ten);
	check_eq(sim_run(sim), 0);
	sim_stats_read(sim, &stats);
	check_eq(stats.nr_switches, 2);
	check_eq(stats.busy_ns, 10);
	sim_destroy(sim);
}

static void sleep_then_spend(void *arg)
{
	(void)arg;
	sim_sleep(sim, 100);
	sim_spend(sim, 10);
	note("done", sim_self(sim));
}

Test(sim, a_sleeper_occupies_no_cpu)
{
	begin(1, 0);
	start_many(3, sleep_then_spend);
	finish("done1@110 done2@120 done3@130 ");
}

static void spend_long(void *arg)
{
	(void)arg;
	sim_spend(sim, 25);
	note("done", sim_self(sim));
}

Test(sim, a_time_slice_ends_only_if_somebody_is_ready)
{
	struct sim_stats stats;

	begin(1, 10);
	start_many(2, spend_long);
	check_eq(sim_run(sim), 0);
	/* 1 until 10, 2 until 20, 1 until 30, 2 until 40, 1, 2 */
	check_str_eq(diary, "done1@45 done2@50 ");
	sim_stats_read(sim, &stats);
	check_eq(stats.busy_ns, 50);
	check_eq(stats.cpu_wait_ns, 10 + 10 + 10 + 10 + 5);
	sim_destroy(sim);
}

static uint32_t word;

static void park_until(void *arg)
{
	uint64_t deadline = *(uint64_t *)arg;

	note("park", sim_self(sim));
	host->park(host->ctx, &word, 0, deadline);
	note("back", sim_self(sim));
	sim_spend(sim, 5);
	note("done", sim_self(sim));
}

static void wake_at_fifty(void *arg)
{
	(void)arg;
	sim_spend(sim, 50);
	word = 1;
	host->wake(host->ctx, &word);
	note("wake", sim_self(sim));
	host->park(host->ctx, &word, 0, SIM_NEVER);	/* no longer 0 */
}

Test(sim, a_park_ends_by_wake_in_order_or_by_its_deadline)
{
	uint64_t never = SIM_NEVER, early = 30, late = 80;

	begin(8, 0);
	word = 0;
	sim_spawn(sim, 0, park_until, &never);
	sim_spawn(sim, 0, park_until, &early);
	sim_spawn(sim, 0, park_until, &late);
	sim_spawn(sim, 0, wake_at_fifty, NULL);
	finish("park1@0 park2@0 park3@0 back2@30 done2@35 wake4@50 "
	       "back1@50 back3@50 done1@55 done3@55 ");
}

Test(sim, who_is_woken_runs_without_a_cpu_until_it_spends)
{
	uint64_t never = SIM_NEVER;

	begin(1, 0);
	word = 0;
	sim_spawn(sim, 0, park_until, &never);
	sim_spawn(sim, 0, wake_at_fifty, NULL);
	sim_spawn(sim, 10, spend_long, NULL);
	/* 3 queues for the only CPU at 10; 1 is granted at 50, spends later */
	finish("park1@0 wake2@50 back1@50 done3@75 done1@80 ");
}

static struct sim_event event;

static void wait_for_event(void *arg)
{
	(void)arg;
	sim_wait_event(sim, &event);
	note("go", sim_self(sim));
}

static void signal_event(void *arg)
{
	(void)arg;
	sim_spend(sim, 7);
	sim_signal(sim, &event);
	note("said", sim_self(sim));
}

Test(sim, an_event_lets_all_waiters_go_and_later_ones_pass)
{
	begin(1, 0);
	event = (struct sim_event){ .happened = false };
	start_many(2, wait_for_event);
	sim_spawn(sim, 0, signal_event, NULL);
	sim_spawn(sim, 20, wait_for_event, NULL);
	finish("said3@7 go1@7 go2@7 go4@20 ");
}

static void spawn_another(void *arg)
{
	(void)arg;
	sim_spend(sim, 5);
	sim_spawn(sim, 0, spend_ten, NULL);	/* over: now */
	sim_spawn(sim, 100, spend_ten, NULL);
}

Test(sim, a_thread_may_start_others)
{
	begin(2, 0);
	start_many(1, spawn_another);
	finish("done2@15 done3@110 ");
}

static void append(void *arg, const char *text, size_t length)
{
	char *all = arg;
	size_t used = strlen(all);

	if (used + length < 1024) {
		memcpy(all + used, text, length);
		all[used + length] = '\0';
	}
}

static void describe(void *arg, char *text, size_t size)
{
	snprintf(text, size, "%s", (char *)arg);
}

static void wait_named(void *arg)
{
	(void)arg;
	sim_spend(sim, 3);
	sim_wait_event(sim, &event);
}

Test(sim, a_deadlock_is_told_with_who_waits_for_what)
{
	struct sim_options o = { .nr_cpus = 1, .describe = describe };
	char who[] = "op 17", text[1024] = "";

	sim = sim_create(&o);
	event = (struct sim_event){ .happened = false };
	sim_spawn(sim, 0, wait_named, who);
	check_eq(sim_run(sim), EDEADLK);
	sim_dump(sim, append, text);
	check_str_eq(text, "thread 1 waiting since 3 ns: op 17\n");
	sim_destroy(sim);
}

Test(sim, no_cpu_is_refused)
{
	struct sim_options o = { .nr_cpus = 0 };

	check(sim_create(&o) == NULL);
}

/* A crowd that does everything, by a generator of its own. */
static uint32_t words[8];
static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % below;
}

static void crowd(void *arg)
{
	(void)arg;
	for (int i = 0; i < 40; i++) {
		uint32_t *w = &words[draw(8)];

		switch (draw(4)) {
		case 0:
			sim_sleep(sim, draw(50));
			break;
		case 1:
			host->park(host->ctx, w, *w, sim_now(sim) + draw(90));
			break;
		case 2:
			host->wake(host->ctx, w);
			break;
		default:
			sim_spend(sim, draw(30));
			break;
		}
	}
	note("end", sim_self(sim));
}

static uint64_t run_crowd(uint64_t seed, unsigned int nr_threads)
{
	uint64_t end;

	begin(3, 20);
	state = seed;
	start_many(nr_threads, crowd);
	check_eq(sim_run(sim), 0);
	end = sim_now(sim);
	sim_destroy(sim);
	return end;
}

Test(sim, the_same_program_gives_the_same_times_twice)
{
	static char first[sizeof(diary)];
	uint64_t end = run_crowd(42, 320);

	strcpy(first, diary);
	check_eq(run_crowd(42, 320), end);
	check_str_eq(diary, first);
	check_ne(run_crowd(43, 320), end);
}

static void deep(void *arg)
{
	char page[4096];

	memset(page, (int)(uintptr_t)arg, sizeof(page));
	sim_spend(sim, 1 + (uint64_t)page[17] % 3);
	check_eq(page[4095], (char)(uintptr_t)arg);
}

Test(sim, stacks_are_reused_and_do_not_mix)
{
	begin(4, 0);
	for (uintptr_t i = 0; i < NR_MAX; i++)
		sim_spawn(sim, i / 4, deep, (void *)(i & 127));
	finish("");
}
