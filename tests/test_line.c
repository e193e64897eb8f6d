/*
 * Goal: each thread has a line of its own, and a thread that ends gives it back
 * unless somebody still needs it.
 */
#include "tests/backend.h"

#include <pthread.h>

#include "rangelock/base/atomic.h"
#include "rangelock/base/line.h"

static void *take_line(void *arg)
{
	struct rl_line *line = rl_line_mine();

	check_eq(rl_line_mine(), line);
	if (arg)
		rl_store_release64(&line->words[3], 1);
	return line;
}

static struct rl_line *line_of_a_thread(void *arg)
{
	pthread_t thread;
	void *line;

	check_eq(pthread_create(&thread, NULL, take_line, arg), 0);
	check_eq(pthread_join(thread, &line), 0);
	return line;
}

Test(line, two_threads_have_two_lines_and_the_next_takes_what_was_given_back)
{
	struct rl_line *ours = rl_line_mine(), *first, *second, *third;
	char used;

	first = line_of_a_thread(NULL);
	check_ne(first, ours);
	check_eq(line_of_a_thread(NULL), first);
	second = line_of_a_thread(&used);
	check_eq(second, first);
	third = line_of_a_thread(NULL);
	check_ne(third, second);		/* word 3 is not 0 */
	check_ne(third, ours);
	check(rl_nr_lines() >= 3);
	check(rl_is_in_line(&third->words[7]));
	check(!rl_is_in_line((uint64_t *)(void *)&first));
	rl_store_release64(&second->words[3], 0);
}
