/*
 * lines.c - a text file, gzip or plain, line by line
 *
 * zlib reads both: it looks at the first two bytes.  A gzip stream that ends too
 * early looks like an ordinary end of file until gzerror() is asked, so every
 * end is asked.  Cost: one copy of each byte.
 */
#include "minimm/trace/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK	65536

struct mm_lines {
	gzFile file;
	char *path;
	uint32_t number;
	size_t from, to;		/* what of chunk is not yet given out */
	char chunk[CHUNK];
	char line[MM_LINE_MAX + 1];
};

static int open_for_reading(const char *path, char *why)
{
	struct stat about;
	int fd;

	if (strcmp(path, "-") == 0)
		fd = dup(STDIN_FILENO);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		snprintf(why, MM_WHY_MAX, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
		snprintf(why, MM_WHY_MAX, "%s: is a directory", path);
		close(fd);
		return -1;
	}
	return fd;
}

struct mm_lines *mm_lines_open(const char *path, char *why)
{
	struct mm_lines *lines;
	int fd = open_for_reading(path, why);

	if (fd < 0)
		return NULL;
	lines = calloc(1, sizeof(*lines));
	if (lines)
		lines->path = strdup(path);
	if (lines && lines->path)
		lines->file = gzdopen(fd, "rb");
	if (!lines || !lines->file) {
		snprintf(why, MM_WHY_MAX, "%s: out of memory", path);
		close(fd);
		mm_lines_close(lines);
		return NULL;
	}
	gzbuffer(lines->file, CHUNK);
	return lines;
}

void mm_lines_close(struct mm_lines *lines)
{
	if (!lines)
		return;
	if (lines->file)
		gzclose_r(lines->file);
	free(lines->path);
	free(lines);
}

uint32_t mm_lines_number(const struct mm_lines *lines)
{
	return lines->number;
}

static int complain(struct mm_lines *lines, char *why, const char *what)
{
	snprintf(why, MM_WHY_MAX, "%s:%u: %s", lines->path, lines->number + 1,
		 what);
	return -1;
}

/* Returns: 1 with bytes in the chunk; 0 at the end; -1 with a message. */
static int fill(struct mm_lines *lines, char *why)
{
	int nr_read = gzread(lines->file, lines->chunk, CHUNK);
	int error = Z_OK;
	const char *text;

	if (nr_read > 0) {
		lines->from = 0;
		lines->to = (size_t)nr_read;
		return 1;
	}
	text = gzerror(lines->file, &error);
	if (error == Z_BUF_ERROR)
		return complain(lines, why,
				"the gzip stream is truncated here");
	if (error == Z_ERRNO)
		return complain(lines, why, strerror(errno));
	if (nr_read < 0 || (error != Z_OK && error != Z_STREAM_END))
		return complain(lines, why, *text ? text : "damaged gzip");
	return 0;
}

/* Take bytes of the chunk up to the end of line.  True if that was in it. */
static int take(struct mm_lines *lines, size_t *length, size_t *nr_bytes)
{
	const char *from = lines->chunk + lines->from;
	size_t available = lines->to - lines->from;
	const char *newline = memchr(from, '\n', available);

	*nr_bytes = newline ? (size_t)(newline - from) : available;
	if (*length + *nr_bytes <= MM_LINE_MAX)
		memcpy(lines->line + *length, from, *nr_bytes);
	*length += *nr_bytes;
	lines->from += *nr_bytes + (newline ? 1 : 0);
	return newline != NULL;
}

int mm_lines_next(struct mm_lines *lines, const char **line, char *why)
{
	size_t length = 0, nr_bytes;
	int ended = 0, any = 0;

	while (!ended) {
		if (lines->from == lines->to) {
			int filled = fill(lines, why);

			if (filled < 0)
				return -1;
			if (filled == 0)
				break;
		}
		any = 1;
		ended = take(lines, &length, &nr_bytes);
		if (length > MM_LINE_MAX)
			return complain(lines, why,
					"not an event: the line is too long");
	}
	if (!any)
		return 0;
	if (memchr(lines->line, '\0', length))
		return complain(lines, why,
				"not an event: the line holds a zero byte");
	lines->line[length] = '\0';
	lines->number++;
	*line = lines->line;
	return 1;
}
