/*
 * commands.h - the subcommands
 *
 * Each gets its own name as argv[0] and returns an exit status (say.h).
 */
#ifndef MM_CMD_COMMANDS_H
#define MM_CMD_COMMANDS_H

int mm_cmd_replay(int argc, char **argv);
int mm_cmd_sites(int argc, char **argv);
int mm_cmd_racy(int argc, char **argv);
int mm_cmd_run(int argc, char **argv);
int mm_cmd_script(int argc, char **argv);
int mm_cmd_schemes(int argc, char **argv);
int mm_cmd_costs(int argc, char **argv);

#endif
