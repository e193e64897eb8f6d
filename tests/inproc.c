/*
 * inproc.c - run all tests in one process, under the eyes of a sanitizer
 *
 * Tests register themselves before main().  Those that must die (.signal,
 * .exit_code) run first, each in a forked child, while this process still has a
 * single thread; then the others, here, one after the other.  RL_TEST_FORK=1
 * forks for each.  The first failure of a test that runs here ends the run,
 * since what it leaves behind is not to be trusted.
 *
 * A second process watches the clock: a signal handler would not run in a
 * thread that ThreadSanitizer holds back, and a thread would show up in every
 * report.  Weak spot: it looks ten times a second.
 */
#include "tests/backend.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/runner.h"

/* A sanitizer reports every fatal signal but SIGABRT by itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#define UNDER_SANITIZER                                                        \
	(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define UNDER_SANITIZER 0
#endif

static struct test_case *first_case;
static struct test_case **last_link = &first_case;

/* What the watching process sees; one writer each, whole words. */
struct progress {
	const struct test_case *volatile running;
	volatile pid_t child;		/* the forked test, or 0 */
	volatile double deadline;	/* 0: nothing runs */
	volatile unsigned nr_passed;
	volatile unsigned nr_failed;
	atomic_flag ended;		/* somebody says how the run ended */
};

static struct progress *progress;
static pid_t runner;			/* the process that runs all tests */
static bool in_child;

void test_register(struct test_case *t)
{
	*last_link = t;
	last_link = &t->next;
}

static double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double number_of(const char *variable, double otherwise)
{
	const char *text = getenv(variable);
	double n = text ? strtod(text, NULL) : 0;

	return n > 0 ? n : otherwise;
}

static double seconds_for(const struct test_case *t)
{
	double seconds = t->options.timeout > 0 ? t->options.timeout : 120;

	return seconds * number_of("RL_TEST_SLOWER", 1);
}

/* Nothing but write(): this runs in signal handlers too. */
static void say(const char *a, const char *b, const char *c, const char *d)
{
	const char *parts[] = { a, b, c, d };
	char line[512];
	size_t length = 0;

	for (int i = 0; i < 4; i++) {
		for (const char *p = parts[i]; *p && length < sizeof(line); p++)
			line[length++] = *p;
	}
	if (write(STDOUT_FILENO, line, length) < 0)
		_exit(1);
}

static const char *decimal(char *end, unsigned n)
{
	*--end = '\0';
	do
		*--end = (char)('0' + n % 10);
	while (n /= 10);
	return end;
}

static void say_totals(void)
{
	char a[16], b[16];

	say(decimal(a + sizeof(a), progress->nr_passed), " passed, ",
	    decimal(b + sizeof(b), progress->nr_failed), " failed\n");
}

static void say_failed(const struct test_case *t, const char *why)
{
	say("FAIL ", t->suite, ".", t->name);
	say(": ", why, "\n", "");
}

/*
 * The run ends here: the running test failed in this very process.  Two threads
 * may fail at once: the second waits to be taken along by the first one's exit.
 */
static void end_run(const char *why)
{
	while (atomic_flag_test_and_set(&progress->ended))
		pause();
	progress->nr_failed++;
	say_failed(progress->running, why);
	say("stopped at the first failure; RL_TEST_FORK=1 goes on\n", "", "",
	    "");
	say_totals();
}

/* A child that a test forked ends itself alone, and the test sees its status. */
static bool ends_run(void)
{
	return !in_child && progress && progress->running && getpid() == runner;
}

void test_failed(void)
{
	if (ends_run())
		end_run("a check failed");
}

static void on_fatal_signal(int number)
{
	if (ends_run())
		end_run(number == SIGABRT ? "aborted" : "killed by a signal");
	signal(number, SIG_DFL);
	raise(number);
}

static void watch(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == runner) {
		const struct test_case *late;
		double deadline;

		nanosleep(&pause, NULL);
		/* Each is read once: the test may end between two looks, and a
		 * deadline that has become 0 has not passed. */
		deadline = progress->deadline;
		late = progress->running;
		if (deadline == 0 || !late || now_seconds() < deadline)
			continue;
		if (progress->child) {
			progress->deadline = 0;
			kill(progress->child, SIGKILL);
			continue;
		}
		if (!atomic_flag_test_and_set(&progress->ended)) {
			progress->nr_failed++;
			say_failed(late, "ran out of time");
			say_totals();
		}
		kill(runner, SIGKILL);
		_exit(1);
	}
	_exit(0);
}

static pid_t start_watching(void)
{
	pid_t watcher;

	runner = getpid();
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	watcher = fork();
	if (watcher == 0)
		watch();
	return watcher;
}

static void show(FILE *messages)
{
	char text[4096];
	size_t n;

	rewind(messages);
	while ((n = fread(text, 1, sizeof(text), messages)) > 0)
		fwrite(text, 1, n, stderr);
}

static const char *verdict(const struct test_options *want, int status)
{
	static char text[64];

	if (want->signal) {
		if (WIFSIGNALED(status) && WTERMSIG(status) == want->signal)
			return NULL;
		snprintf(text, sizeof(text), "want signal %d, got status 0x%x",
			 want->signal, (unsigned)status);
	} else {
		if (WIFEXITED(status) && WEXITSTATUS(status) == want->exit_code)
			return NULL;
		snprintf(text, sizeof(text), "want exit %d, got status 0x%x",
			 want->exit_code, (unsigned)status);
	}
	return text;
}

/* What the child says on stderr is shown only when it did not end as asked. */
static const char *run_forked(const struct test_case *t)
{
	FILE *messages = tmpfile();
	int status = 0;
	pid_t child;
	const char *why;

	if (!messages)
		return "no temporary file";
	fflush(NULL);
	child = fork();
	if (child == 0) {
		const struct rlimit no_core = { 0, 0 };

		in_child = true;
		setrlimit(RLIMIT_CORE, &no_core);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fileno(messages), STDERR_FILENO);
		t->run();
		exit(0);
	}
	progress->child = child;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	why = progress->deadline == 0 ? "ran out of time" :
					verdict(&t->options, status);
	progress->child = 0;
	if (why)
		show(messages);
	fclose(messages);
	return why;
}

static bool must_die(const struct test_case *t)
{
	return t->options.signal || t->options.exit_code;
}

static void run_case(const struct test_case *t, bool forked)
{
	double start = now_seconds();
	const char *why = NULL;
	char took[32];

	progress->running = t;
	progress->deadline = start + seconds_for(t);
	if (forked)
		why = run_forked(t);
	else
		t->run();
	progress->deadline = 0;
	fflush(NULL);
	if (why) {
		progress->nr_failed++;
		say_failed(t, why);
	} else {
		progress->nr_passed++;
		snprintf(took, sizeof(took), " (%.2f s)\n",
			 now_seconds() - start);
		say("ok ", t->suite, ".", t->name);
		say(took, "", "", "");
	}
	progress->running = NULL;
}

static bool is_chosen(const struct test_case *t, const char *filter)
{
	char full[256];

	snprintf(full, sizeof(full), "%s.%s", t->suite, t->name);
	return !filter || strstr(full, filter);
}

static void run_all(const char *filter)
{
	bool fork_each = number_of("RL_TEST_FORK", 0) > 0;

	for (int dying = 1; dying >= 0; dying--) {
		for (struct test_case *t = first_case; t; t = t->next) {
			if (must_die(t) == dying && is_chosen(t, filter))
				run_case(t, dying || fork_each);
		}
	}
}

static void catch_signals(void)
{
	static const int fatal[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	size_t nr_fatal = UNDER_SANITIZER ? 1 : sizeof(fatal) / sizeof(*fatal);

	for (size_t i = 0; i < nr_fatal; i++)
		signal(fatal[i], on_fatal_signal);
}

static int usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: [--list] [--filter PART_OF_SUITE.NAME]\n"
		"RL_TEST_FORK=1     a process for each test\n"
		"RL_TEST_SLOWER=N   N times the time before a test is killed\n"
		"RL_TEST_PERCENT=N  N %% of the random rounds\n"
		"RL_SEED=N          the seed of the random tests\n");
	return status;
}

int main(int argc, char **argv)
{
	const char *filter = NULL;
	bool list = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--list") == 0)
			list = true;
		else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
			filter = argv[++i];
		else
			return usage(strcmp(argv[i], "--help") ? 2 : 0);
	}
	if (list) {
		for (struct test_case *t = first_case; t; t = t->next) {
			if (is_chosen(t, filter))
				printf("%s.%s\n", t->suite, t->name);
		}
		return 0;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	pid_t watcher = start_watching();
	catch_signals();
	run_all(filter);
	kill(watcher, SIGKILL);
	waitpid(watcher, NULL, 0);
	if (progress->nr_passed + progress->nr_failed == 0)
		fprintf(stderr, "no test ran\n");
	say_totals();
	return progress->nr_failed || !progress->nr_passed;
}
