/*
 * runner.h - what the checks ask of the backend that runs the tests
 */
#ifndef RL_TESTS_RUNNER_H
#define RL_TESTS_RUNNER_H

/* A check failed: say which test it was.  The process ends after this. */
void test_failed(void);

#endif
