/*
 * child.h - what to do in a child of fork()
 *
 * For state of the process that names its threads: they are not there.
 */
#ifndef RL_BASE_CHILD_H
#define RL_BASE_CHILD_H

/* Such a variable that threads share.  (The explorer has it where it looks.) */
#ifndef RL_OF_PROCESS
#define RL_OF_PROCESS
#endif

/* Call forget in every child, before fork() returns there. */
void rl_at_child(void (*forget)(void));

#endif
