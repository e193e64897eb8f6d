/*
 * Goal: a line of a script means what it says, what is written can be read
 * again, and nonsense is refused with a reason.
 */
#include "tests/backend.h"

#include <string.h>

#include "minimm/cmd/script_line.h"

static struct mm_op op;
static char why[200];

static int read_line(const char *line)
{
	why[0] = '\0';
	return mm_script_read_line(line, &op, why, sizeof(why));
}

Test(script_line, a_mapping_is_read_word_by_word)
{
	check_eq(read_line("mmap 0x10000000000 12288 r-x "
			   "private,anonymous,noreserve,noreplace # why\n"), 1);
	check_eq(op.kind, MM_MMAP);
	check_eq(op.addr, UINT64_C(0x10000000000));
	check_eq(op.len, 0x3000u);
	check_eq(op.prot, MM_VM_READ | MM_VM_EXEC);
	check_eq(op.flags, MM_MAP_PRIVATE | MM_MAP_ANONYMOUS |
			   MM_MAP_NORESERVE | MM_MAP_NOREPLACE);
}

Test(script_line, empty_lines_and_comments_are_nothing)
{
	check_eq(read_line(""), 0);
	check_eq(read_line("  \t \r\n"), 0);
	check_eq(read_line("# mmap"), 0);
}

Test(script_line, what_is_written_can_be_read_again)
{
	static const char *const lines[] = {
		"mmap 0x1000 0x2000 rw- private,anonymous,noreserve,fixed",
		"mmap 0x1000 0x2000 --- shared_validate,anonymous",
		"mmap 0x1000 0x2000 --- 0",
		"mmap 0x1000 0x2000 rw- private,droppable,fixed",
		"munmap 0x1000 0x2000",
		"mprotect 0x1000 0x2000 -w-",
		"mremap 0x1000 0x2000 0x3000 0",
		"mremap 0x1000 0x2000 0x3000 maymove,fixed 0x7000",
		"madvise 0x1000 0x2000 free",
		"mlock 0x1000 0x2000",
		"munlock 0x1000 0x2000",
		"brk 0x5000",
		"fault 0x1234 x",
		"maps",
		"fork",
	};
	char text[MM_SCRIPT_LINE];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		check_eq(read_line(lines[i]), 1);
		check_str_eq(mm_script_write_line(&op, text, sizeof(text)),
			     lines[i]);
	}
}

Test(script_line, nonsense_is_refused_with_a_reason)
{
	static const char *const lines[] = {
		"frobnicate", "mmap", "mmap 1 2 rw-", "mmap 1 2 rw- private x",
		"mmap 1 2 rw private", "mmap 1 2 wr- private",
		"mmap 1 2 rw- private,,fixed", "mmap 1 2 rw- private,",
		"mmap -1 2 rw- private", "munmap 0x 1", "munmap 1x 1",
		"munmap 18446744073709551616 1", "munmap 1", "munmap 1 2 3",
		"mremap 1 2 3 maymove,fixed", "mremap 1 2 3 sideways",
		"madvise 1 2 burn", "fault 1 rw", "fault 1", "maps 1",
		"a b c d e f g h i j",
	};
	char endless[400];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		check_msg(read_line(lines[i]) == -1, "taken: %s", lines[i]);
		check(why[0] != '\0');
	}
	memset(endless, 'x', sizeof(endless));
	endless[sizeof(endless) - 1] = '\0';
	check_eq(read_line(endless), -1);
}
