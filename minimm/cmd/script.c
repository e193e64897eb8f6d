/*
 * script.c - minimm script: operations from a file, on an empty address space
 *
 * One result a line, as the kernel would give it.  What the kernel makes depend
 * on the machine is asked of this one: how much memory one mapping may promise,
 * how many mappings there may be, whether execute-only memory is protected.
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "minimm/cmd/args.h"
#include "minimm/cmd/commands.h"
#include "minimm/cmd/say.h"
#include "minimm/cmd/script_line.h"
#include "minimm/mm/mm.h"
#include "minimm/scheme/scheme.h"

static void print_help(void)
{
	printf("usage: minimm script [--scheme NAME] FILE\n"
	       "\n"
	       "Run one operation a line on an empty address space and print the result\n"
	       "of each, as the kernel would give it.  FILE may be `-': standard input.\n"
	       "\n"
	       "  mmap ADDR LEN PROT FLAG,...     PROT: like rw-; flags: MAP_ names in lower\n"
	       "                                  case (noreplace: MAP_FIXED_NOREPLACE)\n"
	       "  munmap ADDR LEN                 mprotect ADDR LEN PROT\n"
	       "  mremap OLD OLDLEN NEWLEN 0|maymove|maymove,fixed [NEW]\n"
	       "  madvise ADDR LEN dontneed|free  mlock ADDR LEN      munlock ADDR LEN\n"
	       "  brk ADDR                        fault ADDR r|w|x\n"
	       "  maps                            fork (and go on in the parent)\n"
	       "\n"
	       "The heap begins at 0x%" PRIx64 "; addresses of the system's choice are\n"
	       "the highest free ones below 0x%" PRIx64 ".  # begins a comment.\n",
	       MM_DEFAULT_BREAK, MM_DEFAULT_TOP);
}

/* A number from a file of /proc/sys, or fallback. */
static uint64_t system_number(const char *path, uint64_t fallback)
{
	FILE *f = fopen(path, "re");
	uint64_t n;

	if (!f)
		return fallback;
	if (fscanf(f, "%" SCNu64, &n) != 1)
		n = fallback;
	fclose(f);
	return n;
}

static bool has_protection_keys(void)
{
	int key = pkey_alloc(0, 0);

	if (key < 0)
		return false;
	pkey_free(key);
	return true;
}

void mm_script_machine(struct mm_config *config)
{
	struct sysinfo info;

	if (system_number("/proc/sys/vm/overcommit_memory", 0) != 1 &&
	    sysinfo(&info) == 0)
		config->commit_pages = ((uint64_t)info.totalram +
					info.totalswap) * info.mem_unit /
				       MM_PAGE_SIZE;
	config->map_count_max = (uint32_t)system_number(
		"/proc/sys/vm/max_map_count", MM_MAP_COUNT_MAX);
	config->has_protection_keys = has_protection_keys();
}

static void print_vma(void *arg, const struct mm_vma *vma)
{
	(void)arg;
	printf("%08" PRIx64 "-%08" PRIx64 " %c%c%c%c\n", vma->start, vma->end,
	       vma->flags & MM_VM_READ ? 'r' : '-',
	       vma->flags & MM_VM_WRITE ? 'w' : '-',
	       vma->flags & MM_VM_EXEC ? 'x' : '-',
	       vma->flags & MM_VM_MAYSHARE ? 's' : 'p');
}

static void run_one(struct mm *mm, struct mm_op *op)
{
	char text[MM_RESULT_TEXT];

	op->line = print_vma;
	mm_run(mm, op);
	if (op->kind == MM_MAPS)
		return;
	/* An address is an address even if it is 0. */
	if (op->result == 0 && (op->kind == MM_MMAP || op->kind == MM_MREMAP ||
				op->kind == MM_BRK))
		printf("= 0x0\n");
	else
		printf("= %s\n", mm_result_text(op->result, text, sizeof(text)));
	/* The child has its own copy, and goes. */
	mm_destroy(op->child);
}

static int run_lines(struct mm *mm, FILE *f, const char *name)
{
	char *line = NULL, why[MM_SCRIPT_LINE + 64];
	size_t room = 0, number = 0;
	int status = MM_STATUS_OK;
	ssize_t length;

	while ((length = getline(&line, &room, f)) >= 0) {
		struct mm_op op;
		int is_op;

		number++;
		if (memchr(line, '\0', (size_t)length)) {
			mm_say("%s:%zu: a zero byte", name, number);
			status = MM_STATUS_USAGE;
			break;
		}
		is_op = mm_script_read_line(line, &op, why, sizeof(why));
		if (is_op < 0) {
			fflush(stdout);
			mm_say("%s:%zu: %s", name, number, why);
			status = MM_STATUS_USAGE;
			break;
		}
		if (is_op)
			run_one(mm, &op);
	}
	if (length < 0 && !feof(f)) {	/* an error, or no memory for a line */
		mm_say("%s: %s", name, strerror(errno));
		status = errno == ENOMEM ? MM_STATUS_MISSING : MM_STATUS_USAGE;
	}
	free(line);
	return status;
}

static void tell_violation(void *ctx, struct mm_op *op, const char *text)
{
	(void)op;
	*(bool *)ctx = true;
	mm_say("violation of %s", text);
}

static int run_script(const struct mm_scheme *scheme, const char *name)
{
	bool violated = false;
	const struct mm_observer observer = { .violation = tell_violation,
					      .ctx = &violated };
	struct mm_config config = { .scheme = scheme, .observer = &observer };
	bool is_stdin = strcmp(name, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(name, "re");
	struct mm *mm;
	int status;

	if (!f) {
		mm_say("%s: %s", name, strerror(errno));
		return MM_STATUS_USAGE;
	}
	mm_script_machine(&config);
	mm = mm_create(&config);
	if (!mm) {
		mm_say("out of memory");
		return MM_STATUS_MISSING;
	}
	status = run_lines(mm, f, is_stdin ? "standard input" : name);
	mm_check(mm);
	mm_destroy(mm);
	if (!is_stdin)
		fclose(f);
	mm_say_unknown_sites();
	return violated ? MM_STATUS_VIOLATION : status;
}

int mm_cmd_script(int argc, char **argv)
{
	const struct mm_scheme *scheme;
	struct mm_args args;
	int status = mm_args_read(&args, argc, argv, "s");

	if (status)
		return status;
	if (args.wants_help) {
		print_help();
		return MM_STATUS_OK;
	}
	if (!args.trace)
		return mm_say_usage(argv[0], "which file?");
	scheme = mm_args_one_scheme(&args, argv[0]);
	return scheme ? run_script(scheme, args.trace) : MM_STATUS_USAGE;
}
