/*
 * out.h - where results go as JSON: nowhere, to a file, to standard output
 */
#ifndef MM_CMD_OUT_H
#define MM_CMD_OUT_H

#include <stdbool.h>
#include <stdio.h>

struct mm_out {
	const char *path;
	FILE *json;			/* or NULL */
	bool is_stdout;			/* ... and nothing else goes there */
	bool has_failed;		/* said at the end */
};

/*
 * Open what --json says (NULL: nothing), before anything is measured: a place
 * that cannot be written to is known then.  What stands there already stays
 * until mm_out_begin().
 *
 * Returns: MM_STATUS_OK; MM_STATUS_MISSING after a message.
 */
int mm_out_open(struct mm_out *out, const char *path);

/* Does an object go there?  What has a length keeps what it had if there is no
 * result; a standard output that is JSON is never empty. */
static inline bool mm_out_takes(const struct mm_out *out, size_t nr_results)
{
	return out->json && (nr_results || out->is_stdout);
}

/* The empty file.  Requires: out->json. */
FILE *mm_out_begin(struct mm_out *out);

/* Close it, if it is open and not standard output (whose end is main's).
 * Returns: MM_STATUS_OK; MM_STATUS_MISSING after a message: bytes are lost. */
int mm_out_close(struct mm_out *out);

#endif
