/*
 * lines.h - a text file, gzip or plain, line by line
 */
#ifndef MM_TRACE_LINES_H
#define MM_TRACE_LINES_H

#include <stddef.h>
#include <stdint.h>

#define MM_LINE_MAX	4096	/* bytes of one line; a longer one is an error */
#define MM_WHY_MAX	512	/* bytes of any message about bad input */

struct mm_lines;

/*
 * Open a file; "-" is standard input.
 *
 * Returns: NULL with a message that names the file in why (MM_WHY_MAX bytes).
 */
struct mm_lines *mm_lines_open(const char *path, char *why);
void mm_lines_close(struct mm_lines *lines);

/*
 * The next line, without its end, valid until the next call.
 *
 * Returns: 1; 0 at the end; -1 with a message in why: not readable, a damaged
 *	    or truncated gzip stream, a zero byte, a line longer than MM_LINE_MAX.
 */
int mm_lines_next(struct mm_lines *lines, const char **line, char *why);

/* The number of the line that was read last, from 1. */
uint32_t mm_lines_number(const struct mm_lines *lines);

#endif
