/*
 * Goal: what is to be done in a child is done there, before fork() returns, and
 * not in the parent.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rangelock/base/child.h"

static int nr_calls;

static void count(void)
{
	nr_calls++;
}

Test(child, is_told_and_its_parent_is_not)
{
	pid_t child;
	int status;

	rl_at_child(count);
	fflush(NULL);
	child = fork();
	if (!child)
		_exit(nr_calls);
	check_eq(waitpid(child, &status, 0), child);
	check(WIFEXITED(status));
	check_eq(WEXITSTATUS(status), 1);
	check_eq(nr_calls, 0);
}
