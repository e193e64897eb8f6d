/*
 * script_line.h - the script language: one operation a line
 *
 *	mmap ADDR LEN PROT FLAG,...		munmap ADDR LEN
 *	mprotect ADDR LEN PROT			madvise ADDR LEN dontneed|free
 *	mlock ADDR LEN				munlock ADDR LEN
 *	mremap OLD OLDLEN NEWLEN 0|FLAG,... [NEW]
 *	brk ADDR	fault ADDR r|w|x	maps	fork
 *
 * PROT is rwx with - for what is not allowed; numbers are 0x..., or decimal; # begins
 * a comment.  SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef MM_CMD_SCRIPT_LINE_H
#define MM_CMD_SCRIPT_LINE_H

#include <stddef.h>

#include "minimm/mm/mm.h"

/*
 * Read one line into a fresh op.
 * Returns: 1; 0 if the line is empty; -1 with what is wrong in why.
 */
int mm_script_read_line(const char *line, struct mm_op *op, char *why,
			size_t size);

/* op as a line, without its newline.  Returns text. */
const char *mm_script_write_line(const struct mm_op *op, char *text,
				 size_t size);

#define MM_SCRIPT_LINE	256

/* What the kernel makes depend on the machine, as it is on this one. */
void mm_script_machine(struct mm_config *config);

#endif
