/*
 * say.h - messages, progress and numbers for people
 */
#ifndef MM_CMD_SAY_H
#define MM_CMD_SAY_H

#include <stddef.h>
#include <stdint.h>

/* The program's exit statuses. */
enum mm_status {
	MM_STATUS_OK,
	MM_STATUS_VIOLATION,		/* a conflict missed, an invariant broken */
	MM_STATUS_USAGE,		/* a bad option, bad input */
	MM_STATUS_MISSING,		/* something this machine lacks */
};

/* Where two hold: the lower one that is not OK. */
static inline int mm_status_of_both(int a, int b)
{
	if (a == MM_STATUS_OK || b == MM_STATUS_OK)
		return a + b;
	return a < b ? a : b;
}

/* "minimm: text" on stderr, in red on a terminal. */
void mm_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As above, with a hint at the command's help.  Returns: MM_STATUS_USAGE. */
int mm_say_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Names that RANGELOCK_SITES asks for and no call site has, as messages. */
void mm_say_unknown_sites(void);

/* "what 45 %" on stderr, if that is a terminal; erased by the next message. */
void mm_progress(const char *what, uint64_t done, uint64_t all);
void mm_progress_erase(void);

/* Three digits and a unit: "0", "950ns", "12.3us", "1.05s".  Returns text. */
#define MM_TEXT_MAX	24
const char *mm_time_text(uint64_t ns, char text[MM_TEXT_MAX]);

/* Exact up to 999,999, then with a unit: "17123", "1.24M".  Returns text. */
const char *mm_count_text(uint64_t n, char text[MM_TEXT_MAX]);

#endif
