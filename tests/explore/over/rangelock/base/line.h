/*
 * line.h - the real one, but each thread has a line from the beginning
 */
#ifndef EX_BASE_LINE_H
#define EX_BASE_LINE_H

#define rl_line_mine	rl_line_mine_really
#include_next "rangelock/base/line.h"
#undef rl_line_mine

struct rl_line *rl_line_mine(void);

#endif
