/*
 * Goal: a trace's text becomes the records it stands for, and what is wrong
 * with it is said with its line.
 */
#include "tests/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "minimm/trace/lines.h"
#include "minimm/trace/tasks.h"
#include "minimm/trace/trace.h"
#include "tests/mm/tracetext.h"

#define ANON	(MM_MAP_PRIVATE | MM_MAP_ANONYMOUS)
#define A	UINT64_C(0x7f0000000000)

static struct tracetext t;
static struct mm_recording rec;
static char why[512];

static void check_complaint(const char *wanted)
{
	check_eq(trace_read(&t, &rec, why), -1);
	check_msg(strncmp(why, wanted, strlen(wanted)) == 0,
		  "got \"%s\", want \"%s\"", why, wanted);
}

static void check_good(void)
{
	int error = trace_read(&t, &rec, why);

	check_msg(!error, "%s", why);
}

Test(event, numbers_are_exact_to_the_last_of_64_bits)
{
	struct mm_event e;

	check_eq(mm_event_parse(&e, " 4294967295/1  18446744072.999999999:  "
				"exceptions:page_fault_user: "
				"address=0xffffffffffffffff ip=0x1 "
				"error_code=0x14", why), 0);
	check_eq(e.pid, UINT32_MAX);
	check_eq(e.tid, 1);
	check_eq(e.time_ns, UINT64_C(18446744072999999999));
	check_eq(e.args[0], UINT64_MAX);
	check_eq(e.args[2], 0x14);
	check_eq(mm_event_parse(&e, "1/1 1.5: syscalls:sys_exit_brk: "
				"0x8000000000000001", why), 0);
	check_eq(e.time_ns, UINT64_C(1500000000));
	check_eq(e.result, UINT64_C(0x8000000000000001));
	check_eq(e.kind, MM_EVENT_EXIT);
	check_eq(e.call, MM_CALL_BRK);
}

Test(event, what_is_no_event_is_refused)
{
	static const char *const lines[] = {
		"",
		"x",
		"1",
		"1/",
		"1/1",
		"1/1 1.0",
		"1/1 1.0:",
		"1/1 1.0: word",
		"1/1 1.0: a:",
		"1/1 1: a:b: c",
		"1/1 1.: a:b: c",
		"1/1 1.0000000001: a:b: c",
		"1/1 99999999999999999999.0: a:b: c",
		"4294967296/1 1.0: a:b: c",
		"1/0x 1.0: a:b: c",
		"1 1.0: a:b: c",
		"1/1 1.0: syscalls:sys_exit_mmap:",
		"1/1 1.0: syscalls:sys_exit_mmap: 0x1ffffffffffffffff",
		"1/1 1.0: syscalls:sys_exit_mmap: 0x12 more",
		"1/1 1.0: syscalls:sys_enter_munmap: addr: 0x1",
		"1/1 1.0: syscalls:sys_enter_munmap: addr: 0x1, len: 0xg",
		"1/1 1.0: syscalls:sys_enter_munmap: addr: , len: 0x1",
		"1/1 1.0: exceptions:page_fault_user: address=0x1 ip=0x1",
	};
	struct mm_event e;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		check_msg(mm_event_parse(&e, lines[i], why) == -1,
			  "accepted: \"%s\"", lines[i]);
	check_eq(mm_event_parse(&e, "1/1 1.0: sched:sched_switch: what ever",
				why), 0);
	check_eq(e.kind, MM_EVENT_OTHER);
}

Test(event, fields_are_found_by_name_whatever_stands_between)
{
	struct mm_event e;

	check_eq(mm_event_parse(&e, "1/1 1.0: syscalls:sys_enter_munmap: new: "
				"0x9, addr: 0x1000, odd: x, len: 0x20", why),
		 0);
	check_eq(e.args[0], 0x1000);
	check_eq(e.args[1], 0x20);
}

Test(lines, gzip_and_plain_text_read_alike)
{
	static const char text[] = "one\ntwo\n\nlast without an end";
	static const char *const wanted[] = { "one", "two", "",
					      "last without an end" };
	const char *line;

	for (int gzip = 0; gzip < 2; gzip++) {
		const char *file = trace_file(text, sizeof(text) - 1);
		gzFile out = gzip ? gzopen(file, "wb") : NULL;
		struct mm_lines *lines;

		if (out) {
			check_eq(gzwrite(out, text, sizeof(text) - 1),
				 (int)sizeof(text) - 1);
			gzclose(out);
		}
		lines = mm_lines_open(file, why);
		check(lines != NULL);
		for (int i = 0; i < 4; i++) {
			check_eq(mm_lines_next(lines, &line, why), 1);
			check_str_eq(line, wanted[i]);
			check_eq(mm_lines_number(lines), (uint32_t)i + 1);
		}
		check_eq(mm_lines_next(lines, &line, why), 0);
		mm_lines_close(lines);
		unlink(file);
	}
}

/* Cut a gzip file at every length: no cut may pass for the whole. */
Test(lines, every_truncation_of_a_gzip_file_is_noticed)
{
	static char text[3000], packed[4096];
	const char *file;
	FILE *f;
	gzFile out;
	size_t size;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 40 == 39 ? '\n' : (char)('a' + i * i % 23);
	file = trace_file("", 0);
	out = gzopen(file, "wb");
	check_eq(gzwrite(out, text, sizeof(text)), (int)sizeof(text));
	gzclose(out);
	f = fopen(file, "rb");
	size = fread(packed, 1, sizeof(packed), f);
	fclose(f);
	unlink(file);
	for (size_t cut = 3; cut < size; cut++) {
		const char *line;
		struct mm_lines *lines;
		int more;

		file = trace_file(packed, cut);
		lines = mm_lines_open(file, why);
		do
			more = mm_lines_next(lines, &line, why);
		while (more == 1);
		check_msg(more == -1, "cut at %zu of %zu: taken for whole", cut,
			  size);
		check(strstr(why, "truncated") || strstr(why, "incorrect"));
		mm_lines_close(lines);
		unlink(file);
	}
}

Test(lines, what_cannot_be_opened_is_named)
{
	check(mm_lines_open("/nonexistent/trace", why) == NULL);
	check(strstr(why, "/nonexistent/trace: ") == why);
	check(mm_lines_open("/tmp", why) == NULL);
	check_str_eq(why, "/tmp: is a directory");
}

Test(tasks, a_thousand_threads_are_told_apart)
{
	struct mm_tasks tasks = { NULL, 0, 0 };

	for (uint32_t i = 0; i < 1000; i++)
		mm_tasks_find(&tasks, i / 10, i)->thread = i;
	for (uint32_t i = 0; i < 1000; i++)
		check_eq(mm_tasks_find(&tasks, i / 10, i)->thread, i);
	check_eq(mm_tasks_find(&tasks, 7, 7)->thread, MM_NONE);
	mm_tasks_free(&tasks);
}

Test(trace, an_enter_and_its_exit_are_one_record)
{
	trace_line(&t, 7, 7, "syscalls:sys_enter_munmap: addr: 0x1000, "
			     "len: 0x2000");
	trace_fault(&t, 7, 8, A, 'w');
	trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0xfffffffffffffff4");
	check_good();
	check_eq(rec.nr_records, 2);
	check_eq(rec.nr_threads, 2);
	check_eq(rec.nr_spaces, 1);
	check_eq(rec.records[0].call, MM_CALL_MUNMAP);
	check_eq(rec.records[0].end_ns - rec.records[0].start_ns, 200);
	check_eq(mm_record_error(&rec.records[0]), 12);
	check_eq(rec.records[1].line, 2);
	mm_recording_free(&rec);
}

Test(trace, an_address_is_chosen_at_the_end_of_the_call)
{
	/* 8 gets what 7 unmaps while 8 is in mmap: munmap comes first. */
	trace_line(&t, 7, 8, "syscalls:sys_enter_mmap: addr: 0x0, len: 0x1000, "
			     "prot: 0x3, flags: 0x22, fd: 0xffffffff, off: 0x0");
	trace_munmap(&t, 7, 7, A, 0x1000, 0);
	trace_line(&t, 7, 8, "syscalls:sys_exit_mmap: 0x7f0000000000");
	check_good();
	check_eq(rec.records[0].call, MM_CALL_MUNMAP);
	check_eq(rec.records[1].call, MM_CALL_MMAP);
	check(mm_record_chooses_address(&rec.records[1]));
	mm_recording_free(&rec);
}

Test(trace, a_thread_begins_with_its_clone_even_if_it_returns_first)
{
	trace_clone(&t, 7, 7, 7, 9);
	trace_fault(&t, 7, 9, A, 'w');
	check_good();
	check_eq(rec.nr_threads, 2);
	check_eq(rec.threads[0].clone, MM_NONE);
	check_eq(rec.records[rec.threads[1].clone].call, MM_CALL_CLONE3);
	check_eq(rec.nr_skipped[MM_SKIP_BEGUN_BEFORE], 0);
	mm_recording_free(&rec);
}

Test(trace, a_tid_that_is_used_again_is_another_thread)
{
	trace_clone(&t, 7, 7, 7, 9);
	trace_line(&t, 7, 9, "syscalls:sys_enter_exit: error_code: 0x0");
	trace_clone(&t, 7, 7, 7, 9);
	trace_fault(&t, 7, 9, A, 'w');
	check_good();
	check_eq(rec.nr_threads, 3);
	check_ne(rec.threads[1].clone, rec.threads[2].clone);
	mm_recording_free(&rec);
}

Test(trace, a_child_process_has_a_copy_and_execve_a_space_of_its_own)
{
	trace_fault(&t, 7, 7, A, 'w');
	trace_clone(&t, 7, 7, 9, 9);
	trace_fault(&t, 9, 9, A, 'w');
	trace_line(&t, 9, 9, "syscalls:sys_enter_execve: filename: 0x1000, "
			     "argv: 0x1000, envp: 0x1000");
	trace_line(&t, 9, 9, "syscalls:sys_exit_execve: 0x0");
	trace_fault(&t, 9, 9, A, 'w');
	trace_fault(&t, 7, 7, A, 'w');
	check_good();
	check_eq(rec.nr_spaces, 3);
	check_eq(rec.spaces[0].parent, MM_NONE);
	check_eq(rec.spaces[1].parent, 0);
	check_eq(rec.records[rec.spaces[1].clone].call, MM_CALL_CLONE3);
	check_eq(rec.spaces[2].parent, MM_NONE);
	check_eq(rec.records[0].space, 0);
	check_eq(rec.records[2].space, 1);
	check_eq(rec.records[4].space, 2);
	check_eq(rec.records[5].space, 0);
	mm_recording_free(&rec);
}

Test(trace, what_is_skipped_is_counted_by_reason)
{
	trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0x0");
	trace_line(&t, 7, 7, "syscalls:sys_enter_futex: what: ever");
	trace_line(&t, 7, 7, "syscalls:sys_exit_futex: 0x0");
	trace_line(&t, 7, 7, "sched:sched_switch: what ever");
	trace_line(&t, 7, 7, "syscalls:sys_enter_munmap: addr: 0x0, len: 0x0");
	trace_line(&t, 7, 7, "syscalls:sys_enter_munmap: addr: 0x0, len: 0x0");
	check_good();
	check_eq(rec.nr_records, 0);
	check_eq(rec.nr_skipped[MM_SKIP_BEGUN_BEFORE], 1);
	check_eq(rec.nr_skipped[MM_SKIP_UNKNOWN_CALL], 1);
	check_eq(rec.nr_skipped[MM_SKIP_UNKNOWN_EVENT], 1);
	check_eq(rec.nr_skipped[MM_SKIP_UNFINISHED], 2);
	mm_recording_free(&rec);
}

Test(trace, an_exit_without_an_enter_is_an_error_with_its_line)
{
	trace_fault(&t, 7, 7, A, 'w');
	trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0x0");
	check_complaint(":2: the end of munmap, but 7/7 is in no call");
}

Test(trace, an_exit_of_another_call_is_an_error_with_its_line)
{
	trace_line(&t, 7, 7, "syscalls:sys_enter_brk: brk: 0x0");
	trace_line(&t, 7, 7, "syscalls:sys_exit_munmap: 0x0");
	check_complaint(":2: the end of munmap, but 7/7 is in brk (line 1)");
}

Test(trace, time_that_goes_back_is_an_error_with_its_line)
{
	trace_fault(&t, 7, 7, A, 'w');
	trace_fault(&t, 7, 7, A, 'w');
	t.now_ns -= 150;
	trace_fault(&t, 7, 7, A, 'w');
	check_complaint(":3: the time goes back by 50 ns");
}

Test(trace, a_line_that_is_no_event_is_an_error_with_its_line)
{
	trace_fault(&t, 7, 7, A, 'w');
	trace_line(&t, 7, 7, "nonsense\001");
	check_complaint(":2: not an event: 7/7  0.000000200:  nonsense?");
}

Test(trace, an_empty_file_is_an_error)
{
	t.text = malloc(1);
	check_complaint(":1: there is no event in it");
}
