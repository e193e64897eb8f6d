/*
 * out.c - where results go as JSON: nowhere, to a file, to standard output
 */
#include "minimm/cmd/out.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "minimm/cmd/say.h"

int mm_out_open(struct mm_out *out, const char *path)
{
	int fd;

	*out = (struct mm_out){ .path = path };
	if (!path)
		return MM_STATUS_OK;
	out->is_stdout = strcmp(path, "-") == 0;
	if (out->is_stdout) {
		out->json = stdout;
		return MM_STATUS_OK;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0)
		out->json = fdopen(fd, "w");
	if (out->json)
		return MM_STATUS_OK;
	mm_say("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return MM_STATUS_MISSING;
}

FILE *mm_out_begin(struct mm_out *out)
{
	struct stat st;
	int fd = fileno(out->json);

	/* Only what has a length can be made empty. */
	if (!out->is_stdout && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(fd, 0) != 0)
		out->has_failed = true;
	return out->json;
}

int mm_out_close(struct mm_out *out)
{
	FILE *file = out->json;

	out->json = NULL;
	if (!file || out->is_stdout)
		return MM_STATUS_OK;
	if (fflush(file) != 0 || ferror(file))
		out->has_failed = true;
	if (fclose(file) != 0)
		out->has_failed = true;
	if (!out->has_failed)
		return MM_STATUS_OK;
	mm_say("%s: cannot be written", out->path);
	return MM_STATUS_MISSING;
}
